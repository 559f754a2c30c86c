"""Small pictures: all there, in order, named in the text."""

import numpy as np
import torch

from sertut.show.pixels import pixels


def test_every_picture_is_drawn_and_named():
    images = {f"picture {i}": torch.rand(4, 6) for i in range(5)}
    picture = pixels(images, columns=3)
    drawn = [axis.get_images()[0].get_array() for axis in picture.figure.axes if axis.get_images()]
    for array, image in zip(drawn, images.values(), strict=True):
        np.testing.assert_array_equal(array, image)
    assert picture.alt == "5 gray pictures: picture 0, picture 1, picture 2, picture 3 and picture 4."
    assert picture.png.startswith(b"\x89PNG")
