"""The mistakes that the exercises of chapter 10 know are called by their names; see test_exercises.py."""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from sertut.attention import MultiHeadAttention
from sertut.course.exercises import check
from tests.course.answers import defined, named


def circle(T, turn=1, length=1000):
    """A direction a step, and queries that ask for the one `turn` steps back."""
    angle = 2 * math.pi * torch.arange(T) / T
    keys = torch.stack([angle.cos(), angle.sin()], dim=1)
    return length * keys.roll(turn, dims=0), keys


def line(T):
    return torch.stack([torch.arange(T), torch.zeros(T)], dim=1).double()


def parabola(T):
    """Another way: q . k = c ((i - 1) j - j^2 / 2) is largest at j = i - 1."""
    i = torch.arange(T)
    return torch.stack([40.0 * (i - 1), torch.full((T,), 40.0)], dim=1), torch.stack([i, -(i**2) / 2], dim=1)


MISTAKES = [
    ("10.1", lambda T: circle(T)[::-1], "queries and keys are exchanged"),
    ("10.1", lambda T: circle(T, turn=0), "looks most at itself"),
    ("10.1", lambda T: circle(T, turn=-1), "exchanged: as it is, each step looks one step *ahead*"),
    ("10.1", lambda T: circle(T, turn=2), "step 1 looks most at step 3; it must be step 0"),
    ("10.1", lambda T: circle(T, length=1), "Longer queries make larger scores"),
    ("10.1", lambda T: (100 * line(T) - 100, line(T)), "all steps look at step 3"),
    ("10.1", lambda T: (1e300 * line(T), 1e300 * line(T)), "not finite"),
    ("10.1", lambda T: circle(T)[0], "return two values"),
    ("10.1", lambda T: (torch.eye(T), torch.eye(T)), "both must be (4, 2)"),
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


def test_another_head_that_looks_back_passes():
    assert check("10.1", parabola), check("10.1", parabola)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what MultiHeadAttention and its map do."""
    torch.manual_seed(0)
    attend, states = MultiHeadAttention(8, n_heads=2), torch.randn(1, 6, 8)
    mask = torch.arange(6)[None] < 4
    one_step_back, received, reordered = (defined(id) for id in ("10.1", "10.2", "10.3"))
    with torch.no_grad():
        _, weights, _ = attend(states, mask)
        assert_close(received(weights[0], mask[0]), weights[0].sum(dim=(0, 1)) / (2 * 4))
        order = torch.tensor([2, 0, 3, 1])
        _, moved, _ = attend(states[:, order], mask[:, :4])
        assert_close(moved[0, 0], reordered(weights[0, 0, :4, :4], order))
    Q, K = one_step_back(6)
    found = scaled_dot_product_attention(Q[None], K[None], torch.eye(6)[None])[0]
    assert_close(found[1:], torch.eye(6)[:5])
