"""Frames stand at their own seconds, maps of the face at the face's, and each stream keeps its own regions."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from sertut import show
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.show.weights import time_weights
from sertut.show.words import say_offset
from sertut.video import write_video

from .conftest import LOST, OFFSET, a_map, above, changed, edges, frames, legend, mesh, on_face, rows, steps, ticks

WIDTH = 2.0 / 12  # seconds that each of the 12 frames stands for


def bars(axis):
    """Start and end of the bars below the frames."""
    found = [box for box in axis.patches if isinstance(box, Rectangle) and box.get_y() < 0]
    return [pytest.approx((box.get_x(), box.get_x() + box.get_width())) for box in found]


def names(axis):
    return [text for text in axis.texts if text.get_text() != "no\nface"]


@pytest.fixture(scope="module")
def film(seen):
    return show.filmstrip(seen)


@pytest.fixture(scope="module")
def perceived(seen):
    """neutral looks at 1.3 s, anger, the true one, at 1.6 s, sadness at 0.7 s."""
    return replace(seen, map=on_face(("emotion", "time")))


def test_frames_stand_at_their_own_seconds(seen, film):
    strip = rows(film)["face"]
    for image in strip.images:
        left, right, bottom, top = image.get_extent()
        frame = int(np.asarray(image.get_array())[0, 0]) - 100
        assert seen.face.times[frame] == pytest.approx((left + right) / 2, abs=0.021)  # half a frame
        assert (right - left, bottom, top) == (pytest.approx(WIDTH), 0, 1)
    drawn = {round(image.get_extent()[0] / WIDTH) for image in strip.images}
    assert drawn == set(range(12)) - {7}  # 1.25 s is in the gap, frames 30 to 32
    assert [text.get_text() for text in strip.texts] == ["no\nface", "fear", "anger"]


def test_frames_inside_an_expression_are_framed_and_a_bar_names_it(film):
    strip = rows(film)["face"]
    true, decoy = ([round((box[0] + box[2]) / 2, 2) for box in frames(strip, line)] for line in ("-", "--"))
    assert true == [1.25, 1.42] and decoy == [0.42, 0.58, 0.75]
    assert bars(strip) == [(1.22, 1.46), (0.4, 0.75)]


def test_the_weights_stand_below_the_stream_that_they_weigh(seen, film):
    drawn = rows(film)
    assert list(drawn) == ["voice", "face", "weight of a frame"]
    assert edges(drawn["voice"], "-") == [0.9, 1.15] and edges(drawn["voice"], "--") == [0.2, 0.5]
    axis = drawn["weight of a frame"]
    assert edges(axis, "-") == [1.22, 1.46] and edges(axis, "--") == [0.4, 0.75]
    assert legend(film) == ["attention", "uniform", "true region", "decoy"]
    (line,) = [item for item in axis.lines if item.get_linestyle() == ":"]
    assert line.get_ydata()[0] == pytest.approx(1 / 47)  # only frames with a face count
    weights, borders = steps(axis)
    np.testing.assert_allclose(borders, 0.04 * np.arange(51), rtol=1e-6)
    assert not weights[LOST].any()
    assert list(rows(show.filmstrip(replace(seen, map=a_map(2.0))))) == ["voice", "weight of a step", "face"]


def test_the_alternative_says_spans_offset_decoy_and_peak(seen, film):
    weights, borders = time_weights(seen)
    assert film.alt == (
        "12 frames of the face, one every 0.17 s, below 2.0 s of actor 01, anger. The true region in the voice is"
        " 0.90 to 1.15 s. The true region in the face is 1.22 to 1.46 s. The face comes 0.30 s later than the voice."
        " The voice's decoy is at 0.20 to 0.50 s. The face's decoy, fear, is at 0.40 to 0.75 s."
        " No face was found in 3 of 50 frames. Attention to the face over 2.0 s of a clip of actor 01, anger:"
        f" the peak at {borders[weights.argmax()] + 0.02:.2f} s lies inside the true region 1.22 to 1.46 s"
        f" (decoy 0.40 to 0.75 s); it is {47 * weights.max():.1f} times the uniform level;"
        " predicted neutral with probability 0.96."
    )


def test_the_offset_in_words(seen):
    assert say_offset(changed(seen, offset=-0.25)) == "The face comes 0.25 s earlier than the voice."
    assert say_offset(changed(seen, offset=0.0)) == "The face comes at the same time as the voice."
    assert say_offset(changed(seen)) == ""


def test_touching_expressions_share_a_name_or_lean_away_from_each_other(seen):
    places = ((0.3, 0.6, "anger"), (0.62, 0.9, "anger"), (0.92, 1.2, "fear"), (1.4, 1.6, "fear"))
    regions = [replace(seen.clip.regions[1], start=start, end=end) for start, end, _ in places]
    picture = show.filmstrip(changed(seen, *regions, faces=tuple((name, start, end) for start, end, name in places)))
    strip = rows(picture)["face"]
    written = [(text.get_text(), text.get_position()[0], text.get_ha()) for text in names(strip)]
    expected = [("anger", 0.88, "right"), ("fear", 0.94, "left"), ("fear", 1.5, "center")]
    assert written == [(name, pytest.approx(at), side) for name, at, side in expected]
    assert len(bars(strip)) == 4
    assert "in the face is 0.30 to 0.60 s (anger), 0.62 to 0.90 s (anger), 0.92 to 1.20 s (f" in picture.alt


def test_a_clip_that_nobody_judged(seen, tmp_path):
    write_video(tmp_path / "face.avi", seen.face.crops)
    picture = show.filmstrip(replace(seen.clip, video=tmp_path / "face.avi", regions=(), details={}))
    assert list(rows(picture)) == ["voice", "face"]
    assert rows(picture)["face"].get_ylim() == (0, 1)  # no room is kept for expressions that nobody knows
    assert picture.figure.axes[0].get_title("left") == "actor 01, anger: one"
    assert "redicted" not in picture.alt and "ttention" not in picture.alt
    values = [int(np.asarray(image.get_array())[0, 0]) for image in rows(picture)["face"].images]
    times = (np.arange(12) + 0.5) * WIDTH
    expected = [100 + t / 0.04 - 0.5 for t in times if not 1.2 <= t < 1.32]
    assert [value for value in values if value] == pytest.approx(expected, abs=0.51)


@pytest.mark.parametrize("draw", ["filmstrip", "shares"])
def test_frames_are_square(seen, film, draw):
    known = changed(seen, *seen.clip.regions, **seen.clip.details, shares={"anger": 1.0})
    figure = (film if draw == "filmstrip" else show.shares(known)).figure
    figure.draw_without_rendering()
    frame = next(image for axis in figure.axes for image in axis.images).get_window_extent()
    assert frame.height / frame.width == pytest.approx(1, abs=0.04)


def test_two_streams_draws_both_maps_and_the_offset(seen):
    voice = replace(seen, map=a_map(2.0))
    picture = show.two_streams(voice, seen)
    drawn = rows(picture)
    for label, example in (("voice: weight", voice), ("face: weight", seen)):
        for values, expected in zip(steps(drawn[label]), time_weights(example), strict=True):
            np.testing.assert_allclose(values, expected)
    assert edges(drawn["voice: weight"], "-") == [0.9, 1.15] and edges(drawn["face: weight"], "-") == [1.22, 1.46]
    between = picture.figure.axes[1]
    (arrow,) = [text for text in between.texts if hasattr(text, "arrow_patch")]
    assert (arrow.xyann[0], arrow.xy[0]) == (pytest.approx(1.025), pytest.approx(1.025 + OFFSET))
    assert "face 0.30 s later" in [text.get_text() for text in between.texts]
    assert legend(picture) == ["attention, voice", "uniform", "attention, face", "true region", "decoy"]
    assert "That of the voice: the peak at 1.01 s lies inside the true region 0.90 to 1.15 s" in picture.alt
    assert "lies inside the true region 1.22 to 1.46 s (decoy 0.40 to 0.75 s). The face comes 0.30 s" in picture.alt
    assert picture.alt.endswith("Predicted: neutral by voice (0.96), neutral by face (0.96).")


def test_rows_of_perception_are_emotions_on_the_clock_of_the_face(perceived):
    picture = show.perception(perceived)
    strip, axis, bar = picture.figure.axes
    weights, across, _ = mesh(axis)
    np.testing.assert_allclose(weights, perceived.map.weights[0])
    np.testing.assert_allclose(across, 0.04 * np.arange(51), rtol=1e-6)
    assert axis.get_ylim() == (3, 0)  # the first emotion on top
    assert bar.get_ylabel() == "weight of a frame" and axis.get_xlabel() == "time (s)"
    assert above(axis) == [[1.22, 1.46], [0.4, 0.75]] and not frames(axis) + frames(axis, "--")
    assert edges(axis, "-") == [1.22, 1.46] and edges(axis, "--") == [0.4, 0.75]
    assert len(strip.images) == 11 and strip.get_xlim() == axis.get_xlim() == (0, 2.0)
    assert ticks(axis) == ["neutral 0.96\n(predicted)", "anger 0.02\n(true)", "sadness 0.02"]
    seconds = 0.04 * (weights.argmax(axis=1) + 0.5)
    times = [f"{47 * row.max():.1f} times uniform" for row in weights]
    assert picture.alt == (
        "Perception attention over 2.0 s of a clip of actor 01, anger; predicted neutral with probability 0.96."
        " The true region in the face is 1.22 to 1.46 s. The decoy is at 0.40 to 0.75 s. Each emotion looks most at:"
        f" neutral {seconds[0]:.2f} s (inside), {times[0]}; anger {seconds[1]:.2f} s, {times[1]};"
        f" sadness {seconds[2]:.2f} s, {times[2]}."
    )
    assert not show.perception(replace(perceived, face=None)).figure.axes[0].images


def test_two_streams_are_of_one_clip(seen):
    other = replace(seen, clip=replace(seen.clip, name="another"))
    with pytest.raises(SertutError, match="the voice is of clip clip-0, the face of clip another"):
        show.two_streams(replace(seen, map=a_map(2.0)), other)


def test_a_name_too_long_for_its_bar_stands_beside_it(seen):
    for start, end in ((1.0, 1.1), (1.9, 2.0), (0.6, 1.6)):
        figure = show.filmstrip(changed(seen, Region(start, end, "face"))).figure
        figure.draw_without_rendering()
        strip = figure.axes[1]
        (name,) = [text for text in strip.texts if text.get_text() == "anger"]
        left, right = (strip.transData.transform((at, 0))[0] for at in (start, end))
        box = name.get_window_extent()
        assert box.x0 > right or box.x1 < left or left < box.x0 < box.x1 < right
        assert box.x1 <= strip.get_window_extent().x1
