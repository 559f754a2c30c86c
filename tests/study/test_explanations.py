"""Tests of explanations: known answers, a plain loop, and second implementations (Captum, Quantus) where they are."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sertut.attention import AttentionMap, Clock
from sertut.attention.pooling import uniform
from sertut.evidence import Tally
from sertut.models import AttentiveLSTM
from sertut.models.base import Output, redraw
from sertut.signals import Normalizer
from sertut.study import explanations
from sertut.study.explanations import BINS, SHARES, Moments
from sertut.training.recipe import make_recipe
from sertut.training.runs import Run

N = 20  # moments, so that each share is a whole number of them


class Sums(nn.Module):
    """Logits (B, 2): 0, and the sum of all features, frame t weighed by `each` (T,)."""

    def __init__(self, each):
        super().__init__()
        self.each = nn.Parameter(each)

    def forward(self, batch):
        logit = (batch.features.sum(dim=2) * self.each[: batch.mask.shape[1]] * batch.mask).sum(dim=1) - 0.5
        map_ = AttentionMap(uniform(batch.mask), ("time",), batch.mask, {"time": Clock(0.01, 0.0075)})
        return Output(torch.stack([0 * logit, logit], dim=1), {"attention": map_})


def finished(model):
    """The network as a run that has ended."""
    still = Normalizer(torch.zeros(3), torch.ones(3))
    rest = dict(seed=0, history=[], best_epoch=0, initial={}, seconds=0.0, device=torch.device("cpu"))
    return Run(model.eval(), still, ("no", "yes"), make_recipe(), **rest)


@pytest.fixture
def clip():
    """20 moments of 4 frames; the last two are silent, and the region is from 8 to 11."""
    table = torch.randn(4 * N, 3, generator=torch.Generator().manual_seed(0))
    at = np.arange(N)
    return Moments(table, 3, np.repeat(at, 4), at < N, (at >= 8) & (at < 12), np.sin(at))


@pytest.fixture
def sums():
    return finished(Sums(0.1 * torch.randn(4 * N, generator=torch.Generator().manual_seed(1))))


def test_gradients_of_a_linear_network_are_weight_times_input(sums, clip):
    (found,) = explanations.gradients(sums, [clip], [1], steps=1)
    known = (clip.table.sum(dim=1) * sums.model.each).detach().view(N, 4).sum(dim=1)
    assert_close(torch.from_numpy(found).float(), known, atol=1e-5, rtol=0)


def lstm():
    torch.manual_seed(0)
    return finished(AttentiveLSTM(3, 2, n_hidden=8, n_channels=8))


def test_gradients_add_up_to_the_difference_of_the_outputs(clip):
    run = lstm()
    (found,) = explanations.gradients(run, [clip], [1], steps=128)
    with torch.no_grad():
        ends = run.model(explanations.batch_of(run, [clip.table, 0 * clip.table])).logits[:, 1]
    assert abs(float(ends[0] - ends[1])) > 1e-3
    assert_close(float(found.sum()), float(ends[0] - ends[1]), atol=1e-5, rtol=0.001)


def test_gradients_are_those_of_captum(clip):
    attr = pytest.importorskip("captum.attr", reason="Captum comes with sertut[book]")
    run = lstm()

    def logits(features):
        return run.model(explanations.batch_of(run, list(features))).logits

    theirs = attr.IntegratedGradients(logits).attribute(clip.table[None], target=1, n_steps=16, method="riemann_middle")
    each = theirs[0].sum(dim=1).double().numpy()
    (ours,) = explanations.gradients(run, [clip], [1], steps=16)
    assert np.abs(ours).max() > 1e-3
    np.testing.assert_allclose(ours, np.bincount(clip.place, each), atol=1e-6)


def test_only_moments_that_count_are_removed_and_of_a_face_not_the_sign_that_it_was_found(clip):
    quiet = replace(clip, counts=np.arange(N) < 10, columns=2)
    map_ = np.arange(N, dtype=float)  # the silent ones are first
    gone = explanations.without(quiet, map_, 0.2)
    alone = explanations.without(quiet, map_, 0.2, keep=True)
    lost, left = (sorted(set(quiet.place[(table[:, :2] == 0).all(dim=1).numpy()])) for table in (gone, alone))
    assert lost == [8, 9] and left == list(range(8))
    assert_close(gone[:, 2], clip.table[:, 2])


def assert_faithful(sums, clip, map_, removed, kept):
    """The four numbers, from the probability with the first 0, 1, ..., N moments of the map removed, or kept alone."""
    at, first = [round(N * s) for s in (0, *SHARES, 1)], [round(N * s) for s in BINS]
    known = {
        "deletion": 1 - np.trapezoid(removed[at], (0, *SHARES, 1)),
        "insertion": np.trapezoid(kept[at], (0, *SHARES, 1)),
        "comprehensiveness": np.mean(removed[0] - removed[first]),
        "sufficiency": np.mean(kept[first] - removed[0]),
    }
    found = explanations.faithfulness(sums, [clip], [map_], [1])
    for name, value in known.items():
        np.testing.assert_allclose(found[name], [value], atol=1e-5, err_msg=name)


def test_faithfulness_of_a_network_that_can_be_seen_through(sums, clip):
    adds = (clip.table.sum(dim=1) * sums.model.each).detach().view(N, 4).sum(dim=1).double().numpy()
    map_ = np.random.default_rng(0).permutation(N).astype(float)
    order, p = np.argsort(-map_), lambda which: 1 / (1 + np.exp(0.5 - adds[which].sum()))
    removed = np.array([p(order[k:]) for k in range(N + 1)])
    assert_faithful(sums, clip, map_, removed, np.array([p(order[:k]) for k in range(N + 1)]))


@pytest.mark.filterwarnings("ignore")
def test_faithfulness_and_agreement_are_those_of_quantus(sums, clip):
    quantus = pytest.importorskip("quantus", reason="needs sertut[quantus]")
    adds = (clip.table.sum(dim=1) * sums.model.each).detach().view(N, 4).sum(dim=1)

    class Seen(nn.Module):
        """(B, 1, n), 1 where a moment is there, to logits (B, 2); Quantus takes the softmax."""

        def forward(self, there):
            logit = (there[:, 0] * adds).sum(dim=1) - 0.5
            return torch.stack([0 * logit, logit], dim=1)

    map_ = np.random.default_rng(0).permutation(N).astype(float)
    flip = dict(features_in_step=1, perturb_baseline=0.0, abs=False, normalise=False, disable_warnings=True)
    x, y = np.ones((1, 1, N), dtype=np.float32), np.array([1])

    def curve(order):
        test = quantus.PixelFlipping(**flip)
        (points,) = test(model=Seen().eval(), x_batch=x, y_batch=y, a_batch=order[None, None], device="cpu")
        return np.array(points)  # after 1, 2, ..., n moments

    whole = float(Seen()(torch.from_numpy(x)).softmax(dim=1)[0, 1])
    removed = np.array([whole, *curve(map_ + 1)])
    kept = np.array([whole, *curve(N - map_)])[::-1]  # the least important gone first, read from the end
    assert_faithful(sums, clip, map_, removed, kept)
    after = np.random.default_rng(1).random(N)
    theirs = quantus.similarity_func.correlation_spearman(map_, after)
    np.testing.assert_allclose(explanations.agreement(map_, after, clip.counts), theirs, atol=1e-9)


def test_agreement_by_rank():
    every, map_ = np.ones(4, dtype=bool), np.array([0.1, 0.4, 0.2, 0.3])
    assert explanations.agreement(map_, map_**3, every) == pytest.approx(1)
    assert explanations.agreement(map_, -map_, every) == pytest.approx(-1)
    assert explanations.agreement(map_, np.ones(4), every) == 0
    other = np.array([9.0, 1.0, 3.0, 2.0])  # the reverse, but for the first
    assert explanations.agreement(map_, other, map_ > 0.15) == pytest.approx(-1)


def test_a_test_is_judged_by_clear_pairs_alone():
    rated = {
        "attention": {"auroc": np.array([0.9, 0.9]), "pointing": np.ones(2), "says": np.array([2.0, 1.0])},
        "level": {"auroc": np.array([0.5, 0.5]), "pointing": np.ones(2), "says": np.array([1.0, 2.0])},
        "random": {"auroc": np.array([0.45, 0.5]), "pointing": np.ones(2), "says": np.array([2.0, np.nan])},
    }
    tally = explanations.tallied(rated, ["a", "b"])
    # a: attention before level is right, attention and random tie (a half); level and random are not told apart.
    # b: attention behind level is wrong; of random nothing is said.
    assert tally.sums("says", "right").tolist() == [[[1.5, 2], [0, 1]]]
    assert tally.interval("attention", "auroc").estimate == pytest.approx(0.9)


def test_the_reference_is_complete_and_tells_the_maps_apart():
    kept = explanations.kept("planted")
    if not kept:
        pytest.skip("the book is not part of this installation")
    assert tuple(kept) == tuple(explanations.FAMILIES)
    table = explanations.together(kept)
    assert len(table.seeds) == sum(len(tally.seeds) for tally in kept.values())
    for tally in kept.values():
        assert tally.interval("true region", "auroc").estimate == pytest.approx(1)
        assert tally.difference("attention", "untrained", "auroc").estimate > 0.2
    assert table.interval("level", "seeds").estimate == pytest.approx(1)
    assert explanations.kept("ravdess") == {}


def test_a_reference_that_is_older_than_the_code_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(explanations, "BOOK_RESULTS", tmp_path / "results")
    families = [{"family": family, "digests": explanations._digests("planted", family)} for family in ("LSTM", "face")]
    (tmp_path / "explanation-planted.json").write_text(json.dumps({"results": families}))
    assert not explanations.older("planted")
    families[1]["digests"]["code"] = "of yesterday"
    (tmp_path / "explanation-planted.json").write_text(json.dumps({"results": families}))
    assert explanations.older("planted")


def test_a_randomized_network_has_another_map(clip):
    run = lstm()
    before = explanations.decided(run, [clip.table])[1][0]
    model = run.on_cpu()
    torch.manual_seed(7)
    redraw(model)
    after = explanations.decided(replace(run, model=model.eval()), [clip.table])[1][0]
    assert len(before) == len(after) == N + 1  # the first frame is centered on the middle of its window
    assert explanations.agreement(before[:N], after[:N], clip.counts) < 0.9


def test_pooled_families_are_stacked():
    parts = {
        name: Tally(("a", "b"), {"m": {"right": np.full((2, 2, 2), value)}}, seeds=(0, 1))
        for name, value in (("x", 1.0), ("y", 3.0))
    }
    assert explanations.together(parts).sums("m", "right")[:, 0, 0].tolist() == [1, 1, 3, 3]
