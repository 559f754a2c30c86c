"""Calibration-Attention: a plain-loop version, limits with a known answer, every parameter trained."""

import math

import pytest
import torch
from torch import nn

from sertut.attention import HeadGate, MultiHeadAttention
from sertut.signals import length_mask

LENGTHS = torch.tensor([5, 1, 3])
MASK = length_mask(LENGTHS)
H, d = 4, 3


def heads():
    """(B, H, T, d) with values on the padding too."""
    return torch.randn(3, H, 5, d, dtype=torch.float64)


def gate():
    """With hidden units that are open: a new gate may have none, and then it is the same for every clip."""
    gate = HeadGate(H).double()
    nn.init.uniform_(gate.squeeze.bias, 0.5, 1.0)
    return gate


def test_against_a_plain_loop():
    module, found = gate(), heads()
    module.squeeze.bias.data[0] = -0.1  # so that ReLU has something to do
    gates = module(found, MASK)
    for clip, n in enumerate(LENGTHS.tolist()):
        s = [sum(found[clip, h, i, k].item() ** 2 for i in range(n) for k in range(d)) / (n * d) for h in range(H)]
        s = [math.sqrt(square) for square in s]
        layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in (module.squeeze, module.excite)]
        (Wa, ba), (Wb, bb) = layers
        hidden = [max(0.0, sum(w * v for w, v in zip(row, s, strict=True)) + b) for row, b in zip(Wa, ba, strict=True)]
        scores = [sum(w * v for w, v in zip(row, hidden, strict=True)) + b for row, b in zip(Wb, bb, strict=True)]
        assert gates[clip].tolist() == pytest.approx([1 / (1 + math.exp(-e)) for e in scores], abs=1e-7)


def test_gates_lie_between_0_and_1_and_start_near_088():
    assert HeadGate(H)(torch.zeros(2, H, 5, d), MASK[:2]).detach().mean().item() == pytest.approx(0.88, abs=0.06)
    module = gate()
    nn.init.zeros_(module.excite.weight)
    torch.testing.assert_close(module(heads(), MASK), torch.full((3, H), 2.0, dtype=torch.float64).sigmoid())
    nn.init.normal_(module.excite.weight, std=5.0)
    gates = module(heads(), MASK)
    assert (gates > 0).all() and (gates < 1).all() and gates.std() > 0.1


def test_no_seed_starts_with_gates_that_are_the_same_for_every_clip():
    found = torch.rand(3, H, 5, d)  # what heads find is about this large
    for seed in range(50):
        torch.manual_seed(seed)
        gates = HeadGate(H)(found, MASK)
        assert gates.std(dim=0).max() > 1e-4, seed


@pytest.mark.parametrize("focus", [None, "learned"])
@pytest.mark.parametrize("maps", [True, False])
def test_gates_of_one_are_plain_attention(focus, maps):
    module = MultiHeadAttention(H * d, H, focus, calibrate=True)
    plain = MultiHeadAttention(H * d, H, focus)
    plain.load_state_dict(module.state_dict(), strict=False)
    x = torch.randn(3, 5, H * d)
    expected = plain(x, MASK, maps=maps)
    nn.init.constant_(module.gate.excite.bias, 1e3)
    result, weights, gates = module(x, MASK, maps=maps)
    assert (gates == 1).all()
    torch.testing.assert_close((result, weights), expected[:2])
    nn.init.constant_(module.gate.excite.bias, -1e3)  # closed gates leave the bias of W_O
    torch.testing.assert_close(module(x, MASK, maps=maps)[0][MASK], module.join.bias.expand(9, -1))


def test_a_closed_gate_takes_out_its_head_alone():
    module = MultiHeadAttention(H * d, H, calibrate=True)
    nn.init.zeros_(module.gate.excite.weight)
    module.gate.excite.bias.data = torch.tensor([1e3, -1e3, 1e3, 1e3])
    x = torch.randn(3, 5, H * d)
    result, _, gates = module(x, MASK)
    assert gates[0].tolist() == [1, 0, 1, 1]
    module.value.weight.data[d : 2 * d] = module.value.bias.data[d : 2 * d] = 7.0  # what the second head says
    torch.testing.assert_close(module(x, MASK)[0], result)


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4])
def test_gradients(n_heads):
    module, found = HeadGate(n_heads).double(), torch.randn(3, n_heads, 5, d, dtype=torch.float64, requires_grad=True)
    nn.init.uniform_(module.squeeze.bias, 0.5, 1.0)
    assert module.squeeze.out_features == max(1, n_heads // 2)
    assert torch.autograd.gradcheck(lambda found: module(found, MASK), found)
    module(found, MASK).square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.abs().max() > 1e-8, name


def test_weights_are_drawn_anew_and_gates_open_again():
    module = HeadGate(H)
    before = module.squeeze.weight.clone(), module.excite.weight.clone()
    nn.init.zeros_(module.excite.bias)
    module.reset_parameters()
    assert (module.excite.bias == 2).all()
    assert not torch.equal(module.squeeze.weight, before[0]) and not torch.equal(module.excite.weight, before[1])
