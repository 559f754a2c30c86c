"""Perception attention: a plain-loop version, gradients, and its control, one embedding for all emotions."""

import math

import pytest
import torch

from sertut.attention import AttentionPooling, PerceptionAttention
from sertut.signals import length_mask

MASK = length_mask(torch.tensor([5, 1, 3]))


def states(dtype=torch.float32):
    return torch.randn(3, 5, 4, dtype=dtype)


def test_perception_against_a_plain_loop():
    perceive, s = PerceptionAttention(4, 3, n_embedding=2, n_units=6), states()
    logits, weights = perceive(s, MASK)
    P, q, R, r = perceive.state.weight, perceive.state.bias, perceive.emotion.weight, perceive.score.weight[0]
    for clip, length in enumerate(MASK.sum(dim=1).tolist()):
        for k in range(3):
            scores = [(r @ torch.tanh(P @ s[clip, t] + R @ perceive.embeddings[k] + q)).item() for t in range(length)]
            total = sum(math.exp(score) for score in scores)
            beta = [math.exp(score) / total for score in scores]
            assert weights[clip, k, :length].tolist() == pytest.approx(beta, abs=1e-6)
            context = sum(b * s[clip, t] for t, b in enumerate(beta))
            expected = float(perceive.evidence.weight[k] @ context + perceive.evidence.bias[k])
            assert logits[clip, k].item() == pytest.approx(expected, abs=1e-5)


def test_with_one_embedding_all_emotions_look_at_the_same_moments():
    perceive, s = PerceptionAttention(4, 3, shared=True), states()
    logits, weights = perceive(s, MASK)
    torch.testing.assert_close(weights, weights[:, :1].expand_as(weights))
    # That is attentive pooling with R mu as part of its bias, and a linear classifier.
    pool = AttentionPooling(4, 32)
    with torch.no_grad():
        pool.project.weight.copy_(perceive.state.weight)
        pool.project.bias.copy_(perceive.state.bias + perceive.emotion(perceive.embeddings)[0])
        pool.score.weight.copy_(perceive.score.weight)
    pooled, same = pool(s, MASK)
    torch.testing.assert_close(same, weights[:, 0])
    torch.testing.assert_close(perceive.evidence(pooled), logits)


def test_equal_embeddings_are_one_embedding():
    perceive = PerceptionAttention(4, 3)
    with torch.no_grad():
        perceive.embeddings.copy_(perceive.embeddings[:1].expand_as(perceive.embeddings))
    weights = perceive.weights(states(), MASK)
    torch.testing.assert_close(weights, weights[:, :1].expand_as(weights))


def test_one_step_takes_all():
    _, weights = PerceptionAttention(4, 3)(torch.randn(1, 1, 4), torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(weights, torch.ones(1, 3, 1))


def test_gradients():
    perceive = PerceptionAttention(4, 3, 2, 5).double()
    assert torch.autograd.gradcheck(lambda s: perceive(s, MASK)[0], states(torch.float64).requires_grad_())
