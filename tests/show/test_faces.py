"""Frames stand at their own seconds, maps of the face at the face's, and each stream keeps its own regions."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle, StepPatch

from sertut import show
from sertut.errors import SertutError
from sertut.show.maps import describe, time_weights
from sertut.video import write_video

from .conftest import LOST, OFFSET, a_map, on_face


def steps(axis):
    """Weights and borders of the steps drawn on an axis."""
    values, borders, _ = next(patch for patch in axis.patches if isinstance(patch, StepPatch)).get_data()
    return values, borders


def edges(axis, line):
    """Where vertical lines of this kind stand."""
    found = [item for item in axis.lines if item.get_linestyle() == line and len(set(item.get_xdata())) == 1]
    return sorted(item.get_xdata()[0] for item in found)


def frames(axis):
    return [image for image in axis.images if isinstance(image, AxesImage)]


def boxes(axis, filled):
    return [item for item in axis.patches if isinstance(item, Rectangle) and item.get_fill() == filled]


def rows(picture):
    """The axes by their labels."""
    return {axis.get_ylabel().replace("\n", " "): axis for axis in picture.figure.axes}


def legend(picture):
    return [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_frames_stand_at_their_own_seconds(seen):
    strip = rows(show.filmstrip(seen, n=10))["face"]
    for image in frames(strip):
        left, right, bottom, top = image.get_extent()
        middle = (left + right) / 2
        frame = int(np.asarray(image.get_array())[0, 0]) - 100
        assert seen.face.times[frame] == pytest.approx(middle, abs=0.021)  # half a frame
        assert (right - left, bottom, top) == (pytest.approx(0.2), 0, 1)
    drawn = {round(image.get_extent()[0] / 0.2) for image in frames(strip)}
    assert drawn == set(range(10)) - {6}  # 1.3 s is in the gap, frames 30 to 32
    assert [text.get_text() for text in strip.texts] == ["no\nface", "fear", "anger"]


def test_frames_inside_an_expression_are_framed_and_a_bar_names_it(seen):
    strip = rows(show.filmstrip(seen, n=10))["face"]
    framed = {(round(box.get_x() + 0.094, 2), box.get_linestyle()) for box in boxes(strip, filled=False)}
    assert framed == {(1.3, "-"), (0.5, "--"), (0.7, "--")}
    bars = [box for box in boxes(strip, filled=True) if box.get_y() < 0]
    spans = [(box.get_x(), box.get_x() + box.get_width()) for box in bars]
    assert spans == [pytest.approx((1.22, 1.46)), pytest.approx((0.4, 0.75))]


def test_each_row_has_the_regions_of_its_own_stream(seen):
    picture = show.filmstrip(seen)
    assert list(rows(picture)) == ["voice", "face", "weight of a frame"]
    assert edges(rows(picture)["voice"], "-") == [0.9, 1.15] and edges(rows(picture)["voice"], "--") == [0.2, 0.5]
    weights = rows(picture)["weight of a frame"]
    assert edges(weights, "-") == [1.22, 1.46] and edges(weights, "--") == [0.4, 0.75]
    assert legend(picture) == ["attention", "uniform", "true region", "decoy"]


def test_attention_to_the_voice_stands_below_the_voice(seen):
    picture = show.filmstrip(replace(seen, map=a_map(2.0)))
    assert list(rows(picture)) == ["voice", "weight of a step", "face"]
    assert edges(rows(picture)["weight of a step"], "-") == [0.9, 1.15]


def test_uniform_counts_only_frames_with_a_face(seen):
    axis = rows(show.filmstrip(seen))["weight of a frame"]
    (line,) = [item for item in axis.lines if item.get_linestyle() == ":"]
    assert line.get_ydata()[0] == pytest.approx(1 / 47)
    weights, borders = steps(axis)
    np.testing.assert_allclose(borders, 0.04 * np.arange(51), rtol=1e-6)
    assert not weights[LOST].any()


def test_the_alternative_says_spans_offset_decoy_and_peak(seen):
    alt = show.filmstrip(seen, n=10).alt
    assert alt.startswith("10 frames of the face, one every 0.20 s, below 2.0 s of actor 01, anger. ")
    assert "The true region in the voice is 0.90 to 1.15 s. The true region in the face is 1.22 to 1.46 s." in alt
    assert "The face comes 0.30 s later than the voice. The face's decoy, fear, is at 0.40 to 0.75 s." in alt
    assert "No face was found in 3 of 50 frames." in alt
    weights, borders = time_weights(seen)
    peak = borders[weights.argmax()] + 0.02
    assert f"Attention to the face over 2.0 s of a clip of actor 01, anger: the peak at {peak:.2f} s lies inside" in alt
    assert f"it is {47 * weights.max():.1f} times the uniform level" in alt


@pytest.mark.parametrize(
    ("offset", "said"),
    [(-0.25, "0.25 s earlier than"), (0.0, "at the same time as"), (None, None)],
)
def test_the_offset_in_words(seen, offset, said):
    details = {} if offset is None else {"offset": offset}
    alt = show.filmstrip(replace(seen, clip=replace(seen.clip, details=details))).alt
    assert (f"The face comes {said} the voice." in alt) if said else "The face comes" not in alt


def test_each_expression_of_a_blend_has_its_own_name(seen):
    regions = tuple(replace(seen.clip.regions[1], start=at, end=at + 0.3) for at in (0.5, 1.0))
    details = {"faces": (("fear", 0.5, 0.8), ("anger", 1.0, 1.3))}
    picture = show.filmstrip(replace(seen, clip=replace(seen.clip, regions=regions, details=details)))
    assert "The true region in the face is 0.50 to 0.80 s (fear) and 1.00 to 1.30 s (anger)." in picture.alt
    strip = rows(picture)["face"]
    assert [text.get_text() for text in strip.texts if text.get_text() != "no\nface"] == ["fear", "anger"]


def test_a_clip_that_nobody_judged(seen, tmp_path):
    write_video(tmp_path / "face.avi", seen.face.crops)
    clip = replace(seen.clip, video=tmp_path / "face.avi")
    picture = show.filmstrip(clip, n=10)
    assert list(rows(picture)) == ["voice", "face"]
    assert picture.figure.axes[0].get_title("left") == "actor 01, anger: one"
    assert "redicted" not in picture.alt and "ttention" not in picture.alt
    values = [int(np.asarray(image.get_array())[0, 0]) for image in frames(rows(picture)["face"])]
    assert values == [*range(102, 130, 5), 0, *range(137, 150, 5)]  # a 48 x 48 video is the crops themselves


def test_a_clip_without_a_face_says_what_to_do(seen):
    with pytest.raises(SertutError, match="clip-0 has no video; use a corpus with faces"):
        show.filmstrip(replace(seen, face=None))


def test_attention_keeps_the_regions_of_the_voice_on_the_sound(seen):
    picture = show.attention(seen)
    labels = ["amplitude", "frequency\n(Hz)", "weight of\na frame", "level\n(dB)"]
    assert [axis.get_ylabel() for axis in picture.figure.axes] == labels
    for label, axis in zip(labels, picture.figure.axes, strict=True):
        face = label == "weight of\na frame"
        assert edges(axis, "-") == ([1.22, 1.46] if face else [0.9, 1.15])
        assert edges(axis, "--") == ([0.4, 0.75] if face else [0.2, 0.5])
    assert picture.alt.startswith("Attention to the face over 2.0 s")


def test_attention_by_emotion_is_that_for_the_predicted_one(seen):
    shown = replace(seen, map=on_face(("emotion", "time")))
    weights, _ = time_weights(shown)  # neutral was predicted
    np.testing.assert_allclose(weights, shown.map.weights[0, 0])
    other = replace(shown, predicted="anger")
    np.testing.assert_allclose(time_weights(other)[0], shown.map.weights[0, 1])
    assert describe(other).startswith("Attention to the face for anger over 2.0 s")


def test_the_player_marks_the_faces_region_below_the_waveform(seen):
    html = show.player(seen).html
    assert '<rect class="region" x="366.0" y="86" width="72.0" height="113"' in html  # 600 units for 2 s
    assert "attention (face)" in html and "true region (face)" in html and "decoy (face, dashed)" in html
    assert "(face" not in show.player(replace(seen, map=a_map(2.0))).html


def test_two_streams_draws_both_maps_and_the_offset(seen):
    voice = replace(seen, map=a_map(2.0))
    picture = show.two_streams(voice, seen, n=10)
    for label, example in (("voice: weight", voice), ("face: weight", seen)):
        axis = rows(picture)[label]
        weights, borders = steps(axis)
        np.testing.assert_allclose(weights, time_weights(example)[0])
        np.testing.assert_allclose(borders, time_weights(example)[1])
    assert edges(rows(picture)["voice: weight"], "-") == [0.9, 1.15]
    assert edges(rows(picture)["face: weight"], "-") == [1.22, 1.46]
    between = picture.figure.axes[1]
    (arrow,) = [text for text in between.texts if hasattr(text, "arrow_patch")]
    assert (arrow.xyann[0], arrow.xy[0]) == (pytest.approx(1.025), pytest.approx(1.025 + OFFSET))
    assert "face 0.30 s later" in [text.get_text() for text in between.texts]
    assert legend(picture)[:3] == ["attention, voice", "attention, face", "uniform"]
    assert "That of the voice: the peak at 1.01 s lies inside the true region 0.90 to 1.15 s" in picture.alt
    assert "lies inside the true region 1.22 to 1.46 s (decoy 0.40 to 0.75 s). The face comes 0.30 s" in picture.alt
    assert picture.alt.endswith("Predicted: neutral by voice (0.96), neutral by face (0.96).")


def test_two_streams_wants_one_clip_and_a_map_of_each_stream(seen):
    voice = replace(seen, map=a_map(2.0))
    with pytest.raises(SertutError, match="the example of the face has no attention to it"):
        show.two_streams(voice, voice)
    other = replace(seen, clip=replace(seen.clip, name="another"))
    with pytest.raises(SertutError, match="the voice is of clip clip-0, the face of clip another"):
        show.two_streams(voice, other)


def test_without_known_expressions_the_strip_is_as_high_as_its_frames(seen):
    nowhere = replace(seen, clip=replace(seen.clip, regions=(), details={}))
    assert rows(show.filmstrip(nowhere))["face"].get_ylim() == (0, 1)


@pytest.mark.parametrize(("draw", "n"), [("filmstrip", 6), ("two_streams", 12), ("perception", 8), ("shares", 12)])
def test_frames_are_square(seen, draw, n):
    details = {"shares": {"anger": 1.0}}
    shown = replace(seen, clip=replace(seen.clip, details=seen.clip.details | details))
    shown = replace(shown, map=on_face(("emotion", "time"))) if draw == "perception" else shown
    given = (replace(shown, map=a_map(2.0)), shown) if draw == "two_streams" else (shown,)
    figure = getattr(show, draw)(*given, n=n).figure
    figure.draw_without_rendering()
    frame = next(image for axis in figure.axes for image in axis.images).get_window_extent()
    assert frame.height / frame.width == pytest.approx(1, abs=0.04)


def test_touching_expressions_share_a_name_or_lean_away_from_each_other(seen):
    places = ((0.3, 0.6, "anger"), (0.62, 0.9, "anger"), (0.92, 1.2, "fear"), (1.4, 1.6, "fear"))
    regions = tuple(replace(seen.clip.regions[1], start=start, end=end) for start, end, _ in places)
    details = {"faces": tuple((name, start, end) for start, end, name in places)}
    strip = rows(show.filmstrip(replace(seen, clip=replace(seen.clip, regions=regions, details=details))))["face"]
    written = [(text.get_text(), text.get_position()[0]) for text in strip.texts if text.get_text() != "no\nface"]
    assert written == [("anger", pytest.approx(0.88)), ("fear", pytest.approx(0.94)), ("fear", pytest.approx(1.5))]
    assert [text.get_ha() for text in strip.texts if text.get_text() != "no\nface"] == ["right", "left", "center"]
    assert len([box for box in boxes(strip, filled=True) if box.get_y() < 0]) == 4
