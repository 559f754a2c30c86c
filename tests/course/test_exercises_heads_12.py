"""The mistakes that the exercises of chapter 12 know are called by their names; see test_exercises.py."""

import torch
from torch.testing import assert_close

from sertut.attention import AttentionMap, Clock, HeadGate, MultiHeadAttention
from sertut.course.exercises import check
from sertut.evidence.reach import use_of
from tests.course.answers import defined, named


def gate(near, far, rows=((1.0, -1.0), (-1.0, 1.0)), steep=None, at=None, sign=1.0, dead=False):
    """Weights of a gate that opens with the difference of two summaries, and what can go wrong in it."""
    steep, at = sign * (8 / (far - near) if steep is None else steep), (near + far) / 2 if at is None else at
    b_a = torch.full((2,), -9.0 if dead else 0.0)
    return torch.tensor(rows), b_a, torch.full((2, 2), steep), torch.full((2,), -steep * at)


def half_of_the_sum(near, far):
    """Another way: |s_1 - s_2| = 2 relu(s_1 - s_2) - (s_1 - s_2), the second unit being always above 0."""
    steep = 8 / (far - near)
    W_b = steep * torch.tensor([[2.0, -1.0], [2.0, -1.0]])
    b_b = torch.full((2,), steep * (9 - (near + far) / 2))
    return torch.tensor([[1.0, -1.0], [1.0, -1.0]]), torch.tensor([0.0, 9.0]), W_b, b_b


def away(w):
    step = torch.arange(w.shape[-1])
    return (step[:, None] - step).abs()


def blocks(W, g):
    return g.repeat_interleave(len(W) // len(g))


def mean_key(w):
    return (w * torch.arange(w.shape[-1])).sum(2)


MISTAKES = [
    ("12.1", lambda near, far: gate(near, far, dead=True), "both hidden units are dead"),
    ("12.1", lambda near, far: gate(near, far, steep=0.0), "the same for all summaries"),
    ("12.1", lambda near, far: gate(near, far, rows=[[1.0, 0.0], [0.0, 1.0]]), "let the two numbers of a row"),
    ("12.1", lambda near, far: gate(near, far, rows=[[1.0, 1.0], [-1.0, -1.0]]), "if both found 3"),
    ("12.1", lambda near, far: gate(near, far, rows=[[1.0, -1.0], [1.0, -1.0]]), "only if head 1 found more"),
    ("12.1", lambda near, far: gate(near, far, rows=[[-1.0, 1.0], [0.0, 0.0]]), "only if head 2 found more"),
    ("12.1", lambda near, far: gate(near, far, sign=-1.0), "the other way round"),
    ("12.1", lambda near, far: gate(near, far, steep=1.0), "how steep the step is"),
    ("12.1", lambda near, far: gate(near, far, at=far), "falls to 0.50 where .9 is needed"),
    ("12.1", lambda near, far: gate(near, far)[:3], "return 4 tensors"),
    ("12.1", lambda near, far: [*gate(near, far)[:3], torch.zeros(1)], "of shape (2,)"),
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


def test_another_way_to_the_same_gate_passes():
    assert check("12.1", half_of_the_sum), check("12.1", half_of_the_sum)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the attention of chapter 12 and the measure of its context do."""
    torch.manual_seed(0)
    attend, states, mask = MultiHeadAttention(8, n_heads=2, calibrate=True), torch.randn(1, 6, 8), torch.ones(1, 6) > 0
    open_if_apart, folded, how_far = (defined(id) for id in ("12.1", "12.2", "12.3"))
    with torch.no_grad():
        result, weights, gates = attend(states, mask)
        attend.gate = None
        attend.join.weight.copy_(folded(attend.join.weight, gates[0]))
        assert_close(attend(states, mask)[0], result)
        gate = HeadGate(2)
        gate.squeeze, gate.excite = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
        parts = gate.squeeze.weight, gate.squeeze.bias, gate.excite.weight, gate.excite.bias
        for part, made in zip(parts, open_if_apart(0.2, 1.0), strict=True):
            part.copy_(made)
        found = torch.tensor([[2.9, 1.8], [0.5, 1.6], [2.0, 2.1]])[:, :, None, None].expand(3, 2, 6, 4)
        assert (gate(found, mask.expand(3, 6)) > 0.5).tolist() == [[True] * 2, [True] * 2, [False] * 2]
    clock = Clock(hop=0.04)
    map_ = AttentionMap(weights, ("head", "query", "time"), mask, {"query": clock, "time": clock})
    assert_close(how_far(weights[0], 0.04).tolist(), [use["distance"] for use in use_of(map_)[0]], rtol=0, atol=1e-6)
