"""The mistakes that the exercises of chapter 6 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sertut.attention import MixturePooling
from sertut.course.exercises import check
from sertut.evidence.mixture import total_variation
from tests.course.answers import defined, named


def log_p(weights, log_q, mask, mix=lambda a, q: (a * q.exp()).sum(1).log()):
    return mix((weights * mask).unsqueeze(-1), log_q)


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
    ("6.1", lambda *a: log_p(*a).exp(), "that is p; return its logarithm"),
    ("6.1", lambda *a: -log_p(*a), "that is -log p"),
    ("6.1", lambda *a: log_p(*a, mix=lambda w, q: (w * q).sum(1)), "mixed the *logarithms*"),
    ("6.1", lambda *a: log_p(*a, mix=lambda w, q: (w * q).sum(1).log_softmax(1)), "and normalized what came out"),
    ("6.1", lambda w, q, m: log_p(m / m.sum(1, keepdim=True), q, m), "every moment counts alike"),
    ("6.1", lambda w, q, m: log_p(w, q, m, lambda a, x: (a * x.exp()).sum(2)[:, :4].log()), "over emotions"),
    ("6.1", lambda w, q, m: torch.logsumexp(q, dim=1), "you added up the q's"),
    ("6.1", lambda w, q, m: torch.logsumexp(w.unsqueeze(-1) + q, dim=1), "must stand as logarithms"),
    ("6.1", lambda *a: log_p(*a, mix=lambda w, q: (w * q.exp()).amax(1).log()), "the strongest moment"),
    ("6.1", lambda w, q, m: log_p(w, q, torch.ones_like(m)), "padding take part"),
    ("6.1", lambda *a: log_p(*a), "exp(-1000) is 0"),
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
    def clip_by_clip(weights, log_q, mask):
        clips = zip(weights, log_q, mask, strict=True)
        return torch.stack([(w[real, None].log() + q[real]).logsumexp(dim=0) for w, q, real in clips])

    other = {"6.1": clip_by_clip, "6.2": lambda c, e, p: (p - shares(c, e)).clamp(min=0).sum()}
    assert check(id, other[id]), check(id, other[id])


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the pooling and the evidence of chapter 6 do."""
    mixture_log_probability, share_error = defined("6.1"), defined("6.2")
    torch.manual_seed(0)
    pooling, states = MixturePooling(6, 3), torch.randn(2, 5, 6)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    with torch.no_grad():
        log_p, weights = pooling(states, mask)
        assert_close(mixture_log_probability(weights, pooling.frame_log_posteriors(states), mask), log_p)

    emotions, p = ["anger", "fear", "joy"], np.array([0.5, 0.3, 0.2])
    cues = [("fear", 0.0, 0.2), ("anger", 0.5, 1.1), ("fear", 1.5, 1.7)]
    expected = total_variation(p, np.array([0.6, 0.4, 0.0]))
    assert share_error(cues, emotions, torch.from_numpy(p)) == pytest.approx(float(expected))
