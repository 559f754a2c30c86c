"""A table as colors: every number, the frames of the cells that belong together, and the text."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from sertut import show
from sertut.show.style import ROLES


@pytest.fixture
def table():
    """Two questions in clips of three emotions; the last row stands for a map that asks nothing."""
    return pd.DataFrame(
        [[0.9, 0.2, np.nan], [0.3, 0.7, 0.25], [0.15, 0.16, 0.17]],
        index=pd.Index(["anger", "sadness", "uniform"], name="question of"),
        columns=pd.Index(["anger", "sadness", "neutral"], name="true emotion"),
    )


def frames(axis):
    return [patch for patch in axis.patches if isinstance(patch, Rectangle) and not patch.get_fill()]


def test_every_number_stands_in_its_cell(table):
    axis = show.heatmap(table, measure="mass").figure.axes[0]
    written = {(round(t.get_position()[1] - 0.5), round(t.get_position()[0] - 0.5)): t.get_text() for t in axis.texts}
    expected = {(i, j): f"{table.iat[i, j]:.2f}" for i in range(3) for j in range(3) if not np.isnan(table.iat[i, j])}
    assert written == expected
    assert [label.get_text() for label in axis.get_yticklabels()] == list(table.index)
    assert [label.get_text() for label in axis.get_xticklabels()] == list(table.columns)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("true emotion", "question of")


def test_own_cells_are_framed_and_no_others(table):
    axis = show.heatmap(table, measure="mass").figure.axes[0]
    assert sorted(patch.get_xy() for patch in frames(axis)) == [(0, 0), (1, 1)]
    renamed = table.rename(index={"anger": "a", "sadness": "b"})
    assert not frames(show.heatmap(renamed, measure="mass").figure.axes[0])
    empty = table.mask(table.index.to_numpy()[:, None] == table.columns.to_numpy())
    assert not frames(show.heatmap(empty, measure="mass").figure.axes[0])
    assert "framed" not in show.heatmap(empty, measure="mass").alt
    assert {to_hex(patch.get_edgecolor()).upper() for patch in frames(axis)} == {ROLES["region"]}


def test_colors_span_what_is_asked(table):
    mesh = show.heatmap(table, measure="mass", span=(0, 1)).figure.axes[0].collections[0]
    assert mesh.get_clim() == (0, 1)
    mesh = show.heatmap(table, measure="mass").figure.axes[0].collections[0]
    assert mesh.get_clim() == (0.15, 0.9)


def test_the_text_holds_every_number_and_both_means(table):
    alt = show.heatmap(table, measure="mass in region", digits=1).alt
    assert alt.startswith("mass in region, question of by true emotion.")
    assert "Mean of the framed cells 0.8, of the others 0.2." in alt
    assert "anger: anger 0.9 and sadness 0.2." in alt and "nan" not in alt
