"""Calibration-Attention: where gates start, and the limit in which they do nothing."""

import pytest
import torch
from torch import nn

from sertut.attention import HeadGate, MultiHeadAttention
from sertut.signals import length_mask

MASK = length_mask(torch.tensor([5, 1, 3]))
H, d = 4, 3


def test_gates_start_near_088_and_depend_on_the_clip_whatever_the_seed():
    found, nothing = torch.rand(3, H, 5, d), torch.zeros(3, H, 5, d)  # what heads find is about as large as the first
    for seed in range(50):
        torch.manual_seed(seed)
        gate = HeadGate(H)
        assert gate(found, MASK).std(dim=0).max() > 1e-4, seed
    assert gate(nothing, MASK).mean().item() == pytest.approx(0.88, abs=0.06)


@pytest.mark.parametrize(("n_heads", "n_hidden"), [(1, 1), (2, 1), (3, 1), (8, 4)])
def test_half_as_many_hidden_units_as_heads(n_heads, n_hidden):
    assert HeadGate(n_heads).squeeze.out_features == n_hidden


@pytest.mark.parametrize("focus", [None, "learned"])
@pytest.mark.parametrize("maps", [True, False])
def test_gates_of_one_are_plain_attention(focus, maps):
    module = MultiHeadAttention(H * d, H, focus, calibrate=True)
    plain = MultiHeadAttention(H * d, H, focus)
    plain.load_state_dict(module.state_dict(), strict=False)
    nn.init.constant_(module.gate.excite.bias, 1e3)
    x = torch.randn(3, 5, H * d)
    result, weights, gates = module(x, MASK, maps=maps)
    assert (gates == 1).all()
    torch.testing.assert_close((result, weights), plain(x, MASK, maps=maps)[:2])
