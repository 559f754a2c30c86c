"""When the face follows the voice: the alignment map of one clip, and offsets found in many clips."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from sertut.attention import AttentionMap
from sertut.errors import SertutError
from sertut.evidence import ClipScores, Example
from sertut.evidence.intervals import Interval
from sertut.evidence.lags import NEAREST, face_lags, recovered_offset
from sertut.evidence.sums import NEAR_SECONDS
from sertut.show.estimates import draw_rows, said
from sertut.show.picture import Picture, chart, listed, numbers
from sertut.show.rows import Heat, Row, borders, compose, legend_below, mark_spans, panels
from sertut.show.style import MARKERS, ROLES, STREAMS
from sertut.show.weights import level_row
from sertut.show.words import known_offset, later, length, of_clip, say_offset, verdict
from sertut.video import Faces

MOUTH = (slice(30, 46), slice(14, 34))
"""Rows and columns of a 48 x 48 crop in which the mouth lies."""

WIDEST = 1.3
"""Seconds; a recovered offset beyond this is drawn as a triangle at the border."""


def alignment(example: Example) -> Picture:
    """One clip's alignment: time in the voice across, time in the face up; on the dotted line both are the same.

    What belongs together lies along the true offset; it is drawn as two green lines, 80 ms to each side, which leave
    the ridge between them open to the eye. The blue dots, at the border only, are the offset that the map itself tells.
    Above is the level of the voice; on the right how dark the mouth is, which it is when it opens.

    Raises:
        SertutError: the model has no alignment map.
    """
    map_, seconds = example.alignment, length(example)
    if map_ is None:
        raise SertutError(
            "this model does not align voice and face; use show.filmstrip, or an AudioVisual model with alignment."
        )
    weights, clocks = numbers(map_.of(0)), (map_.clocks["time"], map_.clocks[map_.axes[0]])
    asks, asked = ("face", "voice") if map_.axes[0] == "video" else ("voice", "face")
    if asks == "voice":  # a row is a step of the face, a column one of the voice
        weights, clocks = weights.T, clocks[::-1]
    colors = Heat(weights)

    def draw(axis: Axes) -> None:
        across, up = (borders(clock, n) for clock, n in zip(clocks, weights.shape[::-1], strict=True))
        colors.draw(axis, across, up, weights)
        _draw_offsets(axis, known_offset(example), recovered_offset(map_), seconds)
        axis.set(ylim=(0, seconds), xlabel="time in the voice (s)", ylabel="time in the face (s)")

    def scale(corner: Axes) -> None:
        colors.scale_in(corner, f"weight of a\n{asked} step")

    def draw_mouth(axis: Axes) -> None:
        if example.face is not None:
            axis.plot(mouth_darkness(example.face), example.face.times, color=STREAMS["face"], lw=1.6)
        axis.set(ylim=(0, seconds), yticklabels=[], xlabel="mouth\n(darkness)")
        axis.locator_params(axis="x", nbins=2)
        mark_spans(axis, example, "face", up=True)

    level = replace(level_row(example), beside=scale)
    rows = [level, Row(draw, 4.2, seconds, _describe(example, map_, asks, asked), beside=draw_mouth)]
    return compose(rows, verdict(example))


def mouth_darkness(face: Faces) -> np.ndarray:
    """How dark the darkest twentieth of the pixels around the mouth is, 0 (white) .. 1 (black); shape (N,).

    An open mouth is dark. NaN where no face was found.
    """
    pixels = face.crops[(slice(None), *MOUTH)].reshape(len(face), -1)
    return np.where(face.found, 1 - np.percentile(pixels, 5, axis=1) / 255, np.nan)


def _draw_offsets(axis: Axes, true: float | None, found: float, seconds: float) -> None:
    """The lines of the same time and of the true offset, and the map's own."""
    whole = np.array([0.0, seconds])
    axis.plot(whole, whole, color="white", lw=3.4)
    rim = [withStroke(linewidth=3.4, foreground="white")]
    axis.plot(whole, whole, color=ROLES["uniform"], ls=":", lw=1.8, label="the same time")
    if true is not None:
        for edge in (NEAR_SECONDS, -NEAR_SECONDS):
            looks: Any = {"color": ROLES["region"], "lw": 1.8, "path_effects": rim}
            axis.plot(whole, whole + true + edge, label=f"true: {later(true)}, ± 80 ms", **looks)
    if not math.isnan(found):
        ends = np.array([max(0.0, -found), min(seconds, seconds - found)])
        looks = {"color": ROLES["attention"], "marker": MARKERS["attention"], "mec": "white", "mew": 1.5, "ms": 10}
        label = f"by the map: {later(found)}"
        axis.plot(ends, ends + found, ls="", clip_on=False, zorder=5, label=label, **looks)


def _describe(example: Example, map_: AttentionMap, asks: str, asked: str) -> str:
    """The map in sentences: its size, both offsets, and how much attention lies near the true one."""
    weights, lags, found = map_.of(0).double().numpy(), face_lags(map_), recovered_offset(map_)
    n, m = weights.shape
    text = f"Alignment over {of_clip(example)}: {n} steps of the {asks} attend to {m} steps of the {asked}."
    text = f"{text} {say_offset(example)}".strip()
    if math.isnan(found):
        return f"{text} The map is empty: one of the streams is missing."
    offset = known_offset(example)
    off = "" if offset is None else f", {abs(found - offset):.2f} s off"
    same, near = (weights[np.abs(lags - at) <= NEAR_SECONDS].sum() / weights.sum() for at in (0.0, offset or 0.0))
    where = "" if offset is None else f"the true offset, {same:.0%} within 80 ms of "
    text += f" The map itself says {later(found)}{off}."
    return f"{text} {near:.0%} of the attention lies within 80 ms of {where}the same time."


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
