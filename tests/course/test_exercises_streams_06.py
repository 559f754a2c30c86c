"""The mistakes that the exercises of chapter 6 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sertut.attention import MixturePooling
from sertut.course.exercises import check
from sertut.evidence.mixture import total_variation
from tests.course.answers import defined, named


def rounded(p, T):
    """Sure moments only, as many of each emotion as T p says, rounded."""
    return torch.eye(len(p))[torch.bucketize((torch.arange(T) + 0.5) / T, p.cumsum(0)).clamp(max=len(p) - 1)]


def filled(p, T):
    """Another way: fill moment after moment from what is left, the largest share first."""
    left, q = T * p.double(), torch.zeros(T, len(p), dtype=torch.float64)
    for t in range(T):
        while (room := 1 - float(q[t].sum())) > 1e-6:
            taken = min(room, float(left.max()))
            q[t, left.argmax()] += taken
            left[left.argmax()] -= taken
    return q


def seconds(cues, emotions, add=True, count=False):
    found = torch.zeros(len(emotions))
    for emotion, start, end in cues:
        k = emotions.index(emotion)
        found[k] = (1.0 if count else end - start) + (found[k] if add else 0.0)
    return found


def shares(cues, emotions, **options):
    found = seconds(cues, emotions, **options)
    return found / found.sum()


def present(cues, emotions):
    found = (seconds(cues, emotions) > 0).float()
    return found / found.sum()


MISTAKES = [
    ("6.1", lambda p, T: p.expand(T, len(p)), "says p itself"),
    ("6.1", lambda p, T: rounded(p, T), "no whole number"),
    ("6.1", lambda p, T: torch.eye(len(p))[torch.arange(T) % len(p)], "is not p"),
    ("6.1", lambda p, T: defined("6.1")(p, T).clamp(min=1e-30).log(), "these are logarithms"),
    ("6.1", lambda p, T: defined("6.1")(p, T) / T, "each row sums to 1"),
    ("6.1", lambda p, T: defined("6.1")(p, T).T, "a row for each moment"),
    ("6.1", lambda p, T: (p + defined("6.1")(p, T)) / 2, "moments are unsure; for 3 emotions 2 are enough"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).abs().sum(), "left out the half"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).abs().max(), "the largest difference"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).abs().mean(), "the mean difference"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).norm(), "the Euclidean distance"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).square().sum(), "squared differences"),
    ("6.2", lambda c, e, p: (p - shares(c, e)).sum() / 2, "cancel out"),
    ("6.2", lambda c, e, p: (p - shares(c, e, count=True)).abs().sum() / 2, "count words instead of seconds"),
    ("6.2", lambda c, e, p: (p - shares(c, e, add=False)).abs().sum() / 2, "has overwritten the first"),
    ("6.2", lambda c, e, p: (p - seconds(c, e) / c[-1][2]).abs().sum() / 2, "the length of the clip"),
    ("6.2", lambda c, e, p: (p - seconds(c, e) / (c[-1][2] - c[0][1])).abs().sum() / 2, "the first cue to the last"),
    ("6.2", lambda c, e, p: (p - present(c, e)).abs().sum() / 2, "each emotion that occurs the same share"),
]


test_mistake_is_named = named(MISTAKES)


@pytest.mark.parametrize("id", ["6.1", "6.2"])
def test_another_way_to_the_same_answer_passes(id):
    other = {"6.1": filled, "6.2": lambda c, e, p: (p - shares(c, e)).clamp(min=0).sum()}
    assert check(id, other[id]), check(id, other[id])


def test_solutions_agree_with_the_library():
    """A mixture of the moments is what they were made from; the share error is that of the evidence."""
    sure_moments, share_error = defined("6.1"), defined("6.2")
    pooling, shares = MixturePooling(3, 3), torch.tensor([0.25, 0.6, 0.15])
    with torch.no_grad():
        pooling.attend.score.weight.zero_()  # equal weights
        pooling.classify.weight.copy_(100 * torch.eye(3))
        pooling.classify.bias.zero_()
        q = sure_moments(shares, 20)  # all sure: 20 p is whole
        log_p, _ = pooling(q[None], torch.ones(1, 20, dtype=torch.bool))
    assert_close(log_p[0].exp(), shares, atol=1e-5, rtol=0)

    emotions, p = ["anger", "fear", "joy"], np.array([0.5, 0.3, 0.2])
    cues = [("fear", 0.0, 0.2), ("anger", 0.5, 1.1), ("fear", 1.5, 1.7)]
    expected = total_variation(p, np.array([0.6, 0.4, 0.0]))
    assert share_error(cues, emotions, torch.from_numpy(p)) == pytest.approx(float(expected))
