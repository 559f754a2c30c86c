"""The mistakes that the exercises of chapter 5 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sertut.attention import Clock
from sertut.course.exercises import check
from sertut.evidence.streams import best_lag, on_steps
from sertut.video import VIDEO_HOP
from tests.course.answers import defined, named


def lag(voice, face, hop, longest, centered=True, wrap=False, steps=None, sign=1):
    """The lag by another way: one product of matrices; with what can go wrong in it."""
    x, y = (voice - voice.mean(), face - face.mean()) if centered else (voice, face)
    steps = range(-longest, longest + 1) if steps is None else steps
    n = len(x)
    moved = [torch.roll(y, -k) if wrap else torch.stack([y[t + k] if 0 <= t + k < n else 0 * y[0] for t in range(n)])
             for k in steps]  # fmt: skip
    return sign * list(steps)[int((torch.stack(moved) @ x).argmax())] * hop


def peaks_apart(voice, face, hop, longest):
    return (int(face.argmax()) - int(voice.argmax())) * hop


def mass(weights, hop, new_hop, n):
    """The mass in the new steps by another way: what lies before each border."""
    before = np.cumsum([0.0, *weights.tolist()])
    borders = new_hop * np.arange(n + 1) / hop
    return torch.from_numpy(np.diff(np.interp(borders, np.arange(len(before)), before))).float()


def heights(weights, hop, new_hop, n):
    at, new_at = hop * (np.arange(len(weights)) + 0.5), new_hop * (np.arange(n) + 0.5)
    return torch.from_numpy(np.interp(new_at, at, weights.numpy())).float()


def whole(weights, hop, new_hop, n):
    found = torch.zeros(max(n, 50))
    for t, weight in enumerate(weights):
        found[int((t + 0.5) * hop / new_hop)] += weight
    return found[:n]


MISTAKES = [
    ("5.1", lambda *a: lag(*a, sign=-1), "the sign is the wrong way round"),
    ("5.1", lambda v, f, hop, n: lag(v, f, 1, n), "those are steps"),
    ("5.1", lambda v, f, hop, n: lag(v, f, 1, n, sign=-1), "with the wrong sign"),
    ("5.1", lambda v, f, hop, n: n * hop, "the *best* k"),
    ("5.1", lambda v, f, hop, n: 0.0, "you found no lag"),
    ("5.1", lambda v, f, hop, n: int(f.argmax()) * hop, "when the face peaks"),
    ("5.1", lambda v, f, hop, n: int(f.argmax()), "the step where the face peaks"),
    ("5.1", lambda v, f, hop, n: abs(lag(v, f, hop, n)), "here the face is *earlier*"),
    ("5.1", lambda v, f, hop, n: lag(v, f, hop, n, steps=range(n + 1)), "try negative k"),
    ("5.1", lambda *a: lag(*a, centered=False), "high floor"),
    ("5.1", peaks_apart, "the two highest points"),
    ("5.1", lambda v, f, hop, n: lag(v, f, hop, len(v) - 1), "no lag above 0.48 s"),
    ("5.1", lambda *a: lag(*a, wrap=True), "wrap around"),
    ("5.2", heights, "those are heights between"),
    ("5.2", lambda *a: heights(*a) / heights(*a).sum(), "scaled to sum 1; share"),
    ("5.2", lambda w, h, k, n: w[((torch.arange(n) + 0.5) * k / h).long()], "one old step for each new one"),
    ("5.2", whole, "across a border is divided"),
    ("5.2", lambda w, h, k, n: mass(w, h, k, n) * h, "did not divide by the old hop"),
    ("5.2", lambda w, h, k, n: mass(w, h, k, n) * h / k, "divided by the new hop"),
    ("5.2", lambda *a: mass(*a).cumsum(0), "up to each border"),
    ("5.2", lambda *a: mass(*a) / mass(*a).sum(), "some mass lies after the last new step"),
]


test_mistake_is_named = named(MISTAKES)


@pytest.mark.parametrize(("id", "other"), [("5.1", lag), ("5.2", mass)])
def test_another_way_to_the_same_answer_passes(id, other):
    assert check(id, other), check(id, other)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the evidence of chapter 5 does."""
    lag_of, moved = defined("5.1"), defined("5.2")
    generator = np.random.default_rng(0)
    for _ in range(5):
        voice, face = (np.convolve(generator.normal(size=90), np.hanning(9), "same") for _ in range(2))
        ours = lag_of(torch.from_numpy(voice), torch.from_numpy(face), VIDEO_HOP, 30)
        assert ours == pytest.approx(best_lag(voice, face))
        weights = generator.dirichlet(np.ones(20))
        theirs = torch.from_numpy(on_steps(weights, Clock(0.04), 0.05 * np.arange(17)))
        assert_close(moved(torch.from_numpy(weights), 0.04, 0.05, 16), theirs.float())
