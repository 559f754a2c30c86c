"""Poolings: the masked softmax, limits with a known answer, and what padding must not change."""

import torch

from sertut.attention import AttentionPooling, MixturePooling, deviation, masked_softmax, max_pooling, mean_pooling
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


def test_equal_scores_are_mean_pooling():
    pool, h = AttentionPooling(4), states()
    torch.nn.init.zeros_(pool.score.weight)
    pooled, weights = pool(h, MASK)
    torch.testing.assert_close(pooled, mean_pooling(h, MASK))
    torch.testing.assert_close(weights, uniform(MASK))
    torch.testing.assert_close(weights, MASK / LENGTHS[:, None])


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


def test_deviation_is_the_standard_deviation_of_what_is_looked_at():
    h = states()
    even = deviation(h, uniform(MASK).unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(even[2], h[2, :3].std(dim=0, correction=0))
    torch.testing.assert_close(even[1], torch.full((4,), 1e-5**0.5), atol=1e-3, rtol=0)  # one step, no difference
    two = torch.zeros(1, 2, 5).index_fill(2, torch.tensor([1, 4]), 0.5)
    torch.testing.assert_close(deviation(h[:1], two)[0, 1], (h[0, 1] - h[0, 4]).abs() / 2, atol=1e-3, rtol=1e-3)
