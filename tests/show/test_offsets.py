"""Dots stand where true and recovered offsets are, bands at 80 ms, and every number in words is that of the result."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from sertut import show
from sertut.evidence import Offsets, Shifts
from sertut.evidence.intervals import Interval

TRUE = np.linspace(-0.6, 0.6, 12)
FOUND = {
    "attention": TRUE + np.array([0.02] * 10 + [1.5, -2.0]),  # the last two are far off
    "nearest time": np.zeros(12),
    "random": TRUE[::-1],
}


@pytest.fixture
def found():
    rows = [
        {"clip": f"clip {i}", "speaker": f"speaker {i % 3}", "method": method, "true": TRUE[i], "recovered": value}
        | {"error": abs(value - TRUE[i]), "diagonality": np.nan, "aligned": np.nan}
        for method, values in FOUND.items()
        for i, value in enumerate(values)
    ]
    return Offsets(pd.DataFrame(rows), {})


def shift_test(slope, control):
    known = np.array([-0.5, 0.0, 0.2])
    clips = np.full((1, 2), 4.0)
    changes, controls = (4 * factor * np.stack([known, known])[None] for factor in (slope, control))
    return Shifts(tuple(known.tolist()), ("a", "b"), changes, np.zeros((1, 2, 3)), controls, clips)


def dots(axis, marker="o"):
    return [line.get_xydata() for line in axis.lines if line.get_marker() == marker]


def test_each_method_but_nearest_time_has_a_panel(found):
    picture = show.offsets(found)
    panels = [axis for axis in picture.figure.axes if axis.get_title("left")]
    assert [axis.get_title("left").splitlines()[0] for axis in panels] == ["attention", "random"]
    np.testing.assert_allclose(dots(panels[1])[0], np.stack([TRUE, TRUE[::-1]], axis=1))
    assert panels[0].get_title("left").endswith("median error 20 ms, 83% found")
    assert [line.get_ydata()[0] for line in panels[0].lines if line.get_linestyle() == ":"] == [0]
    assert (panels[0].get_xlabel(), panels[0].get_ylabel()) == ("true: face later by (s)", "recovered (s)")


def test_the_band_is_80_ms_to_both_sides_of_the_diagonal(found):
    axis = show.offsets(found).figure.axes[0]
    (band,) = [item for item in axis.collections if isinstance(item, FillBetweenPolyCollection)]
    corners = band.get_paths()[0].vertices
    assert set(np.round(corners[:, 1] - corners[:, 0], 6)) == {-0.08, 0.08}


def test_what_lies_beyond_the_axis_is_drawn_at_its_border_and_counted(found):
    picture = show.offsets(found)
    axis = picture.figure.axes[0]
    assert axis.get_ylim() == (-1.3, 1.3)
    assert len(dots(axis)[0]) == 10
    np.testing.assert_allclose(dots(axis, "^")[0], [[TRUE[10], 1.3]])
    np.testing.assert_allclose(dots(axis, "v")[0], [[TRUE[11], -1.3]])
    np.testing.assert_allclose(dots(axis)[0][-1], [TRUE[9], TRUE[9] + 0.02])
    assert "correlation" in picture.alt and ", 2 beyond 1.3 s." in picture.alt


def test_several_networks_have_a_panel_each(found):
    picture = show.offsets({"label alone": found, "with synchrony": found}, title="planted")
    titles = [axis.get_title("left").splitlines()[0] for axis in picture.figure.axes]
    assert titles == ["label alone", "with synchrony"]
    assert picture.alt.startswith("Recovered against true offset of 12 clips. label alone: median error 20 ms (20 to ")
    r = np.corrcoef(TRUE, FOUND["attention"])[0, 1]
    assert f"83% within 80 ms, correlation {r:.2f}" in picture.alt


def test_errors_are_in_milliseconds_beside_the_target():
    medians = {"alignment": Interval(0.03, 0.02, 0.05), "nearest time": Interval(0.3, np.nan, np.nan)}
    picture = show.offset_errors(medians)
    axis = picture.figure.axes[0]
    assert [container[0].get_xdata()[0] for container in axis.containers] == pytest.approx([30, 300])
    assert [container[0].get_marker() for container in axis.containers] == ["o", "s"]
    (target,) = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert target.get_xdata()[0] == 80
    assert [label.get_text() for label in axis.get_yticklabels()] == list(medians)
    assert axis.get_xlim()[0] == 0 and axis.get_xlim()[1] > 300
    assert picture.alt == (
        "Median error of the recovered offset: alignment 30 ms (20 to 50) and nearest time 300 ms; the target is 80 ms."
    )


def test_shifts_stand_beside_one_that_follows_and_one_that_stays():
    picture = show.shifts(shift_test(0.8, 0.1))
    axis = picture.figure.axes[0]
    lines = {line.get_label(): line for line in axis.lines}
    np.testing.assert_allclose(lines["ideal: follows, slope 1"].get_xydata(), [[-0.5, -0.5], [0, 0], [0.2, 0.2]])
    assert lines["stays, slope 0"].get_ydata()[0] == 0
    np.testing.assert_allclose(lines["control, slope 0.10"].get_ydata(), [-0.05, 0, 0.02])
    (drawn,) = axis.containers
    assert drawn.get_label() == "attention, slope 0.80"
    np.testing.assert_allclose(drawn[0].get_ydata(), [-0.4, 0, 0.16])
    low, high = axis.get_ylim()
    assert low < -0.5 and high > 0.2
    assert picture.alt.endswith("Slopes: attention 0.80 (0.80 to 0.80), its control 0.10 (0.10 to 0.10); 1 is ideal.")


def test_shifts_of_several_networks():
    picture = show.shifts({"label alone": shift_test(0.0, 0.0), "with synchrony": shift_test(1.0, 0.1)})
    labels = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert labels == [
        "ideal: follows, slope 1",
        "stays, slope 0",
        "label alone, slope 0.00",
        "with synchrony, slope 1.00",
    ]
    assert "label alone 0.00 (0.00 to 0.00), its control 0.00" in picture.alt
