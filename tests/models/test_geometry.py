"""What one cell sees, against the published table, against PyTorch's own sizes, and against where gradients reach."""

import itertools

import pytest
import torch
from torch import nn

from sertut.models import TRUNKS
from sertut.models.geometry import FREQUENCY, TIME, Geometry, Window, is_fire
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


@pytest.mark.parametrize("name", TRUNKS)
@pytest.mark.parametrize("axis", [FREQUENCY, TIME], ids=["frequency", "time"])
def test_a_cell_depends_on_its_field_and_on_nothing_else(name, axis):
    """Where the gradient of one cell reaches, in networks without anything that could block it."""
    trunk, other = open_to_gradients(trunk_of(name)), 1 - axis
    along, across = Geometry.of(trunk, axis), Geometry.of(trunk, other)
    n = along.field + 8 * along.stride  # the cell in the middle sees neither end
    shape = [0, 0]
    shape[axis], shape[other] = n, max(across.shortest, 5)
    image = torch.rand(1, inputs(trunk), *shape, dtype=torch.float64).requires_grad_()
    cells = trunk(image).sum(dim=(1, 2 + other)).squeeze(0)
    exact = 0
    for cell in (0, len(cells) // 2, len(cells) - 1):
        (gradient,) = torch.autograd.grad(cells[cell], image, retain_graph=True)
        reached = gradient.abs().sum(dim=(0, 1, 2 + other)).nonzero().squeeze(1)
        center = along.first + cell * along.stride
        low, high = center - (along.field - 1) / 2, center + (along.field - 1) / 2
        assert low <= reached.min().item() and reached.max().item() <= high
        if low >= 0 and high < n - 1:  # at the ends, zeros of the padding stand for a part of the field
            assert (reached.min().item(), reached.max().item()) == (low, high)
            exact += 1
    assert exact
    assert len(cells) == along.size(torch.tensor(n))


def test_a_layer_without_a_window_changes_nothing():
    assert Window.of(nn.ReLU(), TIME) is None and Window.of(MaskedNorm2d(3), TIME) is None
    assert Geometry.of([nn.ReLU()], TIME).field == Geometry.of([nn.ReLU()], TIME).stride == 1
    assert Window.of(trunk_of("squeezenet")[3], TIME) == Window(3, 1, 1)


def inputs(trunk):
    return next(module for module in trunk.modules() if isinstance(module, nn.Conv2d)).in_channels


def open_to_gradients(trunk):
    """The same windows with positive weights; averages instead of maxima, so that all that is read counts."""
    layers = []
    for module in trunk:
        if isinstance(module, nn.MaxPool2d):
            layers.append(Average(module))
        elif isinstance(module, nn.Conv2d) or is_fire(module):
            layers.append(module)
    opened = nn.Sequential(*layers).double()
    for parameter in opened.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.0)
        parameter.data /= max(1, parameter[0].numel()) if parameter.dim() > 1 else 1e3
    return opened


class Average(nn.MaxPool2d):
    """The window of a maximum, with the sum of all that it could have chosen."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode)

    def forward(self, values):
        return nn.functional.avg_pool2d(values, self.kernel_size, self.stride, self.padding, self.ceil_mode)
