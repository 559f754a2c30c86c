"""Small pictures: all there, in order, upright and named; smoothness tells stripes from noise."""

import itertools

import numpy as np
import pytest
import torch

from sertut.show.tiles import filters, pixels, smoothness, tiled


def test_every_filter_is_on_the_sheet_scaled_by_its_own_largest_weight():
    block = torch.randn(5, 2, 3) * torch.tensor([1.0, 10, 100, 0.1, 0.01])[:, None, None]
    sheet = tiled(block)
    assert sheet.shape == (2 * 3 + 1, 3 * 4 + 1)  # two rows of three, and lines between them
    assert np.isclose(np.abs(sheet), 1).sum() == 5
    np.testing.assert_allclose(sheet[4:6, 1:4], block[0] / block[0].abs().max(), rtol=1e-6)  # the first one is top left


def test_smoothness():
    noise = torch.randn(200, 11, 11, generator=torch.Generator().manual_seed(0))
    assert abs(smoothness(noise)) < 0.02
    wave = torch.sin(torch.arange(64) / 5).expand(1, 64, 64)
    assert smoothness(wave) > 0.9


def test_colors_are_added_up_and_the_text_has_the_numbers():
    weights = torch.randn(4, 3, 5, 5)
    picture = filters({"colors": weights, "their sum": weights.sum(dim=1, keepdim=True)})
    same = f"4 filters, smoothness {smoothness(weights.sum(dim=1)):.2f}"
    assert picture.alt.count(same) == 2
    first, second = (axis.get_images()[0].get_array() for axis in picture.figure.axes)
    np.testing.assert_array_equal(first, second)


def test_names_of_several_layers_stay_apart_and_inside():
    names = ("drawn at random", "after photographs", "after speech")
    figure = filters({name: torch.randn(64, 3, 7, 7) for name in names}).figure
    figure.draw_without_rendering()
    boxes = [axis.title.get_window_extent() for axis in figure.axes]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height for box in boxes)
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    pictures = sum(axis.get_window_extent().height * axis.get_window_extent().width for axis in figure.axes)
    assert pictures > 0.5 * figure.bbox.width * figure.bbox.height  # it is not mostly empty
    assert "blue: negative" in figure.get_supxlabel()


def test_a_dead_filter_draws_no_nan():
    assert smoothness(torch.zeros(2, 3, 3)) == pytest.approx(0)
    assert np.isfinite(tiled(torch.zeros(2, 3, 3))).all()


def test_every_picture_is_drawn_and_named():
    images = {f"picture {i}": torch.rand(4, 6) for i in range(5)}
    picture = pixels(images, columns=3)
    drawn = [axis for axis in picture.figure.axes if axis.get_images()]
    for axis, (name, image) in zip(drawn, images.items(), strict=True):
        np.testing.assert_array_equal(axis.get_images()[0].get_array(), image)
        assert axis.get_title() == name
    assert picture.alt == "5 gray pictures: picture 0, picture 1, picture 2, picture 3 and picture 4."
