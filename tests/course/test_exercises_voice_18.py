"""The mistakes that the exercises of chapter 18 know are called by their names; see test_exercises.py."""

import torch

from sertut.evidence.confidence import calibrate, reliability
from sertut.evidence.sums import calibration_error
from tests.course.answers import defined, named


def bins(sure, right, n):
    """Number of clips, and how far the bin is off in all, of each bin."""
    at = (sure * n).long().clamp(max=n - 1)
    return torch.bincount(at, minlength=n), torch.stack([(right.double() - sure)[at == b].sum() for b in range(n)])


def quantile(sure, share):
    return sure.quantile(share)


MISTAKES = [
    ("18.1", lambda s, r, n: (bins(s, r, n)[1] / bins(s, r, n)[0]).abs().mean(), "weigh each bin"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].sum() / len(s), "cancel out"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].sum().abs() / len(s), "must not cancel out"),
    ("18.1", lambda s, r, n: (bins(s, r, n)[1] / bins(s, r, n)[0]).abs().max(), "the worst bin"),
    ("18.1", lambda s, r, n: (r.double() - s).abs().mean(), "the mean over single clips"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1].abs().sum(), "divide by the number"),
    ("18.1", lambda s, r, n: bins(s, r, n)[1][:-1].abs().sum() / len(s), "the last bin is missing"),
    ("18.2", lambda s, r, k: quantile(s[r], k), "one minus the share"),
    ("18.2", lambda s, r, k: quantile(s, 1 - k), "by the *right* answers alone"),
    ("18.2", lambda s, r, k: quantile(s[~r], 1 - k), "those are the wrong answers"),
    ("18.2", lambda s, r, k: s[r].min(), "refuses no right answer"),
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
    assert abs(float(defined("18.2")(sure, called == labels, 0.9)) - calibration.threshold) < 1e-9
