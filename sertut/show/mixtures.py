"""Emotion as a mixture: the shares that a model estimates beside the true ones, of one clip and of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.intervals import Interval, bootstrap_speakers, mean, sums_by_speaker
from sertut.evidence.mixture import true_shares
from sertut.show.faces import BAR, STRIP, draw_bars, draw_faces, keep_square, strip_rows
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import numbers
from sertut.show.style import BLACK, BLUE, GREEN, MARKERS, ROLES, VERMILION, emotion_color, look
from sertut.signals import SAMPLE_RATE

DARK = (BLACK, BLUE, GREEN, VERMILION)
"""Colors that white letters can be read on."""

WRITABLE = 0.07
"""A share below this has no room for its number."""


def shares(
    example: Example,
    estimated: torch.Tensor | np.ndarray | None = None,
    *,
    true: np.ndarray | None = None,
    n: int = 12,
    title: str | None = None,
) -> Picture:
    """The true and the estimated mixture of one clip as two bars; above them the face, if there is one.

    Args:
        estimated: shape (C,), by default the model's probabilities.
        true: shape (C,), by default what the corpus knows; e.g. a row of :func:`sertut.evidence.vote_shares`.
        n: frames of the face that are drawn.

    Raises:
        SertutError: the true shares are not known.
    """
    truth = true_shares([example.clip], example.emotions)[0] if true is None else np.asarray(true)
    if np.isnan(truth).any():
        raise SertutError(f"the true shares of {example.clip.name} are not known; use planted-blend, or pass `true`.")
    guess = numbers(example.probabilities if estimated is None else estimated)
    bars = {"true": truth, "estimated": guess}
    with look():
        heights = [1.1] if example.face is None else [STRIP / n + BAR, 1.1]
        figure, rows = strip_rows(heights, sharex=False)
        if example.face is not None:
            draw_faces(rows[0], example, example.face, n)
            draw_bars(rows[0], example, BAR / (STRIP / n))
            rows[0].set(xlim=(0, len(example.samples) / SAMPLE_RATE), xlabel="time (s)")
        for row, values in enumerate(bars.values()):
            _draw_stack(rows[-1], row, values, example.emotions)
        rows[-1].set_yticks(range(2), list(bars))
        rows[-1].set(xlim=(0, 1), ylim=(1.45, -0.45), xlabel="share of the clip")
        default = f"{example.clip.speaker}, {listed([_named(truth, example.emotions, k) for k in _order(truth)[:2]])}"
        rows[0].set_title(default if title is None else title)
        seen = [k for k in range(len(truth)) if max(truth[k], guess[k]) >= 0.005]
        handles = [Patch(color=emotion_color(example.emotions[k]), label=example.emotions[k]) for k in seen]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=1.0, columnspacing=1.0)
        if example.face is not None:
            keep_square(figure, rows, rows[0], n)
    parts = {
        name: listed([_named(values, example.emotions, k) for k in _order(values)[:3]]) for name, values in bars.items()
    }
    wrong = np.abs(truth - guess).sum() / 2
    alt = (
        f"Shares of emotions in a clip of {example.clip.speaker}: true {parts['true']}; estimated {parts['estimated']}."
    )
    return Picture(figure, f"{alt} {wrong:.0%} of the clip is given to a wrong emotion.")


def mixtures(
    probabilities: torch.Tensor | np.ndarray,
    shares: np.ndarray,
    speakers: Sequence[str],
    *,
    emotion: int | None = None,
    bins: int = 6,
    ax: Axes | None = None,
    title: str = "",
) -> Picture:
    """Estimated against true share over many clips: a dot a clip, and means of bins with intervals over speakers.

    A perfect estimate lies on the diagonal. The dotted line is the best that one and the same share for all clips can
    do: the median of the true ones, which has the lowest mean error here.

    Args:
        probabilities: shape (N, C). shares: shape (N, C), the true ones; a clip with NaN is left out.
        speakers: of the N clips.
        emotion: index of the emotion whose share is meant; by default, in clips of two emotions, that of the first of
            both, told which two they are.
        bins: into how many steps of the true share clips are gathered.

    Raises:
        SertutError: no clip has such a share.
    """
    x, y = _points(numbers(probabilities), np.asarray(shares, dtype=float), emotion)
    known = ~np.isnan(x)
    if not known.any():
        raise SertutError("no clip has such shares; use planted-blend, cremad with its vote tables, or pass `emotion`.")
    x, y, who = x[known], y[known], [name for name, keep in zip(speakers, known, strict=True) if keep]
    constant = float(np.median(x))
    error, flat = (_mean(np.abs(values - x), who) for values in (y, np.full(len(x), constant)))
    with look():
        figure, axes = canvas(height=4.6, ax=ax)
        axis = axes[0, 0]
        axis.plot([0, 1], [0, 1], color=ROLES["region"], lw=1.8, label="perfect")
        label = f"one share for all: off by {flat.estimate:.2f}"
        axis.axhline(constant, color=ROLES["uniform"], ls=":", lw=1.6, label=label)
        axis.plot(x, y, "o", color=ROLES["reference"], ms=4, mew=0, alpha=0.6, label="one clip")
        steps = _binned(x, y, who, bins)
        for i, (at, interval) in enumerate(steps):
            label = f"estimated: off by {error.estimate:.2f}" if i == 0 else "_"
            _draw_mean(axis, at, interval, label)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="true share", ylabel="estimated share", title=title)
        figure.legend(loc="outside lower center", ncols=2, handlelength=1.5, columnspacing=1.2)
    said = listed([f"{interval.estimate:.2f} at {at:.2f}" for at, interval in steps])
    alt = f"Estimated against true share of {len(x)} clips of {len(set(who))} speakers; means of bins: {said}."
    return Picture(
        figure, f"{alt} Mean error {_two(error)}; of one share for all, {constant:.2f}, {_two(flat)}; perfect is 0."
    )


def _points(guess: np.ndarray, truth: np.ndarray, emotion: int | None) -> tuple[np.ndarray, np.ndarray]:
    """True and estimated share of each clip, (N,) each; NaN where it has no such share."""
    if emotion is not None:
        return truth[:, emotion], guess[:, emotion]
    two = (truth > 0).sum(axis=1) == 2
    rows, first = np.arange(len(truth)), (truth > 0).argmax(axis=1)
    inside = np.where(truth > 0, guess, 0.0).sum(axis=1)
    within = np.where(inside > 0, guess[rows, first] / np.where(inside > 0, inside, 1.0), 0.5)
    return np.where(two, truth[rows, first], np.nan), within


def _binned(x: np.ndarray, y: np.ndarray, who: Sequence[str], bins: int) -> list[tuple[float, Interval]]:
    """Mean true share of each bin with clips, and mean estimated share with its interval."""
    borders = np.linspace(x.min(), x.max(), bins + 1)
    which = np.clip(np.searchsorted(borders, x, side="right") - 1, 0, bins - 1)
    members = [np.flatnonzero(which == b) for b in range(bins)]
    return [(float(x[own].mean()), _mean(y[own], [who[i] for i in own.tolist()])) for own in members if len(own)]


def _mean(values: np.ndarray, who: Sequence[str]) -> Interval:
    """Mean over clips with an interval that resamples speakers."""
    return bootstrap_speakers(mean, sums_by_speaker(values, who, sorted(set(who)))[None])


def _draw_mean(axis: Axes, at: float, interval: Interval, label: str) -> None:
    bounds = np.nan_to_num([[interval.estimate - interval.low], [interval.high - interval.estimate]])
    axis.errorbar(
        at,
        interval.estimate,
        yerr=bounds,
        fmt=MARKERS["attention"],
        ms=8,
        color=ROLES["attention"],
        mec=BLACK,
        ecolor=BLACK,
        elinewidth=1.6,
        capsize=4,
        zorder=4,
        label=label,
    )


def _draw_stack(axis: Axes, row: int, values: np.ndarray, emotions: Sequence[str]) -> None:
    """One bar of shares in the emotions' own colors and order, each wide one with its number."""
    left = 0.0
    for share, emotion in zip(values, emotions, strict=True):
        color = emotion_color(emotion)
        axis.barh(row, share, left=left, height=0.8, color=color, ec="white", lw=1)
        if share >= WRITABLE:
            ink = "white" if color in DARK else BLACK
            axis.text(left + share / 2, row, f"{share:.2f}", ha="center", va="center", color=ink)
        left += share


def _order(values: np.ndarray) -> list[int]:
    """Emotions that have a share, the largest first."""
    return [int(k) for k in np.argsort(-values, kind="stable") if values[k] > 0]


def _named(values: np.ndarray, emotions: Sequence[str], k: int) -> str:
    return f"{emotions[k]} {values[k]:.2f}"


def _two(interval: Interval) -> str:
    """``0.08 (0.07 to 0.09)``."""
    return f"{interval.estimate:.2f}" + (
        "" if np.isnan(interval.low) else f" ({interval.low:.2f} to {interval.high:.2f})"
    )
