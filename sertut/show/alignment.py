"""Which moment of the voice each frame of the face has found: the alignment map, beside the offset that is true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.lags import face_lags, recovered_offset
from sertut.evidence.sums import NEAR_SECONDS
from sertut.show.heads import borders
from sertut.show.maps import verdict
from sertut.show.picture import Picture, canvas
from sertut.show.sound import draw_level, numbers
from sertut.show.spans import draw_regions, known_offset, later, say_offset, span_handles
from sertut.show.style import HEAT, MARKERS, ROLES, STREAMS, look
from sertut.signals import SAMPLE_RATE
from sertut.video import Faces

MOUTH = (slice(30, 46), slice(14, 34))
"""Rows and columns of a 48 x 48 crop in which the mouth lies."""


def alignment(example: Example, *, title: str | None = None) -> Picture:
    """One clip's alignment: time in the voice across, time in the face up; on the dotted line both are the same.

    What belongs together lies along the true offset; it is drawn as two green lines, 80 ms to each side, which leave
    the ridge between them open to the eye. The blue dots, at the border only, are the offset that the map itself tells.
    Above is the level of the voice; on the right how dark the mouth is, which it is when it opens.

    Raises:
        SertutError: the model has no alignment map.
    """
    map_ = alignment_of(example)
    weights, clocks = by_stream(map_)
    rows, columns = weights.shape
    seconds, brightest = len(example.samples) / SAMPLE_RATE, np.quantile(weights, 0.995)
    with look():
        figure, axes = canvas(
            2, 2, height=6.4, sharex="col", gridspec_kw={"height_ratios": [1, 4.2], "width_ratios": [4.6, 1]}
        )
        (voice, corner), (ridge, mouth) = axes
        places = borders(clocks["voice"], columns), borders(clocks["face"], rows)
        mesh = ridge.pcolormesh(*places, weights, cmap=HEAT, vmin=0, vmax=brightest)
        handles = draw_offsets(ridge, known_offset(example), recovered_offset(map_), seconds)
        ridge.set(xlim=(0, seconds), ylim=(0, seconds), xlabel="time in the voice (s)", ylabel="time in the face (s)")
        draw_level(voice, numbers(example.level))
        draw_regions(voice, example, stream="voice")
        voice.set_title(verdict(example) if title is None else title)
        if example.face is not None:
            mouth.plot(mouth_darkness(example.face), example.face.times, color=STREAMS["face"], lw=1.6)
        draw_regions(mouth, example, stream="face", up=True)
        mouth.set(ylim=(0, seconds), yticklabels=[], xlabel="mouth\n(darkness)")
        corner.axis("off")
        bar = corner.inset_axes((0.0, 0.75, 1.0, 0.2))
        asked = "voice" if map_.axes[0] == "video" else "face"
        extend = "max" if weights.max() > brightest else "neither"
        figure.colorbar(mesh, cax=bar, orientation="horizontal", label=f"weight of a\n{asked} step", extend=extend)
        spans = span_handles([example], "voice", "face")
        figure.legend(
            handles=[*handles, *spans], loc="outside lower center", ncols=2, handlelength=2.2, columnspacing=1.2
        )
        figure.align_ylabels([voice, ridge])
    return Picture(figure, describe_alignment(example))


def describe_alignment(example: Example) -> str:
    """The map in sentences: its size, both offsets, and how much attention lies near the true one."""
    map_, clip = alignment_of(example), example.clip
    weights, lags, found = map_.of(0).double().numpy(), face_lags(map_), recovered_offset(map_)
    n, m = weights.shape
    asks, asked = ("face", "voice") if map_.axes[0] == "video" else ("voice", "face")
    near = lambda offset: float(weights[np.abs(lags - offset) <= NEAR_SECONDS].sum() / weights.sum())  # noqa: E731
    text = [f"Alignment over {len(example.samples) / SAMPLE_RATE:.1f} s of a clip of {clip.speaker}, {clip.emotion}:"]
    text[0] += f" {n} steps of the {asks} attend to {m} steps of the {asked}."
    text += say_offset(example)
    if math.isnan(found):
        return " ".join([*text, "The map is empty: one of the streams is missing."])
    offset = known_offset(example)
    off = "" if offset is None else f", {abs(found - offset):.2f} s off"
    text.append(f"The map itself says {later(found)}{off}.")
    where = "" if offset is None else f"the true offset, {near(0.0):.0%} within 80 ms of "
    text.append(f"{near(offset or 0.0):.0%} of the attention lies within 80 ms of {where}the same time.")
    return " ".join(text)


def alignment_of(example: Example) -> AttentionMap:
    """The example's alignment; raises if it has none."""
    if example.alignment is None:
        raise SertutError(
            "this model does not align voice and face; use show.filmstrip, or an AudioVisual model with alignment."
        )
    return example.alignment


def by_stream(map_: AttentionMap) -> tuple[np.ndarray, Mapping[str, Clock]]:
    """Weights (T', T), a row a step of the face and a column a step of the voice, and the clocks of both."""
    weights, query, keys = numbers(map_.of(0)), map_.clocks[map_.axes[0]], map_.clocks["time"]
    if map_.axes[0] == "video":
        return weights, {"face": query, "voice": keys}
    return weights.T, {"face": keys, "voice": query}


def draw_offsets(axis: Axes, true: float | None, found: float, seconds: float) -> list[Line2D]:
    """The lines of the same time and of the true offset, and the map's own; returns what the legend says of them."""
    whole = np.array([0.0, seconds])
    axis.plot(whole, whole, color="white", lw=3.4)
    handles = axis.plot(whole, whole, color=ROLES["uniform"], ls=":", lw=1.8, label="the same time")
    if true is not None:
        for edge in (NEAR_SECONDS, -NEAR_SECONDS):
            label = f"true: {later(true)}, ± 80 ms"
            (line,) = axis.plot(whole, whole + true + edge, color=ROLES["region"], lw=1.8, label=label)
            line.set_path_effects([withStroke(linewidth=3.4, foreground="white")])
        handles.append(line)
    if not math.isnan(found):
        ends = np.array([max(0.0, -found), min(seconds, seconds - found)])
        looks: Any = {"color": ROLES["attention"], "marker": MARKERS["attention"], "mec": "white", "mew": 1.5, "ms": 10}
        dots = axis.plot(
            ends, ends + found, ls="", clip_on=False, zorder=5, label=f"by the map: {later(found)}", **looks
        )
        handles += dots
    return handles


def mouth_darkness(face: Faces) -> np.ndarray:
    """How dark the darkest twentieth of the pixels around the mouth is, 0 (white) .. 1 (black); shape (N,).

    An open mouth is dark. NaN where no face was found.
    """
    pixels = face.crops[(slice(None), *MOUTH)].reshape(len(face), -1)
    return np.where(face.found, 1 - np.percentile(pixels, 5, axis=1) / 255, np.nan)
