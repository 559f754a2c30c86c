"""Attention over the cells of a feature map: a plain-loop version, gradients, limits with a known answer."""

import math

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


def attention(scale=1.0, n_units=6):
    return SpectrogramAttention(4, n_units, scale=scale).double()


def test_against_a_plain_loop():
    attend, cells = attention(scale=0.7), map_of_cells()
    pooled, weights = attend(cells, MASK)
    W, b, u = attend.project.weight, attend.project.bias, attend.score.weight[0]
    for clip, length in enumerate(LENGTHS.tolist()):
        scores = {}
        for t in range(length):
            for f in range(ROWS):
                a = cells[clip, :, f, t]
                unit = [math.tanh(sum((W[k, c] * a[c]).item() for c in range(4)) + b[k].item()) for k in range(6)]
                scores[t, f] = math.exp(0.7 * sum(u[k].item() * unit[k] for k in range(6)))
        total = sum(scores.values())
        for (t, f), score in scores.items():
            assert weights[clip, t, f].item() == pytest.approx(score / total, abs=1e-12)
        expected = [sum(s / total * cells[clip, c, f, t].item() for (t, f), s in scores.items()) for c in range(4)]
        assert pooled[clip].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_weights_are_a_distribution_over_real_cells(dtype):
    attend, cells = attention(scale=30.0).to(dtype), map_of_cells(dtype)
    pooled, weights = attend(cells, MASK)
    assert weights.shape == (3, 5, ROWS) and pooled.shape == (3, 4) and pooled.dtype == dtype
    torch.testing.assert_close(weights.sum(dim=(1, 2)), torch.ones(3, dtype=weights.dtype), atol=1e-6, rtol=0)
    assert (weights[~MASK] == 0).all() and (weights[MASK] > 0).any()


def test_scale_zero_is_mean_pooling():
    attend, cells = attention(scale=0.0), map_of_cells()
    pooled, weights = attend(cells, MASK)
    torch.testing.assert_close(pooled, mean_over_cells(cells, MASK), atol=1e-14, rtol=0)
    torch.testing.assert_close(weights[2, :3], torch.full((3, ROWS), 1 / 6, dtype=torch.float64), atol=1e-15, rtol=0)


def test_mean_over_cells_is_the_mean_of_the_real_cells():
    cells = map_of_cells()
    for clip, length in enumerate(LENGTHS.tolist()):
        expected = cells[clip, :, :, :length].flatten(1).mean(dim=1)
        torch.testing.assert_close(mean_over_cells(cells, MASK)[clip], expected)


def test_a_large_scale_picks_one_cell():
    cells = map_of_cells()
    attend = attention(scale=1.0)
    chosen = attend.weights(cells, MASK)[0].argmax()
    attend.scale = 1e6
    pooled, weights = attend(cells, MASK)
    assert weights[0].flatten()[chosen].item() == 1.0
    t, f = divmod(int(chosen), ROWS)
    torch.testing.assert_close(pooled[0], cells[0, :, f, t])


def test_one_cell_gets_all_the_weight():
    cells = map_of_cells()[:, :, :1]
    pooled, weights = attention()(cells, MASK)
    assert weights[1].squeeze(1).tolist() == [1, 0, 0, 0, 0]
    torch.testing.assert_close(pooled[1], cells[1, :, 0, 0])


def test_the_scale_could_be_learned_into_u():
    """lambda e = (lambda u)' tanh(...): a positive scale does not limit what can be learned."""
    cells, small, one = map_of_cells(), attention(scale=0.3), attention(scale=1.0)
    one.load_state_dict(small.state_dict())
    assert not torch.allclose(one(cells, MASK)[1], small(cells, MASK)[1])
    one.score.weight.data.mul_(0.3)
    torch.testing.assert_close(one(cells, MASK), small(cells, MASK))


def test_gradients():
    attend = attention()
    assert torch.autograd.gradcheck(lambda x: attend(x, MASK), map_of_cells().requires_grad_())
    assert torch.autograd.gradcheck(lambda x: mean_over_cells(x, MASK), map_of_cells().requires_grad_())
    attend(map_of_cells(), MASK)[0].square().sum().backward()
    for name, parameter in attend.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_as_many_units_as_channels_unless_said_otherwise():
    """With 256 channels, as in AlexNet, W, b and u are 66,048 numbers."""
    assert sum(p.numel() for p in SpectrogramAttention(256).parameters()) == 66_048
