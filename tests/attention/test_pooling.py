"""Attention pooling: a plain-loop version, gradients, limits with a known answer."""

import math

import pytest
import torch

from sertut.attention import AttentionPooling, MixturePooling, deviation, masked_softmax, max_pooling, mean_pooling
from sertut.attention.pooling import uniform
from sertut.signals import length_mask

LENGTHS = torch.tensor([5, 1, 3])
MASK = length_mask(LENGTHS)  # (3, 5)


def states(dtype=torch.float32):
    return torch.randn(3, 5, 4, dtype=dtype)


def test_masked_softmax_is_a_distribution_over_real_frames():
    weights = masked_softmax(torch.randn(3, 5) * 50, MASK)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    assert (weights[~MASK] == 0).all()
    torch.testing.assert_close(weights[2, :3], masked_softmax(weights.log(), MASK)[2, :3])


def test_masked_softmax_of_an_empty_row_is_zero_not_nan():
    assert masked_softmax(torch.randn(1, 3), torch.zeros(1, 3, dtype=torch.bool)).abs().sum() == 0


def test_attention_pooling_against_a_plain_loop():
    pool, h = AttentionPooling(4, 6), states()
    pooled, weights = pool(h, MASK)
    W, b, u = pool.project.weight, pool.project.bias, pool.score.weight[0]
    for clip, length in enumerate(LENGTHS.tolist()):
        scores = []
        for t in range(length):
            unit = [
                math.tanh(sum(W[a, k].item() * h[clip, t, k].item() for k in range(4)) + b[a].item()) for a in range(6)
            ]
            scores.append(sum(u[a].item() * unit[a] for a in range(6)))
        total = sum(math.exp(s) for s in scores)
        alpha = [math.exp(s) / total for s in scores]
        assert weights[clip, :length].tolist() == pytest.approx(alpha, abs=1e-6)
        expected = [sum(alpha[t] * h[clip, t, k].item() for t in range(length)) for k in range(4)]
        assert pooled[clip].tolist() == pytest.approx(expected, abs=1e-5)


def test_equal_scores_are_mean_pooling():
    pool, h = AttentionPooling(4), states()
    torch.nn.init.zeros_(pool.score.weight)
    pooled, weights = pool(h, MASK)
    torch.testing.assert_close(pooled, mean_pooling(h, MASK))
    torch.testing.assert_close(weights, MASK / LENGTHS[:, None])


def test_one_frame_gets_all_the_weight():
    pooled, weights = AttentionPooling(4)(h := states(), MASK)
    assert weights[1].tolist() == [1, 0, 0, 0, 0]
    torch.testing.assert_close(pooled[1], h[1, 0])


def test_mixture_is_a_mixture_of_what_the_frames_say():
    mix, h = MixturePooling(4, 3), states()
    log_p, weights = mix(h, MASK)
    q = mix.frame_log_posteriors(h).exp()
    expected = (weights.unsqueeze(-1) * q).sum(dim=1)
    torch.testing.assert_close(log_p.exp(), expected)
    torch.testing.assert_close(log_p.exp().sum(dim=1), torch.ones(3))
    torch.testing.assert_close(log_p.softmax(dim=1), expected)  # log-probabilities are valid logits


def test_mixture_stays_finite_when_a_weight_underflows():
    mix, h = MixturePooling(4, 3), states()
    mix.attend.score.weight.data.mul_(1e4)
    log_p, _ = mix(h, MASK)
    log_p.sum().backward()
    assert torch.isfinite(log_p).all()
    assert all(torch.isfinite(p.grad).all() for p in mix.parameters())


@pytest.mark.parametrize("module", [AttentionPooling(4, 3), MixturePooling(4, 3, 3)], ids=["attention", "mixture"])
def test_gradients(module):
    module = module.double()
    assert torch.autograd.gradcheck(lambda h: module(h, MASK), states(torch.float64).requires_grad_())
    module.zero_grad()
    module(states(torch.float64), MASK)[0].square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_mean_and_max_ignore_padding():
    h = states()
    polluted = h.clone()
    polluted[~MASK] = 1e6
    for pool in (mean_pooling, max_pooling):
        torch.testing.assert_close(pool(polluted, MASK), pool(h, MASK))
    torch.testing.assert_close(mean_pooling(h, MASK)[2], h[2, :3].mean(dim=0))
    torch.testing.assert_close(max_pooling(h, MASK)[2], h[2, :3].amax(dim=0))


def test_deviation_is_the_standard_deviation_of_what_is_looked_at():
    states, mask = torch.randn(2, 9, 4), torch.arange(9)[None] < torch.tensor([[9], [5]])
    even = deviation(states, uniform(mask).unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(even[0], states[0].std(dim=0, correction=0))
    torch.testing.assert_close(even[1], states[1, :5].std(dim=0, correction=0))
    one = torch.nn.functional.one_hot(torch.tensor([3, 4]), 9).float()  # who looks at one step sees no difference
    torch.testing.assert_close(deviation(states, one.unsqueeze(1)), torch.full((2, 1, 4), 1e-5**0.5), atol=1e-3, rtol=0)
    two = torch.zeros(1, 2, 9).index_fill(2, torch.tensor([2, 6]), 0.5)
    expected = (states[:1, 2] - states[:1, 6]).abs() / 2
    torch.testing.assert_close(deviation(states[:1], two)[:, 1], expected, atol=1e-3, rtol=1e-3)
