"""The mistakes that the exercises of chapter 14 know are called by their names; see test_exercises.py."""

import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from sertut.attention import Alignment, synchrony_loss
from sertut.attention.alignment import LAG_STEP, MAX_LAG, SHARPNESS, TOGETHER, lag_profile
from sertut.course.exercises import check
from sertut.signals import reverse
from tests.course.answers import defined, named


def diagonals(values):
    T, S = values.shape
    return [values.diagonal(-d) for d in range(1 - S, T)]


def summed(values):
    return torch.stack([diagonal.sum() for diagonal in diagonals(values)])


def above(scores):
    return scores - scores.mean()


def alike(speakers):
    """How many clips of the batch are of the speaker of each clip."""
    return (speakers[:, None] == speakers).double().sum(dim=1)


def from_matches(speakers):
    """The loss by another way: the cross-entropy of a table of matches."""
    same = torch.where(speakers[:, None] == speakers, 0.0, -torch.inf)
    return cross_entropy(torch.cat([same, same], dim=1), torch.arange(len(speakers)))


MISTAKES = [
    ("14.1", lambda e: (summed(above(e)) / len(e)).flip(0), "the order is turned"),
    ("14.1", lambda e: summed(above(e)), "divide by T"),
    ("14.1", lambda e: summed(above(e)) / e.shape[1], "the steps of the voice"),
    ("14.1", lambda e: torch.stack([d.mean() for d in diagonals(above(e))]), "the mean over the pairs of a lag"),
    ("14.1", lambda e: summed(e) / len(e), "the mean was not taken away"),
    ("14.1", summed, "not divided by T"),
    ("14.1", lambda e: summed(e) / len(e) - e.mean(), "before adding up"),
    ("14.1", lambda e: summed(e) / len(e) - (summed(e) / len(e)).mean(), "before adding up"),
    ("14.1", lambda e: torch.stack([d.mean() for d in diagonals(e)]), "the mean of each diagonal"),
    ("14.1", lambda e: summed(e - e.mean(1, keepdim=True)) / len(e), "the mean of each row"),
    ("14.1", lambda e: summed(e - e.mean(0, keepdim=True)) / len(e), "the mean of each column"),
    ("14.1", lambda e: summed(above(e).flip(1)) / len(e), "the other diagonals"),
    ("14.1", lambda e: summed(above(e).flip(1)).flip(0) / len(e), "the other diagonals"),
    ("14.1", lambda e: SHARPNESS * summed(above(e)) / len(e), "kappa times the votes"),
    ("14.1", lambda e: (SHARPNESS * summed(above(e)) / len(e)).log_softmax(0), "the relative-position term"),
    ("14.1", lambda e: summed(above(e))[e.shape[1] - 1 :] / len(e), "lags below 0 are missing"),
    ("14.2", lambda s: torch.tensor(2.0 * len(s)).log(), "that is chance"),
    ("14.2", lambda s: torch.tensor(2.0).log(), "knows each *clip* by heart"),
    ("14.2", lambda s: alike(s).log().mean(), "played backward are missing"),
    ("14.2", lambda s: (2 * alike(s) - 1).log().mean(), "one of those to choose from"),
    ("14.2", lambda s: (2 * alike(s)).mean().log(), "losses are averaged"),
    ("14.2", lambda s: torch.tensor(2 * len(s) / len(s.unique())).log(), "the clips of a speaker"),
    ("14.2", lambda s: (2.0 * s.unique(return_counts=True)[1]).log().mean(), "averaged over speakers"),
    ("14.2", lambda s: torch.tensor(2.0 * len(s.unique())).log(), "you counted speakers"),
    ("14.2", lambda s: -(2 * alike(s)).log().mean(), "the sign is turned"),
    ("14.2", lambda s: (2 * alike(s)).log().sum(), "the sum over the faces"),
    ("14.2", lambda s: (0.5 / alike(s)).mean(), "the mean probability"),
    ("14.2", lambda s: -(0.5 / alike(s)).mean().log(), "averaged before the logarithm"),
]


test_mistake_is_named = named(MISTAKES)


def test_another_way_to_the_same_loss_passes():
    assert check("14.2", from_matches), check("14.2", from_matches)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the one lag and the synchrony loss do."""
    torch.manual_seed(0)
    votes, loss_of_speakers = defined("14.1"), defined("14.2")
    scores = torch.randn(12, 12)
    lags = LAG_STEP * (torch.arange(12)[:, None] - torch.arange(12)[None, :])
    whole = torch.ones(12, dtype=torch.bool)
    profile = lag_profile(scores, whole, whole, lags)
    assert_close(SHARPNESS * votes(scores), profile[MAX_LAG - 11 : MAX_LAG + 12])

    align, faces, voices = Alignment(3, 3, score="product"), torch.randn(4, 12, 3), torch.randn(4, 12, 3)
    mask = torch.ones(4, 12, dtype=torch.bool)
    with torch.no_grad():
        all_voices = torch.cat([voices, reverse(voices, mask)])
        real = torch.ones(1, 12, dtype=torch.bool)
        e = align.scores(faces[:, None], all_voices[None], real[None], real[None])  # (4, 8, 12, 12)
        near = slice(11 - min(11, TOGETHER), 12 + min(11, TOGETHER))
        matches = torch.stack([torch.stack([(SHARPNESS * votes(x))[near].logsumexp(0) for x in row]) for row in e])
        # lags that no pair has stay 0, and the library counts them
        missing = 2 * TOGETHER + 1 - (near.stop - near.start)
        matches = torch.logaddexp(matches, torch.tensor(float(missing)).log())
        loss = cross_entropy(matches, torch.arange(4))
        assert_close(loss, synchrony_loss(align, faces, voices, mask, mask, lags))

        # a network that says who speaks, louder in the middle of the clip
        speakers, middle = torch.tensor([2, 0, 2, 1]), 30 - (torch.arange(12) - 5.5).abs()
        knows = torch.nn.functional.one_hot(speakers)[:, None, :] * middle[:, None]  # (4, 12, 3)
        align = Alignment(3, 3, n_units=3, score="product")
        align.query.weight.copy_(30 * torch.eye(3))
        align.key.weight.copy_(torch.eye(3))
        loss = synchrony_loss(align, knows, knows, mask, mask, lags)
        assert_close(loss, loss_of_speakers(speakers), atol=1e-4, rtol=0)
