"""Offsets between voice and face that alignment has found, against the true ones; and what known shifts do to them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sertut.evidence import Offsets, Shifts
from sertut.evidence.intervals import Interval
from sertut.evidence.lags import NEAR_SECONDS, NEAREST
from sertut.show.curves import STYLES, curves
from sertut.show.picture import Picture, canvas, listed
from sertut.show.results import draw_interval
from sertut.show.rows import panel_grid
from sertut.show.style import MARKERS, ROLES, look

WIDEST = 1.3
"""Seconds; a recovered offset beyond this is drawn as a triangle at the border."""


def offsets(found: Offsets | Mapping[str, Offsets], *, title: str = "") -> Picture:
    """Recovered against true offset, a dot a clip, one panel a method; right is the diagonal, give or take 80 ms.

    Nearest time, which knows nothing of the clip, would lie on the dotted line.

    Args:
        found: one result, of which each method has a panel, or name -> result, of each of which attention has one.
    """
    panels = _panels(found)
    limit = _limit(panels)
    with look():
        figure, axes = panel_grid(len(panels), "true: face later by (s)", "recovered (s)", height=2.7)
        for axis, (name, (result, method)) in zip(axes, panels.items(), strict=True):
            true, recovered = _of(result, method)
            _draw_dots(axis, true, recovered, limit)
            error, within = result.interval(method), result.interval(method, "offset_within")
            axis.set_title(f"{name}\nmedian error {1000 * error.estimate:.0f} ms, {within.estimate:.0%} found")
        handles = [
            Line2D([], [], color=ROLES["attention"], marker=MARKERS["attention"], ls="", label="one clip"),
            Patch(color=ROLES["region"], alpha=0.35, label="true, ± 80 ms"),
            Line2D([], [], color=ROLES["uniform"], ls=":", label="nearest time"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=1.5, columnspacing=1.2)
        if title:
            figure.suptitle(title, fontsize=12)
    text = [f"Recovered against true offset of {len(_of(*next(iter(panels.values())))[0])} clips."]
    for name, (result, method) in panels.items():
        error, within = result.interval(method), result.interval(method, "offset_within")
        r = result.interval(method, "offset_correlation")
        beyond = int((np.abs(_of(result, method)[1]) > limit).sum())
        sentence = (
            f"{name}: median error {_ms(error)}, {within.estimate:.0%} within 80 ms, correlation {r.estimate:.2f}"
        )
        text.append(sentence + (f", {beyond} beyond {limit:.1f} s." if beyond else "."))
    return Picture(figure, " ".join(text))


def offset_errors(
    medians: Mapping[str, Interval], *, target: float = NEAR_SECONDS, ax: Axes | None = None, title: str = ""
) -> Picture:
    """The median error of each method's offsets with its interval; the dashed line is the target.

    Args:
        medians: name -> median error in seconds. target: seconds, two video frames by default.
    """
    with look():
        figure, axes = canvas(height=1.5 + 0.45 * len(medians), ax=ax)
        axis = axes[0, 0]
        axis.axvspan(0, 1000 * target, color=ROLES["region"], alpha=0.15, lw=0)
        axis.axvline(1000 * target, color=ROLES["region"], ls="--", lw=1.8, label=f"target: {1000 * target:.0f} ms")
        for row, (name, median) in enumerate(medians.items()):
            role = "uniform" if name == NEAREST else "attention"
            draw_interval(axis, _times(median, 1000), row, role)
        bounds = [bound for median in medians.values() for bound in (median.estimate, median.low, median.high)]
        axis.set_yticks(range(len(medians)), list(medians))
        axis.set(xlim=(0, 1080 * np.nanmax([*bounds, target])), ylim=(len(medians) - 0.5, -0.5))
        axis.set(xlabel="median error of the offset (ms)", title=title)
        axis.grid(axis="x", color="#DDDDDD")
        axis.set_axisbelow(True)
        figure.legend(loc="outside lower center")
    parts = listed([f"{name} {_ms(median)}" for name, median in medians.items()])
    return Picture(figure, f"Median error of the recovered offset: {parts}; the target is {1000 * target:.0f} ms.")


def shifts(found: Shifts | Mapping[str, Shifts], *, ax: Axes | None = None, title: str = "") -> Picture:
    """How far the recovered offset moved when a stream was delayed by known times, beside one that follows exactly.

    Args:
        found: one result, which is drawn with its control (see :mod:`sertut.evidence.shifts`), or name -> result, all
            with the same shifts.
    """
    results = {"attention": found} if isinstance(found, Shifts) else dict(found)
    known = next(iter(results.values())).shifts
    lines = {
        f"{name}, slope {test.slope.estimate:.2f}": [test.change(at) for at in known] for name, test in results.items()
    }
    with look():
        figure, axes = canvas(height=4.2, ax=ax)
        axis = axes[0, 0]
        axis.plot(known, known, color=ROLES["region"], lw=5, alpha=0.4, label="ideal: follows, slope 1")
        axis.axhline(0, color=ROLES["uniform"], ls=":", lw=1.4, label="stays, slope 0")
        if isinstance(found, Shifts):
            slope = found.control_slope.estimate
            moved = slope * np.array(known)
            axis.plot(known, moved, color=ROLES["energy"], ls="--", label=f"control, slope {slope:.2f}")
    drawn = curves(
        known,
        lines,
        xlabel="the face was delayed by (s); below 0 the voice",
        ylabel="recovered change (s)",
        styles=STYLES,
        ax=axis,
        title=title,
    )
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, 1.06 * min(known)), max(high, 1.06 * max(known)))
    slopes = [f"{name} {_said(test.slope)}, its control {_said(test.control_slope)}" for name, test in results.items()]
    return Picture(figure, f"{drawn.alt} Slopes: {'; '.join(slopes)}; 1 is ideal.")


def _panels(found: Offsets | Mapping[str, Offsets]) -> dict[str, tuple[Offsets, str]]:
    """Name of a panel -> the result and which of its methods; nearest time is a line in all of them."""
    if isinstance(found, Offsets):
        return {method: (found, method) for method in found.methods if method != NEAREST}
    return {name: (result, "attention") for name, result in found.items()}


def _of(result: Offsets, method: str) -> tuple[np.ndarray, np.ndarray]:
    """True and recovered offsets of a method, seconds, (N,) each."""
    rows = result.table[result.table["method"] == method]
    return rows["true"].to_numpy(), rows["recovered"].to_numpy()


def _limit(panels: Mapping[str, tuple[Offsets, str]]) -> float:
    """Half the width of the recovered axis, seconds."""
    largest = max(float(np.abs(values).max()) for panel in panels.values() for values in _of(*panel))
    return min(WIDEST, max(0.7, 1.05 * largest))


def _draw_dots(axis: Axes, true: np.ndarray, recovered: np.ndarray, limit: float) -> None:
    reach = np.array([-1.06, 1.06]) * np.abs(true).max()
    axis.fill_between(reach, reach - NEAR_SECONDS, reach + NEAR_SECONDS, color=ROLES["region"], alpha=0.35, lw=0)
    axis.axhline(0, color=ROLES["uniform"], ls=":", lw=1.4)
    color, inside = ROLES["attention"], np.abs(recovered) <= limit
    axis.plot(true[inside], recovered[inside], MARKERS["attention"], color=color, ms=3.5, alpha=0.5, mew=0)
    for marker, border, beyond in (("^", limit, recovered > limit), ("v", -limit, recovered < -limit)):
        if beyond.any():  # an artist that is not clipped and empty would break the layout
            axis.plot(true[beyond], np.full(beyond.sum(), border), marker, color=color, ms=6, clip_on=False)
    axis.set(xlim=reach, ylim=(-limit, limit))


def _times(interval: Interval, factor: float) -> Interval:
    return Interval(factor * interval.estimate, factor * interval.low, factor * interval.high, interval.level)


def _said(interval: Interval) -> str:
    """``0.93 (0.90 to 0.96)``."""
    bounds = "" if math.isnan(interval.low) else f" ({interval.low:.2f} to {interval.high:.2f})"
    return f"{interval.estimate:.2f}{bounds}"


def _ms(interval: Interval) -> str:
    """``32 ms (28 to 37)``."""
    ms = _times(interval, 1000)
    return f"{ms.estimate:.0f} ms" + ("" if math.isnan(ms.low) else f" ({ms.low:.0f} to {ms.high:.0f})")
