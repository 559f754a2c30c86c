"""Bands hold what they promise: by simulation, by hand, and for every reference seed that is left out in turn."""

import math

import numpy as np
import pytest

from sertut.errors import SertutError
from sertut.study import beside_reference, load_study, renewal
from sertut.study.bands import ALARM, BANDS, FREEDOM, NOISY, normal_band, prediction_band
from sertut.study.references import BOOK_RESULTS, Study

SPREAD = [0.48, 0.49, 0.5, 0.51, 0.52]


def test_one_more_training_falls_outside_as_often_as_is_said():
    generator, n, outside = np.random.default_rng(0), 4000, 0
    for draws in generator.normal(0.5, 0.05, (n, 2, 4)):
        seeds = {0: draws[0, :3], 1: draws[1] - 0.3}  # three seeds here, four of another fold, which is harder
        low, high = normal_band(seeds, 0, "uar", 0.1, freedom=4, noisy=1.0)
        outside += not low <= generator.normal(0.5, 0.05) <= high
    assert outside / n == pytest.approx(0.1, abs=0.025)


def test_by_hand():
    """t of 4 degrees of freedom for 5 % is 2.776, the standard deviation .0158, and 1 + 1/5 = 1.2."""
    low, high = prediction_band({0: SPREAD}, 0, alarm=0.05)
    assert (low, high) == pytest.approx((0.5 - 2.776 * 0.015811 * math.sqrt(1.2), 0.5 + 0.0481), abs=1e-4)


@pytest.mark.parametrize(
    ("seeds", "score", "band"),
    [
        ({0: [0.5]}, "uar", None),  # one seed says nothing of the next
        ({0: [0.5], 1: [0.6], 2: [0.7], 3: [0.7], 4: [0.7]}, "uar", None),
        ({0: [0.5, 0.51, 0.5, 0.5]}, "uar", None),  # three degrees of freedom
        ({0: [0.5, 0.7, 0.5, 0.6, 0.5]}, "uar", None),  # too noisy to check anything
        ({0: [0.5] * 5}, "uar", (0.48, 0.52)),  # seeds that agree do not show that all do
        ({0: [1.0] * 5}, "uar", (0.98, 1.0)),
        ({0: [0.005] * 5}, "offset_error", (0.0, 0.029)),
        ({0: [1.5] * 5}, "offset_error", (1.476, 1.524)),  # seconds may pass 1
    ],
)
def test_no_band_where_little_is_known_and_none_past_what_a_score_can_be(seeds, score, band):
    found = prediction_band(seeds, 0, score)
    assert found == (band and pytest.approx(band))


NOT_NORMAL = {"streams-planted-blend": {("one-embedding", "auroc")}}
"""References in which one training lies outside the band that the others make; none may join them unseen."""


@pytest.mark.parametrize("name", sorted(path.stem for path in BOOK_RESULTS.glob("*.json")))
def test_no_reference_seed_is_outside_the_band_of_the_others(name):
    """Of all bands that normal scores would have, each seed left out in turn: the known exceptions, and no other."""
    study, lost = load_study(name), set()
    for _, method in study.cells:
        for score in ("uar", "auroc", "hit", "offset_error"):
            try:
                seeds = study.scores_of_folds(method, score)
            except SertutError:  # this network, or this corpus, has no such score
                continue
            normal = [fold for fold in seeds if normal_band(seeds, fold, score, ALARM / BANDS, FREEDOM, NOISY)]
            lost |= {(method, score) for fold in normal if prediction_band(seeds, fold, score) is None}
    assert lost == NOT_NORMAL.get(name, set())


def test_no_band_where_one_seed_lies_far_from_all_others():
    """One training of fifteen that fails: such scores are not normal, so a band from them would promise too much."""
    near = {fold: [0.90, 0.91, 0.92] for fold in range(5)}
    assert prediction_band(near, 0) == pytest.approx((0.83, 0.99), abs=0.03)
    failed = {**near, 3: [0.90, 0.91, 0.60]}
    assert normal_band(failed, 0, "uar", ALARM / BANDS, 4, 0.6), "wide, and yet the failed one is outside the others'"
    assert [prediction_band(failed, fold, noisy=0.6) for fold in failed] == [None] * 5


@pytest.fixture
def study():
    """Two methods on one fold of one speaker with 1000 clips a class; "max" differs much from seed to seed."""

    def row(method, seed, right):
        table = [[right, 1000 - right], [1000 - right, right]]
        report = {"speakers": ["s"], "statistics": {"uar": "uar"}, "methods": {"model": {"uar": [table]}}}
        cell = {"corpus": "planted", "method": method, "fold": 0, "seed": seed}
        return cell | {"options": {"epochs": 20}, "report": report}

    rights = {"mean": [490, 495, 500, 505, 510], "max": [100, 900, 300, 500, 400]}
    return Study("regions-planted", "?", [row(m, i, n) for m, ns in rights.items() for i, n in enumerate(ns)])


def test_the_readers_run_beside_the_reference(study, capsys):
    own = {"uar": {"mean": 0.55, "max": 0.5, "elsewhere": 0.1}}
    figure, bands = beside_reference(study, 0, own, measure="UAR", names={"mean": "average"}, also={"other": [0.7]})
    said = capsys.readouterr().out
    low = pytest.approx(0.366, abs=0.002)
    assert bands == [{"metric": "uar_mean", "value": 0.55, "low": low, "high": 1 - bands[0]["low"]}]
    assert "uar of average, 0.550: inside the band of the reference seeds" in said and renewal(study) in said
    assert "too few, or differ too much, to say where a run must fall: uar of max, 0.500." in said
    assert "average: 5 reference runs" in figure.alt and "other: 1 reference runs" in figure.alt
    _, (far,) = beside_reference(study, 0, {"uar": {"mean": 0.9}}, measure="UAR")
    assert far["value"] > far["high"] and "outside the band" in capsys.readouterr().out


def test_another_training_has_no_band(study, capsys):
    figure, bands = beside_reference(study, 0, {"uar": {"mean": 0.5}}, measure="UAR", epochs=3)
    assert figure and not bands and "epochs=3, the reference with 20" in capsys.readouterr().out
    for reference, fold, own in ((None, 0, {"mean": 0.5}), (study, 1, {"mean": 0.5}), (study, 0, {})):
        assert beside_reference(reference, fold, {"uar": own}, measure="UAR") == (None, [])
        assert "nothing to stand beside" in capsys.readouterr().out
