"""Attention over time: its weights, how they are drawn, and where their peak lies, in words."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sertut.evidence import Example, Selection
from sertut.show.picture import Picture, numbers
from sertut.show.rows import Row, borders, compose, mark_spans
from sertut.show.sounds import behind, level_row, spectrogram_row, waveform_row
from sertut.show.style import ROLES
from sertut.show.words import decided, decoys, length, of_clip, spans, stream_of, true_regions, verdict, where


def attention(example: Example, *, title: str | None = None) -> Picture:
    """Waveform, spectrogram, attention and level of one clip, on one time axis.

    The true region is green on every row, the decoy (where there is one) vermilion and dashed, both of the stream that
    the row shows; the dotted line is uniform attention, 1/N for N steps. A clip without a known region, or a model
    without a map, leaves that part out.
    """
    own = [] if example.map is None else [weights_row(example)]
    rows = [waveform_row(example), spectrogram_row(example), *own, level_row(example)]
    return compose(rows, verdict(example) if title is None else title, says="" if own else describe(example))


def attentions(examples: Iterable[Example]) -> Picture:
    """Small multiples: the attention of several clips, one row each, over a faint waveform, on one scale of seconds.

    Args:
        examples: e.g. ``report.typical()``, whose rule of choice becomes part of the text alternative.
    """
    shown = list(examples)
    longest = max(length(example) for example in shown)
    rows = [replace(weights_row(one).also(behind(one)), seconds=longest, title=verdict(one)) for one in shown]
    rule = f" {examples.rule}" if isinstance(examples, Selection) else ""
    return compose(rows, "", says=f"{len(shown)} clips.{rule}")


def time_weights(example: Example) -> tuple[np.ndarray, np.ndarray]:
    """Weights (N,) of the N real steps and their N + 1 borders in seconds, of an example that has a map.

    Of a map with one row an emotion they are those of the emotion that was predicted.
    """
    map_ = example.map
    assert map_ is not None
    over_time = (map_.emotion(example.emotions.index(example.predicted)) if by_emotion(example) else map_).over_time()
    values = numbers(over_time.of(0))
    return values, borders(over_time.clocks["time"], len(values))


def by_emotion(example: Example) -> bool:
    """Whether the map has a row for each emotion (perception attention)."""
    return example.map is not None and "emotion" in example.map.axes


def uniform_level(example: Example) -> float:
    """The weight of every step that counts if all have the same: a frame without a face does not count."""
    assert example.map is not None
    return 1 / max(1, int(example.map.mask[0].sum()))


def weights_row(example: Example, *, color: str = ROLES["attention"], name: str = "attention", label: str = "") -> Row:
    """The attention of an example that has a map; the label says so if it is attention to the face."""
    found = time_weights(example)
    label = label or ("weight of\na frame" if stream_of(example) == "face" else "weight\nof a step")

    def draw(axis: Axes) -> None:
        draw_weights(axis, *found, uniform_level(example), color=color, name=name)
        axis.set_ylabel(label)
        mark_spans(axis, example)

    return Row(draw, 1.2, length(example), describe(example))


def draw_weights(
    axis: Axes,
    values: np.ndarray,
    edges: np.ndarray,
    level: float,
    *,
    color: str = ROLES["attention"],
    name: str = "attention",
    up: bool = False,
) -> None:
    """Weights (N,) as steps between N + 1 edges, and the uniform `level`; up: time, or frequency, goes up."""
    way: Any = "horizontal" if up else "vertical"
    axis.stairs(values, edges, orientation=way, color=color, fill=True, alpha=0.35, lw=0)
    axis.stairs(values, edges, orientation=way, color=color, lw=1.6, baseline=None, label=name)
    (axis.axvline if up else axis.axhline)(level, color=ROLES["uniform"], ls=":", lw=1.4, label="uniform")
    axis.set(**{"xlim" if up else "ylim": (0, 1.15 * max(float(values.max()), 1.5 * level))})


def describe(example: Example) -> str:
    """One clip's map in a sentence, for those who cannot see it."""
    if example.map is None:
        return f"{of_clip(example)}, without an attention map{where(example)}; {decided(example)}."
    values, level = time_weights(example)[0], uniform_level(example)
    what = "Attention to the face" if stream_of(example) == "face" else "Attention"
    head = f"{what}{f' for {example.predicted}' if by_emotion(example) else ''} over {of_clip(example)}"
    if np.allclose(values[values > 0], level):
        return f"{head}: every step has the same weight{where(example)}; {decided(example)}."
    times = f"it is {values.max() / level:.1f} times the uniform level"
    return f"{head}: {describe_peak(example)}; {times}; {decided(example)}."


def describe_peak(example: Example) -> str:
    """``the peak at 1.02 s lies inside the true region 0.90 to 1.15 s``, for an example that has a map."""
    (values, edges), regions = time_weights(example), true_regions(example)
    step = int(values.argmax())
    peak = (edges[step] + edges[step + 1]) / 2
    if not regions:
        return f"the peak at {peak:.2f} s"
    inside = any(region.start <= peak <= region.end for region in regions)
    decoy = "".join(f" (decoy {spans([region])})" for region in decoys(example))
    return f"the peak at {peak:.2f} s lies {'inside' if inside else 'outside'} the true region {spans(regions)}{decoy}"
