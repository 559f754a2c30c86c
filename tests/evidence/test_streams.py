"""Voice against face: curves of known agreement and lag, a shuffled baseline, and a trip through JSON."""

from dataclasses import replace

import numpy as np
import pytest

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Report
from sertut.evidence.streams import OTHER, SAME, agreement, best_lag, compare_streams, on_steps, stream_table
from tests.evidence.conftest import a_map

FACE, VOICE = Clock(0.04), Clock(0.02, -0.005)


def bump(center, clock, n, width=0.12):
    weights = np.exp(-0.5 * ((clock.centers(n).numpy() - center) / width) ** 2) + 1e-3
    return weights / weights.sum()


def test_the_same_curve_agrees_fully():
    curve = bump(1.0, FACE, 60)
    found = agreement(curve, curve, 0.0)
    assert found == {"rank": pytest.approx(1.0), "overlap": 1.0, "moved": 1.0, "recovered": 0.0}


@pytest.mark.parametrize("offset", [0.4, -0.32, 1.0])
def test_a_face_that_comes_later(offset):
    voice, face = bump(1.2, FACE, 75), bump(1.2 + offset, FACE, 75)
    found = agreement(voice, face, offset)
    assert found["recovered"] == pytest.approx(offset) and found["moved"] == 1.0 and found["overlap"] < 0.2
    assert np.isnan(agreement(voice, face)["moved"])


def test_best_lag_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    x, y = rng.dirichlet(np.ones(50)), rng.dirichlet(np.ones(50))
    products = {
        lag: sum((x[t] - 0.02) * (y[t + lag] - 0.02) for t in range(50) if 0 <= t + lag < 50) for lag in range(-30, 31)
    }
    assert best_lag(x, y) == pytest.approx(0.04 * max(products, key=products.get))
    assert best_lag(x, np.full(50, 0.02)) == 0.0  # nothing to go by


def test_other_steps_take_the_mass_of_their_span():
    weights = np.array([0.1, 0.2, 0.3, 0.4])  # steps of 20 ms from -5 ms on
    found = on_steps(weights, VOICE, np.array([0.0, 0.04, 0.08]))
    # 0 ... 40 ms holds three quarters of the first step, the second, and a quarter of the third.
    parts = np.array([0.075 + 0.2 + 0.075, 0.225 + 0.4])
    assert found == pytest.approx(parts / parts.sum())
    assert on_steps(weights, VOICE, np.array([1.0, 2.0, 3.0])) == pytest.approx([0.5, 0.5])  # beyond the end


@pytest.fixture(scope="module")
def clips(tiny):
    rng = np.random.default_rng(5)
    offsets = rng.uniform(-0.5, 0.5, size=len(tiny))
    made = []
    for clip, offset in zip(tiny, offsets, strict=True):
        start = rng.uniform(0.7, 1.5)
        both = (Region(start, start + 0.3), Region(start + offset, start + offset + 0.3, "face"))
        regions = () if clip.emotion == "neutral" else both
        made.append(replace(clip, regions=regions, details={"offset": float(offset)}))
    return tuple(made)


@pytest.fixture(scope="module")
def report_on(clips, predictions_of, tiny):
    """Stream -> a report of a network that looks at the middle of the region, or always at `at`."""

    def make(stream, at=None, scored=clips):
        clock, n = (VOICE, 125) if stream == "voice" else (FACE, 60)
        maps = []
        for clip in clips:
            middle = next(((r.start + r.end) / 2 for r in clip.regions if r.stream == stream), 1.0)
            weights = bump(middle if at is None else at, clock, n)
            maps.append({"attention": a_map(weights, clocks=clock, stream=stream)})
        return Report(stream, replace(predictions_of(tiny, [0] * 12), clips=scored, maps=tuple(maps)))

    return make


def test_networks_that_look_at_the_emotion_agree_beyond_chance(clips, report_on):
    found = compare_streams(report_on("voice"), report_on("face"))
    assert set(found.skipped.values()) == {"no known region"} and len(found.skipped) == 4
    assert found.interval(SAME, "moved").estimate > 0.9
    assert found.difference(SAME, OTHER, "moved").low > 0.2
    assert found.interval(SAME, "offset_error").estimate < 0.03
    assert found.interval(OTHER, "offset_error").estimate > 0.1
    assert found.interval(SAME, "offset_correlation").estimate > 0.98
    assert found.difference(SAME, OTHER, "offset_error").high < 0
    table = stream_table(found)
    assert list(table.columns) == [SAME, OTHER, "difference"] and len(table) == 6
    assert "8 clips of 4 speakers scored" in str(found) and "rank agreement" in str(found)
    rows = found.table
    assert (rows.query("method == @SAME")["rank_chance"].to_numpy() == rows.query("method == @OTHER")["rank"]).all()


def test_maps_of_one_place_agree_with_any_face(report_on):
    found = compare_streams(report_on("voice", at=1.013), report_on("face", at=1.013))
    for metric in ("rank", "overlap", "offset_error"):
        assert found.difference(SAME, OTHER, metric).estimate == pytest.approx(0.0, abs=1e-3)
    assert found.interval(SAME, "offset_correlation").estimate == 0.0  # always the same lag


def test_without_offsets_the_lag_is_not_judged(tiny, report_on):
    plain = tuple(replace(clip, regions=()) for clip in tiny)
    found = compare_streams(report_on("voice", scored=plain), report_on("face", scored=plain))
    assert not found.skipped and set(found.metrics) == {"rank", "overlap"}
    assert not found.scored("moved") and not found.scored("offset_error") and len(stream_table(found)) == 2


def test_what_it_refuses(clips, report_on):
    with pytest.raises(SertutError, match="no attention to the voice"):
        compare_streams(report_on("face"), report_on("face"))
    with pytest.raises(SertutError, match="of different clips"):
        compare_streams(report_on("voice"), report_on("face", scored=clips[::-1]))
    lonely = tuple(replace(clip, regions=clip.regions if i in (0, 2) else ()) for i, clip in enumerate(clips))
    with pytest.raises(SertutError, match="no clip could be compared"):
        compare_streams(report_on("voice", scored=lonely), report_on("face", scored=lonely))
