"""Emotion as a mixture: shares along a clip, estimated beside true shares of one clip, and of many."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.intervals import Interval, bootstrap_speakers, mean, sums_by_speaker
from sertut.evidence.mixture import true_shares
from sertut.show.estimates import draw_intervals, said
from sertut.show.picture import Picture, chart, listed, numbers
from sertut.show.rows import Row, compose, legend_below, mark_spans, whole
from sertut.show.strips import describe_truth, faces_row
from sertut.show.style import BLACK, HATCHES, MARKERS, RIM, ROLES, emotion_color
from sertut.show.weights import describe_peak, time_weights, uniform_level, waveform_row, weights_row
from sertut.show.words import length, of_clip, stream_of

WRITABLE = 0.07
"""A share below this has no room for its number."""

BINS = 6
"""Into how many steps of the true share clips are gathered."""


def mixture(example: Example, posteriors: torch.Tensor | np.ndarray, *, title: str | None = None) -> Picture:
    """What each step says alone, how much it counts, and what they say together.

    Args:
        posteriors: q, shape (N, C), each row sums to 1; one row a step of the example's attention. Without a map all
            steps count the same.
    """
    table, seconds = numbers(posteriors), length(example)
    if example.map is None:
        equal, mask = torch.full((1, len(table)), 1 / len(table)), torch.ones(1, len(table), dtype=torch.bool)
        example = replace(example, map=AttentionMap(equal, ("time",), mask, {"time": Clock(seconds / len(table))}))
    weights, edges = time_weights(example)
    shares = weights @ table  # (C,)

    def draw_stack(axis: Axes) -> None:
        tops = np.cumsum(table, axis=1)  # (N, C)
        for emotion, share, top, values in zip(example.emotions, shares, tops.T, table.T, strict=True):
            color = emotion_color(emotion, example.emotions)
            looks: Any = {"fc": color, "ec": "white", "lw": 0, "hatch": HATCHES.get(emotion)}
            axis.stairs(top, edges, baseline=top - values, fill=True, label=f"{emotion} {share:.2f}", **looks)
        axis.set(ylim=(0, 1), ylabel="share\nof a step")
        mark_spans(axis, example, over=whole)

    even = np.allclose(weights[weights > 0], uniform_level(example))  # no map, or one of a mean
    name, how = ("equal weights", "with equal weights") if even else ("attention", "weighted by attention")
    rows = [waveform_row(example), Row(draw_stack, 1.7, seconds), replace(weights_row(example, name=name), says="")]
    says = [f"Emotion as a mixture over {of_clip(example)}: {how}, the clip is {_named(shares, example.emotions, 3)}."]
    says += describe_truth(example, dict.fromkeys(("voice", stream_of(example))))
    says += [] if even else [f"Attention: {describe_peak(example)}."]
    title = f"{example.clip.speaker}, {example.clip.emotion}" if title is None else title
    return compose(rows, title, says=" ".join(says), legend="with each emotion: its share of the whole clip")


def shares(
    example: Example, estimated: torch.Tensor | np.ndarray | None = None, *, true: np.ndarray | None = None
) -> Picture:
    """The true and the estimated mixture of one clip as two bars; above them the face, if there is one.

    Args:
        estimated: shape (C,), by default the model's probabilities.
        true: shape (C,), by default what the corpus knows; e.g. a row of :func:`sertut.evidence.vote_shares`.

    Raises:
        SertutError: the true shares are not known.
    """
    truth = true_shares([example.clip], example.emotions)[0] if true is None else np.asarray(true)
    if np.isnan(truth).any():
        raise SertutError(f"the true shares of {example.clip.name} are not known; use planted-blend, or pass `true`.")
    guess = numbers(example.probabilities if estimated is None else estimated)

    def draw(axis: Axes) -> None:
        left = np.zeros(2)
        for emotion, *both in zip(example.emotions, truth, guess, strict=True):
            color = emotion_color(emotion, example.emotions)
            label = emotion if max(both) >= 0.005 else ""
            looks: Any = {"color": color, "ec": "white", "lw": 1, "hatch": HATCHES.get(emotion)}
            bars = axis.barh(range(2), both, left=left, height=0.8, label=label, **looks)
            numbered = [f"{share:.2f}" if share >= WRITABLE else "" for share in both]
            axis.bar_label(bars, numbered, label_type="center", path_effects=RIM)  # hatches would run through them
            left += both
        axis.set_yticks(range(2), ["true", "estimated"])
        axis.set(xlim=(0, 1), ylim=(1.45, -0.45), xlabel="share of the emotional time")

    rows = [] if example.face is None else [faces_row(example)]
    parts = f"true {_named(truth, example.emotions, 3)}; estimated {_named(guess, example.emotions, 3)}"
    says = f"Shares of emotions in a clip of {example.clip.speaker}: {parts}."
    says += f" {np.abs(truth - guess).sum() / 2:.0%} of the clip is given to a wrong emotion."
    title = f"{example.clip.speaker}, {_named(truth, example.emotions, 2)}"
    return compose([*rows, Row(draw, 1.1, None)], title, says=says)


def mixtures(
    probabilities: torch.Tensor | np.ndarray,
    shares: np.ndarray,
    speakers: Sequence[str],
    *,
    emotion: int | None = None,
    title: str,
) -> Picture:
    """Estimated against true share over many clips: a dot a clip, and means of bins with intervals over speakers.

    A perfect estimate lies on the diagonal. The dotted line is the best that one and the same share for all clips can
    do: the median of the true ones, which has the lowest mean error here.

    Args:
        probabilities: shape (N, C). shares: shape (N, C), the true ones; a clip with NaN is left out.
        speakers: of the N clips.
        emotion: index of the emotion whose share is meant; by default, in clips of two emotions, that of the first of
            both, told which two they are.

    Raises:
        SertutError: no clip has such a share.
    """
    x, y = _points(numbers(probabilities), np.asarray(shares, dtype=float), emotion)
    known = ~np.isnan(x)
    if not known.any():
        raise SertutError("no clip has such shares; use planted-blend, cremad with its vote tables, or pass `emotion`.")
    x, y, who = x[known], y[known], np.asarray(speakers)[known]
    constant = float(np.median(x))
    error, flat = (_mean(np.abs(values - x), who) for values in (y, np.full(len(x), constant)))
    edges = np.linspace(x.min(), x.max(), BINS + 1)
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1)
    steps = [(float(x[which == b].mean()), _mean(y[which == b], who[which == b])) for b in np.unique(which)]
    with chart(height=4.6) as (figure, axis):
        axis.plot([0, 1], [0, 1], color=ROLES["region"], lw=1.8, label="perfect")
        label = f"one share for all: off by {flat.estimate:.2f}"
        axis.axhline(constant, color=ROLES["uniform"], ls=":", lw=1.6, label=label)
        axis.plot(x, y, "o", color=ROLES["reference"], ms=4, mew=0, alpha=0.6, label="one clip")
        at, means = zip(*steps, strict=True)
        looks: Any = {"fmt": MARKERS["attention"], "color": ROLES["attention"], "ecolor": BLACK, "zorder": 4}
        draw_intervals(axis, at, means, label=f"estimated: off by {error.estimate:.2f}", **looks)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="true share", ylabel="estimated share", title=title)
        legend_below(figure, 2)
    bins = listed([f"{interval.estimate:.2f} at {at:.2f}" for at, interval in steps])
    alt = f"Estimated against true share of {len(x)} clips of {len(set(who))} speakers; means of bins: {bins}."
    alt += f" Mean error {said(error)}; of one share for all, {constant:.2f}, {said(flat)}; perfect is 0."
    return Picture(figure, alt)


def _points(guess: np.ndarray, truth: np.ndarray, emotion: int | None) -> tuple[np.ndarray, np.ndarray]:
    """True and estimated share of each clip, (N,) each; NaN where it has no such share."""
    if emotion is not None:
        return truth[:, emotion], guess[:, emotion]
    two = (truth > 0).sum(axis=1) == 2
    rows, first = np.arange(len(truth)), (truth > 0).argmax(axis=1)
    inside = np.where(truth > 0, guess, 0.0).sum(axis=1)
    within = np.where(inside > 0, guess[rows, first] / np.where(inside > 0, inside, 1.0), 0.5)
    return np.where(two, truth[rows, first], np.nan), within


def _mean(values: np.ndarray, who: np.ndarray) -> Interval:
    """Mean over clips with an interval that resamples speakers."""
    names = who.tolist()
    return bootstrap_speakers(mean, sums_by_speaker(values, names, sorted(set(names)))[None])


def _named(values: np.ndarray, emotions: Sequence[str], n: int) -> str:
    """The n largest shares that are there, the largest first: ``anger 0.60 and fear 0.40``."""
    largest = [k for k in np.argsort(-values, kind="stable") if values[k] > 0][:n]
    return listed([f"{emotions[k]} {values[k]:.2f}" for k in largest])
