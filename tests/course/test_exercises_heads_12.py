"""The mistakes that the exercises of chapter 12 know are called by their names; see test_exercises.py."""

import torch
from torch.testing import assert_close

from sertut.attention import AttentionMap, Clock, MultiHeadAttention
from sertut.evidence.reach import use_of
from tests.course.answers import defined, named


def gate(s, W_a, b_a, W_b, b_b, first=torch.relu, last=torch.sigmoid):
    return last(first(s @ W_a.T + b_a) @ W_b.T + b_b)


def away(w):
    step = torch.arange(w.shape[-1])
    return (step[:, None] - step).abs()


def blocks(W, g):
    return g.repeat_interleave(len(W) // len(g))


def mean_key(w):
    return (w * torch.arange(w.shape[-1])).sum(2)


MISTAKES = [
    ("12.1", lambda *a: gate(*a).squeeze(), "the first axis is gone"),
    ("12.1", lambda *a: gate(*a, first=lambda x: x), "the ReLU between the layers is missing"),
    ("12.1", lambda *a: gate(*a, last=lambda x: x), "these are the logits"),
    ("12.1", lambda *a: gate(*a, last=lambda x: x.softmax(1)), "your gates sum to 1"),
    ("12.1", lambda *a: gate(*a, last=lambda x: x.softmax(0)), "over the clips of the batch"),
    ("12.1", lambda *a: gate(*a, last=torch.relu), "not bounded by 1"),
    ("12.1", lambda *a: gate(*a, first=lambda x: x, last=lambda x: x.relu().sigmoid()), "below a half"),
    ("12.1", lambda s, A, a, B, b: gate(s, A, 0 * a, B, 0 * b), "both biases are missing"),
    ("12.1", lambda s, A, a, B, b: gate(s, A, a, B, 0 * b), "`b_b` is missing"),
    ("12.1", lambda s, A, a, B, b: gate(s, A, 0 * a, B, b), "`b_a` is missing"),
    ("12.1", lambda *a: gate(*a, first=torch.sigmoid), "not in a sigmoid"),
    ("12.1", lambda *a: gate(*a, first=torch.tanh), "not in a tanh"),
    ("12.1", lambda *a: 1 - gate(*a), "1 minus the gates"),
    ("12.1", lambda *a: gate(*a).T, "transposed"),
    ("12.2", lambda W, g: W, "unchanged"),
    ("12.2", lambda W, g: W * blocks(W, g)[:, None], "you scaled the rows"),
    ("12.2", lambda W, g: W * g.repeat(len(W) // len(g))[:, None], "you scaled the rows"),
    ("12.2", lambda W, g: W * g.repeat(len(W) // len(g)), "wrong order"),
    ("12.2", lambda W, g: W / blocks(W, g), "you divided"),
    ("12.2", lambda W, g: W * g.mean(), "the mean gate"),
    ("12.2", lambda W, g: (W * blocks(W, g)).T, "but transposed"),
    ("12.2", lambda W, g: W.T * blocks(W, g), "W_O is transposed"),
    ("12.2", lambda W, g: W * blocks(W, g) * blocks(W, g)[:, None], "leave the rows alone"),
    ("12.2", lambda W, g: W * blocks(W, g).sqrt(), "why a square root"),
    ("12.3", lambda w, hop: (w * away(w)).sum(2).mean(1), "those are steps"),
    ("12.3", lambda w, hop: (w * away(w)).sum(2).mean(1) / hop, "*times* hop"),
    ("12.3", lambda w, hop: (torch.arange(w.shape[-1]) - mean_key(w)).mean(1) * hop, "cancel out"),
    ("12.3", lambda w, hop: (mean_key(w) - torch.arange(w.shape[-1])).mean(1) * hop, "cancel out"),
    ("12.3", lambda w, hop: (w * (away(w) * hop) ** 2).sum(2).mean(1), "*squared* distance"),
    ("12.3", lambda w, hop: (w * (away(w) * hop) ** 2).sum(2).mean(1).sqrt(), "root mean square"),
    ("12.3", lambda w, hop: (w * away(w) * hop).sum((1, 2)), "summed over queries"),
    ("12.3", lambda w, hop: (w * away(w) * hop).mean((1, 2)), "over keys a sum"),
    ("12.3", lambda w, hop: (w * away(w) * hop).sum(2), "one number a query"),
    ("12.3", lambda w, hop: (w * away(w) * hop).sum(2).mean(), "keep them apart"),
    ("12.3", lambda w, hop: (away(w) * hop).mean().expand(len(w)), "how far *uniform* weights look"),
    ("12.3", lambda w, hop: (w.argmax(2) - torch.arange(w.shape[-1])).abs().double().mean(1) * hop, "strongest key"),
    ("12.3", lambda w, hop: (mean_key(w) - torch.arange(w.shape[-1])).abs().mean(1) * hop, "the *mean* key"),
]


test_mistake_is_named = named(MISTAKES)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the attention of chapter 12 and the measure of its context do."""
    torch.manual_seed(0)
    attend, states, mask = MultiHeadAttention(8, n_heads=2, calibrate=True), torch.randn(1, 6, 8), torch.ones(1, 6) > 0
    head_gates, folded, how_far = (defined(id) for id in ("12.1", "12.2", "12.3"))
    seen = []
    attend.gate.squeeze.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        result, weights, gates = attend(states, mask)
        squeeze, excite = attend.gate.squeeze, attend.gate.excite
        assert_close(head_gates(seen[0], squeeze.weight, squeeze.bias, excite.weight, excite.bias), gates)
        attend.gate = None
        attend.join.weight.copy_(folded(attend.join.weight, gates[0]))
        assert_close(attend(states, mask)[0], result)
    clock = Clock(hop=0.04)
    map_ = AttentionMap(weights, ("head", "query", "time"), mask, {"query": clock, "time": clock})
    assert_close(how_far(weights[0], 0.04).tolist(), [use["distance"] for use in use_of(map_)[0]], rtol=0, atol=1e-6)
