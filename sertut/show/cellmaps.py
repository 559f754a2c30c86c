"""Maps over time and frequency: which cells of the spectrogram weigh, and how much of it each cell has seen.

A cell is drawn where it lies and as large as the step from one cell to the next, never smoothed. What it has *seen* is
larger than that, so its receptive field is always drawn too.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.cells import band_hz
from sertut.models import FullyConvolutional
from sertut.show.picture import Picture, listed, numbers
from sertut.show.rows import Heat, Row, borders, compose, mark_spans, outline
from sertut.show.style import ROLES
from sertut.show.weights import band_edges, draw_spectrogram, draw_weights, weights_row
from sertut.show.words import decided, length, of_clip, true_regions, verdict
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ

OVER_SOUND = LinearSegmentedColormap.from_list(
    "attention", [to_rgba(ROLES["attention"], 0.0), to_rgba(ROLES["attention"], 0.8)]
)
"""Clear to blue: attention over a gray spectrogram, which stays readable under it."""


@dataclass(frozen=True)
class Cells:
    """The cells of a map on a spectrogram of `bands` mel bands: clocks of its axes and number of cells along each."""

    time: Clock
    frequency: Clock
    columns: int
    rows: int
    bands: int

    def center(self, column: int, row: int) -> tuple[float, float]:
        """Second and mel band of a cell's middle."""
        return float(self.time.centers(column + 1)[-1]), float(self.frequency.centers(row + 1)[-1])

    def edges(self) -> np.ndarray:
        """Borders of the rows in mel bands, (F' + 1,); a single row is about all of them."""
        return borders(self.frequency, self.rows) if self.rows > 1 else np.array([-0.5, self.bands - 0.5])

    def step(self) -> str:
        """``a cell every 0.04 s and 8 mel bands (274 to 1676 Hz)``."""
        apart = np.diff([hertz(float(band), self.bands) for band in self.frequency.centers(self.rows)])
        if not len(apart):
            return f"a cell every {self.time.hop:.2g} s, one row for all frequencies"
        bands = f"{self.frequency.hop:g} mel bands ({apart.min():.0f} to {apart.max():.0f} Hz)"
        return f"a cell every {self.time.hop:.2g} s and {bands}"

    def sight(self, row: int) -> str:
        """``sees 0.27 s, 50 to 1299 Hz``; band b alone hears from the center of band b - 1 to that of b + 1."""
        middle, reach = self.center(0, row)[1], ((self.frequency.field or np.inf) + 1) / 2
        low, high = (hertz(middle + way * reach, self.bands) for way in (-1, 1))
        seconds = f"{self.time.field:.2f} s" if self.time.field else "the whole clip"
        return f"sees {seconds}, {low:.0f} to {high:.0f} Hz"

    def draw_field(self, axis: Axes, column: int, row: int, label: str) -> None:
        """A dashed frame around what a cell has seen, cut at the edges of the axes so that all four sides show."""
        sides, limits = [], (axis.get_xlim(), axis.get_ylim())
        for middle, clock, ends in zip(self.center(column, row), (self.time, self.frequency), limits, strict=True):
            reach = (clock.field or np.inf) / 2
            sides.append(np.clip((middle - reach, middle + reach), *ends))
        outline(axis, sides[0], sides[1], "field", label)


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
    weights, cells = cells_of(example)  # (T', F')
    strongest = divmod(int(weights.argmax()), cells.rows)
    seconds, colors = length(example), Heat(weights * weights.size, OVER_SOUND, 1)

    def draw(axis: Axes) -> None:
        draw_spectrogram(axis, numbers(example.spectrogram), "gray_r")
        limits = axis.get_xlim(), axis.get_ylim()
        colors.draw(axis, borders(cells.time, cells.columns), cells.edges(), colors.weights.T)
        axis.set(xlim=limits[0], ylim=limits[1])
        cells.draw_field(axis, *strongest, f"the strongest cell {cells.sight(strongest[1])}")
        mark_spans(axis, example, over=band_edges)

    def beside(axis: Axes) -> None:
        values = weights.sum(axis=0)
        draw_weights(axis, values, cells.edges(), 1 / len(values), up=True)
        ends = (-0.5, cells.bands - 0.5)
        axis.set(ylim=ends, xlabel="weight\nof a row", yticks=[])
        for region in true_regions(example):
            if region.in_band:
                axis.axhspan(*band_edges(region, axis), color=ROLES["region"], alpha=0.18, lw=0)
        axis.xaxis.set_label_position("top")  # below it there is no room
        axis.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
        axis.spines[["top", "bottom"]].set_visible(True)

    def scale(corner: Axes) -> None:
        colors.scale_in(corner, "cell, times\nuniform")

    sums = replace(weights_row(example, label="weight\nof a column"), says="", beside=scale)
    rows = [Row(draw, 2.6, seconds, describe(example, weights, cells), beside=beside), sums]
    return compose(rows, verdict(example) if title is None else title)


def receptive_field(model: FullyConvolutional, example: Example) -> Picture:
    """The cells that `model` makes of a clip, and what the one in the middle has seen.

    Raises:
        SertutError: the clip is too short for one cell.
    """
    table, seconds = numbers(example.spectrogram), length(example)
    columns = int(model.time.size(torch.tensor(len(table))))
    rows = int(model.frequency.size(torch.tensor(table.shape[1])))
    if not columns or not rows:
        raise SertutError(
            f"{seconds:.2f} s are too short for one cell of the trunk '{model.name}'; it needs"
            f" {model.shortest_seconds:.2f} s."
        )
    cells = Cells(model.clock(), model.bands(), columns, rows, table.shape[1])
    column, row = int((cells.time.centers(columns) - seconds / 2).abs().argmin()), rows // 2

    def draw(axis: Axes) -> None:
        draw_spectrogram(axis, table, "gray_r")
        axis.set_xlim(0, seconds)
        centers = np.meshgrid(cells.time.centers(columns), cells.frequency.centers(rows))
        looks: Any = {"ls": "", "marker": ".", "color": ROLES["attention"], "ms": 5, "clip_on": False}
        axis.plot(*(values.ravel() for values in centers), **looks, label="middle of a cell")
        across, up = borders(cells.time, columns)[column : column + 2], cells.edges()[row : row + 2]
        axis.fill_between(across, *up, color=ROLES["attention"], alpha=0.8, lw=0, label="one cell")
        cells.draw_field(axis, column, row, "what it has seen")

    at, middle = cells.center(column, row)
    says = f"The trunk '{model.name}' makes {columns} by {rows} cells (time by frequency) of {seconds:.2f} s of sound:"
    where = f"{at:.2f} s" + (f" and {hertz(middle, cells.bands):.0f} Hz" if rows > 1 else "")
    says += f" {cells.step()}. The cell at {where} {cells.sight(row)}."
    title = f"{model.name}: {cells.step()}.\nThe one drawn {cells.sight(row)}."
    return compose([Row(draw, 2.2, seconds, says)], title)


def cells_of(example: Example) -> tuple[np.ndarray, Cells]:
    """Weights (T', F') of one clip and where their cells lie."""
    map_ = example.map
    if map_ is None or set(map_.axes) != {"time", "frequency"} or "frequency" not in map_.clocks:
        raise SertutError(
            "this model has no attention over time and frequency; use show.attention, or a FullyConvolutional model"
            " with pooling='attention'."
        )
    weights = numbers(map_.of(0))
    weights = weights if map_.axes[0] == "time" else weights.T
    (columns, rows), bands = weights.shape, example.spectrogram.shape[1]
    return weights, Cells(map_.clocks["time"], map_.clocks["frequency"], columns, rows, bands)


def describe(example: Example, weights: np.ndarray, cells: Cells) -> str:
    """One clip's map in a few sentences, for those who cannot see it."""
    head = f"Attention over {cells.columns} by {cells.rows} cells (time by frequency) of {of_clip(example)}"
    found = [(one, *_band(one)) for one in true_regions(example)]
    bands = [f", {low:.0f} to {high:.0f} Hz" * one.in_band for one, low, high in found]
    spans = listed([f"{one.start:.2f} to {one.end:.2f} s{band}" for (one, *_), band in zip(found, bands, strict=True)])
    said = f"{decided(example).capitalize()}."
    if np.allclose(weights, weights.flat[0]):
        where = f"; the true region is {spans}" if spans else ""
        return f"{head}: every cell has the same weight{where}. {said}"
    column, row = divmod(int(weights.argmax()), cells.rows)
    at, middle = cells.center(column, row)
    hz = hertz(middle, cells.bands) if cells.rows > 1 else None  # a single row does not point at a frequency
    text = f"{head}: the strongest cell, at {at:.2f} s" + ("," if hz is None else f" and {hz:.0f} Hz,")
    if spans:
        inside = any(one.start <= at <= one.end and (hz is None or low <= hz <= high) for one, low, high in found)
        text += f" lies {'inside' if inside else 'outside'} the true region {spans};"
    return f"{text} it has {weights.max() * weights.size:.1f} times the uniform weight and {cells.sight(row)}. {said}"


def _band(region: Region) -> tuple[float, float]:
    """Lowest and highest frequency of a region, Hz; the limits of the features where it has none."""
    return (LOWEST_HZ if region.low is None else region.low, HIGHEST_HZ if region.high is None else region.high)
