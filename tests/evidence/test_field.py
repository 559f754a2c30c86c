"""The effective receptive field: known where the convolution is known, and never larger than the receptive field."""

import numpy as np
import pytest
import torch

from sertut.errors import SertutError
from sertut.evidence.field import effective_field, influence
from sertut.models import FullyConvolutional


def constant(weight):
    """A network whose convolutions weigh everything alike."""
    model = FullyConvolutional(3, "fine").eval()
    for module in model.trunk.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data.fill_(weight)
    return model


def test_equal_weights_give_the_number_of_paths():
    """With equal weights and positive input, a frame's influence is the number of paths from it to the cell."""
    model = constant(1.0)
    features = torch.rand(200, 64) + 0.1
    seconds, moved = influence(model, features)
    paths = np.ones(1)
    step = 1
    for window in model.time.windows:
        spread = np.zeros(1 + (window.kernel - 1) * step)
        spread[::step] = 1
        paths = np.convolve(paths, spread)
        step *= window.stride
    assert len(paths) == model.time.field
    inside = np.abs(seconds) < 0.01 * (model.time.field / 2)
    assert moved[~inside].sum() == 0
    np.testing.assert_allclose(moved[inside], paths / paths.sum(), atol=1e-6)


@pytest.mark.parametrize("trunk", ["fine", "small"])
def test_it_grows_with_the_share_up_to_the_receptive_field(trunk):
    model = FullyConvolutional(3, trunk).eval()
    clips = [torch.randn(300, 64), torch.randn(250, 64)]
    widths = [effective_field(model, clips, share) for share in (0.1, 0.5, 0.9, 1.0)]
    assert widths == sorted(widths) and widths[0] < widths[-1]
    assert widths[-1] <= 0.01 * model.time.field + 1e-9


def test_a_dead_cell_is_said():
    with pytest.raises(SertutError, match="all of their units are off"):
        influence(constant(-1.0), torch.rand(100, 64) + 0.1)
