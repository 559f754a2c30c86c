"""Deletion finds out what a model uses: toy models that use one thing only, and know where they look."""

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence.removal import deletion, removals
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, frame_seconds
from tests.evidence.conftest import CLOCK, N_STEPS, a_map, run_of

SHARES = (0.2, 0.5)


class Marked(torch.nn.Module):
    """Says "anger" if the frames of 0.3 to 0.5 s are not 0, else "neutral"; looks at `looks` (s), or has no map."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks

    def forward(self, batch):
        seconds = frame_seconds(batch.features.shape[1])
        region = torch.from_numpy((seconds >= 0.3) & (seconds < 0.5))
        heard = ((batch.features.abs().sum(dim=2) > 0) & region & batch.mask).sum(dim=1) / region.sum()
        logits = torch.stack([6 * heard - 3, torch.zeros(len(heard)), torch.full((len(heard),), -9.0)], dim=1)
        if self.looks is None:
            return Output(logits)
        steps = CLOCK.centers(N_STEPS)
        weights = torch.softmax(-(((steps - self.looks) / 0.1) ** 2), dim=0).expand(len(batch), -1)
        mask = torch.ones(len(batch), N_STEPS, dtype=torch.bool)
        return Output(logits, {"attention": AttentionMap(weights, ("time",), mask, {"time": CLOCK})})


@pytest.fixture
def look(tiny, cache):
    """Where the model looks -> its deletion on clips with a region."""
    known = tiny.keeping(clip for clip in tiny if clip.regions)
    return lambda looks: deletion(run_of(Marked(looks)), known, SHARES)


def test_attention_on_what_the_model_uses(look):
    found = look(0.4)
    assert tuple(found.tables) == ("attention", "loudest", "random", "region") and found.settings == (0, *SHARES)
    assert found.at(0).interval("attention", "drop").estimate == 0
    assert found.at(0.5).interval("attention", "drop").estimate > 0.8
    fifth = found.at(0.2)
    drops = {way: fifth.interval(way, "drop").estimate for way in fifth.methods}
    assert drops["loudest"] < 0.2  # loudest is 0.6 to 0.7 s, and a step or two elsewhere
    assert drops["region"] == pytest.approx(drops["attention"])
    assert fifth.difference("attention", "loudest", "drop").low > 0.2
    assert fifth.difference("attention", "random", "drop").estimate > 0.2


def test_attention_beside_what_the_model_uses(look):
    found = look(0.8)
    assert found.at(0.2).interval("attention", "drop").estimate == 0
    assert found.at(0.2).difference("region", "attention", "drop").low > 0.05


def test_uar_falls_with_what_is_used(look):
    found = look(0.4)
    assert found.at(0).interval("attention", "uar").estimate == pytest.approx(0.5)  # of anger all, of sadness none
    assert found.at(0.5).interval("attention", "uar").estimate == 0
    assert found.at(0.2).difference("attention", "loudest", "uar").estimate <= 0


def test_a_model_without_attention(look):
    found = look(None)
    assert tuple(found.tables) == ("loudest", "random", "region")
    assert found.at(0.5).interval("region", "drop").estimate > 0.8


def test_every_way_removes_the_same_number_of_steps(tiny, right_map):
    fine = a_map(torch.rand(98), clocks=Clock(0.01, WINDOW_SECONDS / 2 - 0.005))
    for clip in tiny:
        gone = removals(clip, fine, SHARES, 98)
        counts = {way: [int(frames.sum()) for frames in found] for way, found in gone.items()}
        assert set(map(tuple, counts.values())) == {(18, 45)}  # of 90 sounding frames
        assert not any(frames[92:].any() for found in gone.values() for frames in found)  # never silence
        assert removals(clip, fine, SHARES, 98)["random"][0].tolist() == gone["random"][0].tolist()
    coarse = removals(tiny[0], right_map, (0.2,), 98)["attention"][0]
    centers = frame_seconds(98)
    inside = np.abs(centers - 0.4) < 0.06
    assert coarse[inside].all() and not coarse[np.abs(centers - 0.4) > 0.13].any()


def test_the_random_control_keeps_the_pattern(tiny, make_map):
    map_ = make_map(np.exp(-((np.arange(N_STEPS) - 8.0) ** 2)))
    gone = removals(tiny[0], map_, (0.3,), 98)
    runs = lambda row: int((np.diff(np.r_[0, row.astype(int)]) == 1).sum())  # noqa: E731
    assert runs(gone["attention"][0]) == 1 and runs(gone["random"][0]) in (1, 2)  # one, or both ends


def test_clips_without_region_lose_random_steps(tiny, cache):
    found = removals(tiny[1], None, SHARES, 98)  # neutral
    assert all((a == b).all() for a, b in zip(found["region"], found["random"], strict=True))
    neutral = tiny.keeping(clip for clip in tiny if not clip.regions)
    assert "region" not in deletion(run_of(Marked(0.4)), neutral, SHARES).tables


def test_what_it_refuses(look, tiny):
    with pytest.raises(SertutError, match="must be between 0 and 1"):
        deletion(run_of(Marked(0.4)), tiny, (0.2, 1.0))
    with pytest.raises(SertutError, match="did you mean 'random'"):
        look(0.4).at(0.5).interval("randm", "drop")
