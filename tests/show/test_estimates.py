"""Rows of estimates: markers and bars stand at the given numbers, and the text says the same numbers."""

import itertools

import numpy as np
import pytest

from sertut import show
from sertut.errors import SertutError
from sertut.evidence.intervals import Interval

REFERENCE = {"mean": [0.5, 0.55, 0.52], "attention": [0.6, 0.66, 0.63]}
INTERVALS = {"mean": Interval(0.52, 0.48, 0.56), "attention": Interval(0.63, 0.6, 0.67)}


def drawn(axis) -> dict[float, list[float]]:
    """Row -> low bound, estimate and high bound, of all estimates on an axis."""
    found = {}
    for container in axis.containers:
        ((estimate, row),) = container[0].get_xydata()
        low, high = container[2][0].get_segments()[0][:, 0] if container.has_xerr else (np.nan, np.nan)
        found[float(row)] = [low, estimate, high]
    return found


def names(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def test_differences_say_which_include_zero():
    rows = {
        "a - b": Interval(0.05, 0.02, 0.08),
        "a - c": Interval(-0.01, -0.03, 0.01),
        "the same": Interval(0.0, 0.0, 0.0),
        "one speaker": Interval(0.1, np.nan, np.nan),
    }
    picture = show.differences(rows, title="gains")
    assert picture.alt == (
        "Difference in UAR. a - b: +0.050, interval +0.020 to +0.080 excludes zero;"
        " a - c: -0.010, interval -0.030 to +0.010 includes zero; the same: +0.000, interval +0.000 to +0.000 includes"
        " zero; one speaker: +0.100, no interval."
    )
    axis = picture.figure.axes[0]
    assert names(axis) == list(rows) and axis.get_title("left") == "gains"
    assert axis.get_ylim() == (3.5, -0.5)  # the first row is above
    expected = {0.0: [0.02, 0.05, 0.08], 1.0: [-0.03, -0.01, 0.01], 2.0: [0, 0, 0], 3.0: [np.nan, 0.1, np.nan]}
    for row, values in drawn(axis).items():
        np.testing.assert_allclose(values, expected[row], atol=1e-12)
    assert axis.lines[0].get_xdata()[0] == 0


def test_long_names_leave_room_for_ticks_and_for_the_name_of_the_axis():
    rows = {"planted-decoy: attention - untrained network": Interval(0.0, -0.078, 0.082)}
    figure = show.differences(rows, measure="difference in the hit rate of the loudest step, of ours").figure
    figure.draw_without_rendering()
    (axis,) = figure.axes
    label = axis.xaxis.label.get_window_extent()
    assert label.x0 >= 0 and label.x1 <= figure.bbox.width + 1
    low, high = axis.get_xlim()
    boxes = [t.label1.get_window_extent() for t in axis.xaxis.get_major_ticks() if low <= t.get_loc() <= high]
    assert all(after.x0 - before.x1 > 5 for before, after in itertools.pairwise(boxes))


def test_dots_shows_every_reference_run_and_the_readers_own():
    picture = show.dots(REFERENCE, {"attention": 0.7}, chance=0.125)
    axis = picture.figure.axes[0]
    runs = [line for line in axis.lines if line.get_marker() == "o"]
    means = [line for line in axis.lines if line.get_lw() == 2]
    for row, (scores, run, mean) in enumerate(zip(REFERENCE.values(), runs, means, strict=True)):
        np.testing.assert_allclose(run.get_xdata(), scores)
        np.testing.assert_allclose(mean.get_xdata(), np.mean(scores))
        assert max(abs(run.get_ydata() - row)) < 0.3 and np.mean(mean.get_ydata()) == row
    own, chance = [line for line in axis.lines if line.get_label() in ("your run", "chance 0.125")]
    assert (own.get_xydata().tolist(), own.get_marker(), own.get_color()) == ([[0.7, 1]], "D", show.ROLES["own"])
    assert own.get_markerfacecolor() == "none"  # the dots below it show
    assert chance.get_xdata()[0] == 0.125
    assert names(axis) == list(REFERENCE)
    assert picture.alt == (
        "UAR of mean and attention. mean: 3 reference runs from 0.50 to 0.55, mean 0.52;"
        " attention: 3 reference runs from 0.60 to 0.66, mean 0.63, your run 0.70, outside their range."
        " Chance is 0.125."
    )
    legend = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert legend == ["reference runs", "mean", "your run", "chance 0.125"]
    assert "your run 0.66, inside their range" in show.dots(REFERENCE, {"attention": 0.66}).alt
    named = show.dots(REFERENCE, {"attention": 0.66}, yours="mean of yours")
    assert "mean of yours 0.66, inside their range" in named.alt
    assert "mean of yours" in [text.get_text() for text in named.figure.legends[0].get_texts()]


def test_dots_draws_given_intervals_above_the_dots_of_its_row():
    two_lines = {"random\nsplit": REFERENCE["mean"], "speaker split": REFERENCE["attention"]}
    intervals = dict(zip(two_lines, INTERVALS.values(), strict=True))
    picture = show.dots(two_lines, intervals=intervals, each="partitions", chance=0.25, title="here")
    found = drawn(picture.figure.axes[0])
    assert found == {-0.36: pytest.approx([0.48, 0.52, 0.56]), 0.64: pytest.approx([0.6, 0.63, 0.67])}
    assert picture.alt == (
        "here: UAR of random split and speaker split."
        " random split: 3 partitions from 0.50 to 0.55, mean 0.52 (0.48 to 0.56);"
        " speaker split: 3 partitions from 0.60 to 0.66, mean 0.63 (0.60 to 0.67). Chance is 0.25."
    )
    legend = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert sorted(legend) == ["chance 0.25", "mean with interval", "partitions"]


@pytest.mark.parametrize("given", [{"own": {"atention": 0.7}}, {"intervals": {"atention": INTERVALS["mean"]}}])
def test_dots_refuses_a_method_without_reference(given):
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        show.dots(REFERENCE, **given)


@pytest.mark.parametrize(
    ("score", "said"),
    [("localization", "9 clips of 3 speakers scored; none skipped."), ("loudness", "energy 1.00 (chance 0.00)")],
)
def test_localization_draws_each_score_beside_its_chance(report, score, said):
    result = getattr(report, score)
    picture = show.localization(result)
    assert names(picture.figure.axes[0]) == list(result.methods)
    for axis, (metric, name) in zip(picture.figure.axes, result.metrics.items(), strict=True):
        assert axis.get_title(loc="left").split() == name.split()
        found, (low, high) = drawn(axis), axis.get_xlim()
        for row, method in enumerate(result.methods):
            interval = result.interval(method, metric)
            np.testing.assert_allclose(found[row], [interval.low, interval.estimate, interval.high])
            assert low < interval.low and interval.high < high
        (bars,) = [line.get_segments() for line in axis.collections if line.get_label() == "chance"]
        chance = result.table.groupby("method", sort=False)[f"{metric}_chance"].mean()
        assert [x for (x, _), _ in bars] == pytest.approx(chance.tolist())
    (upright,) = picture.figure.legends[0].legend_handles
    assert (upright.get_marker(), upright.get_linestyle(), upright.get_label()) == ("|", "None", "chance")
    markers = [container[0].get_marker() for container in picture.figure.axes[0].containers]
    assert markers[0] == "o" and set(markers) <= {"o", "^", "D", "s"}  # of attention, energy, center, uniform
    assert said in picture.alt
    first = result.interval("attention", metric)
    assert f"{name}: attention {first.estimate:.2f} (chance {bars[0][0][0]:.2f})" in picture.alt
