"""Cells are drawn where they lie and as large as they are; what is written equals what is drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from sertut import show
from sertut.attention import Clock
from sertut.corpora import Region
from sertut.evidence.cells import band_hz
from sertut.models import FullyConvolutional
from sertut.show.cellmaps import cells_of, describe, hertz
from sertut.signals import log_mel

from .conftest import changed, frames, mapped, mesh, steps

STRONGEST = (25, 2)  # column, row; its middle is at 1.0125 s and in band 16
TIME, BANDS = Clock(0.04, -0.0075, field=0.265), Clock(8.0, -4.0, field=33)


@pytest.fixture(scope="module")
def cells(example):
    """The example with a map of 48 x 8 cells, one of which is four times as strong as the others."""
    weights = torch.ones(48, 8)
    weights[STRONGEST] = 4
    return mapped(example, weights / weights.sum(), time=TIME, frequency=BANDS)


def one_row(cells, frequency):
    """The same with a single row for all frequencies."""
    return mapped(cells, cells.map.weights[0].sum(dim=1, keepdim=True), time=TIME, frequency=frequency)


@pytest.fixture(scope="module")
def picture(cells):
    return show.regions(cells)


def test_each_cell_is_drawn_at_its_own_extent(cells, picture):
    axis = picture.figure.axes[0]
    weights, across, up = mesh(axis)
    np.testing.assert_allclose(across, -0.0075 + 0.04 * np.arange(49))
    np.testing.assert_allclose(up, -4 + 8 * np.arange(9))
    np.testing.assert_allclose(weights.T, cells.map.weights[0] * 48 * 8, rtol=1e-6)
    np.testing.assert_array_equal(axis.images[0].get_array(), cells.spectrogram.numpy().T)
    assert axis.get_xlim() == (0, 2.0) and axis.get_ylim() == (-0.5, 63.5)


def test_a_single_row_is_as_high_as_the_picture(cells):
    figure = show.regions(one_row(cells, Clock(32.0, 16.0, field=127))).figure
    assert mesh(figure.axes[0])[2].tolist() == steps(figure.axes[1])[1].tolist() == [-0.5, 63.5]


def test_the_field_of_the_strongest_cell_is_framed_and_cut_at_the_edges(cells, picture):
    (field,) = frames(picture.figure.axes[0], "--")
    assert field == pytest.approx((1.0125 - 0.1325, -0.5, 1.0125 + 0.1325, 32.5))
    wide = replace(cells, map=replace(cells.map, clocks={"time": replace(TIME, field=9.0), "frequency": BANDS}))
    (field,) = frames(show.regions(wide).figure.axes[0], "--")
    assert (field[0], field[2]) == pytest.approx((0, 2.0), abs=0.02)


def test_the_true_region_is_outlined_in_time_and_where_known_in_frequency(cells, picture):
    (box,) = frames(picture.figure.axes[0])
    assert box == pytest.approx((0.9, -0.5, 1.15, 63.5))
    low = changed(cells, Region(0.9, 1.15, low=None, high=1000.0))
    figure = show.regions(low).figure
    (box,) = frames(figure.axes[0])
    assert box == pytest.approx((0.9, -0.5, 1.15, np.interp(1000, band_hz(64), np.arange(64))), abs=0.05)
    beside = [p.get_bbox() for p in figure.axes[1].patches if isinstance(p, Rectangle)]
    assert [(b.y0, b.y1) for b in beside] == [pytest.approx((box[1], box[3]))]


def test_sums_along_both_axes(cells, picture):
    _, beside, below, *_ = picture.figure.axes
    weights = cells.map.weights[0].numpy()
    for axis, dim in ((below, 1), (beside, 0)):
        np.testing.assert_allclose(steps(axis)[0], weights.sum(axis=dim), rtol=1e-6)


def said(example):
    return describe(example, *cells_of(example))


def test_text_says_where_the_strongest_cell_is(cells, picture):
    weights, hz = cells.map.weights, band_hz(64)
    assert picture.alt == (
        f"Attention over 48 by 8 cells (time by frequency) of 2.0 s of a clip of actor 01, neutral: the strongest cell,"
        f" at 1.01 s and {hz[16]:.0f} Hz, lies inside the true region 0.90 to 1.15 s; it has"
        f" {weights.max() * weights.numel():.1f} times the uniform weight and sees 0.27 s, 50 to {hz[33]:.0f} Hz."
        " Predicted neutral with probability 0.96."  # bands 0 to 32; band 32 hears up to the center of band 33
    )
    high = changed(cells, Region(0.9, 1.15, low=1000.0))
    assert "lies outside the true region 0.90 to 1.15 s, 1000 to 8000 Hz" in said(high)
    assert "region" not in said(changed(cells))
    flat = replace(cells, map=replace(cells.map, weights=torch.full((1, 48, 8), 1 / 384)))
    assert "every cell has the same weight" in said(flat)


def test_a_single_row_is_not_said_to_point_at_a_frequency(cells):
    one = one_row(changed(cells, Region(0.9, 1.15, low=4000.0)), Clock(32, 15, field=195))
    assert "the strongest cell, at 1.01 s, lies inside" in said(one) and "sees 0.27 s, 50 to 8000 Hz" in said(one)


def test_receptive_field_is_that_of_the_model(example):
    model = FullyConvolutional(3, "fine")
    picture = show.receptive_field(model, example)
    axis = picture.figure.axes[0]
    (centers,) = [line for line in axis.lines if line.get_linestyle() == "None"]
    n_columns = int(model.time.size(torch.tensor(len(log_mel(example.samples)))))
    expected = model.clock().centers(n_columns)
    assert sorted(set(centers.get_xdata().tolist())) == pytest.approx(expected.tolist())
    at = float(expected[(expected - 1.0).abs().argmin()])
    (field,) = frames(axis, "--")
    reach = model.clock().field / 2
    assert (field[0], field[2]) == pytest.approx((max(at - reach, axis.get_xlim()[0]), min(at + reach, 2.0)), abs=0.02)
    assert f"a cell every {model.clock().hop:.2g} s" in picture.alt and f"The cell at {at:.2f} s" in picture.alt
    assert f"sees {model.clock().field:.2f} s" in axis.get_title(loc="left")


def test_hertz_ends_where_the_features_end():
    assert [hertz(b, 64) for b in (-50, -1, 64, 90)] == [50, 50, 8000, 8000]
    assert hertz(20, 64) == pytest.approx(band_hz(64)[20])
