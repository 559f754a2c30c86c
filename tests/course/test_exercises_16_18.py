"""The mistakes that the exercises of chapters 16 to 18 know are called by their names; see test_exercises.py."""

import math

import numpy as np
import torch
from captum.attr import InputXGradient, IntegratedGradients
from torch.testing import assert_close

from sertut.evidence.confidence import calibrate, reliability
from sertut.evidence.intervals import paired_difference
from sertut.evidence.sums import calibration_error
from sertut.models.front import two_channels
from sertut.signals import pad
from sertut.training.metrics import uar, wa
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


def deviation(changes, n):
    return (changes.square().sum(1, keepdim=True) / n).sqrt()


def relative(v, m, last=lambda c, n: c / (deviation(c, n) + 0.2)):
    n = m.sum(1)[:, None, None]
    return last((v - v.sum(1, keepdim=True) / n) * m.unsqueeze(-1), n)


def not_masked(v, m):
    return (v - v.sum(1, keepdim=True) / m.sum(1)[:, None, None]) / (relative(v, m, deviation) + 0.2)


def whole_batch(v, m):
    return (v - v[m].mean(0)) * m.unsqueeze(-1) / (v[m].std(0, correction=0) + 0.2)


def gain(a, b, score=uar):
    return float(score(a.sum(0).numpy()) - score(b.sum(0).numpy()))


def bins(sure, right, n):
    """Number of clips, and how far the bin is off in all, of each bin."""
    at = (sure * n).long().clamp(max=n - 1)
    return torch.bincount(at, minlength=n), torch.stack([(right.double() - sure)[at == b].sum() for b in range(n)])


def pair_of_clips(T, part=None):
    """By another way: two rivals at a distance of log 2 more, times what lies between 1 and T, than one rival."""
    two = 1 + (T**0.5 if part is None else part) * math.log(2)
    clips = torch.tensor([[two, 0.0, 0.0], [5.0, 4.0, -99.0]])
    return clips if T > 1 else clips.flip(0)


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
    ("17.1", lambda a, b, x: (a, b), "nothing changed"),
    ("17.1", lambda a, b, x: (a + x, b + x), "the clip's own mean grows"),
    ("17.1", lambda a, b, x: (a, b + x), "the other way round"),
    ("17.1", lambda a, b, x: (b, a + x), "the first channel first"),
    ("17.1", lambda a, b, x: (a * (1 + x), b), "not a product"),
    ("17.1", lambda a, b, x: a + x, "return two values"),
    ("17.2", lambda v, m: (v - v.mean(1, keepdim=True)) / (v.std(1, keepdim=True) + 0.2), "the fault is still there"),
    ("17.2", not_masked, "padding must stay zero"),
    ("17.2", lambda v, m: relative(v, m) / 2, "The values are different"),
    ("17.2", whole_batch, "relative to the batch"),
    ("17.2", lambda v, m: relative(v, m, lambda c, n: c / deviation(c, n)), "blown up"),
    ("17.2", lambda v, m: relative(v, m, lambda c, n: c / (deviation(c, n) ** 2 + 0.2).sqrt()), "root"),
    ("17.2", lambda v, m: relative(v, m, lambda c, n: c / (deviation(c, n - 1) + 0.2)), "not one less"),
    ("17.2", lambda v, m: relative(v, m, lambda c, n: c / (deviation(c, c.shape[1]) + 0.2)), "by T"),
    ("17.2", lambda v, m: relative(v, m, lambda c, n: c), "these are the changes"),
    ("17.3", lambda a, b, d: gain(b[d], a[d]), "theirs minus ours"),
    ("17.3", lambda a, b, d: gain(a, b), "each speaker once"),
    ("17.3", lambda a, b, d: gain(a[d.unique()], b[d.unique()]), "counts twice"),
    ("17.3", lambda a, b, d: gain(a[d], b), "on both sides"),
    ("17.3", lambda a, b, d: gain(a[d], b[d], wa), "that is WA"),
    ("17.3", lambda a, b, d: np.mean([gain(a[i : i + 1], b[i : i + 1]) for i in d.tolist()]), "averaged over speakers"),
    ("18.1", lambda s, r, n: (bins(s, r, n)[1] / bins(s, r, n)[0]).abs().mean(), "weigh each bin"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].sum() / len(s), "cancel out"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].sum().abs() / len(s), "must not cancel out"),
    ("18.1", lambda s, r, n: (bins(s, r, n)[1] / bins(s, r, n)[0]).abs().max(), "the worst bin"),
    ("18.1", lambda s, r, n: (r.double() - s).abs().mean(), "the mean over single clips"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].abs().sum(), "divide by the number"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1][:-1].abs().sum() / len(s), "the last bin is missing"),
    ("18.2", lambda T: pair_of_clips(T).flip(0), "The wrong way round."),
    ("18.2", lambda T: pair_of_clips(T)[[0, 1] if T > 1 else [1, 0]], "the two clips change places"),
    ("18.2", lambda T: torch.tensor([[2.0, 0.0, -99.0], [1.0, 0.0, -99.0]]), "plays no role"),
    ("18.2", lambda T: torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), "The order stays"),
    ("18.2", lambda T: torch.zeros(2, 3), "The order stays"),
    ("18.2", lambda T: pair_of_clips(T, 0.98 + 0.02 * T), "at least .01"),
    ("18.2", lambda T: torch.zeros(2, 2), "of shape (2, 3)"),
    ("18.2", lambda T: torch.full((2, 3), torch.nan), "must be finite"),
]


test_mistake_is_named, test_another_way_passes = named(MISTAKES, ("16.3", clipped), ("18.2", pair_of_clips))


def test_the_solutions_agree_with_known_answers():
    shares, p = torch.tensor([0.0, 0.2, 1.0]), torch.tensor([1.0, 0.5, 0.1])
    assert float(defined("16.1")(shares, p)) == np.float32(np.trapezoid(p, shares))
    assert defined("16.2")(torch.tensor([1.0, 0.5, 0.0]), torch.tensor([3.0, 2.0, 1.0]), 0.1) == 1


def test_the_library_of_attributions_sees_the_contradiction():
    x = torch.tensor([[3.0, -2.0]])
    f = lambda z: defined("16.3")(z, x[0])  # noqa: E731
    walked = IntegratedGradients(f).attribute(x, n_steps=50, method="riemann_middle")
    assert_close(walked, torch.tensor([[1.0, 0.0]]), atol=1e-3, rtol=0, check_dtype=False)
    assert_close(InputXGradient(f).attribute(x.clone().requires_grad_()), torch.tensor([[0.0, 1.0]]))
    assert f(torch.tensor([[0.0, -2.0], [3.0, 0.0]])).tolist() == [0, 1]


def test_the_channels_of_chapter_17_and_its_draws_are_those_of_the_library():
    louder, relative, drawn_difference = (defined(id) for id in ("17.1", "17.2", "17.3"))
    rows = [torch.randn(8, 3), torch.randn(12, 3)]
    features, mask = pad(rows)
    channels, real = two_channels(features, mask)
    assert_close(relative(channels[:, 0].transpose(1, 2), real), channels[:, 1].transpose(1, 2))
    (changed, _), whole = two_channels(features[1:] + 0.5, mask[1:]), channels[1]
    assert_close(torch.stack(louder(whole[0], whole[1], 0.5)), changed[0])
    ours, theirs = torch.randint(1, 9, (2, 5, 3, 3)).numpy()
    once = drawn_difference(torch.tensor(ours), torch.tensor(theirs), torch.arange(5))
    assert abs(float(once) - paired_difference(uar, ours[None], theirs[None]).estimate) < 1e-6


def test_the_confidence_of_chapter_18_is_that_of_the_library():
    logits = 2 * torch.randn(300, 4, dtype=torch.float64)
    labels = logits.softmax(dim=1).multinomial(1)[:, 0]
    calibration = calibrate(logits, labels)
    probabilities = calibration.probabilities(logits)
    sure, called = probabilities.max(dim=1)
    table = reliability(probabilities, labels, ["one"] * 300).sum(axis=0)
    assert abs(float(defined("18.1")(sure, called == labels, 10)) - calibration_error(table)) < 1e-9
