"""Estimates against something that was varied: length of the clips, share of the speakers, lambda, a known shift."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.transforms import ScaledTranslation

from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.evidence.intervals import Interval
from sertut.show.estimates import draw_intervals, draw_own, said
from sertut.show.picture import Picture, chart, listed
from sertut.show.rows import legend_below
from sertut.show.style import BLACK, BLUE, GREEN, MARKERS, PURPLE, ROLES, SKY, VERMILION

STYLES = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":"), (SKY, "P", "-"))
"""Color, marker and line of each curve in turn, so that none is told by its color alone."""

GUIDES = ((GREEN, "-", 5, 0.4), (BLACK, ":", 1.4, 1.0))
"""Color, line, its width and opacity of what curves are compared with."""

APART = 5  # points between neighbors, so that intervals at the same x do not cover one another

WAYS = {
    "attention": ("most attention", (ROLES["attention"], MARKERS["attention"], "-")),
    "loudest": ("loudest", (ROLES["energy"], MARKERS["energy"], "--")),
    "random": ("random", (BLACK, "x", ":")),
    "region": ("true region", (ROLES["region"], "P", "-.")),
}
"""Way of choosing what is removed -> its name in print, and its color, marker and line."""


def curves(
    x: Sequence[float],
    lines: Mapping[str, Sequence[Interval]],
    *,
    xlabel: str,
    ylabel: str = "UAR",
    scale: Literal["linear", "log", "even"] = "linear",
    chance: float | None = None,
    own: Mapping[float, float] | None = None,
    guides: Mapping[str, Sequence[float]] | None = None,
    styles: Sequence[tuple[str, str, str]] = STYLES,
    title: str = "",
) -> Picture:
    """Draw estimates with their intervals against `x`, one line a name; ticks stand at the values of `x`.

    Args:
        x: values that were tried, ascending, in the unit that `xlabel` names.
        lines: name -> one interval for each value.
        scale: "even" puts the values at equal distances (for 0, 0.1, 0.3, 1).
        chance: the level of guessing, drawn as a dotted line. own: x -> the score of the reader's run.
        guides: name -> one number for each value, up to two lines to compare with.
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
    own, guides = own or {}, guides or {}
    places = dict(zip(x, range(len(x)) if scale == "even" else x, strict=True))
    at = list(places.values())
    bars = any(math.isfinite(i.low) for intervals in lines.values() for i in intervals)
    apart = APART if bars and not guides else 0  # beside an ideal line a shift would look like an error
    with chart(height=3.7 + 0.25 * len(guides)) as (figure, axis):
        for (name, values), (color, line, wide, alpha) in zip(guides.items(), GUIDES, strict=False):
            axis.plot(at, values, label=name, color=color, ls=line, lw=wide, alpha=alpha)
        for i, ((name, intervals), (color, marker, line)) in enumerate(zip(lines.items(), styles, strict=False)):
            shift = ScaledTranslation(apart * (i - (len(lines) - 1) / 2) / 72, 0, figure.dpi_scale_trans)
            looks: Any = {"color": color, "marker": marker, "ls": line, "lw": 1.8, "transform": axis.transData + shift}
            draw_intervals(axis, at, intervals, label=name, **looks)
        if own:
            draw_own(axis, [places[value] for value in own], list(own.values()))
        if chance is not None:
            axis.axhline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.3g}")
        heights = [value for intervals in lines.values() for i in intervals for value in (i.estimate, i.low, i.high)]
        heights += [*own.values(), *([] if chance is None else [chance]), *np.ravel(list(guides.values()))]
        axis.set_xscale("log" if scale == "log" else "linear")
        axis.set_xticks(at, [f"{value:g}" for value in x])
        axis.set_xticks([], minor=True)
        axis.set(xlabel=xlabel, ylabel=ylabel, title=title, xlim=_around(at, scale == "log"), ylim=_around(heights))
        axis.grid(axis="y", color="#DDDDDD")
        axis.set_axisbelow(True)
        legend_below(figure, 3 if max(map(len, lines)) <= 20 else 2)  # long names must not leave the picture
    parts = []
    for name, intervals in lines.items():
        numbers = [f"{said(interval)} at {value:g}" for value, interval in zip(x, intervals, strict=True)]
        parts.append(f"{name}: {listed(numbers)}")
    if own:
        parts.append("your run: " + listed([f"{score:.2f} at {value:g}" for value, score in own.items()]))
    guess = "" if chance is None else f" Chance is {chance:.3g}."
    return Picture(figure, f"{ylabel} against {xlabel}. {'; '.join(parts)}.{guess}")


def deletion(result: Tally) -> Picture:
    """How far the probability of what was predicted falls when more and more of each clip is removed."""
    shown = {way: looks for way, looks in WAYS.items() if way in result.methods}
    shares = result.settings
    return curves(
        shares,
        {name: [result.at(share).interval(way, "drop") for share in shares] for way, (name, _) in shown.items()},
        xlabel="share of the sounding steps removed",
        ylabel="fall of probability",
        styles=[style for _, style in shown.values()],
    )


def shifts(found: Mapping[str, Tally]) -> Picture:
    """How far the recovered offset moved when a stream was delayed by known times, beside one that follows exactly.

    Args:
        found: name -> result, all with the same shifts; each result's control is told in words.
    """
    known = next(iter(found.values())).settings
    slopes = {
        name: [test.interval(which, "slope") for which in ("attention", "control")] for name, test in found.items()
    }
    drawn = curves(
        known,
        {
            f"{name}, slope {slopes[name][0].estimate:.2f}": [test.at(s).interval("attention", "change") for s in known]
            for name, test in found.items()
        },
        xlabel="the face was delayed by (s); below 0 the voice",
        ylabel="recovered change (s)",
        guides={"ideal: follows, slope 1": known, "stays, slope 0": [0.0] * len(known)},
    )
    words = [f"{name} {said(slope)}, its control {said(control)}" for name, (slope, control) in slopes.items()]
    return Picture(drawn.figure, f"{drawn.alt} Slopes: {'; '.join(words)}; 1 is ideal.")


def _around(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Limits a little wider than `values`; matplotlib finds none for lines that are moved sideways."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if logarithmic:
        low, high = _around([math.log(low), math.log(high)])
        return math.exp(low), math.exp(high)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room
