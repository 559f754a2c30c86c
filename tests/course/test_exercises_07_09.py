"""The mistakes that the exercises of chapters 7 to 9 know are called by their names; see test_exercises.py."""

import math
from operator import floordiv, truediv

import torch
from torch.testing import assert_close

from sertut.attention import SpectrogramAttention
from sertut.course.questions.chapters07_09 import ALEXNET
from sertut.models import FullyConvolutional
from tests.course.answers import defined, named


def chain(n, layers, plus=1, both=2, divide=floordiv):
    for k, s, p in layers:
        n = divide(n + both * p - k, s) + plus
    return n


def span(frame, n, layers, inside=True):
    """Cells that hear a frame, from the first to the last."""
    low = high = frame
    for k, s, p in layers:
        n = (n + 2 * p - k) // s + 1
        low, high = math.ceil((low + p - k + 1) / s), (high + p) // s
        if inside:
            low, high = max(0, low), min(n - 1, high)
    return list(range(low, high + 1))


def grid(values):
    return values.flatten().softmax(0).view(values.shape)


def real(values, lengths):
    return (torch.arange(values.shape[-1]) < lengths[:, None])[:, None]


def sized(conv, n):
    return (n + 2 * conv.padding[0] - conv.kernel_size[0]) // conv.stride[0] + 1


def entropy(w):
    return -(w * w.log()).sum()


def refit(weight, bias, mean, std):
    return std * weight, bias + (mean * torch.ones_like(weight) * weight).flatten(1).sum(1)


def all_frozen(model):
    model.requires_grad_(False)
    return 0


def counted_whole(model):
    model.trunk.requires_grad_(False)
    return sum(p.numel() for p in model.parameters())


def of(weight):
    return weight.sum(dim=(1, 2, 3))


MISTAKES = [
    ("7.1", lambda n, a: chain(n, a, plus=0), "hence the + 1"),
    ("7.1", lambda n, a: chain(n, a, both=1), "at *both* ends"),
    ("7.1", lambda n, a: chain(n, a, both=0), "left the padding out"),
    ("7.1", lambda n, a: chain(n, a, divide=truediv), "cells are whole"),
    ("7.1", lambda n, a: chain(n, a[-1:]), "the last layer alone"),
    ("7.1", chain, "20 frames are too short"),
    ("7.2", lambda f, n, a: [f // math.prod(s for _, s, _ in a)], "you return one cell"),
    ("7.2", lambda f, n, a: span(f, n, a, inside=False), "past the ends"),
    ("7.2", lambda f, n, a: span(f, n, [(k, s, 0) for k, s, _ in a]), "you left the padding out"),
    ("7.2", lambda f, n, a: span(f, n, a) or [0], "So no cell hears it"),
    ("7.2", lambda f, n, a: span(f, n, a)[1:], "hears it, too"),
    ("7.2", lambda f, n, a: [*span(f, n, a), span(f, n, a)[-1] + 1], "does not hear it"),
    ("7.2", lambda f, n, a: list(range(chain(n, a))), "does not hear it"),
    ("7.2", lambda f, n, a: 3.5, "TypeError"),
    ("7.3", lambda c, v, n: (c(v), sized(c, n)), "no mask is at work"),
    ("7.3", lambda c, v, n: (c(v) * real(c(v), sized(c, n)), sized(c, n)), "before the convolution too"),
    ("7.3", lambda c, v, n: (c(v * real(v, n)), sized(c, n)), "Mask the result too"),
    ("7.3", lambda c, v, n: (c(v), n), "lengths of the input"),
    ("7.3", lambda c, v, n: (c(v), n // c.stride[0]), "not just divided"),
    ("7.3", lambda c, v, n: (c(v), (n - c.kernel_size[0]) // c.stride[0] + 1), "the convolution's own padding"),
    ("7.3", lambda c, v, n: (c(v), sized(c, n).max().expand(3)), "length of the longest"),
    ("7.3", lambda c, v, n: c(v), "return two values"),
    ("8.1", lambda e: (e.softmax(0), e.logsumexp(0).softmax(0)), "the other way round"),
    ("8.1", lambda e: (grid(e).sum(1), e.softmax(0)), "the weight of each band"),
    ("8.1", lambda e: (e.sum(0).softmax(0), e.softmax(0)), "you added up scores"),
    ("8.1", lambda e: (e.mean(0).softmax(0), e.softmax(0)), "you averaged scores"),
    ("8.1", lambda e: (e.amax(0).softmax(0), e.softmax(0)), "the best band of each moment alone"),
    ("8.1", lambda e: (e.logsumexp(0), e.softmax(0)), "these are the scores of the moments"),
    ("8.1", lambda e: (e.exp().sum(0), e.softmax(0)), "these are sums of exponentials"),
    ("8.1", lambda e: (e.exp().sum(0).softmax(0), e.softmax(0)), "its logarithm is"),
    ("8.1", lambda e: (e.softmax(0).sum(0) / e.shape[1], e.softmax(0)), "all moments have the same weight"),
    ("8.1", lambda e: (e.softmax(1).mean(0), e.softmax(0)), "each row sums to 1 in yours"),
    ("8.1", lambda e: (grid(e).sum(0), grid(e)), "`when` would count twice"),
    ("8.1", lambda e: (grid(e).sum(0), e.softmax(1)), "each *row* of `where`"),
    ("8.1", lambda e: (grid(e).sum(0), grid(e).sum(1, keepdim=True).expand(e.shape)), "the same at all moments"),
    ("8.1", lambda e: (grid(e).sum(0), grid(e) / grid(e).sum(0)), "0 / 0"),
    ("8.1", grid, "return two values"),
    ("8.2", lambda u, s, new: u, "unchanged"),
    ("8.2", lambda u, s, new: u * new / s, "the other way round"),
    ("8.2", lambda u, s, new: u * s, "still multiplies it"),
    ("8.2", lambda u, s, new: u / new, "the old lambda is missing"),
    ("8.2", lambda u, s, new: u + s - new, "nothing can be added"),
    ("8.3", lambda w: entropy(w), "the entropy itself"),
    ("8.3", lambda w: -entropy(w), "minus the entropy"),
    ("8.3", lambda w: (-entropy(w)).exp(), "the sign is lost"),
    ("8.3", lambda w: (-(w * w.log2()).sum()).exp(), "base 2"),
    ("8.3", lambda w: entropy(w) / torch.tensor(w.numel()).log(), "over its largest value"),
    ("8.3", lambda w: w.numel(), "however the weights are spread"),
    ("8.3", lambda w: 1 / w.square().sum(), "another count of cells"),
    ("8.3", lambda w: entropy(w).exp(), "0 log 0 = NaN"),
    ("9.1", lambda w: w.mean(1, keepdim=True), "not averaged but *added*"),
    ("9.1", lambda w: w[:, :1], "first color only"),
    ("9.1", lambda w: w.sum(1), "the channel is gone"),
    ("9.1", lambda w: w.sum(0, keepdim=True), "added up the filters"),
    ("9.2", lambda w, b, m, s: w * s, "return two values"),
    ("9.2", lambda w, b, m, s: (w / s, b), "divided by std"),
    ("9.2", lambda w, b, m, s: (w, b), "no contrast at all"),
    ("9.2", lambda w, b, m, s: (w * s, b), "the mean is forgotten"),
    ("9.2", lambda w, b, m, s: (w * s, b + m), "*sum of its weights*"),
    ("9.2", lambda w, b, m, s: (w * s, b - m * of(w)), "with a plus"),
    ("9.2", lambda w, b, m, s: (w * s, b + m * s * of(w)), "*old* weights"),
    ("9.3", lambda model: sum(p.numel() for p in model.parameters()), "would still be trained"),
    ("9.3", all_frozen, "you froze attend."),
    ("9.3", counted_whole, "you counted all parameters"),
]


test_mistake_is_named, test_another_way_passes = named(MISTAKES, ("9.2", refit))


def test_solutions_agree_with_the_computed_geometry():
    """A second implementation: what the exercises ask for is what the library computes from the layers."""
    axis = FullyConvolutional(2, "small").time
    n_cells, cells_that_hear = defined("7.1"), defined("7.2")
    assert [(w.kernel, w.stride, w.padding) for w in axis.windows] == ALEXNET
    for frame in range(0, 290, 10):  # the last frames are heard by windows that the next layer leaves out
        cells = range(n_cells(301, ALEXNET))
        near = [i for i in cells if abs(axis.first + axis.stride * i - frame) <= (axis.field - 1) / 2]
        assert cells_that_hear(frame, 301, ALEXNET) == near
    for n in (10, 62, 63, 94, 95, 300, 1000):
        assert n_cells(n, ALEXNET) == int(axis.size(torch.tensor(n)))


def test_when_and_where_are_the_weights_of_the_library():
    attend, cells, mask = SpectrogramAttention(4, scale=3.0), torch.randn(1, 4, 3, 5), torch.ones(1, 5) > 0
    scores = attend.score(torch.tanh(attend.project(cells.permute(0, 2, 3, 1)))).squeeze()
    when, where = defined("8.1")(3 * scores)
    assert_close(when * where, attend.weights(cells, mask)[0].T)
