"""How long the slow things take here: `python benchmarks/timing.py`. Measured, never asserted.

Prints one line a measurement: an LSTM in both directions by reversing clips against PyTorch's packed sequences; which
share of a training step goes into loading, distorting and padding, for each family (a tenth at most is the aim); one
training; `sertut explain` where its networks are there (5 s at most is the aim); making the planted corpus from
nothing, features of a corpus from nothing.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from gpu import FAMILIES, Settings, speed

import sertut
from sertut.corpora import load_features
from sertut.course.explaining import listeners
from sertut.models.layers import BiLSTM
from sertut.signals import SAMPLE_RATE, length_mask, read_audio, write_audio
from sertut.study import build, recipe


def timed(what: str, work):
    """Print how long `work()` takes; return its result."""
    started = time.perf_counter()
    result = work()
    print(f"{what:60s} {time.perf_counter() - started:7.2f} s", flush=True)
    return result


def from_nothing(name: str) -> None:
    """Make a corpus and its features in an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("SERTUT_CACHE")
        os.environ["SERTUT_CACHE"] = folder
        try:
            corpus = timed(f"{name}: made or trimmed from nothing", lambda: sertut.load(name))
            timed(f"{name}: log-mel of {len(corpus)} clips from nothing", lambda: load_features(corpus))
        finally:
            os.environ.pop("SERTUT_CACHE") if before is None else os.environ.update(SERTUT_CACHE=before)


def directions() -> None:
    """One training step of 32 clips of 80 steps: BiLSTM against torch's packed sequences."""
    values, lengths = torch.randn(32, 80, 64, requires_grad=True), torch.randint(40, 81, (32,))
    lengths[0] = 80
    mask = length_mask(lengths)
    ours, theirs = BiLSTM(64, 64), torch.nn.LSTM(64, 64, batch_first=True, bidirectional=True)

    def packed() -> torch.Tensor:
        sequence = torch.nn.utils.rnn.pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
        return torch.nn.utils.rnn.pad_packed_sequence(theirs(sequence)[0], batch_first=True)[0]

    for name, states in (("reversed clips", lambda: ours(values, mask)), ("packed sequences", packed)):
        states().square().mean().backward()  # warm up
        timed(
            f"BiLSTM, 10 training steps, {name}", lambda s=states: [s().square().mean().backward() for _ in range(10)]
        )


def loading() -> None:
    """A family's own recipe on planted clips, with the distortions that recorded clips get."""
    for family in FAMILIES:
        found = speed(family, Settings("cpu", seconds=3.0), "cpu")
        share, milliseconds = found["loading_share"], 1000 / found["steps_a_second"]
        print(
            f"{family}: {milliseconds:.0f} ms a training step; loading and distorting are {share:.1%} of it", flush=True
        )


def training() -> None:
    """The attentive LSTM of chapter 4, one core."""
    corpus = sertut.load("planted")
    fold = corpus.folds()[0]
    load_features(corpus)
    model = build("attention", corpus)
    timed("planted, attention: one training", lambda: sertut.fit(model, fold, device="cpu", **recipe("planted")))


def explaining() -> None:
    """The command on a file of 5 s, from its start to the page."""
    listeners("planted")  # trained where they are not there yet
    samples = torch.cat([torch.from_numpy(read_audio(clip.audio)) for clip in sertut.load("planted").clips[:5]])
    with tempfile.TemporaryDirectory() as folder:
        voice, page = Path(folder) / "voice.wav", Path(folder) / "page.html"
        write_audio(voice, samples[: 5 * SAMPLE_RATE].numpy())
        command = [sys.executable, "-m", "sertut", "explain", "--corpus", "planted", str(voice), "-o", str(page)]
        timed("sertut explain, 5 s of sound", lambda: subprocess.run(command, check=True, capture_output=True))


if __name__ == "__main__":
    os.environ["SERTUT_STATIC"] = "1"
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, torch {torch.__version__}; trainings and steps on one thread")
    directions()
    loading()
    training()
    explaining()
    from_nothing("planted")
    if (sertut.corpora.corpora_folder() / "ravdess").is_dir():
        from_nothing("ravdess")
