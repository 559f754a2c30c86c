"""Small pictures: all there, in order and named; smoothness tells stripes from noise."""

import numpy as np
import pytest
import torch

from sertut.show.tables import pixels, smoothness


def test_smoothness():
    noise = torch.randn(200, 11, 11, generator=torch.Generator().manual_seed(0))
    assert abs(smoothness(noise)) < 0.02
    wave = torch.sin(torch.arange(64) / 5).expand(1, 64, 64)
    assert smoothness(wave) > 0.9


def test_a_dead_filter_is_no_nan():
    assert smoothness(torch.zeros(2, 3, 3)) == pytest.approx(0)


def test_every_picture_is_drawn_and_named():
    images = {f"picture {i}": torch.rand(4, 6) for i in range(5)}
    picture = pixels(images, columns=3)
    drawn = [axis for axis in picture.figure.axes if axis.get_images()]
    for axis, (name, image) in zip(drawn, images.items(), strict=True):
        np.testing.assert_array_equal(axis.get_images()[0].get_array(), image)
        assert axis.get_title() == name
    assert picture.alt == "5 gray pictures: picture 0, picture 1, picture 2, picture 3 and picture 4."
