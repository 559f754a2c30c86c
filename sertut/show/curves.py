"""A score against something that was varied: length of the clips, share of the speakers, lambda."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from sertut.errors import SertutError
from sertut.evidence.intervals import Interval
from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import BLACK, BLUE, GREEN, MARKERS, PURPLE, ROLES, SKY, VERMILION, look

STYLES = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":"), (SKY, "P", "-"))
"""Color, marker and line of each curve in turn, so that none is told by its color alone."""

APART = 5  # points between neighbors, so that intervals at the same x do not cover one another


def curves(
    x: Sequence[float],
    lines: Mapping[str, Sequence[Interval]],
    *,
    xlabel: str,
    ylabel: str = "UAR",
    scale: Literal["linear", "log", "even"] = "linear",
    chance: float | None = None,
    own: Mapping[float, float] | None = None,
    styles: Sequence[tuple[str, str, str]] = STYLES,
    ax: Axes | None = None,
    title: str = "",
) -> Picture:
    """Draw estimates with their intervals against `x`, one line a name; ticks stand at the values of `x`.

    Args:
        x: values that were tried, ascending, in the unit that `xlabel` names.
        lines: name -> one interval for each value.
        scale: "even" puts the values at equal distances (for 0, 0.1, 0.3, 1).
        chance: the level of guessing, drawn as a dotted line. own: x -> the score of the reader's run.
        styles: color, marker and line of each curve in turn.

    Raises:
        SertutError: a line has not as many intervals as there are values, or there are more lines than styles.
    """
    for name, intervals in lines.items():
        if len(intervals) != len(x):
            raise SertutError(
                f"the line '{name}' has {len(intervals)} intervals for {len(x)} values; pass one for each."
            )
    if len(lines) > len(styles):
        raise SertutError(f"{len(lines)} lines cannot be told apart; draw at most {len(styles)} in one picture.")
    places = dict(zip(x, range(len(x)) if scale == "even" else x, strict=True))
    with look():
        figure, axes = canvas(height=3.7, ax=ax)
        axis = axes[0, 0]
        axis.set_xscale("log" if scale == "log" else "linear")
        for i, ((name, intervals), style) in enumerate(zip(lines.items(), styles, strict=False)):
            _draw(axis, list(places.values()), intervals, name, style, APART * (i - (len(lines) - 1) / 2))
        if own:
            axis.plot(
                [places[at] for at in own],
                list(own.values()),
                MARKERS["own"],
                color=ROLES["own"],
                mec=BLACK,
                ms=10,
                zorder=5,
                label="your run",
            )
        if chance is not None:
            axis.axhline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.3g}")
        axis.set_xticks(list(places.values()), [f"{value:g}" for value in x])
        axis.set_xticks([], minor=True)
        axis.set(xlabel=xlabel, ylabel=ylabel, title=title, xlim=_around(list(places.values()), scale == "log"))
        heights = [value for intervals in lines.values() for i in intervals for value in (i.estimate, i.low, i.high)]
        heights += [*(own or {}).values(), *([] if chance is None else [chance])]
        axis.set_ylim(_around([value for value in heights if not math.isnan(value)]))
        axis.grid(axis="y", color="#DDDDDD")
        axis.set_axisbelow(True)
        columns = 3 if max(len(name) for name in lines) <= 20 else 2  # long names must not leave the picture
        figure.legend(loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.2)
    return Picture(figure, _describe(x, lines, xlabel, ylabel, chance, own or {}))


def _draw(
    axis: Axes, places: Sequence[float], intervals: Sequence[Interval], name: str, style: tuple, shift: float
) -> None:
    """One line with its bounds, moved sideways by `shift` points."""
    color, marker, line = style
    figure = axis.get_figure(root=True)
    assert figure is not None
    middle = np.array([interval.estimate for interval in intervals])
    low, high = np.array([[interval.low, interval.high] for interval in intervals]).T
    axis.errorbar(
        places,
        middle,
        yerr=np.nan_to_num([middle - low, high - middle]),
        color=color,
        marker=marker,
        ls=line,
        lw=1.8,
        ms=7,
        mec=BLACK,
        mew=0.6,
        elinewidth=1.4,
        capsize=3,
        label=name,
        transform=axis.transData + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans),
    )


def _around(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Limits a little wider than `values`; matplotlib finds none for lines that are moved sideways."""
    low, high = min(values), max(values)
    if logarithmic:
        low, high = _around([math.log(low), math.log(high)])
        return math.exp(low), math.exp(high)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _describe(
    x: Sequence[float],
    lines: Mapping[str, Sequence[Interval]],
    xlabel: str,
    ylabel: str,
    chance: float | None,
    own: Mapping[float, float],
) -> str:
    parts = []
    for name, intervals in lines.items():
        values = [f"{_said(interval)} at {at:g}" for at, interval in zip(x, intervals, strict=True)]
        parts.append(f"{name}: {listed(values)}")
    if own:
        parts.append("your run: " + listed([f"{score:.2f} at {at:g}" for at, score in own.items()]))
    guess = "" if chance is None else f" Chance is {chance:.3g}."
    return f"{ylabel} against {xlabel}. {'; '.join(parts)}.{guess}"


def _said(interval: Interval) -> str:
    if math.isnan(interval.low):
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} ({interval.low:.2f} to {interval.high:.2f})"
