"""Multi-head self-attention: PyTorch's own, the fast path, dropout, half precision; windows and gates at the start."""

import itertools

import pytest
import torch
from torch import nn

from sertut.attention import Focus, HeadGate, MultiHeadAttention
from sertut.attention.focus import NARROWEST
from sertut.errors import SertutError
from sertut.signals import length_mask

MASK = length_mask(torch.tensor([5, 1, 3]))  # (3, 5)
LENGTHS = torch.tensor([50, 1, 21])  # of clips for windows
D, H = 8, 2
SETTINGS = list(itertools.product((None, "learned", "loudest"), (False, True)))
LEVEL = torch.tensor([[3.0, 9, 1, 2, 0], [4, 99, 99, 99, 99], [-5, -7, -2, 99, 99]])  # padding is the loudest


def states():
    """(B, T, D) with values on the padding too: they must not matter."""
    return torch.randn(3, 5, D)


@pytest.fixture(params=SETTINGS, ids=lambda p: f"{p[0]}-{'gates' if p[1] else 'no gates'}")
def module(request):
    module = MultiHeadAttention(D, H, *request.param)
    if module.gate is not None:
        nn.init.uniform_(module.gate.squeeze.bias, 0.5, 1.0)  # one unit of the gate is open at least
    return module


def test_the_fast_path_equals_the_explicit_one(module):
    x = states().requires_grad_()
    result, _, gates = module(x, MASK, LEVEL)
    fast, weights, fast_gates = module(x, MASK, LEVEL, maps=False)
    assert weights is None
    torch.testing.assert_close((fast, fast_gates), (result, gates))
    slopes = [torch.autograd.grad(found.square().sum(), x)[0] for found in (fast, result)]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("n_heads", [1, 2, 8])
def test_plain_attention_equals_that_of_torch(n_heads):
    ours, theirs = MultiHeadAttention(D, n_heads), nn.MultiheadAttention(D, n_heads, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    nn.init.normal_(theirs.in_proj_bias)
    for layer, weight, bias in zip(parts, theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    ours.join.load_state_dict(theirs.out_proj.state_dict())
    x = states()
    result, weights, gates = ours(x, MASK)
    expected, their_weights = theirs(x, x, x, key_padding_mask=~MASK, average_attn_weights=False)
    real = MASK[:, None, :, None]
    torch.testing.assert_close((result[MASK], weights * real), (expected[MASK], their_weights * real))
    assert gates is None


def test_dropout_is_for_training_only():
    module = MultiHeadAttention(D, H, dropout=0.5)
    x, mask = states()[2:].expand(4000, -1, -1), MASK[2:].expand(4000, -1)
    expected = module.eval()(x[:1], mask[:1])[0][0, :3]
    torch.testing.assert_close(module(x[1:2], mask[:1])[0][0, :3], expected, atol=0, rtol=0)
    torch.testing.assert_close(module(x[:1], mask[:1], maps=False)[0][0, :3], expected)
    module.train()
    for maps in (True, False):
        drawn = module(x, mask, maps=maps)[0][:, :3]
        assert drawn.std(dim=0).min() > 0.01
        torch.testing.assert_close(drawn.mean(dim=0), expected, atol=0.05, rtol=0)  # weights that stay count twice


@pytest.mark.parametrize("maps", [True, False])
def test_half_precision(module, maps):
    """Under autocast, as on a GPU: finite, and near the result in single precision."""
    x = states()
    with torch.autocast("cpu", torch.bfloat16):
        result = module(x, MASK, LEVEL, maps)[0]
    torch.testing.assert_close(result.float(), module(x, MASK, LEVEL, maps)[0], atol=0.05, rtol=0)


def test_errors():
    with pytest.raises(SertutError, match="did you mean 'loudest'"):
        MultiHeadAttention(8, 2, focus="loudst")
    with pytest.raises(SertutError, match=r"needs the level of every frame; pass level="):
        MultiHeadAttention(8, 2, focus="loudest")(states(), MASK)
    with pytest.raises(SertutError, match="8 features cannot be shared by 3 heads; choose a multiple"):
        MultiHeadAttention(8, 3)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_windows_stay_within_the_clip_and_never_close(scale):
    module, mask = Focus(D, H), length_mask(LENGTHS)
    module.to_center.data.mul_(scale), module.to_width.data.mul_(scale)
    center, width = module.window(torch.randn(3, 50, D), mask)
    assert center.shape == width.shape == (3, H, 50)
    length = LENGTHS[:, None, None]
    assert (center >= 0).all() and (center <= length).all()
    assert (width >= NARROWEST).all() and (width <= length + NARROWEST).all()
    assert torch.isfinite(module(torch.randn(3, 50, D), mask)).all()


def test_training_starts_from_a_wide_window_on_the_middle():
    module, mask = Focus(D, H), length_mask(LENGTHS)
    nn.init.zeros_(module.to_center), nn.init.zeros_(module.to_width)
    center, width = module.window(torch.randn(3, 50, D), mask)
    half = (LENGTHS / 2)[:, None, None].expand(3, H, 50)
    torch.testing.assert_close(center, half)
    torch.testing.assert_close(width, half + NARROWEST)


def test_in_half_precision_centers_are_exact_to_a_fraction_of_a_frame():
    """bfloat16 tells 1000 from 1008 and nothing between: windows are computed in single precision."""
    module, q = Focus(D, H), torch.randn(1, 3000, D)
    mask = torch.ones(1, 3000, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        center, width = module.window(q, mask)
        assert module(q[:, :100], mask[:, :100]).dtype == torch.float32
    assert center.dtype == width.dtype == torch.float32
    assert (center[0] % 8 != 0).float().mean() > 0.9


def test_gates_start_near_088_and_depend_on_the_clip_whatever_the_seed():
    found, nothing = torch.rand(3, 4, 5, 3), torch.zeros(3, 4, 5, 3)  # what heads find is about as large as the first
    for seed in range(50):
        torch.manual_seed(seed)
        gate = HeadGate(4)
        assert gate(found, MASK).std(dim=0).max() > 1e-4, seed
    assert gate(nothing, MASK).mean().item() == pytest.approx(0.88, abs=0.06)
    assert [HeadGate(n_heads).squeeze.out_features for n_heads in (1, 2, 3, 8)] == [1, 1, 1, 4]
