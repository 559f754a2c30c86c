"""Corpora as files: the same bytes every time, whole after any interruption, with their truth in the right place."""

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyworld
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sertut.corpora import MADE, load
from sertut.planted.expressions import speech_opening
from sertut.planted.plans import EMOTIONS
from sertut.planted.rendering import render_sentence
from sertut.planted.variants import VARIANTS
from sertut.signals import SAMPLE_RATE, frame_seconds, level_db, read_audio
from sertut.video import VIDEO_HOP, read_video
from tests.planted.conftest import load_small, plans

pytestmark = pytest.mark.xdist_group("planted")

ROOT = Path(__file__).resolve().parents[2]
SHIFT = 0.03  # seconds: half a frame, and what the vocoder smears
WITH_FACES = [name for name in MADE if VARIANTS[name].has_faces]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def folder_of(corpus) -> Path:
    return corpus[0].audio.parent.parent


# Making it


@pytest.fixture
def copied(cache, small):
    """The small corpus in a folder of the test's own."""
    made = folder_of(small("planted"))
    shutil.copytree(made, cache / made.name)
    return load_small("planted")


def test_a_second_load_makes_nothing(copied, monkeypatch):
    monkeypatch.setattr("sertut.planted.rendering.render_sentence", None)
    assert load_small("planted") == copied


def test_two_processes_that_make_one_corpus_at_once_make_what_one_makes(cache, small):
    program = (
        "from tests.planted.conftest import load_small\n"  # which imports all that making needs
        "print(input('ready\\n'))\n"
        "load_small('planted')"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    other = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, **pipes, text=True)
    assert other.stdout.readline() == "ready\n"
    print("go", file=other.stdin, flush=True)
    ours = load_small("planted")
    _, complaint = other.communicate()
    assert other.returncode == 0, complaint
    made = folder_of(small("planted"))
    assert files_of(cache) == {f"{made.name}/{file}": content for file, content in files_of(made).items()}
    assert load_small("planted") == ours


@pytest.mark.parametrize(
    "lost",
    [
        "manifest.json clips/*-fear-1.flac faces-*/*-anger-1.avi",  # an interrupted making
        "faces-*/*",
        "clips/*-anger-1.flac",
        "faces-*/*-anger-1.avi",
        "half of manifest.json",
    ],
)
def test_what_is_lost_is_made_again_and_nothing_else(copied, lost):
    folder = folder_of(copied)
    before = files_of(folder)
    for path in (path for pattern in lost.split() for path in folder.glob(pattern)):
        whole = path.read_bytes()
        path.unlink()
        if lost.startswith("half of"):
            path.write_bytes(whole[: len(whole) // 2])
    there = {path: path.stat().st_mtime_ns for path in folder.rglob("*-1.*")}
    assert load_small("planted") == copied
    assert files_of(folder) == before
    assert {path: path.stat().st_mtime_ns for path in there} == there


def test_nothing_half_written_stays_behind(tmp_path, monkeypatch):
    def fail(path, samples):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("sertut.planted.rendering.write_audio", fail)
    with pytest.raises(KeyboardInterrupt):
        render_sentence([(plans("planted", 1, 7)[0], None)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


# Its truth


@pytest.mark.parametrize(
    "name, digest",
    [
        ("planted", "a0d772c1ec"),
        ("planted-loud", "a976a6cd54"),
        ("planted-band", "65799a3fd5"),
        ("planted-blend", "360867054a"),
        ("planted-decoy", "4964b0cb0c"),
    ],
)
def test_the_truth_is_the_one_that_the_reference_results_were_made_with(small, name, digest):
    """A digest of the manifests: when each word is heard, what is true of it, when each expression is shown."""
    folder = folder_of(small(name))
    manifests = [json.loads(path.read_text())["clips"] for path in sorted(folder.rglob("manifest.json"))]
    assert hashlib.sha256(json.dumps(manifests).encode()).hexdigest()[:10] == digest


@pytest.mark.parametrize("name", MADE)
def test_truth_lies_on_the_words_and_inside_the_clip(small, name):
    corpus = small(name)
    assert corpus.validate() == []
    for clip in corpus:
        words, details = clip.details["words"], clip.details
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        assert 0 <= words[0][1] and words[-1][2] <= seconds + 1e-3  # noqa: SIM300
        assert all(a[2] == b[1] for a, b in itertools.pairwise(words))
        voice, face = ([r for r in clip.regions if r.stream == stream] for stream in ("voice", "face"))
        spans = {word[1:]: word[0] for word in words}
        said = [spans[region.start, region.end] for region in voice]
        assert len(voice) >= (clip.emotion != "neutral") and len(face) == (name in WITH_FACES) * len(voice)
        loud = (details["decoy_word"], details["decoy_start"], details["decoy_end"])
        if name == "planted-decoy" or (name == "planted-loud" and voice):
            assert loud == (None, None, None)
        else:
            assert loud in words and loud[1:] not in [(region.start, region.end) for region in voice]
        assert name == "planted-blend" or said == [details["cue_word"]] * (clip.emotion != "neutral")
        assert (clip.video is not None) == ("offset" in details) == (name in WITH_FACES)
        if clip.video:
            video = read_video(clip.video)
            assert video.frames.shape == (int(seconds / VIDEO_HOP + 1e-6), 48, 48)
            np.testing.assert_allclose(video.times, (np.arange(len(video)) + 0.5) * VIDEO_HOP, atol=1e-3)
        if name in ("planted", "planted-blend"):  # the face is the voice moved by the offset
            assert -0.6 <= details["offset"] <= 0.6
            for heard, shown in zip(voice, face, strict=True):
                moved = np.array([shown.start - heard.start, shown.end - heard.end]) - details["offset"]
                assert np.abs(moved).max() < 0.062 and 0.048 < shown.start < shown.end < seconds - 0.048
            assert all(a.end <= b.start for a, b in itertools.pairwise(face))


def test_a_blend_tells_the_emotion_of_each_word_and_the_share_of_each_emotion(small):
    corpus = small("planted-blend")
    assert corpus.emotions == EMOTIONS
    for clip in corpus:
        cues, shown, shares = (clip.details[which] for which in ("cues", "faces", "shares"))
        assert [(region.start, region.end) for region in clip.regions] == [span[1:] for span in (*cues, *shown)]
        assert [cue[0] for cue in cues] == [span[0] for span in shown]
        total = sum(end - start for _, start, end in cues)
        for emotion, share in shares.items():
            assert share == pytest.approx(sum(end - start for e, start, end in cues if e == emotion) / total)
        assert max(shares, key=shares.get) == clip.emotion


def mouth_lag(clip) -> float:
    """Seconds by which the dark of the mouth follows the level of the voice: the lag of their best correlation."""
    frames = read_video(clip.video).frames.astype(float)
    dark = 0.4 * np.median(frames[:, 20:40, 12:36], axis=(1, 2))
    opening = (frames[:, 27:, 12:36] < dark[:, None, None]).sum(axis=(1, 2))
    times = (np.arange(len(frames)) + 0.5) * VIDEO_HOP
    level = level_db(read_audio(clip.audio)).numpy()

    def agreement(lag: float) -> float:
        heard = (times - lag > 0) & (times - lag < len(level) * 0.01)
        return float(np.corrcoef(opening[heard], speech_opening(level, times[heard] - lag))[0, 1])

    return max(np.arange(-0.8, 0.81, 0.02), key=agreement)


@pytest.mark.parametrize("name", ["planted", "planted-decoy"])
def test_the_mouth_follows_the_voice_by_the_offset(small, name):
    errors = [abs(mouth_lag(clip) - clip.details["offset"]) for clip in small(name)]
    assert np.median(errors) < VIDEO_HOP / 2 and np.mean(np.array(errors) < 1.5 * VIDEO_HOP) > 0.8


# What a whole corpus gives away; it lies in the cache that everything else uses, or is made here


def test_what_is_loudest(small):
    def share_inside(clips) -> float:
        """How often the loudest moment lies in the word with the emotion."""
        inside = []
        for clip in (clip for clip in clips if clip.regions):
            level = level_db(read_audio(clip.audio)).numpy()
            loudest = frame_seconds(len(level))[level.argmax()]
            inside.append(clip.regions[0].start - SHIFT <= loudest <= clip.regions[0].end + SHIFT)
        return float(np.mean(inside))

    assert share_inside(small("planted-loud")) > 0.9
    assert share_inside(load("planted", progress=False).clips[::5]) < 0.2  # a word's share of the clip


def test_no_shortcut():
    """Level, duration and mean F0 of the whole clip must not tell the emotion of unseen speakers (chance 1/7)."""
    whole = load("planted", progress=False)
    corpus = whole.keeping(whole.clips[::2])

    def measure(clip):
        samples = read_audio(clip.audio)
        level = level_db(samples).numpy()
        f0, _ = pyworld.dio(samples.astype(float), SAMPLE_RATE, 60.0, 500.0, frame_period=10.0, speed=4)
        return [level.mean(), level.max(), len(samples) / SAMPLE_RATE, np.log(f0[f0 > 0]).mean()]

    rows = np.array([measure(clip) for clip in corpus])
    emotions, speakers = (np.array([getattr(clip, name) for clip in corpus]) for name in ("emotion", "speaker"))
    scores = []
    for fold in corpus.folds():
        train, test = (np.isin(speakers, part.speakers) for part in (fold.train, fold.test))
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(rows[train], emotions[train])
        scores.append(recall_score(emotions[test], model.predict(rows[test]), average="macro"))
    assert np.mean(scores) < 0.30 and max(scores) < 0.40
