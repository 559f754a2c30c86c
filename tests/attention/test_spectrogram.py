"""Attention over the cells of a feature map: half precision, and limits with a known answer."""

import pytest
import torch

from sertut.attention import SpectrogramAttention, mean_over_cells
from sertut.signals import length_mask

LENGTHS = torch.tensor([5, 1, 3])
MASK = length_mask(LENGTHS)  # (3, 5)
ROWS = 2


def map_of_cells(dtype=torch.float64):
    """(B, C, F', T') with values on the padding too: they must not matter."""
    return torch.randn(3, 4, ROWS, 5, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_are_a_distribution_in_any_precision(dtype):
    attend, cells = SpectrogramAttention(4, 6, scale=30.0).to(dtype), map_of_cells(dtype)
    pooled, weights = attend(cells, MASK)
    assert pooled.dtype == dtype
    torch.testing.assert_close(weights.sum(dim=(1, 2)), torch.ones(3, dtype=weights.dtype), atol=1e-6, rtol=0)
    assert (weights[~MASK] == 0).all()


def test_scale_zero_is_mean_pooling():
    attend, cells = SpectrogramAttention(4, 6, scale=0.0).double(), map_of_cells()
    pooled, _ = attend(cells, MASK)
    torch.testing.assert_close(pooled, mean_over_cells(cells, MASK), atol=1e-14, rtol=0)


def test_mean_over_cells_is_the_mean_of_the_real_cells():
    cells = map_of_cells()
    for clip, length in enumerate(LENGTHS.tolist()):
        expected = cells[clip, :, :, :length].flatten(1).mean(dim=1)
        torch.testing.assert_close(mean_over_cells(cells, MASK)[clip], expected)


def test_as_many_units_as_channels_unless_said_otherwise():
    """With 256 channels, as in AlexNet, W, b and u are 66,048 numbers."""
    assert sum(p.numel() for p in SpectrogramAttention(256).parameters()) == 66_048
