"""Faces along time: frames at their own seconds below the voice, and the spans in which both carry the emotion."""

import itertools
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from sertut.corpora import Clip, Region
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.examples import example_of
from sertut.show import words
from sertut.show.picture import Picture, listed, numbers
from sertut.show.rows import SPANS, Heat, Row, borders, compose, mark_spans, span_look
from sertut.show.style import BLACK, RIM, ROLES, STREAMS, WIDTH
from sertut.show.weights import behind, by_emotion, describe_peak, uniform_level, waveform_row, weights_row
from sertut.video import Faces

FRAMES = 12
"""How many frames of the face stand side by side."""
SIDE = 0.86 * WIDTH / FRAMES
"""Inches of a frame; the rest of the width is for the labels of the axes."""
BAR = 0.26
"""Inches below the frames for the bars that say when an expression is on."""
TOUCHING = 0.05
"""Seconds; two expressions that are less apart are shown as one where they are the same."""


def filmstrip(shown: Example | Clip, *, title: str | None = None) -> Picture:
    """The voice above, the face below on the same axis of seconds, with the spans in which each carries the emotion.

    Of the face 12 frames are drawn, each in the middle of its own stretch of the clip and framed like the span that it
    lies in. The bars below name the expressions: the true one is green, a decoy vermilion and dashed. The weights of a
    map have a row of their own, below the stream that they weigh.

    Args:
        shown: an example, or a clip that no network has judged.

    Raises:
        SertutError: the clip has no video.
    """
    example = as_example(shown)
    face, clip, seconds = face_of(example), example.clip, words.length(example)
    rows = [waveform_row(example, "voice"), faces_row(example)]
    if example.map is not None:
        rows.insert(2 if words.stream_of(example) == "face" else 1, weights_row(example))
    name = f"{clip.speaker}, {clip.emotion}"
    long = f"{name}: {clip.sentence}"
    says = f"{FRAMES} frames of the face, one every {seconds / FRAMES:.2f} s, below {seconds:.1f} s of "
    says += long if example is not shown else f"{name}."
    default = words.verdict(example) if example is shown else long
    says = " ".join([says, *describe_truth(example), *say_lost(face)])
    return compose(rows, default if title is None else title, says=says)


def two_streams(voice: Example, face: Example) -> Picture:
    """The attention of two networks of the same clip on one axis: one has only heard it, the other has only seen it.

    The true regions are green; the arrow between their rows is the known offset of the face.

    Args:
        voice, face: the clip as each network judged it; their maps are on the clock of their own stream.

    Raises:
        SertutError: the examples are of two clips, or a map is missing or of the other stream.
    """
    judged = {"voice": voice, "face": face}
    for stream, example in judged.items():
        if example.map is None or words.stream_of(example) != stream:
            raise SertutError(
                f"the example of the {stream} has no attention to it; pass one of a network that attends to it."
            )
    if voice.clip.name != face.clip.name:
        raise SertutError(
            f"the voice is of clip {voice.clip.name}, the face of clip {face.clip.name}; pass one clip twice."
        )
    heard, seen = (
        replace(
            weights_row(one, color=STREAMS[stream], name=f"attention, {stream}", label=f"{stream}:\nweight"),
            says=f"That of the {stream}: {describe_peak(one)}.",
        )
        for stream, one in judged.items()
    )
    arrow = Row(lambda axis: _draw_offset(axis, voice), 0.5, words.length(voice))
    said = ", ".join(f"{one.predicted} by {stream} ({words.certainty(one):.2f})" for stream, one in judged.items())
    last = f"{words.say_offset(voice)} Predicted: {said}.".strip()
    rows = [heard.also(behind(voice)), arrow, seen, replace(faces_row(face), says=last)]
    title = f"{voice.clip.speaker}, {voice.clip.emotion}.\nPredicted: {said}"
    return compose(rows, title, says=f"Attention of two networks over {words.of_clip(voice)}.")


def perception(example: Example) -> Picture:
    """One row an emotion: the weights with which it reads the clip. Above them the face, or the voice without one.

    Beside each emotion stands its probability, and in words which one is true and which was predicted. The true region
    has a green bar and hairlines, a decoy vermilion and dashed ones, in the stream on whose clock the map is.

    Raises:
        SertutError: the model has no map with the axes emotion and time.
    """
    if not by_emotion(example):
        raise SertutError(
            "this model has no attention of its own for each emotion; use show.attention or show.filmstrip, or an"
            " AudioVisual model with pooling='perception'."
        )
    assert example.map is not None
    weights = numbers(example.map.of(0))  # (K, T)
    clock, colors = example.map.clocks["time"], Heat(weights)
    roles = {"true": example.clip.emotion, "predicted": example.predicted}
    marks = [", ".join(role for role, name in roles.items() if name == emotion) for emotion in example.emotions]
    told = zip(example.emotions, numbers(example.probabilities), marks, strict=True)
    labels = [f"{emotion} {probability:.2f}" + f"\n({mark})" * bool(mark) for emotion, probability, mark in told]

    def draw(axis: Axes) -> None:
        seconds = borders(clock, weights.shape[1])
        colors.draw(axis, seconds, np.arange(len(weights) + 1), weights)
        axis.set_yticks(np.arange(len(weights)) + 0.5, labels)
        axis.tick_params(axis="y", length=0, labelsize=10)
        axis.set_ylim(len(weights), 0)
        what = "frame" if words.stream_of(example) == "face" else "step"
        colors.scale(axis.figure, f"weight of a {what}", ax=axis, pad=0.02)
        mark_spans(axis, example, fine=True)

    regions, centers, peaks = words.true_regions(example), numbers(clock.centers(weights.shape[1])), []
    for emotion, row in zip(example.emotions, weights, strict=True):
        at = float(centers[row.argmax()])
        inside = " (inside)" if any(region.start <= at <= region.end for region in regions) else ""
        peaks.append(f"{emotion} {at:.2f} s{inside}, {row.max() / uniform_level(example):.1f} times uniform")
    text = f"Perception attention over {words.of_clip(example)}; {words.decided(example)}."
    text += f" The true region in the {words.stream_of(example)} is {words.spans(regions)}." if regions else ""
    text += f" The decoy is at {words.spans(words.decoys(example))}." if words.decoys(example) else ""
    says = f"{text} Each emotion looks most at: {'; '.join(peaks)}."
    above = waveform_row(example, "") if example.face is None else faces_row(example)
    rows = [above, Row(draw, 0.62 * len(weights), words.length(example), says)]
    return compose(rows, words.verdict(example))


def describe_truth(example: Example, streams: Collection[str] = ("voice", "face")) -> list[str]:
    """Where the streams carry the emotion, by how much the face lags, and where the decoys are; in sentences."""
    text = []
    for stream in streams:
        if regions := words.true_regions(example, stream):
            names = shown_emotions(example, stream)
            named = [f"{words.spans([region])} ({name})" for region, name in zip(regions, names, strict=True)]
            where = listed(named) if len(set(names)) > 1 else words.spans(regions)
            text.append(f"The true region in the {stream} is {where}.")
    if len(streams) > 1 and (offset := words.say_offset(example)):
        text.append(offset)
    for stream in streams:
        what = f", {example.clip.details.get('decoy_emotion', 'decoy')}," if stream == "face" else ""
        if found := words.decoys(example, stream):
            text.append(f"The {stream}'s decoy{what} is at {words.spans(found)}.")
    return text


def say_lost(face: Faces) -> list[str]:
    """A sentence about the frames in which no face was found, none if there are none."""
    lost = int((~face.found).sum())
    return [f"No face was found in {lost} of {len(face)} frames."] if lost else []


def as_example(shown: Example | Clip) -> Example:
    """An example as it is; a clip with its sound and its face, without a map and without a decision."""
    return shown if isinstance(shown, Example) else example_of(shown, (shown.emotion,), None, torch.ones(1))


def face_of(example: Example) -> Faces:
    """The example's face; raises if its clip has no video."""
    if example.face is None:
        raise SertutError(
            f"the clip {example.clip.name} has no video; use a corpus with faces, such as planted, or show.attention."
        )
    return example.face


def faces_row(example: Example) -> Row:
    """Frames of the face, each at the middle of its stretch of the clip; a frame has a height of 1 on the axis.

    Below the frames stands a bar for each expression that is known, with its name, at its own seconds.
    """
    face, seconds = face_of(example), words.length(example)
    width = seconds / FRAMES
    seen = face.crops[face.found]
    dark, bright = np.percentile(seen, (0.5, 99.5)) if len(seen) else (0, 255)  # of the clip: one light for all frames
    # The true and the misleading expressions, each with the emotion that it shows.
    decoy, true = str(example.clip.details.get("decoy_emotion", "decoy")), words.true_regions(example, "face")
    named = {"region": list(zip(true, shown_emotions(example, "face"), strict=True))}
    named["decoy"] = [(region, decoy) for region in words.decoys(example, "face")]
    below = BAR / SIDE if any(named.values()) else 0.0

    def draw(axis: Axes) -> None:
        for left in np.arange(FRAMES) * width:
            at = left + width / 2
            nearest = int(np.abs(face.times - at).argmin())
            if face.found[nearest]:
                extent = (left, left + width, 0.0, 1.0)
                axis.imshow(face.crops[nearest], cmap="gray", vmin=dark, vmax=bright, extent=extent, aspect="auto")
            else:
                axis.add_patch(Rectangle((left, 0), width, 1, fc="#EEEEEE", ec="white"))
                axis.text(at, 0.5, "no\nface", ha="center", va="center", fontsize=10)
            for role, found in named.items():
                if any(region.start <= at <= region.end for region, _ in found):
                    inner = (left + 0.03 * width, 0.03), 0.94 * width, 0.94
                    axis.add_patch(Rectangle(*inner, fill=False, ec=ROLES[role], lw=2.5, ls=SPANS[role][1], zorder=3))
        for role, found in named.items():
            for region, _ in found:
                place = (region.start, -0.92 * below), region.end - region.start, 0.84 * below
                axis.add_patch(Rectangle(*place, label=SPANS[role][0], **span_look(role)))
        labels = _labels([pair for found in named.values() for pair in found])
        taken = [(start, end) for start, end, _, _ in labels]
        for start, end, name, side in labels:
            at = {"center": (start + end) / 2, "right": end - 0.02, "left": start + 0.02}[side]
            wide = seconds / (0.62 * 72 * WIDTH) * (TextPath((0, 0), name, size=9.5).get_extents().width + 5)
            if side == "center" and wide > end - start:  # beside the bar, where there is room
                for low, way in ((end, "left"), (start - wide, "right")):
                    if low >= 0 and low + wide <= seconds and all(low + wide <= a or b <= low for a, b in taken):
                        at, side = low + wide * (0.1 if way == "left" else 0.9), way
                        taken.append((low, low + wide))
                        break
            axis.text(at, -0.53 * below, name, ha=side, va="center", fontsize=9.5, path_effects=RIM)
        axis.set(ylim=(-below, 1), ylabel="face", yticks=[])
        axis.spines["left"].set_visible(False)

    return Row(draw, SIDE * (1 + below), seconds, frames=FRAMES)


def shown_emotions(example: Example, stream: str) -> list[str]:
    """The emotion of each true region of a stream: the clip's own, unless it is a blend of several."""
    shown = example.clip.details.get({"voice": "cues", "face": "faces"}[stream])
    if isinstance(shown, tuple):
        return [name for name, _, _ in shown]
    return [example.clip.emotion] * len(words.true_regions(example, stream))


def _labels(named: list[tuple[Region, str]]) -> list[tuple[float, float, str, str]]:
    """Start, end, name and alignment of each label: neighbors that touch share a name or lean away from each other."""
    labels: list[tuple[float, float, str]] = []
    for region, name in sorted(named, key=lambda pair: pair[0].start):
        joined = labels and labels[-1][2] == name and region.start - labels[-1][1] < TOUCHING
        labels.append((labels.pop()[0] if joined else region.start, region.end, name))
    touch = [after[0] - before[1] < TOUCHING for before, after in itertools.pairwise(labels)]
    sides = {(False, True): "right", (True, False): "left"}
    found = zip([False, *touch], [*touch, False], strict=True)  # whether it touches the one before, the one after
    return [(*label, sides.get(pair, "center")) for label, pair in zip(labels, found, strict=False)]


def _draw_offset(axis: Axes, example: Example) -> None:
    """An arrow from the voice's region to where the face follows, with what it says in words."""
    axis.axis("off")
    axis.set_ylim(0, 1)
    offset, regions = words.known_offset(example), words.true_regions(example, "voice")
    if offset is None or not regions:
        return
    start = (regions[0].start + regions[0].end) / 2
    axis.plot([start] * 2, [0.5, 1], color=STREAMS["voice"], lw=1.5)
    axis.plot([start + offset] * 2, [0, 0.5], color=STREAMS["face"], lw=1.5)
    axis.annotate("", (start + offset, 0.5), (start, 0.5), arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1.8})
    ends = sorted((start, start + offset))
    early = sum(ends) < words.length(example)  # then there is more room on the right
    at = ends[1] + 0.1 if early else ends[0] - 0.1
    axis.text(at, 0.5, f"face {words.later(offset)}", ha="left" if early else "right", va="center")
