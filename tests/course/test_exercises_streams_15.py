"""The mistakes that the exercises of chapter 15 know are called by their names; see test_exercises.py."""

import pytest
import torch
from torch.testing import assert_close

from sertut.attention import PerceptionAttention
from sertut.course.exercises import check
from sertut.evidence.mixture import divergence
from tests.course.answers import defined, named


def questions(
    mu=((1.0, 0.0), (0.0, 1.0)), W_s=((1.0,), (1.0,)), R=((0.0, 9.0), (9.0, 0.0)), q=(0.0, 0.0), r=(9.0, -9.0)
):
    """Two questions that want the opposite, and what can go wrong in them."""
    return [torch.tensor(each) for each in (mu, W_s, R, q, r)]


def mirrored():
    """Another way: one unit rises, one falls, and the biases alone close them; the embeddings open."""
    return questions(mu=[[2.0, 0.0], [0.0, -2.0]], W_s=[[3.0], [-3.0]], R=[[4.0, 0.0], [0.0, 4.0]], q=[-8.0, 8.0],
                     r=[7.0, 7.0])  # fmt: skip


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
    ("15.1", lambda: questions(R=[[0.0, 0.0], [0.0, 0.0]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(mu=[[1.0, 0.0], [1.0, 0.0]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(r=[9.0, 9.0], W_s=[[0.001], [0.001]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(r=[-9.0, 9.0]), "the two are exchanged"),
    ("15.1", lambda: questions(r=[9.0, 9.0], R=[[0.0, 9.0], [0.5, 0.0]]), "a higher number makes a larger score"),
    ("15.1", lambda: questions(r=[-9.0, -9.0], R=[[0.0, 9.0], [0.5, 0.0]]), "a lower number makes a larger score"),
    ("15.1", lambda: questions(R=[[0.0, 9.0], [0.0, 0.0]]), "nearly even weights"),
    ("15.1", lambda: questions(R=[[0.0, 0.5], [9.0, 2.0]]), "emotion 1 at 1"),
    ("15.1", lambda: questions(r=[2.0, -2.0]), "A longer r"),
    ("15.1", lambda: questions(r=[torch.inf, 1.0]), "must be finite"),
    ("15.1", lambda: questions()[:4], "return 5 tensors"),
    ("15.1", lambda: questions(W_s=[[1.0, 1.0]]), "of shape (2, 1)"),
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


def test_another_way_to_opposite_questions_passes():
    assert check("15.1", mirrored), check("15.1", mirrored)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what perception attention and the measure of the chapter do."""
    torch.manual_seed(0)
    perceive, s, mask = PerceptionAttention(6, 3, n_embedding=4, n_units=5), torch.randn(7, 6), torch.arange(7) < 5
    opposite_questions, decide, unlike = (defined(id) for id in ("15.1", "15.2", "15.3"))
    with torch.no_grad():
        logits, weights = perceive(s[None], mask[None])
        found = weights[0]
        assert_close(decide(found, s, perceive.evidence.weight, perceive.evidence.bias), logits[0])
        perceive = PerceptionAttention(1, 2, n_embedding=2, n_units=2)
        parts = perceive.embeddings, perceive.state.weight, perceive.emotion.weight, perceive.state.bias
        for part, made in zip((*parts, perceive.score.weight[0]), opposite_questions(), strict=True):
            part.copy_(made)
        _, weights = perceive(torch.tensor([[[0.0], [1.0], [-1.0]]]), torch.ones(1, 3) > 0)
        assert weights[0].argmax(dim=1).tolist() == [1, 2] and weights[0].amax(dim=1).min() > 0.99
    assert float(unlike(*found[:2])) == pytest.approx(divergence(*found[:2].double().numpy()), abs=1e-5)
