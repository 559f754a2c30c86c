"""The ridge stands where the map has it, the lines where the offsets are, and the sentences say the same numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.collections import FillBetweenPolyCollection

from sertut import show
from sertut.attention import AttentionMap
from sertut.evidence import ClipScores
from sertut.evidence.intervals import Interval
from sertut.evidence.lags import SCORES, STATISTICS, recovered_offset
from sertut.show.ridges import mouth_darkness
from sertut.video import Faces

from .conftest import LOST, OFFSET, changed, dotted, edges, legend, mesh, ticks

FACE, VOICE = 0.04 * np.arange(51), -0.0075 + 0.04 * np.arange(49)  # borders of the steps, seconds
TRUE = np.linspace(-0.6, 0.6, 12)
FOUND = {
    "attention": TRUE + np.array([0.02] * 10 + [1.5, -2.0]),  # the last two are far off
    "nearest time": np.zeros(12),
    "random": TRUE[::-1],
}


def panels(picture):
    """Level, corner, map, mouth."""
    return picture.figure.axes[:4]


def lag(line):
    """By how much the face is after the voice along a line."""
    (lag,) = set(np.round(line.get_ydata() - line.get_xdata(), 6).tolist())
    return lag


def lines(picture):
    return {line.get_label(): line for line in panels(picture)[2].lines if not line.get_label().startswith("_")}


@pytest.fixture(scope="module")
def picture(aligned):
    return show.alignment(aligned)


def test_voice_goes_across_and_face_up(aligned, picture):
    weights, across, up = mesh(panels(picture)[2])
    np.testing.assert_allclose(weights, aligned.alignment.weights[0])
    assert not weights[LOST].any()  # frames without a face stay empty rows
    np.testing.assert_allclose(across, VOICE, atol=1e-9)
    np.testing.assert_allclose(up, FACE)
    axis = panels(picture)[2]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("time in the voice (s)", "time in the face (s)")
    assert axis.get_xlim() == axis.get_ylim() == (0, 2.0)
    assert "weight of a\nvoice step" in [bar.get_xlabel() for bar in axis.figure.axes + panels(picture)[1].child_axes]


def test_a_map_whose_queries_are_the_voice_is_turned(aligned):
    map_ = aligned.alignment
    clocks = {"audio": map_.clocks["time"], "time": map_.clocks["video"]}
    weights = map_.weights.transpose(1, 2) / map_.weights.transpose(1, 2).sum(dim=2, keepdim=True)
    turned = AttentionMap(weights, ("audio", "time"), map_.query_mask, clocks, stream="face", query_mask=map_.mask)
    picture = show.alignment(replace(aligned, alignment=turned))
    drawn, across, up = mesh(panels(picture)[2])
    np.testing.assert_allclose(drawn, weights[0].T)
    assert (len(across), len(up)) == (49, 51)
    assert "48 steps of the voice attend to 50 steps of the face" in picture.alt
    assert f"by the map: {recovered_offset(turned):.2f} s later" in lines(picture)


def test_the_lines_stand_at_their_offsets(aligned, picture):
    axis = panels(picture)[2]
    found = recovered_offset(aligned.alignment)
    assert found == pytest.approx(OFFSET, abs=0.01)
    near = sorted(lag(line) for line in axis.lines if line.get_label().startswith("true"))
    assert near == pytest.approx([OFFSET - 0.08, OFFSET + 0.08])
    assert lag(lines(picture)["the same time"]) == 0 and lines(picture)["the same time"].get_linestyle() == ":"
    (own,) = [line for label, line in lines(picture).items() if label.startswith("by the map")]
    np.testing.assert_allclose(own.get_ydata() - own.get_xdata(), found)
    assert [float(own.get_xdata()[0]), float(own.get_ydata()[1])] == [0, 2.0]  # where it enters and leaves
    names = ["the same time", "true: 0.30 s later, ± 80 ms", own.get_label(), "true region", "decoy"]
    assert legend(picture) == names


def test_level_and_mouth_share_the_seconds_of_the_map(aligned, picture):
    level, _, ridge, mouth = panels(picture)
    np.testing.assert_array_equal(level.lines[0].get_ydata(), aligned.level)
    assert level.get_xlim() == ridge.get_xlim() and mouth.get_ylim() == ridge.get_ylim()
    np.testing.assert_array_equal(mouth.lines[0].get_ydata(), aligned.face.times)
    np.testing.assert_array_equal(mouth.lines[0].get_xdata(), mouth_darkness(aligned.face))
    up = [line.get_ydata()[0] for line in mouth.lines[1:] if len(set(line.get_ydata())) == 1]
    assert up == [1.22, 1.46, 0.4, 0.75]  # of the face
    assert edges(level, "-") == [0.9, 1.15] and edges(level, "--") == [0.2, 0.5]  # of the voice


def test_an_open_mouth_is_dark():
    crops = np.full((3, 48, 48), 200, dtype=np.uint8)
    crops[1, 36:42, 20:28] = 20
    face = Faces(crops, np.array([True, True, False]), np.arange(3.0))
    np.testing.assert_allclose(mouth_darkness(face), [1 - 200 / 255, 1 - 20 / 255, np.nan])


def test_the_alternative_counts_what_lies_near_the_offset(aligned, picture):
    alt = picture.alt
    assert alt.startswith("Alignment over 2.0 s of a clip of actor 01, anger: 50 steps of the face attend to 48 steps")
    assert "The face comes 0.30 s later than the voice. The map itself says 0.29 s later, 0.01 s off." in alt
    weights = aligned.alignment.weights[0].double()
    lags = (FACE[:-1] + 0.02)[:, None] - (VOICE[:-1] + 0.02)[None, :]
    true, same = (float(weights[np.abs(lags - at) <= 0.08].sum() / weights.sum()) for at in (OFFSET, 0.0))
    assert true > 0.5 > same
    assert f"{true:.0%} of the attention lies within 80 ms of the true offset, " in alt
    assert alt.endswith(f"{same:.0%} within 80 ms of the same time.")


def test_without_a_known_offset_only_the_map_speaks(aligned):
    real = replace(changed(aligned), face=None)
    picture = show.alignment(real)
    assert list(lines(picture)) == ["the same time", "by the map: 0.29 s later"]
    assert "true offset" not in picture.alt and "% of the attention lies within 80 ms of the same time." in picture.alt


def test_a_missing_stream_leaves_an_empty_map(aligned):
    nobody = replace(aligned.alignment, weights=torch.zeros_like(aligned.alignment.weights))
    picture = show.alignment(replace(aligned, alignment=nobody))
    assert picture.alt.endswith("The map is empty: one of the streams is missing.")
    assert not any(label.startswith("by the map") for label in lines(picture))


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
    axis, other = [axis for axis in picture.figure.axes if axis.get_title("left")]
    assert other.get_title("left").startswith("random\n") and axis.get_title("left").startswith("attention\n")
    np.testing.assert_allclose(dots(other)[0], np.stack([TRUE, TRUE[::-1]], axis=1))
    assert axis.get_title("left").endswith("median error 20 ms,\n83% found")
    assert (axis.get_xlabel(), picture.figure.get_supylabel()) == ("true: face later by (s)", "recovered (s)")
    assert dotted(axis).get_ydata()[0] == 0
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
    assert dotted(axis, "--").get_xdata()[0] == 80 and ticks(axis) == list(medians)
    assert -20 < axis.get_xlim()[0] < 0 and axis.get_xlim()[1] > 300
    assert picture.alt == (
        "Median error of the recovered offset: alignment 30 ms (20 to 50) and nearest time 300 ms; the target is 80 ms."
    )
