"""What each emotion looks at: perception attention, a row an emotion, below the face that it looks at."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.show.faces import BAR, STRIP, draw_bars, draw_faces, finish, keep_square, legend_below, strip_rows
from sertut.show.heads import borders
from sertut.show.maps import by_emotion, certainty, draw_words, uniform_level, verdict
from sertut.show.picture import Picture
from sertut.show.sound import draw_waveform, numbers
from sertut.show.spans import EDGES, decoys, span_handles, spans, stream_of, true_regions
from sertut.show.style import HEAT, ROLES, look
from sertut.signals import SAMPLE_RATE

ROW = 0.38
"""Inches that an emotion's row is high: two lines of its label."""
WIDE = 0.74
"""How wide the axes are, as a share of those of a filmstrip: the names of the emotions and the scale need room."""


def perception(example: Example, n: int = 10, *, title: str | None = None) -> Picture:
    """One row an emotion: the weights with which it reads the clip. Above them the face, or the voice without one.

    Beside each emotion stands its probability, and in words which one is true and which was predicted. The edges of the
    true region are green, those of a decoy vermilion and dashed, in the stream on whose clock the map is.

    Args:
        n: frames of the face that are drawn.

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
    brightest = np.quantile(weights, 0.995)
    head = 0.9 if example.face is None else WIDE * STRIP / n + BAR
    with look():
        figure, (above, rows) = strip_rows([head, ROW * len(weights)])
        if example.face is None:
            draw_waveform(above, numbers(example.samples))
            draw_words(above, example)
        else:
            draw_faces(above, example, example.face, n)
            draw_bars(above, example, BAR / (head - BAR))
        seconds = borders(example.map.clocks["time"], weights.shape[1])
        mesh = rows.pcolormesh(seconds, np.arange(len(weights) + 1), weights, cmap=HEAT, vmin=0, vmax=brightest)
        draw_edges(rows, example)
        rows.set_yticks(np.arange(len(weights)) + 0.5, row_labels(example))
        rows.tick_params(axis="y", length=0, labelsize=10.5)
        rows.invert_yaxis()
        what = "frame" if stream_of(example) == "face" else "step"
        extend = "max" if weights.max() > brightest else "neither"
        figure.colorbar(mesh, ax=rows, label=f"weight of a {what}", pad=0.02, extend=extend)
        above.set_ylabel("")
        finish(figure, [above, rows], example, title or verdict(example))
        legend_below(figure, span_handles([example]))
        if example.face is not None:
            keep_square(figure, [above, rows], above, n)
    return Picture(figure, describe_perception(example))


def row_labels(example: Example) -> list[str]:
    """Each emotion with its probability and, below it, whether it is the true or the predicted one."""
    labels = []
    for emotion, probability in zip(example.emotions, numbers(example.probabilities), strict=True):
        roles = {"true": example.clip.emotion, "predicted": example.predicted}
        marks = ", ".join(mark for mark, name in roles.items() if name == emotion)
        labels.append(f"{emotion} {probability:.2f}" + (f"\n{marks}" if marks else ""))
    return labels


def draw_edges(axis: Axes, example: Example) -> None:
    """The edges of the true region and of the decoy over a heat map."""
    rim = [withStroke(linewidth=3.4, foreground="white")]
    for role, regions in (("region", true_regions(example)), ("decoy", decoys(example))):
        for edge in (edge for region in regions for edge in (region.start, region.end)):
            axis.axvline(edge, color=ROLES[role], lw=1.8, ls=EDGES[role], path_effects=rim)


def describe_perception(example: Example) -> str:
    """Where each emotion looks most, in a sentence, for those who cannot see it."""
    assert example.map is not None
    clip, weights, regions = example.clip, numbers(example.map.of(0)), true_regions(example)
    centers = numbers(example.map.clocks["time"].centers(weights.shape[1]))
    peaks = []
    for emotion, row in zip(example.emotions, weights, strict=True):
        at = float(centers[row.argmax()])
        inside = " (inside)" if any(region.start <= at <= region.end for region in regions) else ""
        peaks.append(f"{emotion} {at:.2f} s{inside}, {row.max() / uniform_level(example):.1f} times uniform")
    text = f"Perception attention over {len(example.samples) / SAMPLE_RATE:.1f} s of a clip of {clip.speaker},"
    text += f" {clip.emotion}; predicted {example.predicted} with probability {certainty(example):.2f}."
    where = f" The true region in the {stream_of(example)} is {spans(regions)}." if regions else ""
    where += f" The decoy is at {spans(decoys(example))}." if decoys(example) else ""
    return f"{text}{where} Each emotion looks most at: {'; '.join(peaks)}."
