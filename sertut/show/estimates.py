"""Estimates with their intervals, and beside them what they are compared with: chance, zero, single runs, your own run.

Two layouts. One row an estimate (:func:`differences`, :func:`dots`, :func:`offset_errors`, :func:`localization`), or one
place along x for each value of something that was varied (:func:`curves`, :func:`deletion`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from sertut.errors import SertutError, unknown
from sertut.evidence import Deletion, Localization
from sertut.evidence.lags import NEAR_SECONDS, NEAREST
from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import BLACK, BLUE, GREEN, MARKERS, PURPLE, ROLES, SKY, VERMILION, look, role_color
from sertut.training.metrics import Interval, mean

STYLES = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":"), (SKY, "P", "-"))
"""Color, marker and line of each curve in turn, so that none is told by its color alone."""

GUIDES = ({"color": GREEN, "lw": 5, "alpha": 0.4}, {"color": BLACK, "lw": 1.4, "ls": ":"})
"""Looks of the lines that curves are compared with."""

APART = 5  # points between neighbors, so that intervals at the same x do not cover one another

WAYS = {
    "attention": ("most attention", (ROLES["attention"], MARKERS["attention"], "-")),
    "loudest": ("loudest", (ROLES["energy"], MARKERS["energy"], "--")),
    "random": ("random", (BLACK, "x", ":")),
    "region": ("true region", (ROLES["region"], "P", "-.")),
}
"""Way of choosing what is removed -> its name in print, and its color, marker and line."""

METHOD_ROLES = {"untrained network": "untrained", "motion": "energy"}
"""Role of a method that is not named like one; motion is in the face what energy is in the voice."""


def differences(rows: Mapping[str, Interval], *, measure: str = "difference in UAR", title: str = "") -> Picture:
    """Paired differences with their intervals, one a row; one that crosses the line at zero shows no difference."""
    with look():
        figure, axes = canvas(height=1.2 + 0.5 * len(rows))
        axis = axes[0, 0]
        axis.axvline(0, color=BLACK, lw=1.2)
        _draw_rows(axis, rows)
        axis.set(xlabel=measure, title=title)
    parts = []
    for name, interval in rows.items():
        bounds = "no interval"
        if not math.isnan(interval.low):
            crosses = "crosses" if interval.contains(0) else "excludes"
            bounds = f"interval {interval.low:+.3f} to {interval.high:+.3f} {crosses} zero"
        parts.append(f"{name}: {interval.estimate:+.3f}, {bounds}")
    return Picture(figure, f"Paired differences, {measure}. {'; '.join(parts)}.")


def dots(
    reference: Mapping[str, Sequence[float]],
    own: Mapping[str, float] | None = None,
    *,
    intervals: Mapping[str, Interval] | None = None,
    each: str = "reference runs",
    measure: str = "UAR",
    chance: float | None = None,
    title: str = "",
) -> Picture:
    """One dot a training or partition, one row a method; the reader's own run is the orange diamond.

    Args:
        reference: method -> the score of each training (seed, or seed and fold) or partition of the corpus.
        own: method -> the score of the reader's run.
        intervals: method -> estimate with bounds, drawn above the dots; without it, a line marks the mean.
        each: what the dots are. measure: name of the score, for the axis.
        chance: level of guessing, drawn as a dotted line.

    Raises:
        SertutError: a method that the reference does not have.
    """
    own, intervals = own or {}, intervals or {}
    for method in (*own, *intervals):
        if method not in reference:
            raise unknown("method of the reference", method, reference)
    with look():
        figure, axes = canvas(height=1.5 + 0.75 * len(reference))
        axis = axes[0, 0]
        for row, (method, scores) in enumerate(reference.items()):
            look_of_dots = {"color": ROLES["reference"], "mec": "#555555", "mew": 0.6, "ms": 6, "ls": ""}
            axis.plot(scores, row + _spread(scores), "o", label=_once(each, row), **look_of_dots)
            if method not in intervals:
                axis.plot([np.mean(scores)] * 2, [row - 0.3, row + 0.3], color=BLACK, lw=2, label=_once("mean", row))
        estimates = {method: intervals.get(method) for method in reference}
        _draw_rows(axis, estimates, roles=dict.fromkeys(reference, "uniform"), lift=0.36, label="mean with interval")
        if own:
            _draw_own(axis, list(own.values()), [list(reference).index(method) for method in own])
        if chance is not None:
            axis.axvline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.3g}")
        axis.set(xlabel=measure, ylim=(len(reference) - 0.4, -0.7), title=title)
        _legend(figure, 4)
    parts = []
    for method, scores in reference.items():
        middle = said(intervals[method]) if method in intervals else f"{np.mean(scores):.2f}"
        text = f"{method}: {len(scores)} {each} from {min(scores):.2f} to {max(scores):.2f}, mean {middle}"
        if method in own:
            place = "inside" if min(scores) <= own[method] <= max(scores) else "outside"
            text += f", your run {own[method]:.2f}, {place} their range"
        parts.append(" ".join(text.split()))
    guess = "" if chance is None else f" Chance is {chance:.3g}."
    names = listed([" ".join(method.split()) for method in reference])
    return Picture(figure, f"{title + ': ' if title else ''}{measure} of {names}. {'; '.join(parts)}.{guess}")


def offset_errors(medians: Mapping[str, Interval], *, title: str = "") -> Picture:
    """The median error of each method's offsets with its interval; the dashed line is the target, two video frames.

    Args:
        medians: name -> median error in seconds.
    """
    target = 1000 * NEAR_SECONDS
    ms = {
        name: replace(median, estimate=1000 * median.estimate, low=1000 * median.low, high=1000 * median.high)
        for name, median in medians.items()
    }
    with look():
        figure, axes = canvas(height=1.5 + 0.45 * len(ms))
        axis = axes[0, 0]
        axis.axvspan(0, target, color=ROLES["region"], alpha=0.15, lw=0)
        axis.axvline(target, color=ROLES["region"], ls="--", lw=1.8, label=f"target: {target:.0f} ms")
        _draw_rows(axis, ms, roles={NEAREST: "uniform"})
        farthest = np.nanmax([target, *(bound for i in ms.values() for bound in (i.estimate, i.high))])
        axis.set(xlim=(0, 1.08 * farthest), xlabel="median error of the offset (ms)", title=title)
        _legend(figure, 1)
    parts = listed([f"{name} {said(median, '.0f', ' ms')}" for name, median in ms.items()])
    return Picture(figure, f"Median error of the recovered offset: {parts}; the target is {target:.0f} ms.")


def localization(result: Localization) -> Picture:
    """Each score of the map, with its interval, beside what maps get that know nothing of emotion.

    For any result with four metrics: of ``Report.localization``, ``Report.cells`` or ``Report.loudness``. The black bar
    on each row is that row's chance level (for IoU it depends on how wide a method's spans are).
    """
    methods, sentences = list(result.methods), []
    with look():
        figure, axes = canvas(2, 2, height=1.6 + 0.6 * len(methods), sharey=True)
        for axis, (metric, name) in zip(axes.ravel(), result.metrics.items(), strict=True):
            found = {method: result.interval(method, metric) for method in methods}
            chance = [float(mean(result.sums(method, f"{metric}_chance").sum(axis=0))) for method in methods]
            for row, (method, level) in enumerate(zip(methods, chance, strict=True)):
                axis.plot([level] * 2, [row - 0.38, row + 0.38], color=BLACK, lw=2.5, label=_once("chance", row))
            _draw_rows(axis, found, roles={method: METHOD_ROLES.get(method, method) for method in methods})
            bounds = [bound for interval in found.values() for bound in (interval.low, interval.high)]
            axis.set(xlim=(np.nanmin([0, *bounds]) - 0.05, np.nanmax([1, *bounds]) + 0.07), title=name)
            parts = [
                f"{m} {found[m].estimate:.2f} (chance {level:.2f})" for m, level in zip(methods, chance, strict=True)
            ]
            sentences.append(f"{name}: {listed(parts)}.")
        figure.supxlabel("score, mean with 95% interval", fontsize=12)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower right", handlelength=1.0)
    return Picture(figure, " ".join(["Where the maps point.", *sentences, result.note]))


def deletion(result: Deletion) -> Picture:
    """How far the probability of what was predicted falls when more and more of each clip is removed."""
    shown = {way: looks for way, looks in WAYS.items() if way in result.ways}
    return curves(
        result.shares,
        {name: [result.drop(way, share) for share in result.shares] for way, (name, _) in shown.items()},
        xlabel="share of the sounding steps removed",
        ylabel="fall of probability",
        styles=[style for _, style in shown.values()],
    )


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
    with look():
        figure, axes = canvas(height=3.7 + 0.25 * len(guides))
        axis = axes[0, 0]
        for (name, values), style in zip(guides.items(), GUIDES, strict=False):
            axis.plot(at, values, label=name, **style)
        for i, ((name, intervals), (color, marker, line)) in enumerate(zip(lines.items(), styles, strict=False)):
            shift = ScaledTranslation(APART * (i - (len(lines) - 1) / 2) / 72, 0, figure.dpi_scale_trans)
            options = {"color": color, "ls": line, "lw": 1.8, "ms": 7, "mew": 0.6, "elinewidth": 1.4, "capsize": 3}
            estimates, reach = _as_bars(intervals)
            moved = axis.transData + shift
            axis.errorbar(at, estimates, reach, marker=marker, mec=BLACK, label=name, transform=moved, **options)
        if own:
            _draw_own(axis, [places[value] for value in own], list(own.values()))
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
        _legend(figure, 3 if max(len(name) for name in lines) <= 20 else 2)  # long names must not leave the picture
    parts = []
    for name, intervals in lines.items():
        values = [f"{said(interval)} at {value:g}" for value, interval in zip(x, intervals, strict=True)]
        parts.append(f"{name}: {listed(values)}")
    if own:
        parts.append("your run: " + listed([f"{score:.2f} at {value:g}" for value, score in own.items()]))
    guess = "" if chance is None else f" Chance is {chance:.3g}."
    return Picture(figure, f"{ylabel} against {xlabel}. {'; '.join(parts)}.{guess}")


def said(interval: Interval, spec: str = ".2f", unit: str = "") -> str:
    """``0.93 (0.90 to 0.96)``; the unit stands behind the estimate."""
    bounds = "" if math.isnan(interval.low) else f" ({interval.low:{spec}} to {interval.high:{spec}})"
    return f"{interval.estimate:{spec}}{unit}{bounds}"


def _draw_rows(
    axis: Axes,
    rows: Mapping[str, Interval | None],
    *,
    roles: Mapping[str, str] | None = None,
    lift: float = 0.0,
    label: str = "_",
) -> None:
    """Names, and intervals where there are any, `lift` above the middle of their row, in color and marker of a role."""
    for row, (name, interval) in enumerate(rows.items()):
        if interval is None:
            continue
        role = (roles or {}).get(name, "attention")
        options = {"color": role_color(role), "mec": BLACK, "ecolor": BLACK, "elinewidth": 1.6, "capsize": 4}
        (estimate,), reach = _as_bars([interval])
        axis.errorbar(
            estimate,
            row - lift,
            xerr=reach,
            fmt=MARKERS.get(role, "o"),
            ms=8,
            mew=0.8,
            label=_once(label, row),
            **options,
        )
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(axis="x", color="#DDDDDD")
    axis.set_axisbelow(True)


def _as_bars(intervals: Sequence[Interval]) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (n,), and how far their bars reach to both sides (2, n), NaN where there are no bounds."""
    values = np.array([[i.estimate, i.low, i.high] for i in intervals]).reshape(-1, 3)
    return values[:, 0], np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]])


def _draw_own(axis: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    axis.plot(x, y, MARKERS["own"], color=ROLES["own"], mec=BLACK, ms=10, zorder=5, label="your run")


def _legend(figure: Figure, columns: int) -> None:
    figure.legend(loc="outside lower center", ncols=columns, handlelength=2.4, columnspacing=1.2)


def _once(label: str, row: int) -> str:
    """A label for the legend on the first row only."""
    return label if row == 0 or label == "_" else f"_{label}"


def _spread(scores: Sequence[float], height: float = 0.16) -> np.ndarray:
    """Vertical offsets that keep dots of similar score apart; the same at every call."""
    return np.resize(np.array([0.0, 1.0, -1.0, 0.5, -0.5]), len(scores))[np.argsort(np.argsort(scores))] * height


def _around(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Limits a little wider than `values`; matplotlib finds none for lines that are moved sideways."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if logarithmic:
        low, high = _around([math.log(low), math.log(high)])
        return math.exp(low), math.exp(high)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room
