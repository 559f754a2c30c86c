"""The mistakes that the exercises of chapters 10 to 12 know are called by their names; see test_exercises.py."""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from sertut.attention import AttentionMap, Clock, HeadGate, MultiHeadAttention, gaussian_bias
from sertut.attention.focus import Focus
from sertut.evidence.reach import use_of
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


def bias(p, z, n):
    return -2 * ((torch.arange(n) - p[:, None]) / z[:, None]) ** 2


def away(p, n):
    return torch.arange(n) - p[:, None]


def read(w):
    """Center and width by another way: the parabola through all logarithms of a row."""
    j = torch.arange(w.shape[1]).double()
    _, b, c = torch.linalg.lstsq(torch.stack([j**0, j, j**2], dim=1), w.double().log().T).solution
    return -b / (2 * c), (-2 / c).sqrt()


def place(w):
    return w @ torch.arange(w.shape[1]).float()


def spread(w):
    return (w * (torch.arange(w.shape[1]) - place(w)[:, None]) ** 2).sum(1).sqrt()


def rows(values):
    return values / values.sum(1, keepdim=True)


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


def distances(w):
    step = torch.arange(w.shape[-1])
    return (step[:, None] - step).abs()


def blocks(W, g):
    return g.repeat_interleave(len(W) // len(g))


def mean_key(w):
    return (w * torch.arange(w.shape[-1])).sum(2)


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
    ("11.1", lambda p, z, n: -bias(p, z, n), "the sign"),
    ("11.1", lambda p, z, n: bias(p, z, n) / 2, "factor 2 is missing"),
    ("11.1", lambda p, z, n: bias(p, z, n) / 4, "for the standard deviation"),
    ("11.1", lambda p, z, n: bias(p, z, n).exp(), "the window e^G"),
    ("11.1", lambda p, z, n: -2 * away(p, n) ** 2 / z[:, None], "the width is not squared"),
    ("11.1", lambda p, z, n: -2 * away(p, n).abs() / z[:, None], "the distance is not squared"),
    ("11.1", lambda p, z, n: -2 * away(p, n) ** 2, "plays no role"),
    ("11.1", lambda p, z, n: bias(p, z, n).T, "transposed"),
    ("11.1", lambda p, z, n: bias(p, z, n) if n == 6 else -2 * ((torch.arange(n) - p) / z) ** 2, "to the *query*"),
    ("11.1", lambda p, z, n: bias(p, z.clamp(max=10), n), "infinite width"),
    ("11.2", lambda w: read(w)[::-1], "the other way round"),
    ("11.2", lambda w: (w.argmax(1), read(w)[1]), "the strongest key"),
    ("11.2", lambda w: (place(w), spread(w)), "the mean place under the weights"),
    ("11.2", lambda w: (read(w)[0] - 0.5, read(w)[1]), "half a step is missing"),
    ("11.2", lambda w: (read(w)[0] + 0.5, read(w)[1]), "half a step too much"),
    ("11.2", lambda w: (read(w)[0], spread(w)), "the standard deviation under the weights"),
    ("11.2", lambda w: (read(w)[0], 2 * spread(w)), "twice the standard deviation under the weights"),
    ("11.2", lambda w: (read(w)[0], read(w)[1] ** 2), "take the root"),
    ("11.2", lambda w: (read(w)[0], read(w)[1] / 2), "the standard deviation of the window"),
    ("11.2", lambda w: (read(w)[0], read(w)[1] / 2**0.5), "-4 / Z^2"),
    ("11.2", lambda w: (read(w)[0], read(w)[1] * 2**0.5), "-4 / Z^2"),
    ("11.2", lambda w: read(w)[0], "return two values"),
    ("11.2", lambda w: (read(w)[0].mean(), read(w)[1]), "it must be (3,)"),
    ("11.3", lambda w, G: w * G.exp(), "divide each row"),
    ("11.3", lambda w, G: w * G.exp() / (w * G.exp()).sum(0), "sums of columns"),
    ("11.3", lambda w, G: w * G.exp() / (w * G.exp()).sum(), "the whole table"),
    ("11.3", lambda w, G: w + G, "as a factor"),
    ("11.3", lambda w, G: (w + G).softmax(1), "weights are no scores"),
    ("11.3", lambda w, G: w * G, "not by G, which is negative"),
    ("11.3", lambda w, G: rows(w * G), "far keys"),
    ("11.3", lambda w, G: (w * G.exp()).softmax(1), "softmax once more"),
    ("11.3", lambda w, G: w, "no effect"),
    ("11.3", lambda w, G: rows((w.log() + G - w.log()).exp() * w), "there are NaNs"),
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
    ("12.3", lambda w, hop: (w * distances(w)).sum(2).mean(1), "those are steps"),
    ("12.3", lambda w, hop: (w * distances(w)).sum(2).mean(1) / hop, "*times* hop"),
    ("12.3", lambda w, hop: (torch.arange(w.shape[-1]) - mean_key(w)).mean(1) * hop, "cancel out"),
    ("12.3", lambda w, hop: (mean_key(w) - torch.arange(w.shape[-1])).mean(1) * hop, "cancel out"),
    ("12.3", lambda w, hop: (w * (distances(w) * hop) ** 2).sum(2).mean(1), "*squared* distance"),
    ("12.3", lambda w, hop: (w * (distances(w) * hop) ** 2).sum(2).mean(1).sqrt(), "root mean square"),
    ("12.3", lambda w, hop: (w * distances(w) * hop).sum((1, 2)), "summed over queries"),
    ("12.3", lambda w, hop: (w * distances(w) * hop).mean((1, 2)), "over keys a sum"),
    ("12.3", lambda w, hop: (w * distances(w) * hop).sum(2), "one number a query"),
    ("12.3", lambda w, hop: (w * distances(w) * hop).sum(2).mean(), "keep them apart"),
    ("12.3", lambda w, hop: (distances(w) * hop).mean().expand(len(w)), "how far *uniform* weights look"),
    ("12.3", lambda w, hop: (w.argmax(2) - torch.arange(w.shape[-1])).abs().double().mean(1) * hop, "strongest key"),
    ("12.3", lambda w, hop: (mean_key(w) - torch.arange(w.shape[-1])).abs().mean(1) * hop, "the *mean* key"),
]


test_mistake_is_named, test_another_way_passes = named(
    MISTAKES,
    ("10.1", parabola),
    ("11.2", read),
    ("11.3", lambda w, G: (w.log() + G).softmax(1)),
    ("12.1", half_of_the_sum),
)


def test_the_heads_of_chapter_10_are_those_of_the_library():
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


def test_the_window_of_chapter_11_is_that_of_the_library():
    T, D, mask = 6, 4, torch.arange(6) < 4
    attend = MultiHeadAttention(D, n_heads=1, focus="learned")
    plain = MultiHeadAttention(D, n_heads=1)
    plain.load_state_dict({name: value for name, value in attend.state_dict().items() if "focus" not in name})
    states, focus = torch.randn(1, T, D), attend.focus
    assert isinstance(focus, Focus) and focus.to_center is not None
    torch.nn.init.zeros_(focus.local.bias)
    torch.nn.init.zeros_(focus.overall.bias)
    with torch.no_grad():
        theirs = focus.window(attend.query(states), mask[None])
        bias = gaussian_bias(*theirs)[0, 0]  # (T, T)
        center, width = defined("11.2")(bias.softmax(dim=1))
        assert_close((center, width), (theirs[0][0, 0], theirs[1][0, 0]), rtol=1e-4, atol=1e-4)
        G = defined("11.1")(center, width, T)
        assert_close(G, bias, rtol=1e-3, atol=1e-3)
        before, after = plain(states, mask[None])[1], attend(states, mask[None])[1]
        assert_close(defined("11.3")(before[0, 0, :4], G[:4]), after[0, 0, :4])


def test_the_gates_of_chapter_12_are_those_of_the_library():
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
