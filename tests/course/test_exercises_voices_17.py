"""The mistakes that the exercises of chapter 17 know are called by their names; see test_exercises.py."""

import numpy as np
import torch
from torch.testing import assert_close

from sertut.evidence.intervals import paired_difference
from sertut.models.front import two_channels
from sertut.signals import pad
from sertut.training.metrics import uar
from tests.course.answers import defined, named


def relative(v, m, last=lambda v, m, c, n: c / ((c.square().sum(1, keepdim=True) / n).sqrt() + 0.2)):
    n = m.sum(1)[:, None, None]
    return last(v, m, (v - v.sum(1, keepdim=True) / n) * m.unsqueeze(-1), n)


def not_masked(v, m):
    def unmasked(v, m, c, n):
        return (v - v.sum(1, keepdim=True) / n) / ((c.square().sum(1, keepdim=True) / n).sqrt() + 0.2)

    return relative(v, m, unmasked)


def whole_batch(v, m):
    return (v - v[m].mean(0)) * m.unsqueeze(-1) / (v[m].std(0, correction=0) + 0.2)


def gain(a, b):
    return float(uar(a.sum(0).numpy()) - uar(b.sum(0).numpy()))


def accuracy(tables):
    together = tables.sum(0)
    return together.diagonal().sum() / together.sum()


MISTAKES = [
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
    ("17.2", lambda v, m: relative(v, m, lambda v, m, c, n: c / (c.square().sum(1, True) / n).sqrt()), "blown up"),
    ("17.2", lambda v, m: relative(v, m, lambda v, m, c, n: c / (c.square().sum(1, True) / n + 0.2).sqrt()), "root"),
    (
        "17.2",
        lambda v, m: relative(v, m, lambda v, m, c, n: c / ((c.square().sum(1, True) / (n - 1)).sqrt() + 0.2)),
        "not one less",
    ),
    ("17.2", lambda v, m: relative(v, m, lambda v, m, c, n: c / (c.square().mean(1, True).sqrt() + 0.2)), "by T"),
    ("17.2", lambda v, m: relative(v, m, lambda v, m, c, n: c), "these are the changes"),
    ("17.3", lambda a, b, d: gain(b[d], a[d]), "theirs minus ours"),
    ("17.3", lambda a, b, d: gain(a, b), "each speaker once"),
    ("17.3", lambda a, b, d: gain(a[d.unique()], b[d.unique()]), "counts twice"),
    ("17.3", lambda a, b, d: gain(a[d], b), "on both sides"),
    ("17.3", lambda a, b, d: accuracy(a[d]) - accuracy(b[d]), "that is WA"),
    ("17.3", lambda a, b, d: np.mean([gain(a[i : i + 1], b[i : i + 1]) for i in d.tolist()]), "averaged over speakers"),
]


test_mistake_is_named = named(MISTAKES)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the front and the intervals do."""
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
