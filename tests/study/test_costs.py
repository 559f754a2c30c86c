"""What a training costs: memory with a known answer, and a network with a known speed."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.models import AttentiveLSTM
from sertut.study import costs
from sertut.training import fit

CPU = torch.device("cpu")


def test_memory_is_counted_anew_each_time():
    """64 MiB that were held show in the first figure, and not in the one after it."""
    first = costs.watch_memory(CPU)
    if first() is None:
        pytest.skip("this system cannot start its high-water mark anew")
    before = first()
    np.ones(2**26, np.uint8)
    assert 60 <= first() - before <= 80
    assert costs.watch_memory(CPU)() <= before + 16


def test_memory_is_not_guessed(monkeypatch):
    monkeypatch.setattr(costs, "CLEAR", Path("/no/such/file"))
    assert costs.watch_memory(CPU)() is None


def test_memory_of_a_gpu_is_that_of_its_tensors(monkeypatch):
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**20)
    assert costs.watch_memory(torch.device("cuda:1"))() == 3


def test_the_real_time_factor_of_a_network_that_takes_its_time(tones, monkeypatch):
    """A network that takes 20 ms a clip of about 1.2 s; clips come one at a time, and evenly taken."""
    fold, sizes, now = tones.folds()[0], [], [0.0]
    run = fit(AttentiveLSTM(64, 2), fold, epochs=1, device="cpu", progress=False)

    class Slow(torch.nn.Module):
        def forward(self, batch):
            sizes.append(len(batch))
            now[0] += 0.02
            return SimpleNamespace(logits=torch.zeros(len(batch), 2))

    monkeypatch.setattr(costs, "CLIPS", 4)
    monkeypatch.setattr(costs, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    found = costs.real_time_factor(replace(run, model=Slow()), fold.test)
    assert sizes == [1] * 4
    assert 0.02 / 1.5 < found < 0.02 / 0.8
