"""A row an emotion, in the fixed order, on the map's clock, with true and predicted said in words."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from sertut import show
from sertut.errors import SertutError

from .conftest import on_face


@pytest.fixture
def perceived(seen):
    """neutral looks at 1.3 s, anger, the true one, at 1.6 s, sadness at 0.7 s."""
    return replace(seen, map=on_face(("emotion", "time")))


def test_rows_are_emotions_on_the_clock_of_the_face(perceived):
    picture = show.perception(perceived)
    _, axis, bar = picture.figure.axes
    mesh = next(item for item in axis.collections if isinstance(item, QuadMesh))
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(3, 50), perceived.map.weights[0])
    np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], 0.04 * np.arange(51), rtol=1e-6)
    assert axis.get_ylim() == (3, 0)  # the first emotion on top
    assert bar.get_ylabel() == "weight of a frame" and axis.get_xlabel() == "time (s)"


def test_true_and_predicted_are_said_in_words(perceived):
    labels = lambda example: [  # noqa: E731
        label.get_text() for label in show.perception(example).figure.axes[1].get_yticklabels()
    ]
    assert labels(perceived) == ["neutral 0.96\npredicted", "anger 0.02\ntrue", "sadness 0.02"]
    assert labels(replace(perceived, predicted="anger"))[1] == "anger 0.02\ntrue, predicted"


def test_the_region_of_the_face_is_marked_and_the_strip_stands_above(perceived):
    strip, axis, _ = show.perception(perceived, n=10).figure.axes
    edges = {line.get_xdata()[0]: line.get_linestyle() for line in axis.lines}
    assert edges == {1.22: "-", 1.46: "-", 0.4: "--", 0.75: "--"}
    assert len(strip.images) == 9 and strip.get_xlim() == axis.get_xlim() == (0, 2.0)
    assert not show.perception(replace(perceived, face=None)).figure.axes[0].images


def test_the_alternative_says_where_each_emotion_looks(perceived):
    alt = show.perception(perceived).alt
    assert alt.startswith("Perception attention over 2.0 s of a clip of actor 01, anger; predicted neutral with prob")
    assert "The true region in the face is 1.22 to 1.46 s. The decoy is at 0.40 to 0.75 s." in alt
    rows = perceived.map.weights[0]
    seconds = 0.04 * (rows.argmax(dim=1).numpy() + 0.5)
    times = [f"{47 * row.max():.1f} times uniform" for row in rows]
    assert alt.endswith(
        f"neutral {seconds[0]:.2f} s (inside), {times[0]}; anger {seconds[1]:.2f} s, {times[1]};"
        f" sadness {seconds[2]:.2f} s, {times[2]}."
    )
    inside = replace(perceived, clip=replace(perceived.clip, regions=(replace(perceived.clip.regions[1], end=1.7),)))
    assert f"anger {seconds[1]:.2f} s (inside)" in show.perception(inside).alt


def test_a_model_without_rows_for_emotions(seen):
    with pytest.raises(SertutError, match="pooling='perception'"):
        show.perception(seen)
