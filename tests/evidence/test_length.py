"""Speech of any length: what a network is given to hear, and that the decisions are counted right."""

import numpy as np
import pytest
import torch
from torch import nn

from sertut.errors import SertutError
from sertut.evidence.length import at_lengths, decide, frames, in_segments, joined
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, n_frames
from sertut.training import fit


class Listener(nn.Module):
    """Notes how long each clip is that it hears, and calls clips with a high mean "high" (label 0)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.heard = []

    def reset_parameters(self):
        nn.init.ones_(self.weight)

    def forward(self, batch):
        self.heard += batch.lengths.tolist()
        total = (batch.features * batch.mask.unsqueeze(-1)).sum(dim=(1, 2)) / batch.lengths
        return Output(torch.stack([total, -total], dim=1) * self.weight)


@pytest.fixture
def run(tones):
    return fit(Listener(), tones.folds(n=3)[0], epochs=1, learning_rate=0.0, device="cpu", progress=False)


def test_frames_lie_whole_within_the_seconds():
    for seconds in (0.025, 0.1, 0.25, 1.0, 2.0):
        assert frames(seconds) == n_frames(round(seconds * 16_000))
        assert (frames(seconds) - 1) * 0.01 + WINDOW_SECONDS <= seconds + 1e-9


def test_a_part_of_the_clip_is_heard(run, tones):
    run.model.heard.clear()
    found = at_lengths(run, tones, [0.3, 100.0])
    heard = run.model.heard
    assert heard[: len(tones)] == [frames(0.3)] * len(tones)
    whole = sorted(heard[len(tones) :])
    from sertut.corpora import load_features

    assert whole == sorted(len(row) for row in load_features(tones))
    for length in (0.3, 100.0):
        table = found.at(length).sums("model", "uar")
        assert table.shape == (1, len(tones.speakers), 2, 2) and table.sum() == len(tones)
    assert found.speakers == tones.speakers


def test_segments_cover_the_clip_and_their_probabilities_are_averaged(run, tones):
    from sertut.training.data import examples

    rows = examples(tones, run.feature, run.normalizer).rows
    n = frames(0.3)
    expected = []
    for row in rows:
        starts = [*range(0, len(row) - n, n), len(row) - n]
        assert starts[-1] + n == len(row) and max(np.diff(starts)) <= n  # nothing is left out
        expected.append(decide(run, [row[s : s + n] for s in starts]).mean(dim=0).argmax().item())
    counted = in_segments(run, tones, [0.3]).at(0.3).sums("model", "uar").sum(axis=(0, 1))
    assert counted.sum(axis=0).tolist() == np.bincount(expected, minlength=2).tolist()


def test_joined_clips_are_of_one_speaker_and_emotion(run, tones, monkeypatch):
    import sertut.evidence.length as module

    given = []
    monkeypatch.setattr(module, "decide", lambda run, rows: given.append(rows) or torch.ones(len(rows), 2))
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
