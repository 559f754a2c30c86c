"""Deletion finds out what a model uses: toy models that use one thing only, and know where they look."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import Corpus
from sertut.errors import SertutError
from sertut.evidence.removal import deletion, pooled_deletion, removals
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, Normalizer, frame_seconds
from sertut.training.data import examples
from tests.conftest import ABOUT
from tests.evidence.conftest import CLOCK, N_STEPS

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


def run_of(looks, emotions):
    identity = Normalizer(torch.zeros(64), torch.ones(64))
    return SimpleNamespace(
        model=Marked(looks),
        feature="log_mel",
        normalizer=identity,
        device="cpu",
        emotions=emotions,
        examples=lambda corpus: examples(corpus, "log_mel", identity),
    )


@pytest.fixture
def look(tiny, cache):
    """Where the model looks -> its deletion on clips with a region."""
    known = tiny.keeping(clip for clip in tiny if clip.regions)
    return lambda looks, **options: deletion(run_of(looks, tiny.emotions), known, SHARES, **options)


def test_attention_on_what_the_model_uses(look):
    found = look(0.4)
    assert found.ways == ("attention", "loudest", "random", "region") and found.shares == (0, *SHARES)
    assert found.drop("attention", 0).estimate == 0
    assert found.drop("attention", 0.5).estimate > 0.8
    assert found.drop("loudest", 0.2).estimate < 0.2  # loudest is 0.6 to 0.7 s, and a step or two elsewhere
    assert found.drop("region", 0.2).estimate == pytest.approx(found.drop("attention", 0.2).estimate)
    assert found.difference("attention", "loudest", 0.2).low > 0.2
    assert found.difference("attention", "random", 0.2).estimate > 0.2


def test_attention_beside_what_the_model_uses(look):
    found = look(0.8)
    assert found.drop("attention", 0.2).estimate == 0
    assert found.difference("region", "attention", 0.2).low > 0.05


def test_uar_falls_with_what_is_used(look):
    found = look(0.4)
    assert found.uar("attention", 0).estimate == pytest.approx(0.5)  # of anger all, of sadness none
    assert found.uar("attention", 0.5).estimate == 0
    assert found.difference("attention", "loudest", 0.2, "uar").estimate <= 0


def test_a_model_without_attention(look):
    found = look(None)
    assert found.ways == ("loudest", "random", "region") and found.drop("region", 0.5).estimate > 0.8


@pytest.mark.parametrize("fill", ["floor", "cut"])
def test_other_fills(look, fill):
    found = look(0.4, fill=fill)
    assert found.fill == fill and found.falls["attention"].shape == (1, 4, 3)
    assert fill == "cut" or found.drop("attention", 0.5).estimate == 0  # the quietest frame is not 0 either


def test_every_way_removes_the_same_number_of_steps(tiny, right_map):
    fine = AttentionMap(
        torch.rand(1, 98),
        ("time",),
        torch.ones(1, 98, dtype=torch.bool),
        {"time": Clock(0.01, WINDOW_SECONDS / 2 - 0.005)},
    )
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
    assert "region" not in deletion(run_of(0.4, tiny.emotions), neutral, SHARES).ways


def test_folds_and_seeds_are_pooled(tiny, cache):
    folds = [Corpus("part", tuple(part), tiny.emotions, ABOUT) for part in (tiny.clips[:6], tiny.clips[6:])]
    run = run_of(0.4, tiny.emotions)
    parts = [json.loads(json.dumps(deletion(run, fold, SHARES).to_json())) for fold in folds]
    pooled = pooled_deletion([*parts, *parts], seeds=[0, 0, 1, 1])
    whole = deletion(run, tiny, SHARES)
    assert pooled.speakers == whole.speakers and pooled.clips.shape == (2, 4, 3)
    for score in ("drop", "uar"):
        assert np.abs(pooled.sums("random", 0.5, score)[0] - whole.sums("random", 0.5, score)[0]).max() < 1e-5
    assert pooled.uar("attention", 0).estimate == pytest.approx(1 / 3)  # says anger everywhere
    with pytest.raises(SertutError, match="differ in shares"):
        pooled_deletion([parts[0], {**parts[1], "fill": "cut"}], seeds=[0, 0])


def test_what_it_refuses(look):
    with pytest.raises(SertutError, match="did you mean 'floor'"):
        look(0.4, fill="flor")
    found = look(0.4)
    with pytest.raises(SertutError, match="did you mean 'random'"):
        found.drop("randm", 0.5)
    with pytest.raises(SertutError, match="known shares"):
        found.drop("random", 0.4)
