"""What one cell sees, against the published table and PyTorch's own sizes; what reaches it is in test_convolutional."""

import itertools

import pytest
import torch
from torch import nn

from sertut.models.geometry import FREQUENCY, TIME, Geometry, Window
from sertut.models.layers import MaskedNorm2d
from sertut.models.trunks import build_trunk

# The windows of AlexNet, which "small" has: receptive field, stride, center of cell 0, size of a 200 x 300 input
ALEXNET = [
    (11, 4, 3, (49, 74)),  # conv1
    (19, 8, 7, (24, 36)),  # pool1
    (51, 8, 7, (24, 36)),  # conv2
    (67, 16, 15, (11, 17)),  # pool2
    (99, 16, 15, (11, 17)),  # conv3
    (131, 16, 15, (11, 17)),  # conv4
    (163, 16, 15, (11, 17)),  # conv5
    (195, 32, 31, (5, 8)),  # pool5
]


def trunk_of(name):
    return build_trunk(name)[0]


def sizes(trunk, axis, n):
    return Geometry.of(trunk, axis).size(torch.tensor(n)).tolist()


def test_small_has_the_windows_of_alexnet():
    trunk = trunk_of("small")
    ends = [i + 1 for i, module in enumerate(trunk) if Window.of(module, TIME)]
    assert len(ends) == len(ALEXNET)
    for end, (field, stride, center, size) in zip(ends, ALEXNET, strict=True):
        for axis in (FREQUENCY, TIME):
            found = Geometry.of(trunk[:end], axis)
            assert (found.field, found.stride, found.first) == (field, stride, center)
        assert (sizes(trunk[:end], FREQUENCY, 200), sizes(trunk[:end], TIME, 300)) == size


def test_known_sizes_and_shortest_inputs():
    trunk = trunk_of("small")
    assert sizes(trunk, TIME, [400, 128, 64, 40]) == [11, 3, 1, 0]
    assert Geometry.of(trunk, TIME).shortest == 63


@pytest.mark.parametrize(
    "layer",
    [
        *(
            nn.MaxPool2d(k, s, p, ceil_mode=c)
            for k, s, p, c in itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True))
        ),
        *(nn.Conv2d(1, 1, k, s, p) for k, s, p in itertools.product((1, 3, 5), (1, 2, 4), (0, 2))),
        nn.Conv2d(1, 1, (5, 3), (2, 1), (2, 0)),
    ],
    ids=str,
)
def test_number_of_windows_equals_pytorch(layer):
    lengths = torch.arange(301)
    for axis in (FREQUENCY, TIME):
        counted = Window.of(layer, axis).size(lengths).tolist()
        for n in (*range(1, 14), 63, 64, 67, 195, 299, 300):
            shape = [16, 16]
            shape[axis] = n
            try:
                there = layer(torch.zeros(1, 1, *shape)).shape[2 + axis]
            except RuntimeError:  # not even one window fits
                there = 0
            assert counted[n] == there, n
        assert (torch.diff(torch.tensor(counted)) >= 0).all() and counted[0] >= 0


def test_a_layer_without_a_window_changes_nothing():
    assert Window.of(nn.ReLU(), TIME) is None and Window.of(MaskedNorm2d(3), TIME) is None
    assert Geometry.of([nn.ReLU()], TIME).field == Geometry.of([nn.ReLU()], TIME).stride == 1
    assert Window.of(trunk_of("squeezenet")[3], TIME) == Window(3, 1, 1)
