"""The mistakes that the exercises of chapter 15 know are called by their names; see test_exercises.py."""

import pytest
import torch
from torch.testing import assert_close

from sertut.attention import PerceptionAttention
from sertut.evidence.mixture import divergence
from tests.course.answers import defined, named


def inner(s, mu, P, R, q):
    return s @ P.T + (mu @ R.T)[:, None] + q


def fill(g, mask):
    return g.masked_fill(~mask, -torch.inf)


def scored(s, mask, mu, P, R, q, r, curve=torch.tanh, dim=1):
    return fill(curve(inner(s, mu, P, R, q)) @ r, mask).softmax(dim=dim)


def entropy(p, log=torch.log2):
    return -torch.where(p > 0, p * log(p.clamp(min=1e-30)), 0.0).sum()


def between(a, b, log=torch.log2):
    return entropy((a + b) / 2, log) - (entropy(a, log) + entropy(b, log)) / 2


def naive(a, b):
    h = lambda p: -(p * p.log2()).sum()  # noqa: E731
    return h((a + b) / 2) - (h(a) + h(b)) / 2


def relative(a, b):
    return (a * (a / b).log2()).sum()


MISTAKES = [
    ("15.1", lambda s, m, mu, P, R, q, r: (torch.tanh(inner(s, mu, P, R, q)) @ r).softmax(1), "padding has weight"),
    ("15.1", lambda s, m, mu, P, R, q, r: (torch.tanh(inner(s, mu, P, R, q)) @ r).softmax(1) * m, "no longer sums to"),
    ("15.1", lambda *a: scored(*a, dim=0), "compete for each step"),
    ("15.1", lambda s, m, mu, P, R, q, r: (torch.tanh(inner(s, mu, P, R, q)) @ r).softmax(0), "compete for each step"),
    ("15.1", lambda *a: scored(*a, curve=lambda x: x), "the tanh is missing"),
    ("15.1", lambda *a: scored(*a, curve=torch.sigmoid), "not a sigmoid"),
    ("15.1", lambda s, m, mu, P, R, q, r: scored(s, m, 0 * mu, P, R, q, r), "all emotions look alike"),
    ("15.1", lambda s, m, mu, P, R, q, r: scored(s, m, 0 * mu, P, R, q, r)[0], "one row for all emotions"),
    ("15.1", lambda s, m, mu, P, R, q, r: scored(s, m, mu, P, R, 0 * q, r), "`q` is missing"),
    ("15.1", lambda s, m, mu, P, R, q, r: scored(s, m, mu, P, R, q, torch.ones_like(r)), "`r` is missing"),
    (
        "15.1",
        lambda s, m, mu, P, R, q, r: fill(torch.tanh(s @ P.T + q) @ r + (torch.tanh(mu @ R.T) @ r)[:, None], m).softmax(
            1
        ),
        "outside the tanh",
    ),
    (
        "15.1",
        lambda s, m, mu, P, R, q, r: fill(torch.tanh(inner(s, mu, P, R, 0)) @ r + torch.tanh(q) @ r, m).softmax(1),
        "outside it is a constant",
    ),
    ("15.1", lambda s, m, mu, P, R, q, r: fill(torch.tanh(inner(s, mu, P, R, q)) @ r, m), "these are the scores"),
    ("15.1", lambda s, m, mu, P, R, q, r: torch.tanh(inner(s, mu, P, R, q)) @ r, "without padding"),
    ("15.1", lambda *a: scored(*a).T, "transposed"),
    ("15.2", lambda w, s, o, b: w @ s @ o.T + b, "by *all* emotions"),
    ("15.2", lambda w, s, o, b: o @ (w @ s).T + b[:, None], "by *all* emotions"),
    ("15.2", lambda w, s, o, b: o @ (w @ s).mean(0) + b, "you averaged over the questions"),
    ("15.2", lambda w, s, o, b: o @ s.mean(0) + b, "that is mean pooling"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).sum(0), "only the diagonal"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).mean(0), "you averaged over the questions"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T).sum(0) + b, "only the diagonal"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).amax(0), "best of all questions"),
    ("15.2", lambda w, s, o, b: (o * (w @ s)).sum(1), "`b` is missing"),
    ("15.2", lambda w, s, o, b: ((o * (w @ s)).sum(1) + b).softmax(0), "these are the probabilities"),
    ("15.2", lambda w, s, o, b: w @ s, "these are the contexts"),
    ("15.2", lambda w, s, o, b: o * (w @ s) + b[:, None], "not summed"),
    ("15.3", naive, "NaN: 0 times the logarithm"),
    ("15.3", lambda a, b: between(a, b, torch.log), "that is in nats"),
    ("15.3", lambda a, b: between(a, b).clamp(min=0).sqrt(), "the Jensen-Shannon *distance*"),
    ("15.3", lambda a, b: 2 * between(a, b), "the *mean* is taken"),
    ("15.3", lambda a, b: -between(a, b), "the sign is turned"),
    ("15.3", relative, "divergence of a from b"),
    ("15.3", lambda a, b: relative(b, a), "divergence of b from a"),
    ("15.3", lambda a, b: (relative(a, b) + relative(b, a)) / 2, "infinite where one of them is 0"),
    ("15.3", lambda a, b: relative(a, b) + relative(b, a), "infinite where one of them is 0"),
    ("15.3", lambda a, b: relative(a, (a + b) / 2), "the other half"),
    ("15.3", lambda a, b: relative(b, (a + b) / 2), "the other half"),
    ("15.3", lambda a, b: entropy((a + b) / 2), "the mean of their entropies goes off"),
    ("15.3", lambda a, b: (a - b).abs().sum() / 2, "total variation"),
]


test_mistake_is_named = named(MISTAKES)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what perception attention and the measure of the chapter do."""
    torch.manual_seed(0)
    perceive, s, mask = PerceptionAttention(6, 3, n_embedding=4, n_units=5), torch.randn(7, 6), torch.arange(7) < 5
    emotion_weights, decide, unlike = (defined(id) for id in ("15.1", "15.2", "15.3"))
    with torch.no_grad():
        logits, weights = perceive(s[None], mask[None])
        P, q, R = perceive.state.weight, perceive.state.bias, perceive.emotion.weight
        found = emotion_weights(s, mask, perceive.embeddings, P, R, q, perceive.score.weight[0])
        assert_close(found, weights[0])
        assert_close(decide(found, s, perceive.evidence.weight, perceive.evidence.bias), logits[0])
    assert float(unlike(*found[:2])) == pytest.approx(divergence(*found[:2].double().numpy()), abs=1e-5)
