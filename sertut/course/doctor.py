"""Is everything here that sertut needs? What is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

import numpy as np

from sertut import planted
from sertut.corpora import MADE, NAMES, RECORDED, folder_of
from sertut.errors import SertutError
from sertut.files import corpora_folder, data_folder


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `fine` is False where something that sertut needs is missing."""

    text: str
    fine: bool = True

    def __str__(self) -> str:
        return f"{'  ' if self.fine else '! '}{self.text}"


def examine() -> Iterator[Finding]:
    """Python, packages, device, folders, corpora, and a small training; findings come as they are made."""
    yield Finding(f"python {platform.python_version()} ({sys.executable})")
    yield from _packages()
    yield from _devices()
    yield Finding(f"made corpora and features are kept in {data_folder()} (SERTUT_CACHE chooses another folder)")
    yield Finding(f"recorded corpora are looked for in {corpora_folder()} (SERTUT_DATA chooses another folder)")
    for line in list_corpora().splitlines():
        yield Finding(line)
    yield _tried("a sentence is spoken and its words are timed", _speak)
    yield _tried("a network with attention learns two tones", _learn)


def list_corpora() -> str:
    """Two lines a corpus: name, where it was found or how to get it; its license."""
    lines = []
    for name in NAMES:
        of = name.removeprefix("spliced-")
        folder = folder_of(of)
        if name in MADE:
            license_, where = planted.ABOUT.license, "made by sertut on first use"
        else:
            license_ = RECORDED[of].ABOUT.license
            where = f"found in {folder}" if folder.is_dir() else f"not in {folder}: {RECORDED[of].HOW_TO_GET}"
            if of != name:
                where = f"made by sertut from {of}" + ("" if folder.is_dir() else ", which is missing")
        lines += [f"{name}: {where}", f"    license: {license_}"]
    return "\n".join(lines)


def _packages() -> Iterator[Finding]:
    """What the library needs, and what only the book needs, as the package itself declares it."""
    for requirement in requires("sertut") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if extra and extra.group(1) != "book":
            continue
        try:
            yield Finding(f"{name} {version(name)}")
        except PackageNotFoundError:
            if extra:
                yield Finding(f"{name} is not installed; only the book needs it: pip install 'sertut[book]'")
            else:
                yield Finding(f"{name} is not installed: pip install {name}", fine=False)


def _devices() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    yield Finding(f"device cpu: {torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        yield Finding(f"device cuda:{index}: {torch.cuda.get_device_name(index)}")
    if torch.backends.mps.is_available():
        yield Finding("device mps")


def _speak() -> None:
    """The engine inside espeakng-loader speaks and times two words; the vocoder finds the voice in them."""
    from sertut.planted.vocoder import analyze
    from sertut.planted.voices import speak

    utterance = speak("good morning", "en-us")
    tracks = analyze(utterance)
    if len(utterance.words) != 2 or not (tracks.f0 > 0).any():
        raise SertutError(
            "the engine or the vocoder does not work as it should; install espeakng-loader and pyworld again."
        )


def _learn() -> None:
    """Log-mel of two tones, attention over their frames, a few steps of training: the loss must fall."""
    import torch

    from sertut.models import AttentiveLSTM
    from sertut.signals import N_MELS, SAMPLE_RATE, Batch, log_mel, pad

    torch.manual_seed(0)
    seconds = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    rows = [log_mel(0.1 * np.sin(2 * np.pi * hertz * seconds)) / 40 for hertz in (300.0, 1500.0)]
    features, mask = pad(rows)
    batch = Batch(features, mask, torch.tensor([0, 1]))
    model = AttentiveLSTM(n_features=N_MELS, n_classes=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(model(batch).logits, batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if losses[-1] > 0.5 * losses[0]:
        raise SertutError(f"the loss went from {losses[0]:.2f} to {losses[-1]:.2f} only; install torch again.")


def _tried(what: str, test) -> Finding:
    """Run a self-test; whatever goes wrong becomes a finding, since telling what is wrong is the point."""
    try:
        test()
    except Exception as problem:
        return Finding(f"self-test failed: {what}: {type(problem).__name__}: {problem}", fine=False)
    return Finding(f"self-test passed: {what}")
