"""Bars are as long as shares, dots stand at true and estimated ones, and a constant is never better than its median."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from sertut import show
from sertut.errors import SertutError

WHO = ["a", "b", "c", "a", "b", "c"]
SHARES = np.array(
    [[0.2, 0.8, 0], [0.4, 0.6, 0], [0.5, 0, 0.5], [0, 0.7, 0.3], [0, 0.6, 0.4], [1.0, 0, 0]]  # the last is no mixture
)


@pytest.fixture
def blend(seen):
    details = {"shares": {"anger": 0.6, "sadness": 0.4}, "faces": (("anger", 1.22, 1.46),), "offset": 0.3}
    return replace(seen, clip=replace(seen.clip, details=details))


def bars(axis):
    """(left, width) of each segment, by the row in which it stands."""
    found = [bar for bar in axis.patches if isinstance(bar, Rectangle) and bar.get_width() > 0]
    return [
        [(round(bar.get_x(), 4), round(bar.get_width(), 4)) for bar in found if round(bar.get_y() + 0.4) == row]
        for row in (0, 1)
    ]


def legend(picture):
    return [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_bars_are_as_long_as_the_shares(blend):
    picture = show.shares(blend, np.array([0.05, 0.7, 0.25]), n=10)
    strip, axis = picture.figure.axes
    assert bars(axis) == [[(0, 0.6), (0.6, 0.4)], [(0, 0.05), (0.05, 0.7), (0.75, 0.25)]]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["true", "estimated"]
    assert [text.get_text() for text in axis.texts] == ["0.60", "0.40", "0.70", "0.25"]  # 0.05 has no room
    assert legend(picture) == ["neutral", "anger", "sadness"]
    assert len(strip.images) == 9 and strip.get_xlabel() == "time (s)"
    assert axis.get_xlim() == (0, 1) and strip.get_xlim() == (0, 2.0)
    assert picture.alt == (
        "Shares of emotions in a clip of actor 01: true anger 0.60 and sadness 0.40; estimated anger 0.70,"
        " sadness 0.25 and neutral 0.05. 15% of the clip is given to a wrong emotion."
    )


def test_bars_take_the_models_own_probabilities_and_other_truths(blend):
    picture = show.shares(replace(blend, face=None), true=np.array([0.0, 0.5, 0.5]))
    (axis,) = picture.figure.axes
    assert bars(axis)[0] == [(0, 0.5), (0.5, 0.5)]
    assert bars(axis)[1][0] == (0, pytest.approx(float(blend.probabilities[0]), abs=1e-4))


def test_a_clip_without_known_shares(seen):
    with pytest.raises(SertutError, match="the true shares of clip-0 are not known"):
        show.shares(seen)


def test_dots_are_shares_within_the_two_that_are_present():
    guess = np.tile([0.2, 0.3, 0.5], (6, 1))
    axis = show.mixtures(guess, SHARES, WHO).figure.axes[0]
    (cloud,) = [line for line in axis.lines if line.get_label() == "one clip"]
    first = [0.2 / 0.5, 0.2 / 0.5, 0.2 / 0.7, 0.3 / 0.8, 0.3 / 0.8]
    np.testing.assert_allclose(cloud.get_xydata(), np.stack([[0.2, 0.4, 0.5, 0.7, 0.6], first], axis=1))


def test_dots_of_one_emotion_take_all_clips():
    guess = np.tile([0.2, 0.3, 0.5], (6, 1))
    axis = show.mixtures(guess, SHARES, WHO, emotion=1).figure.axes[0]
    (cloud,) = [line for line in axis.lines if line.get_label() == "one clip"]
    np.testing.assert_allclose(cloud.get_xydata(), np.stack([SHARES[:, 1], np.full(6, 0.3)], axis=1))


def test_the_constant_is_the_median_and_errors_are_means():
    picture = show.mixtures(np.clip(SHARES + np.array([0.1, -0.1, 0]), 0, 1), SHARES, WHO, emotion=0, bins=2)
    labels = legend(picture)
    flat = np.abs(SHARES[:, 0] - np.median(SHARES[:, 0])).mean()
    assert f"one share for all: off by {flat:.2f}" in labels
    assert f"estimated: off by {0.5 / 6:.2f}" in labels  # one of six was cut at 1
    (line,) = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == ":"]
    assert line.get_ydata()[0] == np.median(SHARES[:, 0]) == pytest.approx(0.3)
    low, high = SHARES[SHARES[:, 0] < 0.5, 0].mean(), SHARES[SHARES[:, 0] >= 0.5, 0].mean()
    means = [container[0].get_xydata()[0] for container in picture.figure.axes[0].containers]
    np.testing.assert_allclose(means, [[low, low + 0.1], [high, high + 0.05]])
    assert f"means of bins: {low + 0.1:.2f} at {low:.2f} and {high + 0.05:.2f} at {high:.2f}." in picture.alt


def test_a_perfect_estimate_lies_on_the_diagonal():
    picture = show.mixtures(SHARES, SHARES, WHO)
    for container in picture.figure.axes[0].containers:
        x, y = container[0].get_xydata()[0]
        assert x == pytest.approx(y)
    assert "5 clips of 3 speakers" in picture.alt and "Mean error 0.00 (0.00 to 0.00)" in picture.alt


def test_no_mixtures_at_all():
    with pytest.raises(SertutError, match="no clip has such shares"):
        show.mixtures(np.eye(3), np.eye(3), ["a", "b", "c"])
