"""Localization scores of one clip: known answers, scikit-learn, and chance levels by simulation."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence.scores import (
    auroc,
    defined,
    iou,
    iou_chance,
    mass_chance,
    mass_in_region,
    pointing_chance,
    pointing_game,
    region_mask,
    salient,
)

REGION = np.zeros(100, dtype=bool)
REGION[40:60] = True
EVERYWHERE = np.ones(100, dtype=bool)
PERFECT, INVERTED, UNIFORM = REGION / 20, ~REGION / 80, np.full(100, 0.01)
HOP = 0.01


def all_scores(scores, region=REGION, valid=EVERYWHERE):
    spans = salient(scores, valid, HOP)
    return (
        pointing_game(scores, region, valid),
        mass_in_region(scores, region, valid),
        auroc(scores, region, valid),
        iou(spans, region, valid),
    )


@pytest.mark.parametrize(
    ("scores", "expected"), [(PERFECT, (1, 1, 1, 1)), (INVERTED, (0, 0, 0, 0)), (UNIFORM, (0.2, 0.2, 0.5, 0.2))]
)
def test_a_perfect_an_inverted_and_a_uniform_map_whatever_their_scale(scores, expected):
    assert all_scores(scores) == pytest.approx(expected)
    assert all_scores(1000 * scores) == pytest.approx(expected)


def test_auroc_agrees_with_scikit_learn_ties_included():
    generator = np.random.default_rng(1)
    for _ in range(20):
        scores = generator.integers(0, 6, 80).astype(float)
        region, valid = generator.random(80) < 0.3, generator.random(80) < 0.8
        assert auroc(scores, region, valid) == pytest.approx(roc_auc_score(region[valid], scores[valid]))


def test_silence_neither_helps_nor_harms():
    generator = np.random.default_rng(2)
    scores, valid = generator.random(100), generator.random(100) < 0.6
    loud_silence = np.where(valid, scores, 99.0)
    kept = all_scores(scores, valid=valid)
    assert all_scores(loud_silence, valid=valid) == pytest.approx(kept)
    region_grown_into_silence = REGION | ~valid
    for metric in (pointing_game, mass_in_region, auroc):
        assert metric(scores, region_grown_into_silence, valid) == pytest.approx(metric(scores, REGION, valid))


def test_pointing_game_tolerance_and_ties():
    peak = np.zeros(100)
    peak[37] = 1
    hits = [pointing_game(peak, REGION, EVERYWHERE, tolerance) for tolerance in range(6)]
    assert hits == [0, 0, 0, 1, 1, 1]
    assert pointing_chance(REGION, EVERYWHERE, tolerance=3) == pytest.approx(0.26)
    peak[50] = 1  # two maximizers, one inside
    assert pointing_game(peak, REGION, EVERYWHERE) == 0.5
    at_the_edge = np.arange(100) >= 95
    assert pointing_chance(at_the_edge, EVERYWHERE, tolerance=3) == pytest.approx(0.08)


@pytest.mark.parametrize("region", [np.zeros(100, bool), np.ones(100, bool)], ids=["empty", "everything"])
def test_nothing_to_find_is_undefined(region):
    assert not defined(region, EVERYWHERE)
    values = [
        *all_scores(PERFECT, region),
        pointing_chance(region, EVERYWHERE),
        mass_chance(region, EVERYWHERE),
        iou_chance(REGION, region, EVERYWHERE),
    ]
    assert all(math.isnan(value) for value in values)
    assert not defined(REGION, REGION) and not defined(REGION, ~REGION)  # whatever silence surrounds it


def test_attention_on_silence_alone_finds_nothing():
    scores = np.zeros(100)
    scores[:10] = 0.1
    valid = np.arange(100) >= 10
    assert mass_in_region(scores, REGION, valid) == 0.0
    assert not salient(scores, valid, HOP).any()


def test_mass_rule_stops_where_half_is_reached():
    scores = np.zeros(100)
    scores[10:30] = np.arange(20, 0, -1)  # 210 in all, 105 = 20 + 19 + 18 + 17 + 16 + 15
    assert np.flatnonzero(salient(scores, EVERYWHERE, HOP)).tolist() == [10, 11, 12, 13, 14, 15]
    scores[10] += 1  # now half is 105.5, and the first six hold 106
    assert salient(scores, EVERYWHERE, HOP).sum() == 6
    scores[11] -= 1  # half is 105, and the first six hold exactly that
    assert salient(scores, EVERYWHERE, HOP).sum() == 6


def test_a_short_rest_at_either_end_is_no_gap():
    scores = np.ones(100)
    scores[:3], scores[97:] = 0, 0
    assert (salient(scores, EVERYWHERE, HOP) == (scores > 0)).all()


@pytest.mark.parametrize(("hop", "shortest"), [(0.01, 5), (0.04, 2), (0.05, 1)])
def test_gaps_and_pieces_under_50_ms_go(hop, shortest):
    scores = np.zeros(100)
    scores[20 : 20 + 3 * shortest] = 1  # a span ...
    scores[20 + 4 * shortest : 20 + 7 * shortest] = 1  # ... and another, after a gap of exactly 50 ms or just above
    scores[80 : 80 + shortest] = 1  # a piece that is just long enough
    assert (salient(scores, EVERYWHERE, hop) == (scores > 0)).all()
    if shortest > 1:
        scores[20 + 3 * shortest] = 1  # the gap is now too short to count
        scores[80] = 0  # and the piece too short to stay
        found = np.flatnonzero(salient(scores, EVERYWHERE, hop))
        assert found.tolist() == list(range(20, 20 + 7 * shortest))


def test_iou_by_hand():
    spans = np.zeros(100, dtype=bool)
    spans[50:70] = True
    assert iou(spans, REGION, EVERYWHERE) == pytest.approx(10 / 30)
    assert iou(np.zeros(100, bool), REGION, EVERYWHERE) == 0.0


def test_iou_chance_is_the_mean_over_every_shift():
    generator = np.random.default_rng(4)
    spans, valid = generator.random(60) < 0.3, generator.random(60) < 0.8
    region = generator.random(60) < 0.4  # ragged: a block would look the same from both ends
    ours, truth = spans[valid], region[valid]
    shifts = [np.roll(ours, k) for k in range(valid.sum())]
    expected = np.mean([(s & truth).sum() / (s | truth).sum() for s in shifts])
    assert iou_chance(spans, region, valid) == pytest.approx(expected)


def test_chance_levels_hold_for_maps_that_know_nothing():
    generator, valid = np.random.default_rng(5), np.arange(100) >= 8
    found = []
    for scores in generator.random((300, 100)):
        pointing = pointing_game(scores, REGION, valid, 2)
        found.append((pointing, mass_in_region(scores, REGION, valid), auroc(scores, REGION, valid)))
    chance = (pointing_chance(REGION, valid, 2), mass_chance(REGION, valid), 0.5)
    assert np.mean(found, axis=0) == pytest.approx(chance, abs=0.05)


def test_region_mask_asks_for_the_center_and_the_stream():
    regions = (Region(0.1, 0.2), Region(0.4, 0.5, "face"))
    centers = np.array([0.05, 0.1, 0.15, 0.2, 0.45])
    assert region_mask(regions, centers).tolist() == [False, True, True, False, False]
    assert region_mask(regions, centers, "face").tolist() == [False, False, False, False, True]


def test_shapes_must_agree():
    with pytest.raises(SertutError, match="one clock"):
        auroc(UNIFORM[:50], REGION, EVERYWHERE)
