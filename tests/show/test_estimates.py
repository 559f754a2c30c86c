"""Rows and curves of estimates: markers and bars stand at the given numbers, and the text says the same numbers."""

import itertools

import numpy as np
import pytest

from sertut import show
from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.evidence.intervals import Interval

from .conftest import dotted, legend, ticks

REFERENCE = {"mean": [0.5, 0.55, 0.52], "attention": [0.6, 0.66, 0.63]}
INTERVALS = {"mean": Interval(0.52, 0.48, 0.56), "attention": Interval(0.63, 0.6, 0.67)}

X = [0.5, 1.0, 4.0]
LINES = {
    "attention": [Interval(0.4, 0.3, 0.45), Interval(0.5, 0.4, 0.6), Interval(0.7, 0.6, 0.8)],
    "mean": [Interval(0.3, 0.2, 0.4), Interval(0.4, np.nan, np.nan), Interval(0.5, 0.45, 0.55)],
}


def drawn(axis) -> dict[float, list[float]]:
    """Row -> low bound, estimate and high bound, of all estimates on an axis."""
    found = {}
    for container in axis.containers:
        ((estimate, row),) = container[0].get_xydata()
        low, high = container[2][0].get_segments()[0][:, 0] if container.has_xerr else (np.nan, np.nan)
        found[float(row)] = [low, estimate, high]
    return found


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
    assert ticks(axis) == list(rows) and axis.get_title("left") == "gains"
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
    (own,) = [line for line in axis.lines if line.get_label() == "your run"]
    assert (own.get_xydata().tolist(), own.get_marker(), own.get_color()) == ([[0.7, 1]], "D", show.ROLES["own"])
    assert own.get_markerfacecolor() == "none"  # the dots below it show
    assert dotted(axis).get_xdata()[0] == 0.125 and ticks(axis) == list(REFERENCE)
    assert picture.alt == (
        "UAR of mean and attention. mean: 3 reference runs from 0.50 to 0.55, mean 0.52;"
        " attention: 3 reference runs from 0.60 to 0.66, mean 0.63, your run 0.70, outside their range."
        " Chance is 0.125."
    )
    assert legend(picture) == ["reference runs", "mean", "your run", "chance 0.125"]
    named = show.dots(REFERENCE, {"attention": 0.66}, yours="mean of yours")
    assert "mean of yours 0.66, inside their range" in named.alt
    assert "mean of yours" in legend(named)


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
    assert sorted(legend(picture)) == ["chance 0.25", "mean with interval", "partitions"]


@pytest.mark.parametrize("given", [{"own": {"atention": 0.7}}, {"intervals": {"atention": INTERVALS["mean"]}}])
def test_dots_refuses_a_method_without_reference(given):
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        show.dots(REFERENCE, **given)


SCORED = {"localization": "9 clips of 3 speakers scored; none skipped.", "loudness": "energy 1.00 (chance 0.00)"}


@pytest.mark.parametrize(("score", "said"), SCORED.items())
def test_localization_draws_each_score_beside_its_chance(report, score, said):
    result = getattr(report, score)
    picture = show.localization(result)
    assert ticks(picture.figure.axes[0]) == list(result.methods)
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


@pytest.mark.parametrize(("scale", "places"), [("linear", X), ("log", X), ("even", [0, 1, 2])])
def test_lines_and_bars_are_the_intervals(scale, places):
    picture = show.curves(X, LINES, xlabel="seconds", scale=scale, chance=0.125, own={1.0: 0.55}, title="here")
    axis = picture.figure.axes[0]
    for (line, _, (bars,)), intervals in zip(axis.containers, LINES.values(), strict=True):
        np.testing.assert_allclose(line.get_xydata(), [[x, i.estimate] for x, i in zip(places, intervals, strict=True)])
        for segment, i in zip(bars.get_segments(), intervals, strict=True):
            np.testing.assert_allclose(segment[:, 1] if len(segment) else [np.nan] * 2, [i.low, i.high])
    assert ticks(axis, across=True) == ["0.5", "1", "4"]
    assert axis.get_xscale() == ("log" if scale == "log" else "linear") and axis.get_title("left") == "here"
    (own,) = [line for line in axis.lines if line.get_label() == "your run"]
    assert own.get_xydata().tolist() == [[places[1], 0.55]]
    low, high = axis.get_ylim()
    assert low < 0.125 and high > 0.8 and axis.get_xlim()[0] < places[0] and axis.get_xlim()[1] > places[-1]


def at_x(picture):
    """Where the first mark of each line stands in the picture, points from the left edge of the axes."""
    (axis,) = picture.figure.axes
    first = [c[0].get_transform().transform(c[0].get_xydata()[0])[0] for c in axis.containers]
    return np.array(first) - axis.transData.transform((X[0], 0))[0]


def test_marks_move_sideways_only_for_bars_that_would_cover_each_other():
    assert np.ptp(at_x(show.curves(X, LINES, xlabel="seconds"))) > 3
    assert not at_x(show.curves(X, LINES, xlabel="seconds", guides={"ideal": X})).any()
    bare = {name: [Interval(i.estimate, np.nan, np.nan) for i in found] for name, found in LINES.items()}
    picture = show.curves(X, bare, xlabel="epoch")
    assert not at_x(picture).any() and not any(c.has_yerr for c in picture.figure.axes[0].containers)


def test_lines_differ_in_more_than_color():
    axis = show.curves(X, dict.fromkeys("abcde", LINES["mean"]), xlabel="seconds").figure.axes[0]
    lines = [container[0] for container in axis.containers]
    assert len({line.get_marker() for line in lines}) == len({line.get_color() for line in lines}) == 5


def test_text_has_every_number():
    alt = show.curves(X, LINES, xlabel="seconds", chance=0.125, own={1.0: 0.55}).alt
    assert alt == (
        "UAR against seconds. attention: 0.40 (0.30 to 0.45) at 0.5, 0.50 (0.40 to 0.60) at 1 and"
        " 0.70 (0.60 to 0.80) at 4; mean: 0.30 (0.20 to 0.40) at 0.5, 0.40 at 1 and 0.50 (0.45 to 0.55) at 4;"
        " your run: 0.55 at 1. Chance is 0.125."
    )


def test_what_does_not_fit_is_an_error():
    with pytest.raises(SertutError, match="'mean' has 3 intervals for 2 values"):
        show.curves(X[:2], {"mean": LINES["mean"]}, xlabel="seconds")
    with pytest.raises(SertutError, match="6 lines cannot be told apart"):
        show.curves(X, dict.fromkeys("abcdef", LINES["mean"]), xlabel="seconds")


def test_deletion_draws_the_fall_of_each_way_of_choosing():
    falls = {"random": [0, 0.4, 0.8], "attention": [0, 1.0, 2.0], "loudest": [0, 0.5, 1.0]}
    tables = {
        way: {f"drop at {share:g}": np.array([[[n, 2]] * 2]) for share, n in zip((0, 0.1, 0.3), values, strict=True)}
        for way, values in falls.items()
    }
    picture = show.deletion(Tally(("a", "b"), tables))
    heights = {c.get_label(): c[0].get_ydata() for c in picture.figure.axes[0].containers}
    assert list(heights) == ["most attention", "loudest", "random"]  # always in this order
    np.testing.assert_allclose(heights["most attention"], [0, 0.5, 1.0])
    np.testing.assert_allclose(heights["random"], [0, 0.2, 0.4])
    assert picture.alt.startswith("fall of probability against share of the sounding steps removed. most attention: ")
    assert "0.50 (0.50 to 0.50) at 0.1 and 1.00 (1.00 to 1.00) at 0.3" in picture.alt


def shift_test(slope, control):
    table = lambda value: np.array([[[4 * value, 4]] * 2])  # noqa: E731
    ours = {"slope": table(slope)} | {f"change at {x:g}": table(slope * x) for x in (-0.5, 0.0, 0.2)}
    return Tally(("a", "b"), {"attention": ours, "control": {"slope": table(control)}})


def test_shifts_stand_beside_one_that_follows_and_one_that_stays():
    picture = show.shifts({"label alone": shift_test(0.0, 0.0), "with synchrony": shift_test(0.8, 0.1)})
    axis = picture.figure.axes[0]
    lines = {line.get_label(): line for line in axis.lines}
    np.testing.assert_allclose(lines["ideal: follows, slope 1"].get_xydata(), [[-0.5, -0.5], [0, 0], [0.2, 0.2]])
    np.testing.assert_allclose(lines["stays, slope 0"].get_ydata(), 0)
    heights = {c.get_label(): c[0].get_ydata() for c in axis.containers}
    np.testing.assert_allclose(heights["with synchrony, slope 0.80"], [-0.4, 0, 0.16])
    np.testing.assert_allclose(heights["label alone, slope 0.00"], 0)
    low, high = axis.get_ylim()
    assert low < -0.5 and high > 0.2
    assert picture.alt.endswith(
        "Slopes: label alone 0.00 (0.00 to 0.00), its control 0.00 (0.00 to 0.00); with synchrony 0.80 (0.80 to 0.80),"
        " its control 0.10 (0.10 to 0.10); 1 is ideal."
    )
