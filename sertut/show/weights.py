"""One clip along time: its sound, and the attention to it; how they are drawn, and where the peak lies, in words."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.textpath import TextPath

from sertut.corpora import Region
from sertut.evidence import Example, Selection
from sertut.evidence.cells import mel_band
from sertut.show.picture import Picture, numbers
from sertut.show.rows import Draw, Row, borders, compose, mark_spans, whole
from sertut.show.style import RIM, ROLES, SPECTRUM, WIDTH
from sertut.show.words import decided, decoys, length, of_clip, spans, stream_of, true_regions, verdict, where
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, frame_seconds

TICKS_HZ = (200, 500, 1000, 2000, 4000, 8000)


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
    color=ROLES["attention"],
    name="attention",
    up=False,
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


def waveform_row(example: Example, label: str = "amplitude") -> Row:
    """The waveform with the true spans of the voice, and above it the spoken words, if it is known when they are."""

    def draw(axis: Axes) -> None:
        draw_waveform(axis, example)
        axis.set_ylabel(label)
        words = example.clip.details.get("words")
        if isinstance(words, tuple):
            axis.set_ylim(top=1.9 * axis.get_ylim()[1])
            _write_words(axis, words, example)
        mark_spans(axis, example, "voice")

    return Row(draw, 0.9, length(example))


def _write_words(axis: Axes, words: tuple[tuple[str, float, float], ...], example: Example) -> None:
    """Words (word, start, end) above their seconds in two lines; one that has room in neither is left out.

    A word moves a little where it would leave the axes or touch the edge of a span.
    """
    seconds, spans = length(example), true_regions(example, "voice") + decoys(example, "voice")
    per_point = seconds / (0.8 * 72 * WIDTH)  # seconds; the labels take about a fifth of the width
    looks: Any = {"transform": axis.get_xaxis_transform(), "ha": "center", "va": "top", "zorder": 4}
    ends = [-np.inf, -np.inf]
    for word, start, end in (spoken for spoken in words if spoken[0].strip()):
        middle, half = (start + end) / 2, per_point * (TextPath((0, 0), word, size=10).get_extents().width / 2 + 2)
        crossed = [edge for span in spans for edge in (span.start, span.end) if abs(middle - edge) < half]
        if len(crossed) == 1 and abs(middle - crossed[0]) > half / 3:
            middle = crossed[0] + np.copysign(half, middle - crossed[0])
        middle = min(max(middle, half), seconds - half)
        if free := [line for line in (0, 1) if middle - half >= ends[line]]:
            ends[free[0]] = middle + half
            axis.text(middle, 0.99 - 0.19 * free[0], word, fontsize=10, path_effects=RIM, **looks)


def spectrogram_row(example: Example) -> Row:
    """The spectrogram with the true spans of the voice."""

    def draw(axis: Axes) -> None:
        draw_spectrogram(axis, numbers(example.spectrogram))
        mark_spans(axis, example, "voice", over=band_edges)

    return Row(draw, 1.5, length(example))


def level_row(example: Example) -> Row:
    """The level of each frame, dB, with the true spans of the voice."""

    def draw(axis: Axes) -> None:
        level = numbers(example.level)
        axis.plot(frame_seconds(len(level)), level, color=ROLES["energy"], lw=1.6)
        axis.set(ylabel="level\n(dB)", ylim=(max(level.min(), level.max() - 60) - 3, level.max() + 3))
        mark_spans(axis, example, "voice")

    return Row(draw, 0.9, length(example))


def draw_waveform(axis: Axes, example: Example, color: str = "#555555") -> None:
    """The waveform, seconds against full scale, with zero in the middle."""
    samples = numbers(example.samples)
    axis.plot(np.arange(len(samples)) / SAMPLE_RATE, samples, lw=0.5, color=color)
    top = 1.05 * max(float(np.abs(samples).max()), 1e-3)
    axis.set(xlim=(0, length(example)), ylim=(-top, top), ylabel="amplitude", yticks=[0])


def behind(example: Example) -> Draw:
    """The waveform, faint, behind what a row shows; it has no axis of its own."""

    def draw(axis: Axes) -> None:
        inner = axis.inset_axes((0, 0, 1, 1), zorder=-1, sharex=axis)
        draw_waveform(inner, example, color="#BBBBBB")
        inner.axis("off")

    return draw


def draw_spectrogram(axis: Axes, table: np.ndarray, cmap: str = SPECTRUM) -> AxesImage:
    """The log-mel table (T, bands) on `axis`, with ticks in Hz; returns the image. Shows the upper 70 dB."""
    bands = table.shape[1]
    centers = frame_seconds(len(table))
    extent = (float(centers[0]) - HOP_SECONDS / 2, float(centers[-1]) + HOP_SECONDS / 2, -0.5, bands - 0.5)
    looks: Any = {"origin": "lower", "aspect": "auto", "extent": extent, "cmap": cmap}
    image = axis.imshow(table.T, vmin=table.max() - 70, vmax=table.max(), **looks)
    names = [f"{hz / 1000:g}k" if hz >= 1000 else str(hz) for hz in TICKS_HZ]
    axis.set_yticks([mel_band(hz, bands) for hz in TICKS_HZ], names)
    axis.set(ylabel="frequency\n(Hz)", ylim=(-0.5, bands - 0.5))
    return image


def band_edges(region: Region, axis: Axes) -> tuple[float, float]:
    """Lower and upper edge of a region on the band axis of a spectrogram; its own edges where no band is known."""
    low, high = whole(region, axis)
    return low if region.low is None else mel_band(region.low), high if region.high is None else mel_band(region.high)
