"""Speech of any length: what a network is given to hear, and that the decisions are counted right."""

import numpy as np
import pytest
import torch
from torch import nn

from sertut.corpora import load_features
from sertut.errors import SertutError
from sertut.evidence import length
from sertut.evidence.length import at_lengths, decide, frames, in_segments, joined
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, Normalizer, n_frames
from tests.evidence.conftest import run_of


class Listener(nn.Module):
    """Notes each clip that it hears, and calls clips with a high mean "high" (label 0)."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def forward(self, batch):
        self.heard += [row[:n] for row, n in zip(batch.features, batch.lengths.tolist(), strict=True)]
        total = (batch.features * batch.mask.unsqueeze(-1)).sum(dim=(1, 2)) / batch.lengths
        return Output(torch.stack([total, -total], dim=1))


@pytest.fixture
def run(tones):
    return run_of(Listener(), tones.emotions, Normalizer.fit(load_features(tones)))


def test_frames_lie_whole_within_the_seconds():
    for seconds in (0.025, 0.1, 0.25, 1.0, 2.0):
        assert frames(seconds) == n_frames(round(seconds * 16_000))
        assert (frames(seconds) - 1) * 0.01 + WINDOW_SECONDS <= seconds + 1e-9


def test_the_middle_of_the_clip_is_heard_or_all_of_it(run, tones):
    found, rows, n = at_lengths(run, tones, [0.3, 100.0]), run.examples(tones).rows, frames(0.3)
    for row, heard in zip(rows, run.model.heard, strict=False):
        assert torch.equal(heard, row[(len(row) - n) // 2 :][:n])
    assert sorted(map(len, run.model.heard[len(tones) :])) == sorted(map(len, rows))
    for seconds in (0.3, 100.0):
        table = found.at(seconds).sums("model", "uar")
        assert table.shape == (1, len(tones.speakers), 2, 2) and table.sum() == len(tones)
    assert found.speakers == tones.speakers


def test_segments_cover_the_clip_and_their_probabilities_are_averaged(run, tones):
    rows, n, expected = run.examples(tones).rows, frames(0.3), []
    for row in rows:
        starts = [*range(0, len(row) - n, n), len(row) - n]
        assert starts[-1] + n == len(row) and max(np.diff(starts)) <= n  # nothing is left out
        expected.append(decide(run, [row[s : s + n] for s in starts]).mean(dim=0).argmax().item())
        assert decide(run, [row]).sum().item() == pytest.approx(1)
    counted = in_segments(run, tones, [0.3]).at(0.3).sums("model", "uar").sum(axis=(0, 1))
    assert counted.sum(axis=0).tolist() == np.bincount(expected, minlength=2).tolist()


def test_joined_clips_are_of_one_speaker_and_emotion(run, tones, monkeypatch):
    given = []
    monkeypatch.setattr(length, "decide", lambda run, rows: given.append(rows) or torch.ones(len(rows), 2))
    joined(run, tones, [1, 3])
    single, triple = given
    place = {row.sum().item(): i for i, row in enumerate(single)}
    for i, row in enumerate(triple):
        first = single[i]
        assert torch.equal(row[: len(first)], first)
        second = next(r for r in single if torch.equal(row[len(first) : len(first) + len(r)], r))
        other = tones[place[second.sum().item()]]
        assert (other.speaker, other.emotion) == (tones[i].speaker, tones[i].emotion) and other != tones[i]
    with pytest.raises(SertutError, match="only 4 clips"):
        joined(run, tones, [5])
