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
]


test_mistake_is_named = named(MISTAKES)


def test_another_way_to_the_same_answer_passes():
    assert check("11.2", read), check("11.2", read)
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
        theirs = focus.window(attend.query(states), mask[None])
        bias = gaussian_bias(*theirs)[0, 0]  # (T, T)
        center, width = defined("11.2")(bias.softmax(dim=1))
        assert_close((center, width), (theirs[0][0, 0], theirs[1][0, 0]), rtol=1e-4, atol=1e-4)
        G = defined("11.1")(center, width, T)
        assert_close(G, bias, rtol=1e-3, atol=1e-3)
        before, after = plain(states, mask[None])[1], attend(states, mask[None])[1]
        assert_close(defined("11.3")(before[0, 0, :4], G[:4]), after[0, 0, :4])
