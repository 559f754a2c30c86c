"""Shared pieces: a cache of the tests' own, tiny corpora made of tones, and the real recordings where they are."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sertut.corpora import About, Clip, Corpus, Region
from sertut.signals import SAMPLE_RATE, write_audio

os.environ.setdefault("SERTUT_STATIC", "1")

ABOUT = About("tones", "none", "none", "none")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache folder that nobody else uses."""
    monkeypatch.setenv("SERTUT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def recorded():
    """``recorded("ravdess")``: the folder of a real corpus, or skip with the reason."""

    def find(name: str) -> Path:
        root = os.environ.get("SERTUT_DATA")
        if not root or not (Path(root) / name).is_dir():
            pytest.skip(f"needs the recordings of {name}: set SERTUT_DATA to the folder that holds {name}/")
        return Path(root) / name

    return find


@contextmanager
def a_chromium(*more: str):
    """A browser of the machine's own, started with `more` arguments, or skip with the reason; nothing is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if (program := next(filter(None, map(shutil.which, names)), None)) is None:
        pytest.skip("needs a browser: install Chromium (Debian: apt-get install chromium)")
    with pytest.importorskip("playwright.sync_api").sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program,
            timeout=180_000,
            args=["--autoplay-policy=no-user-gesture-required", "--allow-file-access-from-files", *more],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")  # no longer: while it is open, nothing else in this process can use asyncio
def chromium():
    """A browser, as :func:`a_chromium`."""
    with a_chromium() as browser:
        yield browser


def tone(seconds: float, hertz: float = 200.0, level: float = 0.1) -> np.ndarray:
    """A sine with a little seeded noise."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    return (level * (np.sin(2 * np.pi * hertz * time) + 0.01 * noise)).astype(np.float32)


@pytest.fixture(scope="session")
def shared_tones(tmp_path_factory) -> Corpus:
    """A corpus that a network learns in seconds: 6 speakers (base pitch) x 2 emotions x 4 clips.

    In "high" clips a stretch of 0.3 s is an octave higher; its place is the region. All tests share its files.
    """
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("tones")
    clips = []
    for speaker in range(6):
        for emotion in ("low", "high"):
            for take in range(4):
                base, start = 150 + 20 * speaker, 0.2 + 0.5 * rng.random()
                pieces = [tone(start, base), tone(0.3, base * (2 if emotion == "high" else 1)), tone(0.4, base)]
                samples = np.concatenate(pieces) + rng.normal(scale=1e-3, size=sum(map(len, pieces)))
                name = f"s{speaker}-{emotion}-{take}"
                path = folder / f"{name}.wav"
                write_audio(path, samples)
                regions = (Region(start, start + 0.3),) if emotion == "high" else ()
                clips.append(Clip(name, path, f"speaker {speaker}", emotion, f"take {take}", regions))
    return Corpus("tones", tuple(clips), ("low", "high"), ABOUT)


@pytest.fixture
def tones(shared_tones, tmp_path, cache) -> Corpus:
    """The corpus of :func:`shared_tones` in files of this test's own, with a cache of its own."""
    clips = [replace(clip, audio=Path(shutil.copy(clip.audio, tmp_path))) for clip in shared_tones]
    return replace(shared_tones, clips=tuple(clips))


@pytest.fixture(autouse=True)
def _seeded():
    """Whatever a test draws, it draws the same every time."""
    torch.manual_seed(0)
    np.random.seed(0)
