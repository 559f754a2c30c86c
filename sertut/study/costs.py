"""What a training costs beside its seconds: the memory that it needs, and how fast the trained network listens."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from sertut.corpora import Corpus
from sertut.training import Run

CLIPS = 32
"""About how many clips the real-time factor is measured on."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def watch_memory(device: torch.device) -> Callable[[], float | None]:
    """Start to watch; what is returned tells the most memory held since, in MiB; None where the system does not tell.

    On CUDA it is what PyTorch's tensors held on the device. Elsewhere it is the memory of the whole process, with
    Python, PyTorch and what an earlier training left behind; only Linux can start its high-water mark anew.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return lambda: torch.cuda.max_memory_allocated(device) / 2**20
    try:
        CLEAR.write_text("5")
    except OSError:
        return lambda: None
    return _process_peak


def _process_peak() -> float | None:
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(found[1]) / 1024 if found else None


@torch.no_grad()
def real_time_factor(run: Run, corpus: Corpus) -> float:
    """Seconds of computation for a second of speech, on the run's device: one clip at a time, as it would be heard.

    From features to decision, with the way to the device and back; computing the features is not in it. The median of
    some :data:`CLIPS` clips, evenly taken.
    """
    part = run.examples(corpus.keeping(corpus.clips[:: max(1, len(corpus) // CLIPS)]))
    run.model.eval()
    factors = []
    for _, batch in part.in_order(1):
        started = time.perf_counter()
        run.model(batch.to(run.device)).logits.cpu()  # waits for the device
        factors.append((time.perf_counter() - started) / (batch.features.shape[1] * batch.hop))
    return statistics.median(factors)
