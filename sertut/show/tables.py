"""Tables of numbers, drawn so that the pattern is seen before the digits are read: counts, spectrograms, filters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from sertut.corpora import Corpus
from sertut.evidence.cells import band_hz
from sertut.show.picture import Picture, canvas, chart, listed, numbers
from sertut.show.style import BLACK, HEAT, ROLES
from sertut.show.weights import draw_spectrogram
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, Batch, frame_seconds, log_mel

MANY = 14
"""With more columns than these there is no room for numbers in the cells."""


def corpus(data: Corpus) -> Picture:
    """Number of clips of each emotion (rows) and speaker (columns); the margins' totals stand beside the names."""
    speakers, emotions = data.speakers, data.emotions
    counts = np.zeros((len(emotions), len(speakers)), dtype=int)
    for clip in data:
        counts[data.label(clip), speakers.index(clip.speaker)] += 1
    totals = counts.sum(axis=1)
    rows = [f"{emotion} ({n})" for emotion, n in zip(emotions, totals, strict=True)]
    with chart(height=1.9 + 0.36 * len(emotions)) as (figure, axis):
        names = [speaker.partition(" ") for speaker in speakers]  # "actor 03": the word that all share says nothing
        same = len({name[:2] for name in names}) == 1
        short = [name[2] or name[0] if same else "".join(name) for name in names]
        draw_table(axis, counts, rows, short, "clips", fmt="d", vmin=0, linewidths=0.5)
        axis.set(xlabel=f"{len(speakers)} speakers", title=f"{data.name}: {len(data)} clips")
    cells = f"{counts.min()} to {counts.max()}" if counts.min() < counts.max() else f"{counts.max()}"
    by_emotion = ", ".join(f"{emotion} {n}" for emotion, n in zip(emotions, totals, strict=True))
    alt = (
        f"{data.name}: {len(data)} clips of {len(speakers)} speakers and {len(emotions)} emotions ({by_emotion});"
        f" {cells} clips for each pair of speaker and emotion."
    )
    return Picture(figure, alt)


def heatmap(table: pd.DataFrame, *, measure: str, span: tuple[float, float] | None = None) -> Picture:
    """Numbers by row and column, e.g. where each emotion's question looks (rows) by the clip's true emotion (columns).

    Cells whose row and column have the same name, such as an emotion's question in clips of this emotion, get a frame;
    NaN leaves a cell empty.

    Args:
        table: its index and its columns name the axes (``index.name``, ``columns.name``).
        measure: what the numbers are, for the color bar. span: of the colors, by default from the least to the most,
            but ten steps of the second digit at least, or numbers that read the same would look different.
    """
    values, columns = table.to_numpy(dtype=float), list(table.columns)
    low, high = span or (float(np.nanmin(values)), float(np.nanmax(values)))
    high = high if span else max(high, low + 0.1)
    own = np.array([[row == column for column in columns] for row in table.index]) & ~np.isnan(values)
    form = ".2f" if (values % 0.5 > 0).any() else "g"  # of ranks and counts: as they are
    with chart(height=2.0 + 0.44 * len(table)) as (figure, axis):
        draw_table(axis, values, list(table.index), columns, measure, True, fmt=form, vmin=low, vmax=high)
        for row, column in np.argwhere(own):
            axis.add_patch(Rectangle((column, row), 1, 1, fill=False, ec=ROLES["region"], lw=3, clip_on=False))
        axis.set(xlabel=table.columns.name or "", ylabel=table.index.name or "")
    text = f"{measure}, {table.index.name or 'rows'} by {table.columns.name or 'columns'}."
    others = own.any(axis=1, keepdims=True) & ~own & ~np.isnan(values)  # a row without a frame may be a baseline
    if own.any() and others.any():
        means = values[own].mean(), values[others].mean()
        text += f" Mean of the framed cells {means[0]:.2f}, of the others in the same rows {means[1]:.2f}."
    for name, row in zip(table.index, values, strict=True):
        parts = [f"{column} {n:{form}}" for column, n in zip(columns, row, strict=True) if not np.isnan(n)]
        text += f" {name}: {listed(parts) or 'empty'}."
    return Picture(figure, text)


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
        hatched: Any = {"height": 1, "color": "none", "ec": "#AAAAAA", "hatch": "///", "lw": 0}
        axis.barh(range(clips), longest - lengths, left=lengths, **hatched)
        axis.set_yticks(range(clips), [f"clip {row + 1}: {length}" for row, length in enumerate(lengths)])
        hop = f"frame (one every {batch.hop * 1000:.0f} ms)"
        axis.set(xlabel=f"{hop}; hatched: padding", ylabel="real frames", title=title)
    alt = (
        f"{clips} clips padded to {longest} frames; real frames: {listed([str(length) for length in lengths])};"
        f" {100 * (1 - mask.mean()):.0f} % of the table is padding."
    )
    return Picture(figure, alt)


def pixels(images: Mapping[str, torch.Tensor], *, columns: int = 4) -> Picture:
    """One gray picture (height, width) a name, each from its own darkest to its own brightest pixel."""
    rows = -(-len(images) // columns)
    with canvas(rows, columns, height=1.9 * rows) as (figure, axes):
        figure.set_layout_engine("compressed")  # or the names of square pictures would leave the figure
        for axis in axes.ravel():
            axis.set_axis_off()
        for axis, (name, image) in zip(axes.ravel(), images.items(), strict=False):
            axis.imshow(numbers(image), cmap="gray")
            axis.set_title(name, fontsize=11, loc="center")
    return Picture(figure, f"{len(images)} gray pictures: {listed(list(images))}.")


def smoothness(block: torch.Tensor) -> float:
    """Mean correlation of a weight with its neighbors above and beside it, over filters (D, h, w): 0 for noise."""
    centered = block - block.mean(dim=(1, 2), keepdim=True)
    power = centered.square().mean(dim=(1, 2)).clamp(min=1e-12)
    down = (centered[:, 1:] * centered[:, :-1]).mean(dim=(1, 2)) / power
    across = (centered[:, :, 1:] * centered[:, :, :-1]).mean(dim=(1, 2)) / power
    return float((down + across).mean() / 2)


def draw_table(
    axis: Axes, values: np.ndarray, rows: list[str], columns: list[str], measure: str, slanted=False, **options: Any
) -> None:
    """Cells in color, each with its number if there is room; `measure` stands at the scale. slanted: long names."""
    import seaborn  # slow to import, and every picture would wait for it

    many = len(columns) > MANY
    looks = {"cmap": HEAT, "cbar_kws": {"label": measure, "pad": 0.02}, "annot_kws": {"fontsize": 10.5}}
    looks |= {"annot": not many} | options
    seaborn.heatmap(values, xticklabels=columns, yticklabels=rows, ax=axis, **looks)
    mesh = axis.collections[0]
    for text in axis.texts:  # seaborn writes white on tan, too; below this luminance white has more contrast
        column, row = map(int, text.get_position())
        text.set_color("white" if seaborn.utils.relative_luminance(mesh.to_rgba(values[row, column])) < 0.18 else BLACK)
    axis.tick_params(length=0)
    turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {"rotation": 90 if many else 0}
    named = slice(len(columns) // 2 % 2, None, 2) if many and slanted else slice(None)  # the middle one is
    axis.set_xticks(axis.get_xticks()[named], columns[named], fontsize=10.5, **turned)
