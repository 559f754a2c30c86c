"""The mistakes that the exercises of chapter 11 know are called by their names; see test_exercises.py."""

import torch
from torch.testing import assert_close

from sertut.attention import MultiHeadAttention, gaussian_bias
from sertut.attention.focus import Focus
from sertut.course.exercises import check
from tests.course.answers import defined, named


def bias(p, z, n):
    return -2 * ((torch.arange(n) - p[:, None]) / z[:, None]) ** 2


def away(p, n):
    return torch.arange(n) - p[:, None]


def window(Q, W1, W2, u, v, m, g=None, n=None, squash=torch.tanh, sigma=torch.sigmoid, floor=1):
    F = squash(Q @ W1 + (Q[m].mean(0) if g is None else g) @ W2)
    n = m.sum() if n is None else n
    return n * sigma(F @ u), n * sigma(F @ v) + floor


def rows(values):
    return values / values.sum(1, keepdim=True)


MISTAKES = [
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
    ("11.2", lambda *a: window(*a, g=a[0].mean(0)), "count in your g"),
    ("11.2", lambda *a: window(*a, n=len(a[0])), "multiply by T"),
    ("11.2", lambda *a: window(*a, g=a[0].mean(0), n=len(a[0])), "padding counts twice"),
    ("11.2", lambda *a: window(*a, g=torch.zeros(4)), "g is missing"),
    ("11.2", lambda Q, W1, *a: window(Q, 0 * W1, *a), "one window"),
    ("11.2", lambda *a: window(*a, squash=lambda x: x), "the tanh is missing"),
    ("11.2", lambda Q, W1, *a: window(Q, W1.T, *a), "transpose of W1"),
    ("11.2", lambda Q, W1, W2, *a: window(Q, W1, W2.T, *a), "transpose of W2"),
    ("11.2", lambda *a: window(*a)[::-1], "the other way round"),
    ("11.2", lambda Q, W1, W2, u, v, m: window(Q, W1, W2, v, u, m), "exchanged"),
    ("11.2", lambda *a: window(*a, floor=0), "the floor is missing"),
    ("11.2", lambda *a: tuple(x + extra for x, extra in zip(window(*a), (1, 0), strict=True)), "move the center"),
    ("11.2", lambda *a: tuple(x + extra for x, extra in zip(window(*a), (1, -1), strict=True)), "is at the center"),
    ("11.2", lambda *a: window(*a, n=1), "times L it is frames"),
    ("11.2", lambda *a: window(*a, sigma=lambda x: x), "the sigmoid is missing"),
    ("11.2", lambda *a: window(*a)[0], "return two values"),
    ("11.2", lambda *a: tuple(x.mean() for x in window(*a)), "a window of its own"),
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
]


test_mistake_is_named = named(MISTAKES)


def test_another_way_to_refocus():
    assert check("11.3", lambda w, G: (w.log() + G).softmax(1))


def test_solutions_agree_with_the_library():
    """A second implementation: what the exercises ask for is what the modules do."""
    torch.manual_seed(0)
    T, D, mask = 6, 4, torch.arange(6) < 4
    attend = MultiHeadAttention(D, n_heads=1, focus="learned")
    plain = MultiHeadAttention(D, n_heads=1)
    plain.load_state_dict({name: value for name, value in attend.state_dict().items() if "focus" not in name})
    states, focus = torch.randn(1, T, D), attend.focus
    assert isinstance(focus, Focus) and focus.to_center is not None
    torch.nn.init.zeros_(focus.local.bias)
    torch.nn.init.zeros_(focus.overall.bias)
    with torch.no_grad():
        Q = attend.query(states)[0]
        matrices = focus.local.weight.T, focus.overall.weight.T
        center, width = defined("11.2")(Q, *matrices, focus.to_center[0], focus.to_width[0], mask)
        theirs = focus.window(Q[None], mask[None])
        assert_close((center, width), (theirs[0][0, 0], theirs[1][0, 0]))
        G = defined("11.1")(center, width, T)
        assert_close(G, gaussian_bias(*theirs)[0, 0])
        before, after = plain(states, mask[None])[1], attend(states, mask[None])[1]
        assert_close(defined("11.3")(before[0, 0, :4], G[:4]), after[0, 0, :4])
