"""One live run among many: the reader's own result beside the same training repeated beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from sertut.errors import unknown
from sertut.evidence.intervals import Interval
from sertut.show.picture import Picture, canvas, listed
from sertut.show.results import draw_interval, once
from sertut.show.style import BLACK, MARKERS, ROLES, look


def dots(
    reference: Mapping[str, Sequence[float]],
    own: Mapping[str, float] | None = None,
    *,
    intervals: Mapping[str, Interval] | None = None,
    measure: str = "UAR",
    chance: float | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Picture:
    """One dot a reference training, one row a method; the reader's own run is the orange diamond.

    Args:
        reference: method -> the score of each reference training (seed, or seed and fold).
        own: method -> the score of the reader's run.
        intervals: method -> estimate with bounds, drawn in black above the dots; without it, a line marks the mean.
        measure: name of the score, for the axis.
        chance: level of guessing, drawn as a dotted line.

    Raises:
        SertutError: a method that the reference does not have.
    """
    own, intervals = own or {}, intervals or {}
    for method in (*own, *intervals):
        if method not in reference:
            raise unknown("method of the reference", method, reference)
    with look():
        figure, axes = canvas(height=1.5 + 0.75 * len(reference), ax=ax)
        axis = axes[0, 0]
        for row, (method, scores) in enumerate(reference.items()):
            axis.plot(
                scores,
                row + _spread(scores),
                "o",
                ms=6,
                color=ROLES["reference"],
                mew=0,
                label=once("reference runs", row),
            )
            if method in intervals:
                draw_interval(axis, intervals[method], row - 0.36, "uniform", once("mean with interval", row))
            else:
                axis.plot([np.mean(scores)] * 2, [row - 0.3, row + 0.3], color=BLACK, lw=2, label=once("mean", row))
        if own:
            axis.plot(
                list(own.values()),
                [list(reference).index(method) for method in own],
                MARKERS["own"],
                color=ROLES["own"],
                mec=BLACK,
                ms=10,
                zorder=5,
                label="your run",
            )
        if chance is not None:
            axis.axvline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.3g}")
        axis.set_yticks(range(len(reference)), list(reference))
        axis.set(xlabel=measure, ylim=(len(reference) - 0.4, -0.7), title=title)
        axis.grid(axis="x", color="#DDDDDD")
        axis.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=4, handlelength=1.2, columnspacing=1.2)
    return Picture(figure, _describe(reference, own, measure))


def differences(
    rows: Mapping[str, Interval], *, measure: str = "difference in UAR", ax: Axes | None = None, title: str = ""
) -> Picture:
    """Paired differences with their intervals, one a row; one that crosses the line at zero shows no difference."""
    with look():
        figure, axes = canvas(height=1.2 + 0.5 * len(rows), ax=ax)
        axis = axes[0, 0]
        axis.axvline(0, color=BLACK, lw=1.2)
        for row, interval in enumerate(rows.values()):
            draw_interval(axis, interval, row, "attention")
        axis.set_yticks(range(len(rows)), list(rows))
        axis.set(xlabel=measure, ylim=(len(rows) - 0.5, -0.5), title=title)
        axis.grid(axis="x", color="#DDDDDD")
        axis.set_axisbelow(True)
    parts = []
    for name, interval in rows.items():
        if math.isnan(interval.low):
            parts.append(f"{name}: {interval.estimate:+.3f}, no interval")
            continue
        crosses = "crosses" if interval.contains(0) else "excludes"
        parts.append(
            f"{name}: {interval.estimate:+.3f}, interval {interval.low:+.3f} to {interval.high:+.3f} {crosses} zero"
        )
    return Picture(figure, f"Paired differences, {measure}. " + "; ".join(parts) + ".")


def _describe(reference: Mapping[str, Sequence[float]], own: Mapping[str, float], measure: str) -> str:
    parts = []
    for method, scores in reference.items():
        text = f"{method}: {len(scores)} reference runs from {min(scores):.2f} to {max(scores):.2f},"
        text += f" mean {np.mean(scores):.2f}"
        if method in own:
            place = "inside" if min(scores) <= own[method] <= max(scores) else "outside"
            text += f", your run {own[method]:.2f}, {place} their range"
        parts.append(text)
    return f"{measure} of {listed(list(reference))}. " + "; ".join(parts) + "."


def _spread(scores: Sequence[float], height: float = 0.16) -> np.ndarray:
    """Vertical offsets that keep dots of similar score apart; the same at every call."""
    return np.resize(np.array([0.0, 1.0, -1.0, 0.5, -0.5]), len(scores))[np.argsort(np.argsort(scores))] * height
