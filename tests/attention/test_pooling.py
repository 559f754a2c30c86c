"""Poolings of frames and of cells: the masked softmax, half precision, and what padding must not change."""

import pytest
import torch

from sertut.attention import (
    MixturePooling,
    SpectrogramAttention,
    masked_softmax,
    max_pooling,
    mean_over_cells,
    mean_pooling,
)
from sertut.attention.pooling import uniform
from sertut.signals import length_mask

LENGTHS = torch.tensor([5, 1, 3])
MASK = length_mask(LENGTHS)  # (3, 5)


def states():
    return torch.randn(3, 5, 4)


def test_masked_softmax_is_a_distribution_over_real_frames():
    weights = masked_softmax(torch.randn(3, 5) * 50, MASK)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    assert (weights[~MASK] == 0).all()
    nothing = masked_softmax(torch.randn(1, 3), torch.zeros(1, 3, dtype=torch.bool))
    assert nothing.tolist() == [[0, 0, 0]]  # not NaN


def test_mixture_stays_finite_when_a_weight_underflows():
    mix = MixturePooling(4, 3)
    mix.attend.score.weight.data.mul_(1e4)
    log_p, _ = mix(states(), MASK)
    log_p.sum().backward()
    assert torch.isfinite(log_p).all()
    assert all(torch.isfinite(p.grad).all() for p in mix.parameters())


def test_mean_and_max_ignore_padding():
    h = states()
    h[~MASK] = 1e6
    torch.testing.assert_close(mean_pooling(h, MASK)[2], h[2, :3].mean(dim=0))
    torch.testing.assert_close(max_pooling(h, MASK)[2], h[2, :3].amax(dim=0))
    torch.testing.assert_close(uniform(MASK), MASK / LENGTHS[:, None])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_are_a_distribution_in_any_precision(dtype):
    attend, cells = SpectrogramAttention(4, 6, scale=30.0).to(dtype), torch.randn(3, 4, 2, 5, dtype=dtype)
    pooled, weights = attend(cells, MASK)
    assert pooled.dtype == dtype
    torch.testing.assert_close(weights.sum(dim=(1, 2)), torch.ones(3, dtype=weights.dtype), atol=1e-6, rtol=0)
    assert (weights[~MASK] == 0).all()


def test_mean_over_cells_is_the_mean_of_the_real_cells():
    cells = torch.randn(3, 4, 2, 5)
    for clip, length in enumerate(LENGTHS.tolist()):
        expected = cells[clip, :, :, :length].flatten(1).mean(dim=1)
        torch.testing.assert_close(mean_over_cells(cells, MASK)[clip], expected)


def test_as_many_units_as_channels_unless_said_otherwise():
    """With 256 channels, as in AlexNet, W, b and u are 66,048 numbers."""
    assert sum(p.numel() for p in SpectrogramAttention(256).parameters()) == 66_048
