"""Dots stand where true and recovered offsets are, bands at 80 ms, and every number in words is that of the result."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from sertut import show
from sertut.evidence import ClipScores
from sertut.evidence.intervals import Interval
from sertut.evidence.lags import SCORES, STATISTICS

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
    return ClipScores.of(pd.DataFrame(rows), {}, SCORES, STATISTICS)


def dots(axis, marker="o"):
    return [line.get_xydata() for line in axis.lines if line.get_marker() == marker]


def test_each_method_but_nearest_time_has_a_panel(found):
    picture = show.offsets(found)
    panels = [axis for axis in picture.figure.axes if axis.get_title("left")]
    assert [axis.get_title("left").splitlines()[0] for axis in panels] == ["attention", "random"]
    np.testing.assert_allclose(dots(panels[1])[0], np.stack([TRUE, TRUE[::-1]], axis=1))
    axis = panels[0]
    assert axis.get_title("left").endswith("median error 20 ms,\n83% found")
    assert (axis.get_xlabel(), picture.figure.get_supylabel()) == ("true: face later by (s)", "recovered (s)")
    (nearest,) = [line for line in axis.lines if line.get_linestyle() == ":"]
    assert nearest.get_ydata()[0] == 0
    (band,) = [item for item in axis.collections if isinstance(item, FillBetweenPolyCollection)]
    corners = band.get_paths()[0].vertices
    assert set(np.round(corners[:, 1] - corners[:, 0], 6)) == {-0.08, 0.08}
    # what lies beyond the axis is drawn at its border and counted
    assert axis.get_ylim() == (-1.3, 1.3)
    np.testing.assert_allclose(dots(axis)[0], np.stack([TRUE, TRUE + 0.02], axis=1)[:10])
    np.testing.assert_allclose(dots(axis, "^")[0], [[TRUE[10], 1.3]])
    np.testing.assert_allclose(dots(axis, "v")[0], [[TRUE[11], -1.3]])
    assert ", 2 beyond 1.3 s." in picture.alt


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
    assert -20 < axis.get_xlim()[0] < 0 and axis.get_xlim()[1] > 300
    assert picture.alt == (
        "Median error of the recovered offset: alignment 30 ms (20 to 50) and nearest time 300 ms; the target is 80 ms."
    )
