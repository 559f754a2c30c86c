"""The mistakes that the exercises of chapter 10 know are called by their names; see test_exercises.py."""

import math

import torch
from torch.testing import assert_close

from sertut.attention import MultiHeadAttention
from sertut.course.exercises import check
from tests.course.answers import defined, named


def scaled(Q, K):
    return Q @ K.T / math.sqrt(Q.shape[1])


def hidden(scores, mask):
    return scores.masked_fill(~mask, -torch.inf)


MISTAKES = [
    ("10.1", lambda Q, K, m: scaled(Q, K).softmax(1), "padded keys get weight"),
    ("10.1", lambda Q, K, m: hidden(Q @ K.T, m).softmax(1), "the scale is missing"),
    ("10.1", lambda Q, K, m: hidden(Q @ K.T / Q.shape[1], m).softmax(1), "its square root"),
    ("10.1", lambda Q, K, m: hidden(Q @ K.T * math.sqrt(Q.shape[1]), m).softmax(1), "divide by it"),
    ("10.1", lambda Q, K, m: hidden(Q @ K.T / math.sqrt(len(Q)), m).softmax(1), "divided by sqrt(T)"),
    ("10.1", lambda Q, K, m: scaled(Q, K).softmax(0), "each *column* sums to 1"),
    ("10.1", lambda Q, K, m: hidden(scaled(K, Q), m).softmax(1), "exchanged"),
    ("10.1", lambda Q, K, m: scaled(Q, K).softmax(1) * m, "less than 1"),
    ("10.1", lambda Q, K, m: (scaled(Q, K) * m).softmax(1), "exp(0) = 1"),
    ("10.1", lambda Q, K, m: hidden(scaled(Q, K), m), "these are the scores"),
    ("10.1", lambda Q, K, m: Q, "(6, 6)"),
    ("10.2", lambda w, m: w.mean(dim=(0, 1)), "leave their rows out"),
    ("10.2", lambda w, m: (w * m[:, None]).mean(dim=(0, 1)), "divide by T"),
    ("10.2", lambda w, m: w[:, m].sum(dim=(0, 1)), "that is a sum"),
    ("10.2", lambda w, m: w[:, m].mean(1).sum(0), "heads are summed"),
    ("10.2", lambda w, m: w[:, m].sum(1).mean(0), "queries are summed"),
    ("10.2", lambda w, m: w[:, m].mean(1), "one row a head"),
    ("10.2", lambda w, m: w.mean(0), "one row a query"),
    ("10.2", lambda w, m: w.mean(dim=(0, 2)), "what a query *gives*"),
    ("10.2", lambda w, m: w[:, m].amax(dim=(0, 1)), "the largest weight"),
    ("10.2", lambda w, m: w[:, m].mean(dim=(0, 1))[m], "padded frames are missing"),
    ("10.3", lambda w, o: w, "unchanged"),
    ("10.3", lambda w, o: w[o], "only the queries moved"),
    ("10.3", lambda w, o: w[:, o], "only the keys moved"),
    ("10.3", lambda w, o: w[o.argsort()][:, o.argsort()], "the inverse"),
    ("10.3", lambda w, o: w[o][:, o.argsort()], "move alike"),
    ("10.3", lambda w, o: w[o, o], "index twice"),
    ("10.3", lambda w, o: w[o][:, o].T, "transposed"),
    ("10.3", lambda w, o: torch.full_like(w, 1 / len(w)), "do depend on what is in the frames"),
]


test_mistake_is_named = named(MISTAKES)


def test_masked_queries_are_named():
    def answer(Q, K, mask):
        return scaled(Q, K).masked_fill(~mask[:, None], -torch.inf).softmax(1)

    assert not check("10.1", answer)


def test_padded_queries_may_hold_anything():
    def answer(Q, K, mask):
        return torch.where(mask[:, None], hidden(scaled(Q, K), mask).softmax(1), 7.0)

    assert check("10.1", answer)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what MultiHeadAttention and its map do."""
    torch.manual_seed(0)
    attend, states = MultiHeadAttention(8, n_heads=2), torch.randn(1, 6, 8)
    mask = torch.arange(6)[None] < 4
    head_weights, received, reordered = (defined(id) for id in ("10.1", "10.2", "10.3"))
    with torch.no_grad():
        _, weights, _ = attend(states, mask)
        Q, K = attend.split(attend.query(states)), attend.split(attend.key(states))
        for h in range(2):
            assert_close(head_weights(Q[0, h], K[0, h], mask[0])[:4], weights[0, h, :4])
        assert_close(received(weights[0], mask[0]), weights[0].sum(dim=(0, 1)) / (2 * 4))
        order = torch.tensor([2, 0, 3, 1])
        _, moved, _ = attend(states[:, order], mask[:, :4])
        assert_close(moved[0, 0], reordered(weights[0, 0, :4, :4], order))
