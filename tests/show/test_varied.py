"""Curves go through their estimates, bars reach to their bounds, and the text says the same numbers."""

import numpy as np
import pytest

from sertut import show
from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.evidence.intervals import Interval

X = [0.5, 1.0, 4.0]
LINES = {
    "attention": [Interval(0.4, 0.3, 0.45), Interval(0.5, 0.4, 0.6), Interval(0.7, 0.6, 0.8)],
    "mean": [Interval(0.3, 0.2, 0.4), Interval(0.4, np.nan, np.nan), Interval(0.5, 0.45, 0.55)],
}


@pytest.mark.parametrize(("scale", "places"), [("linear", X), ("log", X), ("even", [0, 1, 2])])
def test_lines_and_bars_are_the_intervals(scale, places):
    picture = show.curves(X, LINES, xlabel="seconds", scale=scale, chance=0.125, own={1.0: 0.55}, title="here")
    axis = picture.figure.axes[0]
    for container, intervals in zip(axis.containers, LINES.values(), strict=True):
        line, _, (bars,) = container
        np.testing.assert_allclose(line.get_xydata(), [[x, i.estimate] for x, i in zip(places, intervals, strict=True)])
        for segment, i in zip(bars.get_segments(), intervals, strict=True):
            np.testing.assert_allclose(segment[:, 1] if len(segment) else [np.nan] * 2, [i.low, i.high])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.5", "1", "4"]
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
