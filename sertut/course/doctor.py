"""Is everything here that sertut needs? What is missing, and how to get it."""

import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch

from sertut.corpora import MADE, NAMES, RECORDED, folder_of
from sertut.course.results import versions
from sertut.errors import SertutError
from sertut.files import corpora_folder, data_folder
from sertut.models import AttentiveLSTM
from sertut.planted.variants import ABOUT
from sertut.planted.vocoder import analyze
from sertut.planted.voices import speak
from sertut.signals import N_MELS, SAMPLE_RATE, Batch, log_mel, pad


def examine() -> Iterator[tuple[bool, str]]:
    """Packages, device, folders, corpora, and a small training: (fine or not, what was found), as findings are made."""
    yield True, f"interpreter {sys.executable}"
    for package, found in versions().items():
        yield bool(found), f"{package} {found}" if found else f"{package} is not installed: pip install {package}"
    for package, found in versions("book").items():
        yield True, f"{package} {found or 'is missing; only the book needs it: pip install sertut[book]'}"
    yield True, f"device cpu: {torch.get_num_threads()} threads"
    for index in range(torch.cuda.device_count()):
        yield True, f"device cuda:{index}: {torch.cuda.get_device_name(index)}"
    if torch.backends.mps.is_available():
        yield True, "device mps"
    yield True, f"made corpora and features are kept in {data_folder()} (SERTUT_CACHE chooses another folder)"
    yield True, f"recorded corpora are looked for in {corpora_folder()} (SERTUT_DATA chooses another folder)"
    for line in list_corpora().splitlines():
        yield True, line
    yield _tried("a sentence is spoken and its words are timed", _speak)
    yield _tried("a network with attention learns two tones", _learn)


def list_corpora() -> str:
    """Two lines a corpus: name, where it was found or how to get it; its license."""
    lines = []
    for name in NAMES:
        if name in MADE:
            lines += [f"{name}: made by sertut on first use", f"    license: {ABOUT.license}"]
            continue
        of = name.removeprefix("spliced-")
        recorded, folder = RECORDED[of], folder_of(of)
        where = f"found in {folder}" if of == name else f"made by sertut from {of}"
        if not folder.is_dir():
            how = f"not in {folder}: `sertut data fetch {of}`, or {recorded.HOW_TO_GET}"
            where = how if of == name else f"{where}, which is missing"
        lines += [f"{name}: {where}", f"    license: {recorded.ABOUT.license}"]
    return "\n".join(lines)


def _speak() -> None:
    """The engine inside espeakng-loader speaks and times two words; the vocoder finds the voice in them."""
    utterance = speak("good morning", "en-us")
    if len(utterance.words) != 2 or not (analyze(utterance).f0 > 0).any():
        raise SertutError("engine or vocoder are not as they should be; install espeakng-loader and pyworld again.")


def _learn() -> None:
    """Log-mel of two tones, attention over their frames, a few steps of training: the loss must fall."""
    torch.manual_seed(0)
    seconds = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    rows = [log_mel(0.1 * np.sin(2 * np.pi * hertz * seconds)) / 40 for hertz in (300.0, 1500.0)]
    batch = Batch(*pad(rows), torch.tensor([0, 1]))
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


def _tried(what: str, test: Callable[[], None]) -> tuple[bool, str]:
    """Run a self-test; whatever goes wrong becomes a finding, since telling what is wrong is the point."""
    try:
        test()
    except Exception as problem:
        return False, f"self-test failed: {what}: {type(problem).__name__}: {problem}"
    return True, f"self-test passed: {what}"
