"""A table of numbers with two named axes, drawn so that its pattern is seen before its digits are read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import HEAT, ROLES, look


def heatmap(
    table: pd.DataFrame,
    *,
    measure: str,
    span: tuple[float, float] | None = None,
    digits: int = 2,
    ax: Axes | None = None,
    title: str = "",
) -> Picture:
    """Numbers by row and column, e.g. where each emotion's question looks (rows) by the clip's true emotion (columns).

    Cells whose row and column have the same name, such as an emotion's question in clips of this emotion, get a frame;
    NaN leaves a cell empty.

    Args:
        table: its index and its columns name the axes (``index.name``, ``columns.name``).
        measure: what the numbers are, for the color bar. span: of the colors, by default from the least to the most.
        digits: behind the point.
    """
    values = table.to_numpy(dtype=float)
    low, high = span or (float(np.nanmin(values)), float(np.nanmax(values)))
    with look():
        figure, axes = canvas(height=2.0 + 0.44 * len(table), ax=ax)
        axis = axes[0, 0]
        sns.heatmap(
            values,
            annot=True,
            fmt=f".{digits}f",
            vmin=low,
            vmax=high,
            cmap=HEAT,
            annot_kws={"fontsize": 10.5},
            cbar_kws={"label": measure, "pad": 0.02},
            xticklabels=list(table.columns),
            yticklabels=list(table.index),
            ax=axis,
        )
        for row, column in own_cells(table):
            axis.add_patch(Rectangle((column, row), 1, 1, fill=False, ec=ROLES["region"], lw=3, clip_on=False))
        axis.tick_params(length=0)
        axis.set_xticks(
            axis.get_xticks(), [str(name) for name in table.columns], rotation=35, ha="right", rotation_mode="anchor"
        )
        axis.set(xlabel=table.columns.name or "", ylabel=table.index.name or "", title=title)
    return Picture(figure, describe_heatmap(table, measure, digits))


def own_cells(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Row and column of the cells with a number in which both have the same name."""
    columns = list(table.columns)
    places = [(row, columns.index(name)) for row, name in enumerate(table.index) if name in columns]
    return [place for place in places if not np.isnan(table.iat[place])]


def describe_heatmap(table: pd.DataFrame, measure: str, digits: int) -> str:
    """Every row in words, and the mean of the framed cells beside that of the others."""
    values = table.to_numpy(dtype=float)
    text = f"{measure}, {table.index.name or 'rows'} by {table.columns.name or 'columns'}."
    own = np.zeros(values.shape, dtype=bool)
    for place in own_cells(table):
        own[place] = True
    if own.any() and not own.all():
        means = np.nanmean(values[own]), np.nanmean(values[~own])
        text += f" Mean of the framed cells {means[0]:.{digits}f}, of the others {means[1]:.{digits}f}."
    for name, row in zip(table.index, values, strict=True):
        cells = zip(table.columns, row, strict=True)
        parts = [f"{column} {value:.{digits}f}" for column, value in cells if not np.isnan(value)]
        text += f" {name}: {listed(parts) or 'empty'}."
    return text
