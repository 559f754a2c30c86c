"""The mistakes that the exercises of chapter 18 know are called by their names; see test_exercises.py."""

import math

import torch

from sertut.course.exercises import check
from sertut.evidence.confidence import Calibration, calibrate, reliability
from sertut.evidence.sums import calibration_error
from tests.course.answers import defined, named


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
test_mistake_is_named = named(MISTAKES)


def test_solutions_agree_with_the_library():
    logits = 2 * torch.randn(300, 4, dtype=torch.float64)
    labels = logits.softmax(dim=1).multinomial(1)[:, 0]
    calibration = calibrate(logits, labels)
    probabilities = calibration.probabilities(logits)
    sure, called = probabilities.max(dim=1)
    table = reliability(probabilities, labels, ["one"] * 300).sum(axis=0)
    assert abs(float(defined("18.1")(sure, called == labels, 10)) - calibration_error(table)) < 1e-9
    assert check("18.2", pair_of_clips), check("18.2", pair_of_clips)
    for T in (0.3, 0.7, 1.5, 4.0):
        clips = defined("18.2")(T)
        before, after = (Calibration(by, 0.0).probabilities(clips) for by in (1.0, T))
        assert torch.equal(before.argmax(dim=1), after.argmax(dim=1)), "no decision changes"
        (a, b), (c, d) = before.amax(dim=1).tolist(), after.amax(dim=1).tolist()
        assert a - b > 0.01 and d - c > 0.01
