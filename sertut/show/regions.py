"""Maps over time and frequency: which cells of the spectrogram weigh, and how much of it each cell has seen.

A cell is drawn where it lies and as large as the step from one cell to the next, never smoothed. What it has *seen* is
larger than that, so its receptive field is always drawn too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.cells import band_hz, mel_band
from sertut.models import FullyConvolutional
from sertut.show.maps import certainty, draw_attention, time_weights, verdict
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_spectrogram, numbers
from sertut.show.spans import EDGES, decoys, draw_regions, true_regions
from sertut.show.style import BLACK, ROLES, look
from sertut.signals import SAMPLE_RATE, log_mel
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ

FIELD = BLACK  # the dashed frame around what a cell has seen
HEAT_OVER_SOUND = LinearSegmentedColormap.from_list(
    "attention", [to_rgba(ROLES["attention"], 0.0), to_rgba(ROLES["attention"], 0.8)]
)
"""Clear to blue: attention over a gray spectrogram, which stays readable under it."""


@dataclass(frozen=True)
class Grid:
    """The cells of a map on a spectrogram of `bands` mel bands: clocks of its axes and number of cells along each."""

    time: Clock
    frequency: Clock
    columns: int
    rows: int
    bands: int

    def center(self, column: int, row: int) -> tuple[float, float]:
        """Second and mel band of a cell's middle."""
        return float(self.time.centers(column + 1)[-1]), float(self.frequency.centers(row + 1)[-1])

    def borders(self) -> tuple[np.ndarray, np.ndarray]:
        """Borders of the cells: seconds (T' + 1,), mel bands (F' + 1,)."""
        pairs = ((self.time, self.columns), (self.frequency, self.rows))
        seconds, bands = (clock.start + clock.hop * np.arange(n + 1) for clock, n in pairs)
        return seconds, bands

    def hertz(self, row: int) -> tuple[float, float]:
        """Lowest and highest frequency that a cell of this row depends on; band b alone hears from b - 1 to b + 1."""
        middle, reach = self.center(0, row)[1], ((self.frequency.field or np.inf) + 1) / 2
        return hertz(middle - reach, self.bands), hertz(middle + reach, self.bands)

    def step(self) -> str:
        """``a cell every 0.04 s and 8 mel bands (274 to 1676 Hz)``."""
        hz = [hertz(float(band), self.bands) for band in self.frequency.centers(self.rows)]
        apart = np.diff(hz)
        if not len(apart):
            return f"a cell every {self.time.hop:.2g} s, one row for all frequencies"
        return (
            f"a cell every {self.time.hop:.2g} s and {self.frequency.hop:g} mel bands"
            f" ({apart.min():.0f} to {apart.max():.0f} Hz)"
        )

    def sight(self, row: int) -> str:
        """``sees 0.27 s, 50 to 1299 Hz``."""
        low, high = self.hertz(row)
        seconds = f"{self.time.field:.2f} s" if self.time.field else "the whole clip"
        return f"sees {seconds}, {low:.0f} to {high:.0f} Hz"


def hertz(band: float, bands: int) -> float:
    """Frequency at a place on the band axis, Hz; the ends of the axis where it lies beyond."""
    return float(np.interp(band, np.arange(-1, bands + 1), [LOWEST_HZ, *band_hz(bands), HIGHEST_HZ]))


def regions(example: Example, *, title: str | None = None) -> Picture:
    """Attention over time and frequency as heat over the spectrogram of one clip; below and beside it the sums.

    The true region is outlined in green: in time, and in frequency too where the corpus knows it. The dashed frame is
    what the strongest cell has seen, cut at the edges of the clip. The dotted lines are uniform attention.

    Raises:
        SertutError: the model has no map with the axes time and frequency.
    """
    weights, grid = cells_of(example)  # (T', F')
    strongest = divmod(int(weights.argmax()), grid.rows)
    with look():
        figure, axes = canvas(
            2, 2, height=5.3, gridspec_kw={"height_ratios": [2.2, 1], "width_ratios": [4.2, 1]}, sharex="col"
        )
        (sound, across), (below, corner) = axes
        draw_spectrogram(sound, numbers(example.spectrogram)).set_cmap("gray_r")
        heat = draw_cells(sound, weights * weights.size, grid)
        draw_field(sound, grid, *strongest)
        for role, found in (("region", true_regions(example)), ("decoy", decoys(example))):
            for region in found:
                draw_outline(sound, region, role)
        over_time = time_weights(example)
        assert over_time is not None
        draw_attention(below, *over_time)
        draw_regions(below, example)
        below.set(xlabel="time (s)", ylabel="weight\nof a column")
        draw_over_frequency(across, weights.sum(axis=0), grid)
        for region in true_regions(example):
            if region.in_band:
                across.axhspan(*heights(region, sound), color=ROLES["region"], alpha=0.18, lw=0)
        across.set(ylim=sound.get_ylim(), xlabel="weight\nof a row")
        across.set_yticks(sound.get_yticks(), [])
        across.xaxis.set_label_position("top")  # below it there is no room
        across.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
        across.spines[["top", "bottom"]].set_visible(True)
        sound.set(xlim=(0, len(example.samples) / SAMPLE_RATE), title=verdict(example) if title is None else title)
        corner.axis("off")
        bar = corner.inset_axes((0.0, 0.25, 1.0, 0.15))
        figure.colorbar(heat, cax=bar, orientation="horizontal", label="cell, times\nuniform")
        handles = [
            Line2D([], [], color=FIELD, ls="--", lw=2, label=f"the strongest cell {grid.sight(strongest[1])}"),
            Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"),
        ]
        for role, name, shown in (
            ("region", "true region", true_regions(example)),
            ("decoy", "decoy", decoys(example)),
        ):
            if shown:
                handles.append(Line2D([], [], color=ROLES[role], ls=EDGES[role], lw=2, label=name))
        figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=1.5, columnspacing=1.2)
        figure.align_ylabels([sound, below])
    return Picture(figure, describe_regions(example))


def receptive_field(
    model: FullyConvolutional, sound: Example | np.ndarray, *, seconds: float | None = None, title: str | None = None
) -> Picture:
    """The cells that `model` makes of a sound, and what one of them has seen.

    Args:
        sound: an example, or samples (n,), 16 kHz. seconds: where to look for the cell; by default in the middle.

    Raises:
        SertutError: the sound is too short for one cell.
    """
    samples = numbers(sound.samples if isinstance(sound, Example) else sound)
    table = numbers(log_mel(samples))
    columns = int(model.time.size(torch.tensor(len(table))))
    rows = int(model.frequency.size(torch.tensor(table.shape[1])))
    if not columns or not rows:
        raise SertutError(
            f"{len(samples) / SAMPLE_RATE:.2f} s are too short for one cell of the trunk '{model.name}'; it needs"
            f" {model.shortest_seconds:.2f} s."
        )
    grid = Grid(model.clock(), model.bands(), columns, rows, table.shape[1])
    wanted = len(samples) / SAMPLE_RATE / 2 if seconds is None else seconds
    column, row = int((grid.time.centers(columns) - wanted).abs().argmin()), rows // 2
    with look():
        figure, axes = canvas(height=3.7)
        axis = axes[0, 0]
        draw_spectrogram(axis, table).set_cmap("gray_r")
        centers = np.meshgrid(grid.time.centers(columns), grid.frequency.centers(rows))
        axis.plot(*(values.ravel() for values in centers), ".", color=ROLES["attention"], ms=5, clip_on=False)
        one = np.zeros((columns, rows))
        one[column, row] = 1
        draw_cells(axis, one, grid)
        draw_field(axis, grid, column, row)
        head = f"{model.name}: {grid.step()}.\nThe one drawn {grid.sight(row)}."
        axis.set(xlabel="time (s)", xlim=(0, len(samples) / SAMPLE_RATE), title=head if title is None else title)
        handles = [
            Line2D([], [], color=ROLES["attention"], marker=".", ls="", label="middle of a cell"),
            Patch(color=ROLES["attention"], alpha=0.8, label="one cell"),
            Line2D([], [], color=FIELD, ls="--", lw=2, label="what it has seen"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=1.5, columnspacing=1.2)
    at, middle = grid.center(column, row)
    alt = (
        f"The trunk '{model.name}' makes {columns} by {rows} cells (time by frequency) of"
        f" {len(samples) / SAMPLE_RATE:.2f} s of sound: {grid.step()}. The cell at {at:.2f} s and"
        f" {hertz(middle, grid.bands):.0f} Hz {grid.sight(row)}."
    )
    return Picture(figure, alt)


def cells_of(example: Example) -> tuple[np.ndarray, Grid]:
    """Weights (T', F') of one clip and where their cells lie."""
    map_ = example.map
    if map_ is None or set(map_.axes) != {"time", "frequency"} or "frequency" not in map_.clocks:
        raise SertutError(
            "this model has no attention over time and frequency; use show.attention, or a FullyConvolutional model"
            " with pooling='attention'."
        )
    weights = numbers(map_.of(0))
    weights = weights if map_.axes == ("time", "frequency") else weights.T
    columns, rows = weights.shape
    return weights, Grid(map_.clocks["time"], map_.clocks["frequency"], columns, rows, example.spectrogram.shape[1])


def draw_cells(axis: Axes, values: np.ndarray, grid: Grid):
    """Cells (T', F') at their true extent, from clear (0) to blue (the largest); returns the mesh."""
    limits = axis.get_xlim(), axis.get_ylim()
    mesh = axis.pcolormesh(*grid.borders(), values.T, cmap=HEAT_OVER_SOUND, vmin=0, vmax=values.max(), lw=0)
    axis.set(xlim=limits[0], ylim=limits[1])
    return mesh


def draw_field(axis: Axes, grid: Grid, column: int, row: int) -> None:
    """A dashed frame around what a cell has seen, cut at the edges of the spectrogram so that all four sides show."""
    limits = axis.get_xlim(), axis.get_ylim()
    low, high = [], []
    for middle, clock, (least, most) in zip(grid.center(column, row), (grid.time, grid.frequency), limits, strict=True):
        reach = (clock.field or np.inf) / 2
        low.append(max(middle - reach, least))
        high.append(min(middle + reach, most))
    _frame(axis, low, high, FIELD, "--")


def draw_outline(axis: Axes, region: Region, role: str = "region") -> None:
    """A box around a region of a spectrogram; over the whole height where its frequencies are not known."""
    low, high = heights(region, axis)
    _frame(axis, [region.start, low], [region.end, high], ROLES[role], EDGES[role])


def heights(region: Region, axis: Axes) -> tuple[float, float]:
    """Lower and upper edge of a region on the band axis of a spectrogram."""
    low, high = axis.get_ylim()
    return (
        low if region.low is None else mel_band(region.low),
        high if region.high is None else mel_band(region.high),
    )


def draw_over_frequency(axis: Axes, weights: np.ndarray, grid: Grid) -> None:
    """Weights (F',) as steps along the band axis, and the uniform level 1/F'."""
    _, borders = grid.borders()
    color = ROLES["attention"]
    axis.stairs(weights, borders, orientation="horizontal", color=color, fill=True, alpha=0.35, lw=0)
    axis.stairs(weights, borders, orientation="horizontal", color=color, lw=1.6, baseline=None)
    axis.axvline(1 / len(weights), color=ROLES["uniform"], ls=":", lw=1.4)
    axis.set(xlim=(0, 1.15 * max(float(weights.max()), 1.5 / len(weights))))


def describe_regions(example: Example) -> str:
    """One clip's map in a few sentences, for those who cannot see it."""
    weights, grid = cells_of(example)
    clip, seconds = example.clip, len(example.samples) / SAMPLE_RATE
    head = (
        f"Attention over {grid.columns} by {grid.rows} cells (time by frequency) of {seconds:.1f} s of a clip of"
        f" {clip.speaker}, {clip.emotion}"
    )
    spans = listed([_span(region) for region in true_regions(example)])
    said = f"Predicted {example.predicted} with probability {certainty(example):.2f}."
    if np.allclose(weights, weights.flat[0]):
        where = f"; the true region is {spans}" if spans else ""
        return f"{head}: every cell has the same weight{where}. {said}"
    column, row = divmod(int(weights.argmax()), grid.rows)
    at, middle = grid.center(column, row)
    hz = hertz(middle, grid.bands) if grid.rows > 1 else None  # a single row does not point at a frequency
    text = f"{head}: the strongest cell, at {at:.2f} s" + ("," if hz is None else f" and {hz:.0f} Hz,")
    if spans:
        found = any(_holds(region, at, hz) for region in true_regions(example))
        text += f" lies {'inside' if found else 'outside'} the true region {spans};"
    text += f" it has {weights.max() * weights.size:.1f} times the uniform weight and {grid.sight(row)}."
    return f"{text} {said}"


def _span(region: Region) -> str:
    low, high = _band(region)
    return f"{region.start:.2f} to {region.end:.2f} s" + (f", {low:.0f} to {high:.0f} Hz" if region.in_band else "")


def _holds(region: Region, seconds: float, hz: float | None) -> bool:
    low, high = _band(region)
    return region.start <= seconds <= region.end and (hz is None or low <= hz <= high)


def _band(region: Region) -> tuple[float, float]:
    """Lowest and highest frequency of a region, Hz; the limits of the features where it has none."""
    return (LOWEST_HZ if region.low is None else region.low, HIGHEST_HZ if region.high is None else region.high)


def _frame(axis: Axes, low: Sequence[float], high: Sequence[float], color: str, line: str) -> None:
    """A box with a white rim, so that it shows on dark and on bright sound."""
    rim = Rectangle((low[0], low[1]), high[0] - low[0], high[1] - low[1], fill=False, zorder=3)
    rim.set(ec=color, lw=2, ls=line, path_effects=[patheffects.withStroke(linewidth=3.5, foreground="white")])
    axis.add_patch(rim)
