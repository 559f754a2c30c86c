"""The mistakes that the exercises of chapter 13 know are called by their names; see test_exercises.py."""

import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.attention.alignment import LAG_STEP, nearest
from sertut.evidence import recovered_offset
from sertut.evidence.lags import diagonality
from tests.course.answers import defined, named


def middles(n, rate):
    return (torch.arange(n) + 0.5) / rate


def pairs(n, rate, m, other):
    return middles(n, rate)[:, None] - middles(m, other)[None, :]


def starts(n, rate, m, other):
    return torch.arange(n) / rate * other


def totals(weights, lags, mean=False):
    steps = (lags / 0.04).round().long() - int((lags / 0.04).round().min())
    total = torch.bincount(steps.flatten(), weights.flatten())
    return total / torch.bincount(steps.flatten()) if mean else total


def liked(weights, lags):
    return lags.gather(1, weights.argmax(1, keepdim=True)).squeeze(1) / 0.04


def lowest(lags):
    return float(lags.min())


MISTAKES = [
    ("13.1", lambda n, r, m, s: torch.arange(n), "the frames' own numbers"),
    ("13.1", lambda n, r, m, s: (middles(n, r) * s - 0.5).round(), "where it ends before the face"),
    ("13.1", lambda n, r, m, s: starts(n, r, m, s).floor().clamp(max=m - 1), "compare their middles"),
    ("13.1", lambda n, r, m, s: starts(n, r, m, s).round().clamp(max=m - 1), "the half is missing"),
    ("13.1", lambda n, r, m, s: starts(n, r, m, s).round(), "the half is missing"),
    ("13.1", lambda n, r, m, s: (middles(n, r) * s).round().clamp(max=m - 1), "which *begins* nearest"),
    ("13.1", lambda n, r, m, s: (torch.arange(n) * m / n).floor(), "stretched both streams"),
    ("13.1", lambda n, r, m, s: (torch.arange(n) * (m - 1) / (n - 1)).round(), "stretched both streams"),
    ("13.1", lambda *a: middles(*a[2:])[pairs(*a).abs().argmin(1)], "those are seconds"),
    ("13.1", lambda *a: pairs(*a).abs().amin(1), "how far away"),
    ("13.1", lambda *a: pairs(*a).argmin(1), "without its sign"),
    ("13.1", lambda *a: pairs(*a).abs().argmin(0), "here the face asks"),
    ("13.1", pairs, "the lags of all pairs"),
    ("13.2", lambda w, lags: -lowest(lags) - 0.04 * int(totals(w, lags).argmax()), "the sign is turned"),
    ("13.2", lambda w, lags: round(lowest(lags) / 0.04) + int(totals(w, lags).argmax()), "those are steps"),
    ("13.2", lambda w, lags: totals(w, lags).argmax(), "a place in a list"),
    ("13.2", lambda w, lags: totals(w, lags).max(), "how *much* attention"),
    ("13.2", lambda w, lags: lowest(lags) + 0.04 * int(totals(w, lags, mean=True).argmax()), "the mean over the pairs"),
    ("13.2", lambda w, lags: lags.flatten()[w.argmax()], "the single largest weight"),
    ("13.2", lambda w, lags: 0.04 * liked(w, lags).round().mode().values, "that most rows like best"),
    ("13.2", lambda w, lags: 0.04 * liked(w, lags).mean(), "the mean over rows"),
    ("13.2", lambda w, lags: (w * lags).sum() / len(w), "the *mean* lag"),
    ("13.2", lambda w, lags: (w * lags).sum(), "a sum of weight times lag"),
    ("13.2", lambda w, lags: (w * lags.abs()).sum() / len(w), "its diagonality"),
]


test_mistake_is_named = named(MISTAKES)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the alignment of chapter 13 and the measure of its offset do."""
    torch.manual_seed(0)
    nearest_steps, most_attended_lag = defined("13.1"), defined("13.2")
    face, voice = Clock(hop=1 / 30), Clock(hop=1 / 50)
    lags = face.centers(6)[:, None] - voice.centers(12)[None, :]
    mask = torch.ones(1, 12, dtype=torch.bool)
    chosen = nearest(mask[:, :6], mask, lags)[0].argmax(dim=1)
    assert nearest_steps(6, 30, 12, 50).tolist() == chosen.tolist()

    scores = torch.randn(12, 12)
    lags = LAG_STEP * (torch.arange(12)[:, None] - torch.arange(12)[None, :])

    ridge = (lags - 0.16).abs() < 0.01
    weights = (scores + 6 * ridge).softmax(dim=1)
    clocks = {"video": Clock(hop=LAG_STEP), "time": Clock(hop=LAG_STEP)}
    map_ = AttentionMap(weights[None], ("video", "time"), mask, clocks, query_mask=mask)
    assert most_attended_lag(weights, lags) == pytest.approx(0.16)
    assert abs(recovered_offset(map_) - 0.16) < 0.08
    assert diagonality(map_) > 0.08
