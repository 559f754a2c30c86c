"""Estimates with their intervals: one a row, beside zero, chance or single runs; or along x, against what was varied.

Each estimate is an :class:`~sertut.evidence.intervals.Interval`.
"""

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from sertut.errors import SertutError, must_be_known
from sertut.evidence import ClipScores, Tally
from sertut.evidence.intervals import Interval
from sertut.show.picture import Picture, canvas, chart, listed
from sertut.show.rows import legend_below
from sertut.show.style import BLACK, BLUE, GREEN, MARKERS, OTHER, PURPLE, ROLES, SKY, VERMILION

METHOD_ROLES = {"untrained network": "untrained", "motion": "energy"}
"""Role of a method that is not named like one; motion is in the face what energy is in the voice."""

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


def differences(rows: Mapping[str, Interval], *, measure: str = "difference in UAR", title: str = "") -> Picture:
    """Differences with their intervals, one a row; one that includes the line at zero shows no difference."""
    with chart(height=1.2 + 0.5 * len(rows)) as (figure, axis):
        axis.axvline(0, color=BLACK, lw=1.2)
        draw_rows(axis, rows)
        axis.set(xlabel=measure, title=title)
        axis.locator_params(axis="x", nbins=4)  # labels such as -0.075 are wide
    parts = []
    for name, interval in rows.items():
        bounds = "no interval"
        if not math.isnan(interval.low):
            holds = "includes" if interval.contains(0) else "excludes"
            bounds = f"interval {interval.low:+.3f} to {interval.high:+.3f} {holds} zero"
        parts.append(f"{' '.join(name.split())}: {interval.estimate:+.3f}, {bounds}")
    return Picture(figure, f"{measure[:1].upper()}{measure[1:]}. {'; '.join(parts)}.")


def dots(
    reference: Mapping[str, Sequence[float]],
    own: Mapping[str, float] | None = None,
    *,
    intervals: Mapping[str, Interval] | None = None,
    each: str = "reference runs",
    yours: str = "your run",
    measure: str = "UAR",
    chance: float | None = None,
    title: str = "",
) -> Picture:
    """One dot a training or partition, one row a method; the reader's own run is an orange diamond.

    Args:
        reference: method -> the score of each training (seed, or seed and fold) or partition of the corpus.
        own: method -> the score of the reader's run.
        intervals: method -> estimate with bounds, drawn above the dots; without it, a line marks the mean.
        each: what the dots are. yours: what the diamond is. measure: name of the score, for the axis.
        chance: level of guessing, drawn as a dotted line.

    Raises:
        SertutError: a method that the reference does not have.
    """
    own, intervals = own or {}, intervals or {}
    for method in (*own, *intervals):
        must_be_known("method of the reference", method, reference)
    with chart(height=1.5 + 0.75 * len(reference)) as (figure, axis):
        for row, (method, scores) in enumerate(reference.items()):
            looks: Any = {"color": ROLES["reference"], "mec": "#555555", "mew": 0.6, "ms": 6}
            aside = np.resize([0.0, 0.16, -0.16, 0.08, -0.08], len(scores))  # keeps dots of similar score apart
            axis.plot(scores, row + aside[np.argsort(np.argsort(scores))], "o", label=each, **looks)
            if method not in intervals:
                axis.plot([np.mean(scores)] * 2, [row - 0.3, row + 0.3], color=BLACK, lw=2, label="mean")
        estimates = {method: intervals.get(method) for method in reference}
        draw_rows(axis, estimates, roles=dict.fromkeys(reference, "uniform"), lift=0.36, label="mean with interval")
        if own:
            draw_own(axis, list(own.values()), [list(reference).index(method) for method in own], yours)
        if chance is not None:
            axis.axvline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.3g}")
        axis.set(xlabel=measure, ylim=(len(reference) - 0.4, -0.7), title=title)
        legend_below(figure, 4)
    parts = []
    for method, scores in reference.items():
        middle = said(intervals[method]) if method in intervals else f"{np.mean(scores):.2f}"
        text = f"{method}: {len(scores)} {each} from {min(scores):.2f} to {max(scores):.2f}, mean {middle}"
        if method in own:
            place = "inside" if min(scores) <= own[method] <= max(scores) else "outside"
            text += f", {yours} {own[method]:.2f}, {place} their range"
        parts.append(" ".join(text.split()))
    guess = "" if chance is None else f" Chance is {chance:.3g}."
    names = listed([" ".join(method.split()) for method in reference])
    return Picture(figure, f"{title + ': ' if title else ''}{measure} of {names}. {'; '.join(parts)}.{guess}")


def localization(result: ClipScores) -> Picture:
    """Each score of the map, with its interval, beside what maps get that know nothing of emotion.

    For any result with four metrics: of ``Report.localization``, ``Report.cells`` or ``Report.loudness``. The black bar
    on each row is that row's chance level (for IoU it depends on how wide a method's spans are).
    """
    methods, sentences = list(result.methods), []
    with canvas(2, 2, height=1.6 + 0.6 * len(methods), sharey=True) as (figure, axes):
        for axis, (metric, name) in zip(axes.ravel(), result.metrics.items(), strict=True):
            found = {method: result.interval(method, metric) for method in methods}
            chance = [float(result.of_each_seed(f"{metric}_chance", method)[0]) for method in methods]
            rows = np.arange(len(methods))
            axis.vlines(chance, rows - 0.38, rows + 0.38, color=BLACK, lw=2.5, label="chance")
            draw_rows(axis, found, roles={method: METHOD_ROLES.get(method, method) for method in methods})
            bounds = [bound for interval in found.values() for bound in (interval.low, interval.high)]
            axis.set(xlim=(np.nanmin([0, *bounds]) - 0.05, np.nanmax([1, *bounds]) + 0.07), title=fill(name, 22))
            pairs = zip(found.items(), chance, strict=True)
            parts = [f"{method} {of.estimate:.2f} (chance {level:.2f})" for (method, of), level in pairs]
            sentences.append(f"{name}: {listed(parts)}.")
        figure.supxlabel(f"score, mean with {found[methods[0]].level:.0%} interval", fontsize=12)
        upright = Line2D([], [], ls="", marker="|", color=BLACK, ms=14, mew=2.5, label="chance")
        figure.legend(handles=[upright], loc="outside lower right", handlelength=1.0)
    return Picture(figure, " ".join(["Where the maps point.", *sentences, result.note]))


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
    shown, shares = {way: looks for way, looks in WAYS.items() if way in result.methods}, result.settings
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


def said(interval: Interval, spec: str = ".2f", unit: str = "") -> str:
    """``0.93 (0.90 to 0.96)``; the unit stands behind the estimate."""
    bounds = "" if math.isnan(interval.low) else f" ({interval.low:{spec}} to {interval.high:{spec}})"
    return f"{interval.estimate:{spec}}{unit}{bounds}"


def draw_rows(
    axis: Axes, rows: Mapping[str, Interval | None], *, roles: Mapping[str, str] = {}, lift=0.0, label="_"
) -> None:
    """Names, and intervals where there are any, `lift` above the middle of their row, in color and marker of a role."""
    for row, (name, interval) in enumerate(rows.items()):
        if interval is not None:
            role = roles.get(name, "attention")
            marker, color = MARKERS.get(role, "o"), ROLES.get(role, OTHER)
            looks = {"fmt": marker, "color": color, "ecolor": BLACK, "label": label}
            draw_intervals(axis, [row - lift], [interval], rows=True, **looks)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(axis="x", color="#DDDDDD")
    axis.set_axisbelow(True)


def draw_intervals(
    axis: Axes, at: Sequence[float], intervals: Sequence[Interval], *, rows: bool = False, **looks: Any
) -> None:
    """Estimates at the places `at` along x, or down y, with bars to their bounds; no bar where there are none (NaN)."""
    estimates, low, high = np.array([[i.estimate, i.low, i.high] for i in intervals]).T
    x, y = (estimates, at) if rows else (at, estimates)
    if np.isfinite(low).any():  # or the legend shows bars where there are none
        looks["xerr" if rows else "yerr"] = [estimates - low, high - estimates]
    axis.errorbar(x, y, ms=7.5, mec=BLACK, mew=0.7, elinewidth=1.5, capsize=4, **looks)


def draw_own(axis: Axes, x: Sequence[float], y: Sequence[float], label: str = "your run") -> None:
    """The reader's own scores: hollow diamonds with a black rim, so that the dots below show."""
    looks: Any = {"color": ROLES["own"], "mfc": "none", "mew": 2, "ms": 11, "zorder": 5}
    rim = [withStroke(linewidth=3.2, foreground=BLACK)]
    axis.plot(x, y, MARKERS["own"], path_effects=rim, label=label, **looks)


def _around(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Limits a little wider than `values`; matplotlib finds none for lines that are moved sideways."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if logarithmic:
        low, high = _around([math.log(low), math.log(high)])
        return math.exp(low), math.exp(high)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room
