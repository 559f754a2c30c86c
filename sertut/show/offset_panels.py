"""Offsets between voice and face that alignment has found, against the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sertut.evidence import ClipScores
from sertut.evidence.intervals import Interval
from sertut.evidence.lags import NEAREST
from sertut.evidence.sums import NEAR_SECONDS
from sertut.show.estimates import draw_rows, said
from sertut.show.picture import Picture, chart, listed
from sertut.show.rows import legend_below, panels
from sertut.show.style import MARKERS, ROLES

WIDEST = 1.3
"""Seconds; a recovered offset beyond this is drawn as a triangle at the border."""


def offsets(found: ClipScores | Mapping[str, ClipScores], *, title: str = "") -> Picture:
    """Recovered against true offset, a dot a clip, one panel a method; right is the diagonal, give or take 80 ms.

    Nearest time, which knows nothing of the clip, would lie on the dotted line.

    Args:
        found: one result, of which each method has a panel, or name -> result, of each of which attention has one.
    """
    shown = found if isinstance(found, Mapping) else {name: found for name in found.methods if name != NEAREST}
    methods = ["attention" if isinstance(found, Mapping) else name for name in shown]
    clips = [one.table[one.table["method"] == method] for one, method in zip(shown.values(), methods, strict=True)]
    pairs = [(rows["true"].to_numpy(), rows["recovered"].to_numpy()) for rows in clips]  # (N,) each, seconds
    farthest = max(float(np.abs(values).max()) for pair in pairs for values in pair)
    limit = min(WIDEST, max(0.7, 1.05 * farthest))
    names, text = [], [f"Recovered against true offset of {len(pairs[0][0])} clips."]
    for (name, result), method, (_, recovered) in zip(shown.items(), methods, pairs, strict=True):
        scores = ("offset_error", "offset_within", "offset_correlation")
        error, within, r = (result.interval(method, score) for score in scores)
        names.append(f"{name}\nmedian error {1000 * error.estimate:.0f} ms,\n{within.estimate:.0%} found")
        beyond = int((np.abs(recovered) > limit).sum())
        text.append(
            f"{name}: median error {said(_in_ms(error), '.0f', ' ms')}, {within.estimate:.0%} within 80 ms,"
            f" correlation {r.estimate:.2f}" + (f", {beyond} beyond {limit:.1f} s." if beyond else ".")
        )

    def draw(i: int, axis: Axes) -> None:
        true, recovered = pairs[i]
        reach = np.array([-1.06, 1.06]) * np.abs(true).max()
        near, green, blue = NEAR_SECONDS, ROLES["region"], ROLES["attention"]
        axis.fill_between(reach, reach - near, reach + near, color=green, alpha=0.35, lw=0, label="true, ± 80 ms")
        axis.axhline(0, color=ROLES["uniform"], ls=":", lw=1.4, label="nearest time")
        inside = np.abs(recovered) <= limit
        looks: Any = {"ls": "", "marker": MARKERS["attention"], "ms": 3.5, "alpha": 0.5, "mew": 0}
        axis.plot(true[inside], recovered[inside], color=blue, label="one clip", **looks)
        for marker, border, beyond in (("^", limit, recovered > limit), ("v", -limit, recovered < -limit)):
            if beyond.any():  # an artist that is not clipped and empty would break the layout
                axis.plot(true[beyond], np.full(beyond.sum(), border), marker, color=blue, ms=6, clip_on=False)
        axis.set(xlim=reach, ylim=(-limit, limit), title=names[i])

    labels = ("true: face later by (s)", "recovered (s)")
    return panels(len(pairs), draw, title, " ".join(text), labels=labels, height=2.7)


def offset_errors(medians: Mapping[str, Interval], *, title: str = "") -> Picture:
    """The median error of each method's offsets with its interval; the dashed line is the target, two video frames.

    Args:
        medians: name -> median error in seconds.
    """
    target = 1000 * NEAR_SECONDS
    ms = {name: _in_ms(median) for name, median in medians.items()}
    with chart(height=1.5 + 0.45 * len(ms)) as (figure, axis):
        axis.axvspan(0, target, color=ROLES["region"], alpha=0.15, lw=0)
        axis.axvline(target, color=ROLES["region"], ls="--", lw=1.8, label=f"target: {target:.0f} ms")
        draw_rows(axis, ms, roles={NEAREST: "uniform"})
        farthest = np.nanmax([target, *(bound for i in ms.values() for bound in (i.estimate, i.high))])
        axis.set(xlim=(-0.03 * farthest, 1.08 * farthest), xlabel="median error of the offset (ms)", title=title)
        legend_below(figure, 1)
    parts = listed([f"{name} {said(median, '.0f', ' ms')}" for name, median in ms.items()])
    return Picture(figure, f"Median error of the recovered offset: {parts}; the target is {target:.0f} ms.")


def _in_ms(seconds: Interval) -> Interval:
    return replace(seconds, estimate=1000 * seconds.estimate, low=1000 * seconds.low, high=1000 * seconds.high)
