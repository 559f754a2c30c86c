"""Clips, maps and reports with known numbers: invented sound and invented weights, through the real types."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import Clip, Region
from sertut.evidence import Report
from sertut.signals import SAMPLE_RATE, write_audio
from sertut.training.predict import Predictions

EMOTIONS = ("neutral", "anger", "sadness")
SECONDS = (2.0, 1.6, 1.2)
PEAK = 1.0  # seconds; where every map of these tests looks


def sound(seconds: float, seed: int) -> np.ndarray:
    """A hum that swells at PEAK, with a little noise."""
    generator = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    swell = 0.1 + 0.6 * np.exp(-0.5 * ((t - PEAK) / 0.1) ** 2)
    return (swell * np.sin(2 * np.pi * 220 * t) + 0.005 * generator.standard_normal(len(t))).astype(np.float32)


def a_map(seconds: float, sharpness: float = 8.0) -> AttentionMap:
    """Weights on 40 ms steps, largest in the step around PEAK."""
    clock = Clock(0.04, -0.0075)
    n = int(seconds / 0.04)
    weights = torch.softmax(-sharpness * (clock.centers(n) - PEAK).abs(), dim=0)
    return AttentionMap(weights[None], ("time",), torch.ones(1, n, dtype=torch.bool), {"time": clock})


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Report:
    """Three speakers say each of three emotions once; two of the nine decisions are wrong."""
    folder = tmp_path_factory.mktemp("sound")
    clips, labels, logits, maps = [], [], [], []
    for i in range(9):
        speaker, label = divmod(i, 3)
        path = folder / f"{i}.wav"
        write_audio(path, sound(SECONDS[speaker], seed=i))
        clips.append(Clip(f"clip-{i}", path, f"actor {speaker + 1:02d}", EMOTIONS[label], "one", (Region(0.9, 1.15),)))
        labels.append(label)
        called = 2 if i in (1, 4) else label  # anger of the first two speakers is taken for sadness
        logits.append([4.0 if column == called else 0.0 for column in range(3)])
        maps.append({"attention": a_map(SECONDS[speaker])})
    predictions = Predictions(tuple(clips), EMOTIONS, torch.tensor(logits), torch.tensor(labels), tuple(maps))
    return Report("invented", predictions)


@pytest.fixture
def example(report: Report):
    """The first clip: 2 s, neutral, recognized."""
    return report[0]
