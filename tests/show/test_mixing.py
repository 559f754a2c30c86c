"""Bars are as long as shares, dots stand at true and estimated ones, and a constant is never better than its median."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle, StepPatch

from sertut import show
from sertut.errors import SertutError
from sertut.show.style import EMOTIONS, HATCHES
from sertut.show.weights import describe_peak

from .conftest import changed, dotted, frames, legend, rows, steps, ticks

WHO = ["a", "b", "c", "a", "b", "c"]
SHARES = np.array(
    [[0.2, 0.8, 0], [0.4, 0.6, 0], [0.5, 0, 0.5], [0, 0.7, 0.3], [0, 0.6, 0.4], [1.0, 0, 0]]  # the last is no mixture
)


@pytest.fixture
def blend(seen):
    shares = {"anger": 0.6, "sadness": 0.4}
    return changed(seen, *seen.clip.regions, shares=shares, faces=(("anger", 1.22, 1.46),), offset=0.3)


def bars(axis):
    """(left, width) of each segment, by the row in which it stands."""
    found = [bar for bar in axis.patches if isinstance(bar, Rectangle) and bar.get_width() > 0]
    ends = [(round(bar.get_y() + 0.4), (round(bar.get_x(), 4), round(bar.get_width(), 4))) for bar in found]
    return [[pair for at, pair in ends if at == row] for row in (0, 1)]


def test_mixture_stacks_to_one_and_weighs_by_attention(example):
    n = example.map.weights.shape[1]
    posteriors = torch.rand(n, 3, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    picture = show.mixture(example, posteriors)
    stack = rows(picture)["share of a step"]
    patches = [patch for patch in stack.patches if isinstance(patch, StepPatch)]
    layers = [patch.get_data() for patch in patches]
    np.testing.assert_allclose(layers[-1][0], 1.0, rtol=1e-5)
    for column, (top, _, bottom) in enumerate(layers):
        np.testing.assert_allclose(top - bottom, posteriors[:, column], rtol=1e-4, atol=1e-6)
    hatches = [HATCHES.get(emotion) for emotion in example.emotions]
    assert [patch.get_hatch() for patch in patches] == hatches, "not told by color alone"
    assert frames(stack) == [pytest.approx((0.9, 0, 1.15, 1))]
    shares = example.map.weights[0] @ posteriors
    said = [f"{emotion} {share:.2f}" for emotion, share in zip(example.emotions, shares, strict=True)]
    assert set(legend(picture)) == {"attention", "uniform", "true region", *said}
    said = f"neutral: weighted by attention, the clip is {said[int(shares.argmax())]}"
    assert f"Emotion as a mixture over 2.0 s of a clip of actor 01, {said}" in picture.alt
    truth = " The true region in the voice is 0.90 to 1.15 s."
    assert picture.alt.endswith(f"{truth} Attention: {describe_peak(example)}.")
    assert "predicted" not in picture.alt


def test_mixture_of_a_model_without_a_map_weighs_all_steps_alike(example):
    posteriors = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    picture = show.mixture(replace(example, map=None), posteriors)
    assert "with equal weights, the clip is anger 0.75 and neutral 0.25." in picture.alt
    assert "attention" not in picture.alt and "attention" not in legend(picture) and "equal weights" in legend(picture)
    weights, borders = steps(rows(picture)["weight of a step"])
    np.testing.assert_allclose(weights, 0.25)
    np.testing.assert_allclose(borders, [0, 0.5, 1, 1.5, 2])


def test_no_two_emotions_have_one_hatch():
    assert set(HATCHES) == set(EMOTIONS) - {"neutral"} and len(set(HATCHES.values())) == len(HATCHES)


def test_bars_are_as_long_as_the_shares(blend):
    picture = show.shares(blend, np.array([0.05, 0.7, 0.25]))
    strip, axis = picture.figure.axes
    assert bars(axis) == [[(0, 0.6), (0.6, 0.4)], [(0, 0.05), (0.05, 0.7), (0.75, 0.25)]]
    assert ticks(axis) == ["true", "estimated"]
    written = [text.get_text() for text in axis.texts if text.get_text()]
    assert written == ["0.60", "0.70", "0.40", "0.25"]  # 0.05 has no room
    assert legend(picture) == ["true region", "neutral", "anger", "sadness"]
    assert len(strip.images) == 11 and strip.get_xlabel() == "time (s)"
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


@pytest.mark.parametrize(
    ("emotion", "true", "estimated"),
    [
        (None, [0.2, 0.4, 0.5, 0.7, 0.6], [0.2 / 0.5, 0.2 / 0.5, 0.2 / 0.7, 0.3 / 0.8, 0.3 / 0.8]),  # of two emotions
        (1, SHARES[:, 1], [0.3] * 6),  # of all clips
    ],
)
def test_dots_are_shares_of_one_emotion_or_within_the_two_that_are_present(emotion, true, estimated):
    guess = np.tile([0.2, 0.3, 0.5], (6, 1))
    axis = show.mixtures(guess, SHARES, WHO, emotion=emotion, title="").figure.axes[0]
    (cloud,) = [line for line in axis.lines if line.get_label() == "one clip"]
    np.testing.assert_allclose(cloud.get_xydata(), np.stack([true, estimated], axis=1))


def test_the_constant_is_the_median_and_errors_are_means():
    guess = np.clip(SHARES + np.array([0.1, -0.1, 0]), 0, 1)
    picture = show.mixtures(guess, SHARES, WHO, emotion=0, title="")
    (axis,) = picture.figure.axes
    flat = np.abs(SHARES[:, 0] - np.median(SHARES[:, 0])).mean()
    assert f"one share for all: off by {flat:.2f}" in legend(picture)
    assert f"estimated: off by {0.5 / 6:.2f}" in legend(picture)  # one of six was cut at 1
    assert dotted(axis).get_ydata()[0] == np.median(SHARES[:, 0]) == pytest.approx(0.3)
    expected = [(0, 0.1), (0.2, 0.3), (0.4, 0.5), (0.5, 0.6), (1, 1)]  # one for each of six bins that holds a clip
    np.testing.assert_allclose(axis.containers[0][0].get_xydata(), expected, atol=1e-9)
    assert "6 clips of 3 speakers; means of bins: 0.10 at 0.00, 0.30 at 0.20" in picture.alt
    assert "Mean error 0.08 (0." in picture.alt


def test_no_mixtures_at_all():
    with pytest.raises(SertutError, match="no clip has such shares"):
        show.mixtures(np.eye(3), np.eye(3), ["a", "b", "c"], title="")
