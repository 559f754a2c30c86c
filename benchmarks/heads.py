"""What it costs to see attention: `python benchmarks/heads.py`. Seconds of one core; measured, never asserted.

One clip of 2 to 60 seconds goes through the network of many heads: by the fast path, which never holds the weights,
by the explicit one, which draws the map, and once more in training. Each measurement runs in a process of its own, so
that the largest memory of one is not reported for the next.
"""

import argparse
import json
import subprocess
import sys
import time

import torch
from length import peak_gib
from torch.nn.functional import cross_entropy

from sertut.models import MultiHead
from sertut.signals import HOP_SECONDS, N_MELS, Batch

SECONDS = (2, 5, 10, 30, 60)
SETTINGS = {
    "front": dict(n_blocks=0),
    "plain": dict(),
    "+FA": dict(focus="learned"),
    "+FA+CA": dict(focus="learned", calibrate=True),
}
WAYS = ("fast", "explicit", "training")


def measure(setting: str, way: str, seconds: float) -> dict[str, float]:
    """CPU seconds of one pass, and what it added to the largest memory of this process, MiB.

    The best of three, because whatever else runs on the machine can only add to the seconds.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = MultiHead(N_MELS, 7, **SETTINGS[setting]).eval()
    run(model, way, 0.5)  # what is made once is not part of the measurement
    before = peak_gib()
    best = min(run(model, way, seconds) for _ in range(3))
    return {"seconds": best, "added": 1024 * (peak_gib() - before)}


def run(model: MultiHead, way: str, seconds: float) -> float:
    """CPU seconds of one pass over a clip of noise; in training, of forward and backward."""
    frames = round(seconds / HOP_SECONDS)
    features, mask = torch.randn(1, frames, N_MELS + 1), torch.ones(1, frames, dtype=torch.bool)
    batch = Batch(features, mask, torch.zeros(1, dtype=torch.long))
    model.train(way == "training")
    started = time.process_time()
    with torch.set_grad_enabled(way == "training"):
        output = model(batch, maps=way == "explicit")
        if way == "training":
            cross_entropy(output.logits, batch.labels).backward()
    ended = time.process_time()
    assert torch.isfinite(output.logits).all()
    assert bool(output.maps) == (way == "explicit" and len(model.blocks) > 0)
    return ended - started


def table(settings: list[str]) -> None:
    """One line for each setting, way and length."""
    print(f"torch {torch.__version__}, one thread")
    print(f"{'network':8s} {'way':9s} {'clip s':>7s} {'states':>7s} {'CPU ms':>9s} {'added MiB':>10s}")
    for setting in settings:
        for way in WAYS:
            if setting == "front" and way == "explicit":
                continue  # there is no attention to draw
            for seconds in SECONDS:
                command = [sys.executable, __file__, "--one", setting, way, str(seconds)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found = json.loads(answer.splitlines()[-1])
                print(f"{setting:8s} {way:9s} {seconds:7d} {round(seconds / HOP_SECONDS / 4):7d} ", end="")
                print(f"{1000 * found['seconds']:9.1f} {found['added']:10.1f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="*", default=["plain", "+FA"], help=f"of {', '.join(SETTINGS)}")
    parser.add_argument("--one", nargs=3, metavar=("SETTING", "WAY", "SECONDS"), help="measure one in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], options.one[1], float(options.one[2]))))
    else:
        table(options.settings)
