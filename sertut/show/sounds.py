"""Sound: waveform, level and spectrogram as rows of a picture; spectrograms alone; batches with their padding."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from sertut.corpora import Region
from sertut.evidence import Example
from sertut.evidence.cells import band_hz, mel_band
from sertut.show.picture import Picture, canvas, chart, listed, numbers
from sertut.show.rows import Draw, Row, mark_spans, whole
from sertut.show.style import HEAT, ROLES, SPECTRUM, WIDTH
from sertut.show.words import decoys, length, true_regions
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, Batch, frame_seconds, log_mel

TICKS_HZ = (200, 500, 1000, 2000, 4000, 8000)


def spectrogram(sound: np.ndarray | torch.Tensor, *, title: str) -> Picture:
    """Draw a log-mel spectrogram: time in seconds, frequency in Hz on the mel scale, level in dB.

    Args:
        sound: samples (n,), 16 kHz, or a log-mel spectrogram (T, bands), dB.
    """
    return spectrograms({title: sound})


def spectrograms(sounds: Mapping[str, np.ndarray | torch.Tensor], *, title: str = "") -> Picture:
    """Log-mel spectrograms side by side, on one scale of time, frequency and level: to see what differs.

    Args:
        sounds: title of each column -> samples (n,), 16 kHz, or a log-mel spectrogram (T, bands), dB.
    """
    tables = {name: numbers(log_mel(numbers(x)) if x.ndim == 1 else x) for name, x in sounds.items()}
    seconds = [len(x) / SAMPLE_RATE if x.ndim == 1 else len(x) * HOP_SECONDS for x in sounds.values()]
    loudest = max(float(table.max()) for table in tables.values())
    parts = []
    with canvas(1, len(sounds), height=2.9, sharex=True, sharey=True) as (figure, axes):
        for axis, duration, (name, table) in zip(axes[0], seconds, tables.items(), strict=True):
            image = draw_spectrogram(axis, table)
            image.set_clim(loudest - 70, loudest)
            axis.set(xlabel="time (s)", title=name, xlim=(0, max(seconds)))
            axis.label_outer()
            t, band = np.unravel_index(table.argmax(), table.shape)
            at = f"{band_hz(table.shape[1])[band]:.0f} Hz at {frame_seconds(len(table))[t]:.2f} s"
            size = f"{duration:.2f} s, {len(table)} frames by {table.shape[1]} bands"
            parts.append(f"{' '.join(name.split())}, {size}, strongest with {table.max():.0f} dB near {at}")
        figure.colorbar(image, ax=list(axes[0]), label="level (dB)", pad=0.01)
        figure.suptitle(title, wrap=True)
    return Picture(figure, f"{title + ': ' if title else ''}log-mel spectrograms: {'. '.join(parts)}.")


def padding(batch: Batch, *, title: str) -> Picture:
    """Draw a batch as the model gets it: one row a clip, the mean feature of each frame, padding in hatched gray."""
    mask, lengths = numbers(batch.mask), numbers(batch.lengths)
    clips, longest = mask.shape
    frames = np.ma.array(numbers(batch.features).mean(axis=2), mask=~mask)  # (B, T)
    with chart(height=1.3 + 0.3 * clips) as (figure, axis):
        axis.set_facecolor("#E8E8E8")
        axis.imshow(frames, aspect="auto", cmap=HEAT, interpolation="nearest", extent=(0, longest, clips - 0.5, -0.5))
        axis.barh(
            range(clips), longest - lengths, left=lengths, height=1, color="none", ec="#AAAAAA", hatch="///", lw=0
        )
        axis.set_yticks(range(clips), [f"clip {row + 1}: {length}" for row, length in enumerate(lengths)])
        axis.set(
            xlabel=f"frame (one every {batch.hop * 1000:.0f} ms); hatched: padding", ylabel="real frames", title=title
        )
    alt = (
        f"{clips} clips padded to {longest} frames; real frames: {listed([str(length) for length in lengths])};"
        f" {100 * (1 - mask.mean()):.0f} % of the table is padding."
    )
    return Picture(figure, alt)


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
    ends, rim = [-np.inf, -np.inf], [withStroke(linewidth=3, foreground="white")]
    for word, start, end in (spoken for spoken in words if spoken[0].strip()):
        middle, half = (start + end) / 2, per_point * (TextPath((0, 0), word, size=10).get_extents().width / 2 + 2)
        crossed = [edge for span in spans for edge in (span.start, span.end) if abs(middle - edge) < half]
        if len(crossed) == 1 and abs(middle - crossed[0]) > half / 3:
            middle = crossed[0] + np.copysign(half, middle - crossed[0])
        middle = min(max(middle, half), seconds - half)
        if free := [line for line in (0, 1) if middle - half >= ends[line]]:
            ends[free[0]] = middle + half
            axis.text(middle, 0.99 - 0.19 * free[0], word, fontsize=10, path_effects=rim, **looks)


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
    image = axis.imshow(
        table.T, origin="lower", aspect="auto", extent=extent, cmap=cmap, vmin=table.max() - 70, vmax=table.max()
    )
    axis.set_yticks(
        [mel_band(hz, bands) for hz in TICKS_HZ], [f"{hz / 1000:g}k" if hz >= 1000 else str(hz) for hz in TICKS_HZ]
    )
    axis.set(ylabel="frequency\n(Hz)", ylim=(-0.5, bands - 0.5))
    return image


def band_edges(region: Region, axis: Axes) -> tuple[float, float]:
    """Lower and upper edge of a region on the band axis of a spectrogram; its own edges where no band is known."""
    low, high = whole(region, axis)
    return low if region.low is None else mel_band(region.low), high if region.high is None else mel_band(region.high)
