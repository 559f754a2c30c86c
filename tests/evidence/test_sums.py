"""Sums by speaker: known scores, folds side by side, seeds averaged, and designs that do not fit refused."""

import json

import numpy as np
import pytest

from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.evidence.intervals import bootstrap_speakers, mean, paired_difference
from sertut.evidence.sums import STEP, correlation, median, within
from sertut.training.metrics import uar

GOOD, HALF = [[4, 0], [0, 4]], [[2, 2], [2, 2]]


def part(speakers, confusions, auroc=None):
    """A result as it is kept; `auroc`: one value a speaker, counted over 2 clips."""
    methods = {"model": {"uar": confusions}}
    if auroc is not None:
        methods["attention"] = {"auroc": [[2 * value, 2] for value in auroc]}
        methods["uniform"] = {"auroc": [[1.0, 2]] * len(auroc)}
    return {"speakers": speakers, "statistics": {"uar": "uar"}, "methods": methods, "emotions": ["anger", "sadness"]}


@pytest.fixture
def pooled():
    parts = [
        part(["c", "d"], [HALF, HALF], [0.6, 0.7]),  # folds and seeds in any order
        part(["a", "b"], [GOOD, GOOD], [0.8, 0.9]),
        part(["a", "b"], [GOOD, HALF], [1.0, 1.0]),
        part(["c", "d"], [GOOD, GOOD], [1.0, 1.0]),
    ]
    return Tally.pooled(parts, seeds=[0, 0, 1, 1])


def test_folds_side_by_side_seeds_averaged(pooled):
    assert pooled.seeds == (0, 1) and pooled.speakers == ("a", "b", "c", "d")
    tables = pooled.sums("model", "uar")
    assert tables.shape == (2, 4, 2, 2) and pooled.chance == 0.5
    assert pooled.of_each_seed("uar") == pytest.approx([0.75, 0.875])
    assert pooled.uar.estimate == pytest.approx(0.8125) and pooled.wa.estimate == pytest.approx(0.8125)
    assert pooled.uar == bootstrap_speakers(uar, tables)
    assert pooled.of_each_seed("auroc") == pytest.approx([0.75, 1.0])
    assert pooled.interval("attention", "auroc").estimate == pytest.approx(0.875)
    gain = pooled.difference("attention", "uniform", "auroc")
    assert gain.estimate == pytest.approx(0.375) and gain.low > 0
    assert gain == paired_difference(mean, pooled.sums("attention", "auroc"), pooled.sums("uniform", "auroc"))
    assert pooled.scored("auroc") == ("attention", "uniform") and pooled.scored("hit") == ()
    assert pooled.scored("wa") == ("model",)


def test_runs_are_compared_in_pairs(pooled):
    nothing = pooled.against(pooled)
    assert (nothing.estimate, nothing.low, nothing.high) == (0, 0, 0)
    worse = Tally.pooled([part(["a", "b", "c", "d"], [HALF] * 4, [0.5] * 4)] * 2, seeds=[0, 1])
    assert pooled.against(worse).estimate == pytest.approx(0.3125)
    assert pooled.against(worse, "wa").estimate == pytest.approx(0.3125)
    assert pooled.against(worse, "auroc").estimate == pytest.approx(0.375)
    assert pooled.against(worse, "auroc", "uniform").estimate == 0
    other_seeds = Tally.pooled([part(["a", "b", "c", "d"], [HALF] * 4)] * 2, seeds=[0, 2])
    with pytest.raises(SertutError, match="same seeds and the same speakers"):
        pooled.against(other_seeds)


def test_what_draws_nothing_stands_beside_every_seed(pooled):
    """Its own interval speaks about speakers alone; the difference's about speakers and the other side's seeds."""
    fixed = Tally.pooled([part(["a", "b"], [HALF, GOOD]), part(["c", "d"], [GOOD, HALF])], seeds=[None, None])
    assert fixed.seeds == (None,)
    repeated = np.repeat(fixed.sums("model", "uar"), 2, axis=0)
    ours = pooled.sums("model", "uar")
    assert pooled.against(fixed) == paired_difference(uar, ours, repeated)
    assert fixed.against(pooled) == paired_difference(uar, repeated, ours)
    assert fixed.against(fixed).estimate == 0
    one_seed = Tally.pooled([part(["a", "b", "c", "d"], [HALF] * 4)], seeds=[0])
    with pytest.raises(SertutError, match="same seeds"):  # one training of a network may have been a lucky one
        pooled.against(one_seed)
    elsewhere = Tally.pooled([part(["a", "b", "c", "e"], [HALF] * 4)], seeds=[None])
    with pytest.raises(SertutError, match="same speakers"):
        pooled.against(elsewhere)


def test_what_does_not_fit_is_refused(pooled):
    one, two = part(["a", "b"], [GOOD, GOOD]), part(["c"], [GOOD])
    for parts, seeds, reason in (
        ([one, two, one], [0, 0, 1], r"seed 1 was not tested on the same speakers \(c\)"),
        ([one, one], [0, 0], "tested twice"),
        ([], [], "at least one"),
        ([one, {**one, "emotions": ["joy", "sadness"]}], [0, 1], "lists of emotions"),
    ):
        with pytest.raises(SertutError, match=reason):
            Tally.pooled(parts, seeds)
    with pytest.raises(SertutError, match="did you mean 'auroc'"):
        pooled.interval("attention", "aurocs")
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        pooled.interval("atention", "auroc")
    with pytest.raises(SertutError, match="known are uar"):
        Tally.pooled([one], [0]).of_each_seed("auroc")


def test_speakers_without_a_scored_clip_are_not_resampled():
    sums = np.array([[[0.1, 1], [0, 0], [1.9, 2], [1.3, 3], [0, 0]]])
    lower, some = sums * [0.5, 1], [0, 2, 3]
    tally = Tally(tuple("abcde"), {"attention": {"auroc": sums}, "uniform": {"auroc": lower}})
    assert tally.interval("attention", "auroc") == bootstrap_speakers(mean, sums[:, some])
    gain = tally.difference("attention", "uniform", "auroc")
    assert gain == paired_difference(mean, sums[:, some], lower[:, some]) and gain.estimate > 0
    nobody = Tally(("a", "b"), {"attention": {"auroc": np.zeros((1, 2, 2))}})
    assert np.isnan(nobody.interval("attention", "auroc").estimate)


def test_a_trip_through_json(pooled):
    errors = np.zeros((1, 2, 401), dtype=int)
    errors[0, 0, [0, 3, 16]] = [1, 2, 1]
    errors[0, 1, [17, 400]] = 1
    lags = Tally(("a", "b"), {"attention": {"offset_error": errors}}, {"offset_error": "median"})
    matrices = {"uar at 0.5": np.array([[GOOD, HALF]]), "uar at 2": np.array([[GOOD, GOOD]])}
    lengths = Tally(("a", "b"), {"model": matrices}, {"uar": "uar"})
    empty = Tally(("a", "b"), {"attention": {"band": np.zeros((1, 2, 2))}})
    kept = json.loads(json.dumps(lags.merged(lengths, empty).to_json()))
    assert kept["methods"]["attention"] == {"offset_error": [[0, 3, 3, 16], [17, 400]]}  # nothing of "band"
    back = Tally.pooled([kept], [0])
    assert np.array_equal(back.sums("attention", "offset_error"), errors)
    assert back.of_each_seed("offset_error", "attention") == pytest.approx([9.5 * STEP])
    assert back.of_each_seed("offset_within") == pytest.approx([4 / 6])
    assert back.settings == (0.5, 2.0)
    assert back.at(0.5).uar.estimate == pytest.approx(0.75) and back.at(2).uar.estimate == 1
    assert back.at(2).against(back.at(0.5)).estimate == pytest.approx(0.25)
    with pytest.raises(SertutError, match="unknown setting"):
        back.at(0.7)


def test_merged_scores_keep_their_speakers_apart():
    everybody = Tally(("a", "b", "c"), {"model": {"uar": np.array([[GOOD] * 3])}}, {"uar": "uar"})
    some = Tally(("b", "c"), {"attention": {"auroc": np.array([[[1.0, 2], [2.0, 2]]])}})
    both = everybody.merged(some)
    assert both.sums("attention", "auroc").tolist() == [[[0, 0], [1, 2], [2, 2]]]
    assert both.interval("attention", "auroc") == some.interval("attention", "auroc") and both.uar == everybody.uar


def test_median_and_correlation_from_sums():
    generator = np.random.default_rng(0)
    steps = generator.integers(0, 60, size=(4, 21))
    counts = np.stack([np.bincount(row, minlength=401) for row in steps])
    assert median(counts) == pytest.approx(STEP * np.median(steps, axis=1))
    assert median(counts[:2].sum(axis=0)) == pytest.approx(STEP * np.median(steps[:2]))
    assert np.isnan(median(np.zeros(5)))
    assert within(counts) == pytest.approx((steps <= 16).mean(axis=1))
    x, y = generator.normal(size=(2, 30))
    sums = np.array([len(x), *np.sum([x, y, x * x, y * y, x * y], axis=1)])
    assert correlation(sums) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert correlation(np.array([3, 3, 6.0, 3, 14.0, 6.0])) == 0


def test_chance_counts_the_classes_that_have_a_clip():
    """planted-blend has no neutral clip: who guesses among the rest is right in more than 1 of C."""
    kept = part(["a", "b"], [[[3, 1, 0], [0, 2, 2], [0, 0, 0]], [[4, 0, 0], [1, 2, 1], [0, 0, 0]]])
    assert Tally.pooled([kept | {"emotions": ["anger", "fear", "neutral"]}], seeds=[0]).chance == 0.5
