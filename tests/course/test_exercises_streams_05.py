"""The mistakes that the exercises of chapter 5 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch

from sertut.course.exercises import check
from sertut.evidence.streams import best_lag
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


def bumps(T, k, peak, far=0, floor=0.0):
    """Two curves with a hump, k steps apart, and a highest step, `far` steps apart."""
    voice, face = torch.full((2, T), floor)
    voice[6:14], face[6 + k : 14 + k] = 1.0, 1.0
    voice[18], face[18 + far] = peak, peak
    return voice / voice.sum(), face / face.sum()


def needles(T, k):
    """Another way: three needles, and the highest step before them."""
    voice, face = torch.zeros(2, T, dtype=torch.float64)
    voice[[7, 12, 15]], face[[7 + k, 12 + k, 15 + k]] = 0.25, 0.25
    voice[0], face[0] = 0.26, 0.26
    return [curve / curve.sum() for curve in (voice, face)]


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
    ("5.2", lambda T, k: bumps(T, k, 1.1, far=k), "moves along with the rest"),
    ("5.2", lambda T, k: bumps(T, k, 1.1, far=1), "make it one step"),
    ("5.2", lambda T, k: bumps(T, k, 1.0), "equally high"),
    ("5.2", lambda T, k: bumps(T, k, 9.0), "outweighs all others"),
    ("5.2", lambda T, k: bumps(T, -k, 1.1), "with a positive k the face is later"),
    ("5.2", lambda T, k: bumps(T, 1 if abs(k) > 2 else k, 3.2), "outweighs all others"),
    ("5.2", lambda T, k: bumps(T, 4 if k == 3 else k, 1.1), "the lag of your curves is 4 steps"),
    ("5.2", lambda T, k: [8 * curve for curve in bumps(T, k, 1.1)], "never negative and sum to 1"),
    ("5.2", lambda T, k: [curve - curve.mean() + 1 / T for curve in bumps(T, k, 3.0, floor=-1.0)], "never negative"),
    ("5.2", lambda T, k: bumps(T + 1, k, 1.1), "it must be (24,)"),
]


test_mistake_is_named = named(MISTAKES)


@pytest.mark.parametrize(("id", "other"), [("5.1", lag), ("5.2", needles)])
def test_another_way_to_the_same_answer_passes(id, other):
    assert check(id, other), check(id, other)


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the evidence of chapter 5 does."""
    lag_of, misleading = defined("5.1"), defined("5.2")
    generator = np.random.default_rng(0)
    for _ in range(5):
        voice, face = (np.convolve(generator.normal(size=90), np.hanning(9), "same") for _ in range(2))
        ours = lag_of(torch.from_numpy(voice), torch.from_numpy(face), VIDEO_HOP, 30)
        assert ours == pytest.approx(best_lag(voice, face))
    for k in (2, -3, 5):
        voice, face = misleading(30, k)
        assert voice.argmax() == face.argmax()
        assert best_lag(voice.numpy(), face.numpy()) == pytest.approx(k * VIDEO_HOP)
