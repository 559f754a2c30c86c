"""The mistakes that the exercises of chapter 16 know are called by their names; see test_exercises.py."""

import numpy as np
import torch
from captum.attr import InputXGradient, IntegratedGradients
from torch.testing import assert_close

from sertut.course.exercises import check
from tests.course.answers import defined, named


def bent(z, x=1):
    """Rises by 1 in the first entry and is level at its end; falls in the second and comes back with the slope 1."""
    a, b = (z / x).T
    return 2 * a - a**2 + b**2 - b


def clipped(z, x):
    """Another way: with corners."""
    return (2 * z[:, 0] / x[0]).clamp(max=1) + (z[:, 1] / x[1] - 0.5).abs() - 0.5


def pairs(t, s, clear, tie, sign=1.0):
    i, j = torch.triu_indices(len(t), len(t), 1)
    truly, says = t[i] - t[j], sign * (s[i] - s[j])
    credit = torch.where(says == 0, torch.tensor(tie), (truly * says > 0).float())
    return credit[truly.abs() >= clear].mean()


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
    ("16.3", lambda z, x: z[:, 1] / x[1], "The two agree"),
    ("16.3", lambda z, x: (z / x)[:, 0] + 0 * bent(z), "The two agree"),
    ("16.3", lambda z, x: bent(z.flip(1), x.flip(0)), "The two are exchanged"),
    ("16.3", lambda z, x: bent(z, x) - bent(z * torch.tensor([1, 0]), x) + (z / x)[:, 0], "level at x"),
    ("16.3", lambda z, x: bent(z * torch.tensor([1, 0]), x) + (z / x)[:, 1], "come back"),
    ("16.3", lambda z, x: bent(z), "for every x"),
    ("16.3", lambda z, x: bent(z, x) + (z[:, 0] / x[0] > 0.5).float(), "your f jumps"),
    ("16.3", lambda z, x: z / x, "one value for each"),
    ("16.3", lambda z, x: bent(z, x).sum(), "one value for each"),
    ("16.3", lambda z, x: z @ torch.ones(3), "RuntimeError"),
]
test_mistake_is_named = named(MISTAKES)


def test_the_solutions_agree_with_known_answers():
    shares, p = torch.tensor([0.0, 0.2, 1.0]), torch.tensor([1.0, 0.5, 0.1])
    assert float(defined("16.1")(shares, p)) == np.float32(np.trapezoid(p, shares))
    assert defined("16.2")(torch.tensor([1.0, 0.5, 0.0]), torch.tensor([3.0, 2.0, 1.0]), 0.1) == 1


def test_another_way_to_a_contradiction_passes():
    assert check("16.3", clipped), check("16.3", clipped)


def test_the_library_of_attributions_sees_the_contradiction():
    x = torch.tensor([[3.0, -2.0]])
    f = lambda z: defined("16.3")(z, x[0])  # noqa: E731
    walked = IntegratedGradients(f).attribute(x, n_steps=50, method="riemann_middle")
    assert_close(walked, torch.tensor([[1.0, 0.0]]), atol=1e-3, rtol=0, check_dtype=False)
    assert_close(InputXGradient(f).attribute(x.clone().requires_grad_()), torch.tensor([[0.0, 1.0]]))
    assert f(torch.tensor([[0.0, -2.0], [3.0, 0.0]])).tolist() == [0, 1]
