"""Attention maps: projections to time with a known answer."""

import pytest
import torch

from sertut.attention import AttentionMap, Clock, masked_softmax
from sertut.signals import length_mask

MASK = length_mask(torch.tensor([4, 2]))
CLOCKS = {"time": Clock(0.04, 0.01)}


def test_clock():
    torch.testing.assert_close(Clock(0.04, 0.01).centers(3), torch.tensor([0.03, 0.07, 0.11]))


def test_axes_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        AttentionMap(torch.ones(2, 4), ("time", "frequency"), MASK, CLOCKS)


def test_time_and_frequency_share_one_distribution():
    grid = MASK[:, :, None].expand(2, 4, 3)
    weights = masked_softmax(torch.randn(2, 12), grid.reshape(2, 12)).reshape(2, 4, 3)
    over_time = AttentionMap(weights, ("time", "frequency"), MASK, CLOCKS).over_time()
    assert over_time.axes == ("time",)
    torch.testing.assert_close(over_time.weights, weights.sum(dim=2))
    torch.testing.assert_close(over_time.weights.sum(dim=1), torch.ones(2))


def test_heads_and_queries_are_averaged_over_real_queries_only():
    weights = masked_softmax(torch.randn(2, 3, 4, 4), MASK[:, None, None, :])
    weights = weights * MASK[:, None, :, None]  # padded queries attend to nothing
    over_time = AttentionMap(weights, ("head", "query", "time"), MASK, CLOCKS).over_time()
    torch.testing.assert_close(over_time.weights.sum(dim=1), torch.ones(2))
    torch.testing.assert_close(over_time.weights[1, :2], weights[1, :, :2, :2].mean(dim=(0, 1)))
    assert (over_time.weights[1, 2:] == 0).all()


def test_one_clip_without_padding():
    map_ = AttentionMap(masked_softmax(torch.randn(2, 4), MASK), ("time",), MASK, CLOCKS)
    assert map_.of(1).shape == (2,)
    assert map_.of(1).sum().item() == pytest.approx(1)
