"""Alignment: known lags, pairs out of reach, steps of other rates, and what synchrony pays for."""

import pytest
import torch
from torch import nn

from sertut.attention import Alignment, synchrony_loss
from sertut.attention.alignment import LAG_STEP, MAX_LAG, N_LAGS, TOGETHER, lag_index, lag_profile, nearest
from sertut.errors import SertutError
from sertut.signals import length_mask, reverse


def whole(n, n_clips=1):
    """Mask of clips without padding, and the lags of two streams of n steps at 25 a second."""
    steps = torch.arange(n)
    return torch.ones(n_clips, n, dtype=torch.bool), LAG_STEP * (steps[:, None] - steps)


def one_hot(n, width, start=0):
    """n steps, each unlike all others; from `start` on the same ones as from 0."""
    return nn.functional.one_hot(start + torch.arange(n), width).float()


def a_matcher(n_features, score="additive", one_lag=False):
    """An alignment whose score is high where query and key are the same one-hot vector."""
    align = Alignment(n_features, n_features, n_features, score, one_lag)
    with torch.no_grad():
        align.query.weight.copy_(3 * torch.eye(n_features))
        align.key.weight.copy_(3 * torch.eye(n_features))
        if align.weigh is not None:
            align.query.bias.fill_(-4.5)  # high only where query and key both speak
            align.weigh.weight.fill_(3.0)
    return align


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_a_known_lag_is_found_and_the_steps_of_a_clip_decide_together(lag):
    n, width = 12, 24
    align = a_matcher(width, one_lag=True)
    query, keys = one_hot(n, width, start=5)[None], one_hot(n, width, start=5 + lag)[None]
    query[0, 3:9] = 0.0  # half of the steps show nothing; without the term they would look everywhere
    mask, lags = whole(n)
    profile = lag_profile(align.scores(query, keys, mask, mask), mask, mask, lags)
    assert int(profile.argmax()) - MAX_LAG == lag
    _, weights = align(query, keys, mask, mask, lags)
    for t in range(3, 9):
        if 0 <= t - lag < n:
            assert int(weights[0, t].argmax()) == t - lag
    plain = a_matcher(width)
    torch.testing.assert_close(plain(query, keys, mask, mask, lags)[1][0, 5], torch.full((n,), 1 / n))


def test_pairs_out_of_reach_get_nothing_where_others_are_in_reach():
    n = MAX_LAG + 10
    (mask, lags), states = whole(n), torch.randn(1, n, 4)
    _, weights = Alignment(4, 4, one_lag=True)(states, states, mask, mask, lags)
    assert weights[0, n - 1, : n - 1 - MAX_LAG].abs().sum() == 0 and weights[0, n - 1, n - 1 - MAX_LAG] > 0


def test_lags_have_an_index_each():
    index, near = lag_index(torch.tensor([[-1.2, -0.02, 0.0, 0.041, 1.2, 1.3]]))
    assert index[0, :5].tolist() == [0, MAX_LAG, MAX_LAG, MAX_LAG + 1, N_LAGS - 1]
    assert near[0].tolist() == [True, True, True, True, True, False]


def test_nearest_takes_the_step_at_the_same_time_whatever_the_rates():
    lags = torch.arange(4)[:, None] / 30.0 - torch.arange(3) / 10.0
    weights = nearest(torch.ones(1, 4, dtype=torch.bool), length_mask(torch.tensor([2]), 3), lags)
    assert weights[0].argmax(dim=1).tolist() == [0, 0, 1, 1]  # 0, .033, .067, .1 s; the third key is padding
    assert weights.sum().item() == 4


def test_synchrony_is_lower_for_streams_that_belong_together():
    width, n = 40, 12
    align = a_matcher(width, "product")
    mask, lags = whole(n, 4)
    keys = torch.stack([one_hot(n, width)[torch.randperm(n)] for _ in range(4)])
    query = keys.roll(3, dims=1)  # each clip lags by 3 steps, in an order of its own
    together = synchrony_loss(align, query, keys, mask, mask, lags)
    apart = synchrony_loss(align, query, keys.roll(1, dims=0), mask, mask, lags)
    assert together < 0.3 < apart


def test_synchrony_leaves_out_clips_with_one_stream():
    mask, lags = whole(5, 3)
    loss = synchrony_loss(
        Alignment(4, 6, score="product"), torch.randn(3, 5, 4), torch.randn(3, 5, 6), mask, ~mask, lags
    )
    assert loss.item() == 0.0


def test_synchrony_is_the_votes_of_all_tables_of_scores():
    """The loss adds up products without making their tables; here they are made, one by one."""
    align, lags = Alignment(4, 6, score="product"), LAG_STEP * (torch.arange(9)[:, None] - torch.arange(7)).double()
    align, query, keys = align.double(), torch.randn(3, 9, 4).double(), torch.randn(3, 7, 6).double()
    masks = length_mask(torch.tensor([9, 5, 2])), length_mask(torch.tensor([4, 7, 3]))
    losses = []
    for x in range(3):
        votes = []
        for voices in (keys, reverse(keys, masks[1])):
            for y in range(3):
                scores = align.scores(query[x], voices[y], masks[0][x], masks[1][y])
                votes.append(lag_profile(scores, masks[0][x], masks[1][y], lags, TOGETHER).logsumexp(dim=0))
        losses.append(-torch.stack(votes).log_softmax(dim=0)[x])
    torch.testing.assert_close(synchrony_loss(align, query, keys, *masks, lags), torch.stack(losses).mean())
    with pytest.raises(SertutError, match="make the alignment with score='product'"):
        synchrony_loss(a_matcher(4), query, query, masks[0], masks[0], lags)
