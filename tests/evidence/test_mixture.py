"""Shares of emotions: errors by hand, the strictest constant, votes, and temperatures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon

from sertut.errors import SertutError
from sertut.evidence.mixture import (
    CONSTANT,
    HALF,
    HARD,
    METRICS,
    MODEL,
    best_constant,
    divergence,
    entropy,
    fit_temperature,
    mixture_error,
    pair_error,
    tempered,
    total_variation,
    true_shares,
    vote_shares,
)

EMOTIONS = ("anger", "neutral", "sadness")
rng = np.random.default_rng(0)


def pairs(n, n_classes=6, low=0.25):
    """Clips with two emotions each, the larger share between a half and 1 - low."""
    generator, shares = np.random.default_rng(n), np.zeros((n, n_classes))
    for row in shares:
        a, b = generator.choice(n_classes, size=2, replace=False)
        row[a] = generator.uniform(low, 1 - low)
        row[b] = 1 - row[a]
    return shares


def test_errors_by_hand():
    p, s = np.array([[0.5, 0.3, 0.2]]), np.array([[0.7, 0.3, 0.0]])
    assert total_variation(p, s) == pytest.approx([0.2])
    assert pair_error(p, s) == pytest.approx([0.7 - 0.5 / 0.8])
    assert np.isnan(pair_error(p, np.array([[1.0, 0.0, 0.0]]))).all()
    assert np.isnan(pair_error(p, np.array([[0.4, 0.3, 0.3]]))).all()
    assert pair_error(np.array([[0.0, 0.0, 1.0]]), s) == pytest.approx([0.2])  # gives nothing to either: half and half


def test_divergence_is_that_of_scipy_and_goes_from_0_to_1():
    p, s = rng.dirichlet(np.ones(5), size=(2, 40))
    assert divergence(p, s) == pytest.approx(jensenshannon(p, s, axis=1, base=2) ** 2)
    assert divergence(p, p) == pytest.approx(np.zeros(40))
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)


def test_entropy_of_known_shares():
    assert entropy(np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])) == pytest.approx([0, 1, 2])


def test_a_perfect_estimate_and_the_baselines():
    shares = pairs(60)
    found = mixture_error(shares, shares, ["a", "b", "c"] * 20)
    assert found.methods == (MODEL, HALF, HARD, CONSTANT)
    for metric in METRICS:
        assert found.interval(MODEL, metric).estimate == pytest.approx(0.0, abs=1e-9)
        assert found.difference(MODEL, CONSTANT, metric).high < 0
    best = divergence(best_constant(shares, divergence), shares).mean()
    assert found.interval(CONSTANT, "divergence").estimate == pytest.approx(best)
    larger = shares.max(axis=1)
    assert found.interval(HALF, "variation").estimate == pytest.approx((larger - 0.5).mean())
    assert found.interval(HALF, "pair").estimate == pytest.approx((larger - 0.5).mean())
    assert found.interval(HARD, "variation").estimate == pytest.approx((1 - larger).mean())
    assert found.interval(HARD, "pair").estimate == pytest.approx((1 - larger).mean())
    assert found.summary().loc[MODEL, ("total variation", "chance")] == pytest.approx(
        found.interval(CONSTANT, "variation").estimate
    )
    assert "60 clips of 3 speakers scored" in str(found)


@pytest.mark.parametrize("shares", [pairs(40), pairs(31, 3), np.random.default_rng(2).dirichlet([2, 1, 0.5], size=50)])
def test_no_constant_is_stricter(shares):
    """For total variation against linear programming; for all against the mean, the median and random constants."""
    n, c = shares.shape
    # Minimize the sum of bounds t >= |x - s|, over x (C,) and t (N C,).
    eye, pick = np.eye(n * c), np.tile(np.eye(c), (n, 1))
    limits = np.block([[pick, -eye], [-pick, -eye]])
    result = linprog(
        np.r_[np.zeros(c), np.ones(n * c)],
        A_ub=limits,
        b_ub=np.r_[shares.ravel(), -shares.ravel()],
        A_eq=np.r_[np.ones(c), np.zeros(n * c)][None],
        b_eq=[1.0],
    )
    best = total_variation(best_constant(shares, total_variation), shares).mean()
    assert best == pytest.approx(result.fun / 2 / n, abs=2e-3)
    guesses = [shares.mean(axis=0), np.full(c, 1 / c), *np.random.default_rng(1).dirichlet(np.ones(c), size=300)]
    for error in (total_variation, divergence, pair_error):
        if np.isnan(error(shares, shares)).all():
            continue
        found = np.nanmean(error(best_constant(shares, error)[None], shares))
        assert all(found <= np.nanmean(error(guess[None], shares)) + 2e-3 for guess in guesses)


def test_clips_without_shares_are_counted():
    shares = pairs(12)
    shares[3] = np.nan
    found = mixture_error(np.full((12, 6), 1 / 6), shares, ["a", "b"] * 6)
    assert found.skipped == {"clip 4": "no known shares"} and found.table["clip"].nunique() == 11
    with pytest.raises(SertutError, match="no clip has known shares"):
        mixture_error(shares, shares * np.nan, ["a", "b"] * 6)


def test_what_is_no_share_is_refused():
    shares = pairs(6)
    for wrong in (2 * shares, 2 * shares - 1 / 6):  # the sum is 2; it is 1, but some are negative
        with pytest.raises(SertutError, match="'model' holds rows that are no shares"):
            mixture_error(wrong, shares, ["a"] * 6)
    with pytest.raises(SertutError, match="do not fit"):
        mixture_error(shares[:5], shares, ["a"] * 6)


def test_shares_and_votes_of_clips(tiny):
    details = [
        {
            "shares": {"sadness": 0.25, "anger": 0.75},
            "votes": {"voice": {"anger": 6, "neutral": 2}, "face": {"anger": 1}},
        },
        {"votes": {"voice": {"anger": 0}}},
        {},
    ]
    clips = [replace(clip, details=each) for clip, each in zip(tiny, details, strict=False)]
    assert true_shares(clips, EMOTIONS)[0].tolist() == [0.75, 0.0, 0.25]
    assert np.isnan(true_shares(clips, EMOTIONS)[1:]).all()
    votes = vote_shares(clips, EMOTIONS)
    assert votes[0].tolist() == [0.75, 0.25, 0.0] and np.isnan(votes[1:]).all()
    assert vote_shares(clips, EMOTIONS, "face")[0].tolist() == [1.0, 0.0, 0.0]
    assert entropy(votes[0]) == pytest.approx(0.8113, abs=1e-4)
    with pytest.raises(SertutError, match="shares of anger, neutral are told"):
        vote_shares(clips[:1], ("joy", "sadness"))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_temperature_is_recovered(true):
    logits = 3 * np.random.default_rng(0).normal(size=(4000, 4))
    wanted = tempered(logits, true)
    assert fit_temperature(logits, wanted) == pytest.approx(true, rel=1e-3)
    labels = (np.random.default_rng(1).random((4000, 1)) > wanted.cumsum(axis=1)).sum(axis=1)  # drawn with these shares
    assert fit_temperature(logits, labels) == pytest.approx(true, rel=0.1)
    assert (tempered(logits, 5.0).argmax(axis=1) == logits.argmax(axis=1)).all()
