"""Alignment: a plain-loop version, gradients, known lags, limits with a known answer, streams that are missing."""

import math

import pytest
import torch
from torch import nn

from sertut.attention import Alignment, synchrony_loss
from sertut.attention.alignment import LAG_STEP, MAX_LAG, N_LAGS, SHARPNESS, lag_index, lag_profile, nearest
from sertut.signals import length_mask

QUERIES, KEYS = torch.tensor([5, 1, 3]), torch.tensor([4, 7, 2])
QUERY_MASK, KEY_MASK = length_mask(QUERIES), length_mask(KEYS)  # (3, 5), (3, 7)
LAGS = LAG_STEP * (torch.arange(5)[:, None] - torch.arange(7)[None, :])  # both streams at 25 steps a second


def streams(dtype=torch.float32):
    return torch.randn(3, 5, 4, dtype=dtype), torch.randn(3, 7, 6, dtype=dtype)


def one_hot(n, width, start=0):
    """n steps, each unlike all others; from `start` on the same ones as from 0."""
    return nn.functional.one_hot(start + torch.arange(n), width).float()


def a_matcher(n_features, one_lag=False):
    """An alignment whose score is high where query and key are the same one-hot vector."""
    align = Alignment(n_features, n_features, n_features, one_lag=one_lag)
    with torch.no_grad():
        align.query.weight.copy_(3 * torch.eye(n_features))
        align.query.bias.fill_(-4.5)  # high only where query and key both speak
        align.key.weight.copy_(3 * torch.eye(n_features))
        align.weigh.weight.fill_(3.0)
    return align


def test_alignment_against_a_plain_loop():
    align, (query, keys) = Alignment(4, 6, 8), streams()
    found, weights = align(query, keys, QUERY_MASK, KEY_MASK, LAGS)
    W, b, U, w = align.query.weight, align.query.bias, align.key.weight, align.weigh.weight[0]
    for clip in range(3):
        for t in range(int(QUERIES[clip])):
            scores = [
                (w @ torch.tanh(W @ query[clip, t] + U @ keys[clip, j] + b)).item() for j in range(int(KEYS[clip]))
            ]
            total = sum(math.exp(score) for score in scores)
            alpha = [math.exp(score) / total for score in scores]
            assert weights[clip, t, : len(alpha)].tolist() == pytest.approx(alpha, abs=1e-6)
            expected = sum(a * keys[clip, j] for j, a in enumerate(alpha))
            torch.testing.assert_close(found[clip, t], expected, atol=1e-5, rtol=0)


def test_the_product_against_a_plain_loop():
    align, (query, keys) = Alignment(4, 6, 8, score="product"), streams()
    scores = align.scores(query, keys, QUERY_MASK, KEY_MASK)
    for clip in range(3):
        asking = [align.query.weight @ query[clip, t] for t in range(int(QUERIES[clip]))]
        asked = [align.key.weight @ keys[clip, j] for j in range(int(KEYS[clip]))]
        for t, v in enumerate(asking):
            for j, f in enumerate(asked):
                changes = (v - sum(asking) / len(asking), f - sum(asked) / len(asked))
                expected = (changes[0] @ changes[1]).item() / math.sqrt(8)
                assert scores[clip, t, j].item() == pytest.approx(expected, abs=1e-5)


def test_the_product_does_not_see_what_is_constant_in_a_clip():
    align, (query, keys) = Alignment(4, 6, score="product"), streams()
    scores = align.scores(query, keys, QUERY_MASK, KEY_MASK)
    same = align.scores(query + torch.randn(3, 1, 4), keys + torch.randn(3, 1, 6), QUERY_MASK, KEY_MASK)
    torch.testing.assert_close(same, scores, atol=1e-5, rtol=0)


def test_the_relative_position_term_against_a_plain_loop():
    align, (query, keys) = Alignment(4, 6, one_lag=True), streams()
    scores = align.scores(query, keys, QUERY_MASK, KEY_MASK)
    _, weights = align(query, keys, QUERY_MASK, KEY_MASK, LAGS)
    for clip in range(3):
        n = int(QUERIES[clip])
        pairs = [(t, j) for t in range(n) for j in range(int(KEYS[clip]))]
        level = sum(scores[clip, t, j].item() for t, j in pairs) / len(pairs)
        r = {t - j: 0.0 for t, j in pairs}
        for t, j in pairs:
            r[t - j] += SHARPNESS * (scores[clip, t, j].item() - level) / n
        total = sum(math.exp(value) for value in r.values()) + (N_LAGS - len(r)) * math.exp(0.0)
        for t in range(int(QUERIES[clip])):
            with_term = [
                math.exp(scores[clip, t, j].item() + r[t - j] - math.log(total)) for j in range(int(KEYS[clip]))
            ]
            expected = [value / sum(with_term) for value in with_term]
            assert weights[clip, t, : len(expected)].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_a_known_lag_is_found_and_the_steps_of_a_clip_decide_together(lag):
    n, width = 12, 24
    align = a_matcher(width, one_lag=True)
    query, keys = one_hot(n, width, start=5)[None], one_hot(n, width, start=5 + lag)[None]
    query[0, 3:9] = 0.0  # half of the steps show nothing; without the term they would look everywhere
    mask = torch.ones(1, n, dtype=torch.bool)
    lags = LAG_STEP * (torch.arange(n)[:, None] - torch.arange(n)[None, :])
    profile = lag_profile(align.scores(query, keys, mask, mask), mask[:, :, None] & mask[:, None, :], lags)
    assert int(profile.argmax()) - MAX_LAG == lag
    _, weights = align(query, keys, mask, mask, lags)
    for t in range(3, 9):
        if 0 <= t - lag < n:
            assert int(weights[0, t].argmax()) == t - lag
    plain = a_matcher(width)
    torch.testing.assert_close(plain(query, keys, mask, mask, lags)[1][0, 5], torch.full((n,), 1 / n))


def test_without_score_alignment_is_the_mean_of_the_keys():
    align, (query, keys) = Alignment(4, 6), streams()
    nn.init.zeros_(align.weigh.weight)
    found, _ = align(query, keys, QUERY_MASK, KEY_MASK, LAGS)
    torch.testing.assert_close(found[0, 0], keys[0, :4].mean(dim=0))


def test_a_single_key_takes_all():
    align = Alignment(4, 6, one_lag=True)
    query, key = torch.randn(1, 5, 4), torch.randn(1, 1, 6)
    found, _ = align(query, key, torch.ones(1, 5, dtype=torch.bool), torch.ones(1, 1, dtype=torch.bool), LAGS[:, :1])
    torch.testing.assert_close(found, key.expand(1, 5, 6))


def test_pairs_out_of_reach_get_nothing_where_others_are_in_reach():
    align = Alignment(4, 4, one_lag=True)
    n = MAX_LAG + 10
    query = keys = torch.randn(1, n, 4)
    mask, lags = torch.ones(1, n, dtype=torch.bool), LAG_STEP * (torch.arange(n)[:, None] - torch.arange(n)[None, :])
    _, weights = align(query, keys, mask, mask, lags)
    assert weights[0, n - 1, : n - 1 - MAX_LAG].abs().sum() == 0 and weights[0, n - 1, n - 1 - MAX_LAG] > 0


@pytest.mark.parametrize("score", ["additive", "product"])
@pytest.mark.parametrize("one_lag", [False, True])
def test_gradients(score, one_lag):
    align = Alignment(4, 6, 3, score, one_lag).double()
    query, keys = (x.requires_grad_() for x in streams(torch.float64))
    assert torch.autograd.gradcheck(lambda q, k: align(q, k, QUERY_MASK, KEY_MASK, LAGS.double())[0], (query, keys))


def test_lags_have_an_index_each():
    index, near = lag_index(torch.tensor([[-1.2, -0.02, 0.0, 0.041, 1.2, 1.3]]))
    assert index[0, :5].tolist() == [0, MAX_LAG, MAX_LAG, MAX_LAG + 1, N_LAGS - 1]
    assert near[0].tolist() == [True, True, True, True, True, False]


def test_nearest_takes_the_step_at_the_same_time_whatever_the_rates():
    query_times, key_times = torch.arange(4) / 30.0, torch.arange(3) / 10.0
    weights = nearest(
        torch.ones(1, 4, dtype=torch.bool), length_mask(torch.tensor([2]), 3), query_times[:, None] - key_times[None]
    )
    assert weights[0].argmax(dim=1).tolist() == [0, 0, 1, 1]  # 0, .033, .067, .1 s; the third key is padding
    assert weights.sum().item() == 4


def test_synchrony_is_lower_for_streams_that_belong_together():
    width, n = 40, 12
    align = a_matcher(width, one_lag=True)
    mask = torch.ones(4, n, dtype=torch.bool)
    lags = LAG_STEP * (torch.arange(n)[:, None] - torch.arange(n)[None, :])
    keys = torch.stack([one_hot(n, width)[torch.randperm(n)] for _ in range(4)])
    query = keys.roll(3, dims=1)  # each clip lags by 3 steps, in an order of its own
    together = synchrony_loss(align, query, keys, mask, mask, lags)
    apart = synchrony_loss(align, query, keys.roll(1, dims=0), mask, mask, lags)
    assert together < 0.3 < apart


def test_synchrony_does_not_pay_for_who_speaks():
    """A constant of each clip, in both streams, is no evidence of synchrony."""
    align = a_matcher(8)
    who = torch.eye(8)[:4, None, :].expand(4, 12, 8)
    mask = torch.ones(4, 12, dtype=torch.bool)
    lags = LAG_STEP * (torch.arange(12)[:, None] - torch.arange(12)[None, :])
    loss = synchrony_loss(align, who, who, mask, mask, lags)
    torch.testing.assert_close(loss, torch.tensor(math.log(8)), atol=1e-4, rtol=0)


def test_synchrony_leaves_out_clips_with_one_stream():
    align = Alignment(4, 6)
    query, keys = streams()
    no_voice = KEY_MASK & torch.tensor([[False], [False], [False]])
    assert synchrony_loss(align, query, keys, QUERY_MASK, no_voice, LAGS).item() == 0.0
