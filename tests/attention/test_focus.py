"""Focus-Attention: windows on known frames, and limits with a known answer."""

import pytest
import torch
from torch import nn

from sertut.attention import Focus, MultiHeadAttention, gaussian_bias
from sertut.attention.focus import NARROWEST
from sertut.errors import SertutError
from sertut.signals import length_mask

LENGTHS = torch.tensor([50, 1, 21])
MASK = length_mask(LENGTHS)
D, H = 8, 4


def queries():
    return torch.randn(3, 50, D, dtype=torch.float64)


def focus(center="learned"):
    return Focus(D, H, center).double()


@pytest.mark.parametrize("width", [1.0, 7.0, 20.0])
def test_the_window_is_a_gaussian_whose_standard_deviation_is_half_the_width(width):
    center = torch.full((1, 1, 50), 12.3, dtype=torch.float64)
    bias = gaussian_bias(center, torch.full_like(center, width))
    assert bias.shape == (1, 1, 50, 50)
    j = torch.arange(50, dtype=torch.float64)
    expected = torch.distributions.Normal(center[0, 0, 0], width / 2).log_prob(j)
    found = bias[0, 0, 7]
    torch.testing.assert_close(found - found[0], expected - expected[0])
    assert found.argmax() == 12
    assert (found <= 0).all()


@pytest.mark.parametrize("center", ["learned", "loudest"])
@pytest.mark.parametrize("maps", [True, False])
def test_an_infinite_width_is_plain_attention(monkeypatch, center, maps):
    module = MultiHeadAttention(D, H, center)
    plain = MultiHeadAttention(D, H)
    plain.load_state_dict(module.state_dict(), strict=False)
    x, level = queries().float(), torch.randn(3, 50)
    original = module.focus.window
    assert not torch.allclose(module(x, MASK, level, maps)[0], plain(x, MASK, maps=maps)[0], atol=1e-3)

    def wide(*args):
        where, width = original(*args)
        return where, torch.full_like(width, torch.inf)

    monkeypatch.setattr(module.focus, "window", wide)
    torch.testing.assert_close(module(x, MASK, level, maps), plain(x, MASK, maps=maps))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_windows_stay_within_the_clip_and_never_close(scale):
    module = focus()
    module.to_center.data.mul_(scale), module.to_width.data.mul_(scale)
    center, width = module.window(queries(), MASK)
    assert center.shape == width.shape == (3, H, 50)
    length = LENGTHS[:, None, None]
    assert (center >= 0).all() and (center <= length).all()
    assert (width >= NARROWEST).all() and (width <= length + NARROWEST).all()
    assert torch.isfinite(module(queries(), MASK)).all()


def test_training_starts_from_a_wide_window_on_the_middle():
    module = focus()
    nn.init.zeros_(module.to_center), nn.init.zeros_(module.to_width)
    center, width = module.window(queries(), MASK)
    half = (LENGTHS / 2).double()[:, None, None].expand(3, H, 50)
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


def test_errors():
    with pytest.raises(SertutError, match="did you mean 'learned'"):
        Focus(D, H, "learnt")
    with pytest.raises(SertutError, match=r"loudest frame needs the level of every frame; pass level="):
        focus("loudest").window(queries(), MASK)
