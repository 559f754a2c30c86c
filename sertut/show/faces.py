"""Faces along time: frames at their own seconds below the voice, and the spans in which both carry the emotion."""

from __future__ import annotations

import itertools
import textwrap

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from sertut.corpora import Clip, Region
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.examples import example_of
from sertut.show.maps import (
    describe,
    draw_own_attention,
    draw_words,
    verdict,
)
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_waveform, numbers
from sertut.show.spans import (
    EDGES,
    decoys,
    draw_regions,
    say_offset,
    span_handles,
    spans,
    stream_of,
    true_regions,
)
from sertut.show.style import ROLES, WIDTH, look
from sertut.signals import SAMPLE_RATE
from sertut.video import Faces

STRIP = 0.86 * WIDTH
"""Inches that a strip of frames is wide; the rest is for the labels of the axes."""
BAR = 0.26
"""Inches below the frames for the bars that say when an expression is on."""
TOUCHING = 0.05
"""Seconds; two expressions that are less apart are shown as one where they are the same."""


def filmstrip(shown: Example | Clip, n: int = 12, *, title: str | None = None) -> Picture:
    """The voice above, the face below on the same axis of seconds, with the spans in which each carries the emotion.

    Of the face `n` frames are drawn, each in the middle of its own stretch of the clip and framed like the span that it
    lies in. The bars below name the expressions: the true one is green, a decoy vermilion and dashed. The weights of a
    map have a row of their own, below the stream that they weigh.

    Args:
        shown: an example, or a clip that no network has judged.

    Raises:
        SertutError: the clip has no video.
    """
    example = unjudged(shown) if isinstance(shown, Clip) else shown
    face = face_of(example)
    streams = ["voice", "face"] if example.map is None else [stream_of(example), "voice", "face"]
    kinds = ["voice", *([] if example.map is None else ["weights"]), "strip"]
    if example.map is not None and stream_of(example) == "face":
        kinds = ["voice", "strip", "weights"]
    below = BAR if named_regions(example) or named_decoys(example) else 0.0
    heights = [{"voice": 0.85, "weights": 0.9, "strip": STRIP / n + below}[kind] for kind in kinds]
    with look():
        figure, rows = strip_rows(heights)
        for kind, row in zip(kinds, rows, strict=True):
            if kind == "voice":
                draw_waveform(row, numbers(example.samples))
                draw_words(row, example)
                row.set(ylabel="voice")
            elif kind == "weights":
                draw_own_attention(row, example)
            else:
                draw_faces(row, example, face, n)
                draw_bars(row, example, below / (STRIP / n))
            if kind != "strip":
                draw_regions(row, example, stream="voice" if kind == "voice" else None)
        default = f"{example.clip.speaker}, {example.clip.emotion}: {example.clip.sentence}"
        finish(figure, rows, example, title or (default if isinstance(shown, Clip) else verdict(example)))
        handles = weight_handles() if example.map is not None else []
        legend_below(figure, handles + span_handles([example], *streams))
        keep_square(figure, rows, rows[kinds.index("strip")], n)
    return Picture(figure, " ".join(describe_filmstrip(example, n, judged=example is shown)))


def describe_filmstrip(example: Example, n: int, *, judged: bool) -> list[str]:
    """The strip in sentences, and those of the map if a network has `judged` the clip."""
    clip, seconds = example.clip, len(example.samples) / SAMPLE_RATE
    text = [f"{n} frames of the face, one every {seconds / n:.2f} s, below {seconds:.1f} s of {clip.speaker},"]
    text[0] += f" {clip.emotion}." if judged else f" {clip.emotion}: {clip.sentence}"
    text += describe_truth(example)
    text += say_lost(face_of(example))
    return [*text, describe(example)] if judged else text


def describe_truth(example: Example) -> list[str]:
    """Where voice and face carry the emotion, by how much the face lags, and where the decoy is; in sentences."""
    text = []
    for stream in ("voice", "face"):
        if regions := true_regions(example, stream):
            names = shown_emotions(example, stream)
            named = [f"{spans([region])} ({name})" for region, name in zip(regions, names, strict=True)]
            where = listed(named) if len(set(names)) > 1 else spans(regions)
            text.append(f"The true region in the {stream} is {where}.")
    text += say_offset(example)
    for region, name in named_decoys(example):
        text.append(f"The face's decoy, {name}, is at {spans([region])}.")
    return text


def say_lost(face: Faces) -> list[str]:
    """A sentence about the frames in which no face was found, none if there are none."""
    lost = int((~face.found).sum())
    return [f"No face was found in {lost} of {len(face)} frames."] if lost else []


def unjudged(clip: Clip) -> Example:
    """A clip with its face, without a map and without a decision."""
    return example_of(clip, (clip.emotion,), None, torch.ones(1))


def face_of(example: Example) -> Faces:
    """The example's face; raises if its clip has no video."""
    if example.face is None:
        raise SertutError(
            f"the clip {example.clip.name} has no video; use a corpus with faces, such as planted, or show.attention."
        )
    return example.face


def draw_faces(axis: Axes, example: Example, face: Faces, n: int) -> None:
    """`n` frames side by side, each at the middle of its stretch of the clip; the axis has a height of 1."""
    seconds = len(example.samples) / SAMPLE_RATE
    width = seconds / n
    seen = face.crops[face.found]
    dark, bright = np.percentile(seen, (0.5, 99.5)) if len(seen) else (0, 255)  # of the clip: one light for all frames
    for i in range(n):
        left, at = i * width, (i + 0.5) * width
        nearest = int(np.abs(face.times - at).argmin())
        extent = (left, left + width, 0, 1)
        if face.found[nearest]:
            axis.imshow(face.crops[nearest], cmap="gray", vmin=dark, vmax=bright, extent=extent, aspect="auto")
        else:
            axis.add_patch(Rectangle((left, 0), width, 1, fc="#EEEEEE", ec="white"))
            axis.text(at, 0.5, "no\nface", ha="center", va="center", fontsize=10)
        for role, regions in (("region", true_regions(example, "face")), ("decoy", decoys(example, "face"))):
            if any(region.start <= at <= region.end for region in regions):
                inner = (left + 0.03 * width, 0.03), 0.94 * width, 0.94
                axis.add_patch(Rectangle(*inner, fill=False, ec=ROLES[role], lw=2.5, ls=EDGES[role], zorder=3))
    axis.set(ylim=(0, 1), ylabel="face")
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)


def draw_bars(axis: Axes, example: Example, height: float) -> None:
    """Below the frames a bar an expression, with its name, at its own seconds; height: in heights of a frame.

    Neighbors that touch and show the same have their name once.
    """
    named = [("region", region, name) for region, name in named_regions(example)]
    named += [("decoy", region, name) for region, name in named_decoys(example)]
    for role, region, _ in named:
        place = (region.start, -0.92 * height), region.end - region.start, 0.84 * height
        axis.add_patch(Rectangle(*place, fc=ROLES[role] + "40", ec=ROLES[role], ls=EDGES[role], lw=1.5))
    for start, end, name, side in _labels([(region, name) for _, region, name in named]):
        at = {"center": (start + end) / 2, "right": end - 0.02, "left": start + 0.02}[side]
        axis.text(at, -0.53 * height, name, ha=side, va="center", fontsize=9.5)
    axis.set_ylim(-height, 1)


def _labels(named: list[tuple[Region, str]]) -> list[tuple[float, float, str, str]]:
    """Start, end and name of each label, and how it is aligned: neighbors that touch lean away from each other."""
    labels: list[tuple[float, float, str]] = []
    for region, name in sorted(named, key=lambda pair: pair[0].start):
        joined = bool(labels) and labels[-1][2] == name and region.start - labels[-1][1] < TOUCHING
        start = labels.pop()[0] if joined else region.start
        labels.append((start, region.end, name))
    touch = [later[0] - earlier[1] < TOUCHING for earlier, later in itertools.pairwise(labels)]
    sides = {(False, True): "right", (True, False): "left"}
    found = zip([False, *touch], [*touch, False], strict=True)  # whether it touches the one before, the one after
    return [(*label, sides.get(pair, "center")) for label, pair in zip(labels, found, strict=False)]


def named_regions(example: Example) -> list[tuple[Region, str]]:
    """The true expressions of the face, with the emotion that each shows."""
    return list(zip(true_regions(example, "face"), shown_emotions(example, "face"), strict=True))


def shown_emotions(example: Example, stream: str) -> list[str]:
    """The emotion of each true region of a stream: the clip's own, unless it is a blend of several."""
    shown = example.clip.details.get({"voice": "cues", "face": "faces"}[stream])
    if isinstance(shown, tuple):
        return [name for name, _, _ in shown]
    return [example.clip.emotion] * len(true_regions(example, stream))


def named_decoys(example: Example) -> list[tuple[Region, str]]:
    """The misleading expression of the face, with the emotion that it shows."""
    return [(region, str(example.clip.details.get("decoy_emotion", "decoy"))) for region in decoys(example, "face")]


def strip_rows(heights: list[float], *, sharex: bool = True) -> tuple[Figure, list[Axes]]:
    """Rows of these heights, in inches, on one axis of seconds unless said otherwise."""
    figure, axes = canvas(
        len(heights), height=1.35 + 1.05 * sum(heights), sharex=sharex, gridspec_kw={"height_ratios": heights}
    )
    figure.set_layout_engine("constrained", hspace=0.02, h_pad=0.02)
    return figure, list(axes[:, 0])


def finish(figure: Figure, rows: list[Axes], example: Example, title: str) -> None:
    """One axis of seconds, and a title."""
    for row in rows:
        row.set_xlim(0, len(example.samples) / SAMPLE_RATE)
    rows[-1].set_xlabel("time (s)")
    rows[0].set_title("\n".join(textwrap.fill(line, 66) for line in title.splitlines()))
    figure.align_ylabels(rows)


def keep_square(figure: Figure, rows: list[Axes], strip: Axes, n: int) -> None:
    """Make the finished figure as high as it must be for the `n` frames of a strip, one of its rows, to be square."""
    figure.draw_without_rendering()  # only now it is known how much room titles, labels and legend take
    width, height = figure.get_size_inches()
    low, high = strip.get_ylim()
    frame = strip.get_position().height * height / (high - low)
    total = height * sum(row.get_position().height for row in rows)
    wanted = strip.get_position().width * width / n
    figure.set_size_inches(width, height + total * (wanted / frame - 1))


def weight_handles() -> list[Line2D]:
    """Entries of a legend for attention and its uniform level."""
    return [
        Line2D([], [], color=ROLES["attention"], lw=2, label="attention"),
        Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"),
    ]


def legend_below(figure: Figure, handles: list) -> None:
    """A legend outside the axes, if there is anything to explain."""
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=1.5, columnspacing=1.2)
