"""Many reports pooled: over folds side by side, over seeds averaged, and refused where designs differ."""

import numpy as np
import pytest

from sertut.errors import SertutError
from sertut.evidence import Pooled
from sertut.evidence.intervals import bootstrap_speakers
from sertut.training.metrics import uar


def stored(speakers, confusions, auroc=None):
    """A stored report; `auroc`: one value a speaker, counted over 2 clips."""
    localization = None
    if auroc is not None:
        methods = {
            "attention": {"auroc": [[2 * value, 2] for value in auroc]},
            "uniform": {"auroc": [[1.0, 2]] * len(auroc)},
        }
        localization = {"speakers": list(speakers), "skipped": 1, "methods": methods}
    return {
        "emotions": ["anger", "sadness"],
        "clips": int(np.sum(confusions)),
        "speakers": list(speakers),
        "confusions": [np.asarray(table).tolist() for table in confusions],
        "localization": localization,
    }


GOOD, HALF = [[4, 0], [0, 4]], [[2, 2], [2, 2]]


@pytest.fixture
def pooled():
    reports = [
        stored(["c", "d"], [HALF, HALF], [0.6, 0.7]),  # folds and seeds in any order
        stored(["a", "b"], [GOOD, GOOD], [0.8, 0.9]),
        stored(["a", "b"], [GOOD, HALF], [1.0, 1.0]),
        stored(["c", "d"], [GOOD, GOOD], [1.0, 1.0]),
    ]
    return Pooled(reports, seeds=[0, 0, 1, 1])


def test_folds_side_by_side_seeds_averaged(pooled):
    assert pooled.seeds == (0, 1) and pooled.speakers == ("a", "b", "c", "d")
    assert pooled.confusions.shape == (2, 4, 2, 2)
    assert pooled.of_each_seed("uar") == pytest.approx([0.75, 0.875])
    assert pooled.uar.estimate == pytest.approx(0.8125) and pooled.wa.estimate == pytest.approx(0.8125)
    assert pooled.uar == bootstrap_speakers(uar, pooled.confusions)


def test_localization_is_pooled_likewise(pooled):
    assert pooled.of_each_seed("auroc") == pytest.approx([0.75, 1.0])
    assert pooled.localization("attention", "auroc").estimate == pytest.approx(0.875)
    assert pooled.gain("attention", "uniform", "auroc").estimate == pytest.approx(0.375)
    assert pooled.gain("attention", "uniform", "auroc").low > 0
    assert pooled.methods == ("attention", "uniform") and pooled.skipped == 2
    with pytest.raises(SertutError, match="did you mean 'auroc'"):
        pooled.localization("attention", "aurocs")


def test_difference_is_paired(pooled):
    nothing = pooled.difference(pooled)
    assert (nothing.estimate, nothing.low, nothing.high) == (0, 0, 0)
    worse = Pooled([stored(["a", "b", "c", "d"], [HALF] * 4)] * 2, seeds=[0, 1])
    assert pooled.difference(worse).estimate == pytest.approx(0.3125)
    assert pooled.difference(worse, "wa").estimate == pytest.approx(0.3125)
    other_seeds = Pooled([stored(["a", "b", "c", "d"], [HALF] * 4)] * 2, seeds=[0, 2])
    with pytest.raises(SertutError, match="same seeds and the same speakers"):
        pooled.difference(other_seeds)


def test_incomplete_or_overlapping_designs_are_refused():
    one, two = stored(["a", "b"], [GOOD, GOOD]), stored(["c"], [GOOD])
    with pytest.raises(SertutError, match=r"seed 1 was not tested on the same speakers \(c\)"):
        Pooled([one, two, one], seeds=[0, 0, 1])
    with pytest.raises(SertutError, match="tested twice"):
        Pooled([one, one], seeds=[0, 0])
    with pytest.raises(SertutError, match="at least one"):
        Pooled([], seeds=[])
    with pytest.raises(SertutError, match="lists of emotions"):
        Pooled([one, {**one, "emotions": ["joy", "sadness"]}], seeds=[0, 1])


def test_reports_without_maps_say_so():
    pooled = Pooled([stored(["a", "b"], [GOOD, HALF])], seeds=[0])
    assert pooled.methods == () and pooled.skipped == 0
    with pytest.raises(SertutError, match="hold no localization"):
        pooled.localization("attention", "auroc")


def test_loudness_and_heads_stand_beside_localization(pooled):
    def with_levels(value):
        methods = {"attention": {"hit": [[2 * value, 2]] * 2, "hit_chance": [[0.2, 2]] * 2}}
        heads = {"all heads": {"distance": [[value, 1]] * 2}}
        part = {"speakers": ["a", "b"], "skipped": 0}
        report = stored(["a", "b"], [GOOD, HALF])
        return Pooled([report | {"loudness": part | {"methods": methods}, "heads": part | {"methods": heads}}], [0])

    high, low = with_levels(0.9), with_levels(0.4)
    assert high.loudness("attention", "hit").estimate == pytest.approx(0.9)
    assert high.loudness("attention", "hit_chance").estimate == pytest.approx(0.1)
    assert high.difference(low, "hit").estimate == pytest.approx(0.5)
    assert high.heads("all heads", "distance").estimate == pytest.approx(0.9)
    assert high.difference(low, "distance", method="all heads").low == pytest.approx(0.5)
    with pytest.raises(SertutError, match="did you mean 'hit'"):
        high.loudness("attention", "hits")
    with pytest.raises(SertutError, match="hold no localization"):
        high.localization("attention", "auroc")
    with pytest.raises(SertutError, match="hold no loudness"):
        pooled.loudness("attention", "hit")


def with_offsets(shift, speakers=("a", "b")):
    """A report whose clips have the offsets -0.2, 0.1 and 0.4 s, each recovered with an error of `shift` s."""
    true = [-40, 20, 80]  # steps of 5 ms
    found = [round(x + shift / 0.005) for x in true]
    offsets = {
        "speakers": list(speakers),
        "skipped": 0,
        "true": [true for _ in speakers],
        "recovered": {"attention": [found for _ in speakers]},
        "diagonality": {"attention": [[0.3, 3] for _ in speakers]},
        "aligned": {"attention": [[0.15, 3] for _ in speakers]},
    }
    return stored(speakers, [GOOD] * len(speakers)) | {"offsets": offsets}


def test_offsets_over_seeds_and_folds():
    reports = [with_offsets(0.02), with_offsets(0.04, ["c"]), with_offsets(-0.1), with_offsets(-0.12, ["c"])]
    good = Pooled(reports, seeds=[0, 0, 1, 1])
    assert good.of_each_seed("offset_error") == pytest.approx([0.02, 0.1])
    assert good.offset_error().estimate == pytest.approx(0.06)
    assert good.offset_within().estimate == 0.5 and good.offset_correlation().estimate == pytest.approx(0.999, abs=2e-3)
    assert good.offset_error("nearest time").estimate == pytest.approx(0.2)
    assert good.of_each_seed("aligned") == pytest.approx([0.05, 0.05])
    assert good.gain("attention", "nearest time", "offset_error").estimate == pytest.approx(-0.14)
    assert good.offset_pairs().shape == (18, 2)
    assert good.offset_pairs()[:3].tolist() == pytest.approx(np.array([[-0.2, -0.18], [0.1, 0.12], [0.4, 0.42]]))
    worse = Pooled([with_offsets(0.2, ["a", "b", "c"])] * 2, seeds=[0, 1])
    change = good.difference(worse, "offset_error")
    assert change.estimate == pytest.approx(-0.14) and change.high < 0


def test_reports_without_offsets_say_so(pooled):
    with pytest.raises(SertutError, match="hold no offsets"):
        pooled.offset_error()
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        Pooled([with_offsets(0.0)], [0]).offset_error("attentin")
