"""The mistakes that the exercises of chapter 16 know are called by their names; see test_exercises.py."""

import numpy as np
import torch
from torch.testing import assert_close

from tests.course.answers import defined, named


def slopes(f, x, points):
    found = []
    for point in points:
        at = (point * x).detach().requires_grad_()
        found.append(torch.autograd.grad(f(at), at)[0])
    return torch.stack(found).mean(dim=0)


def pairs(t, s, clear, tie, sign=1.0):
    i, j = torch.triu_indices(len(t), len(t), 1)
    truly, says = t[i] - t[j], sign * (s[i] - s[j])
    credit = torch.where(says == 0, torch.tensor(tie), (truly * says > 0).float())
    return credit[truly.abs() >= clear].mean()


def middles(n):
    return (torch.arange(n) + 0.5) / n


MISTAKES = [
    ("16.1", lambda s, p: p.mean(), "mean of the points"),
    ("16.1", lambda s, p: ((p[1:] + p[:-1]) / 2).mean(), "how wide"),
    ("16.1", lambda s, p: (s.diff() * p[:-1]).sum(), "left end"),
    ("16.1", lambda s, p: (s.diff() * p[1:]).sum(), "right end"),
    ("16.1", lambda s, p: 1 - torch.trapezoid(p, s), "above the curve"),
    ("16.1", lambda s, p: p[0] - torch.trapezoid(p, s), "averaged over all shares"),
    ("16.2", lambda t, s, c: pairs(t, s, c, 0.0), "count as wrong"),
    ("16.2", lambda t, s, c: pairs(t, s, c, 1.0), "count as right"),
    ("16.2", lambda t, s, c: pairs(t, s, 0.0, 0.5), "nearer than `clear`"),
    ("16.2", lambda t, s, c: pairs(t, s, c, 0.5, -1.0), "other way round"),
    ("16.3", lambda f, x, n: slopes(f, x, [1.0]), "at the input alone"),
    ("16.3", lambda f, x, n: x * slopes(f, x, [1.0]), "gradient times input"),
    ("16.3", lambda f, x, n: slopes(f, x, middles(n)), "by the way, x"),
    ("16.3", lambda f, x, n: n * x * slopes(f, x, middles(n)), "these are the sums"),
    ("16.3", lambda f, x, n: x * slopes(f, x, torch.arange(n) / n), "left ends"),
    ("16.3", lambda f, x, n: x * slopes(f, x, (torch.arange(n) + 1) / n), "right ends"),
    ("16.3", lambda f, x, n: (x * slopes(f, x, middles(n))).abs(), "keep the sign"),
    ("16.3", lambda f, x, n: (x * slopes(f, x, middles(n))).sum(), "One number for each entry"),
]
test_mistake_is_named = named(MISTAKES)


def test_the_solutions_agree_with_known_answers():
    shares, p = torch.tensor([0.0, 0.2, 1.0]), torch.tensor([1.0, 0.5, 0.1])
    assert float(defined("16.1")(shares, p)) == np.float32(np.trapezoid(p, shares))
    assert defined("16.2")(torch.tensor([1.0, 0.5, 0.0]), torch.tensor([3.0, 2.0, 1.0]), 0.1) == 1
    x = torch.tensor([1.0, 2.0, -3.0])
    assert_close(defined("16.3")(lambda x: (torch.tensor([2.0, 1.0, 1.0]) * x).sum(), x, 4), torch.tensor([2.0, 2, -3]))
    squares = defined("16.3")(lambda x: x.square().sum(), x, 4)  # a slope that is straight: no error of the pieces
    assert_close(squares, x.square())
