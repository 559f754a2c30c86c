"""What a long recording costs: `python benchmarks/length.py`. Seconds of one core; measured, never asserted.

Recordings of 1 to 10 minutes, made by repeating planted clips, go through features and network in one piece. Each runs
in a process of its own, so that the largest memory of one is not reported for the next.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch

import sertut
from sertut.models import FullyConvolutional
from sertut.signals import SAMPLE_RATE, Batch, log_mel, read_audio

MINUTES = (1, 2, 5, 10)


def recording(minutes: float) -> np.ndarray:
    """Planted clips one after the other, over and over, cut at exactly `minutes`."""
    clips = [read_audio(clip.audio) for clip in sertut.load("planted").clips[:40]]
    return np.resize(np.concatenate(clips), round(minutes * 60 * SAMPLE_RATE))


def measure(trunk: str, minutes: float) -> dict[str, float]:
    """CPU seconds of features and of the network, and the largest memory of this process, GiB, before and after.

    The best of three, because whatever else runs on the machine can only add to the seconds.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = FullyConvolutional(7, trunk).eval()
    log_mel(np.zeros(SAMPLE_RATE, dtype=np.float32))  # what is made once is not part of the measurement
    samples = recording(minutes)
    before = peak_gib()
    runs = [seconds(model, samples) for _ in range(3)]
    best = {name: min(run[name] for run in runs) for name in runs[0]}
    return best | {"before": before, "peak": peak_gib()}


def seconds(model: FullyConvolutional, samples: np.ndarray) -> dict[str, float]:
    """CPU seconds from samples to features, and from features to logits."""
    started = time.process_time()
    features = log_mel(samples)  # (T, 64)
    between = time.process_time()
    batch = Batch(features[None], torch.ones(1, len(features), dtype=torch.bool), torch.zeros(1, dtype=torch.long))
    with torch.inference_mode():
        output = model(batch)
    ended = time.process_time()
    assert torch.isfinite(output.logits).all()
    return {"features": between - started, "network": ended - between}


def peak_gib() -> float:
    """Largest resident memory of this process so far; Linux counts KiB, macOS bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 2 ** (30 if sys.platform == "darwin" else 20)


def table(trunks: list[str]) -> None:
    """One line for each trunk and length."""
    sertut.load("planted")  # made now, not inside a measurement
    print(f"torch {torch.__version__}, one thread")
    print(
        f"{'trunk':10s} {'min':>4s} {'features s':>11s} {'network s':>10s} {'ms per s':>9s} {'x real time':>12s} ",
        end="",
    )
    print(f"{'peak GiB':>9s} {'of it before':>13s}")
    for trunk in trunks:
        for minutes in MINUTES:
            command = [sys.executable, __file__, "--one", trunk, str(minutes)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = json.loads(answer.splitlines()[-1])
            both = found["features"] + found["network"]
            print(f"{trunk:10s} {minutes:4d} {found['features']:11.2f} {found['network']:10.2f} ", end="")
            print(f"{1000 * both / (60 * minutes):9.2f} {60 * minutes / both:12.0f} ", end="")
            print(f"{found['peak']:9.2f} {found['before']:13.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trunks", nargs="*", default=["small", "fine"])
    parser.add_argument("--one", nargs=2, metavar=("TRUNK", "MINUTES"), help="measure one length in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], float(options.one[1]))))
    else:
        table(options.trunks)
