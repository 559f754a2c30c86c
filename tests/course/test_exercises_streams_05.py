"""The mistakes that the exercises of chapter 5 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sertut.attention import MixturePooling
from sertut.course.exercises import check
from sertut.evidence.mixture import total_variation
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
    ("5.2", lambda *a: log_p(*a).exp(), "that is p; return its logarithm"),
    ("5.2", lambda *a: -log_p(*a), "that is -log p"),
    ("5.2", lambda *a: log_p(*a, mix=lambda w, q: (w * q).sum(1)), "mixed the *logarithms*"),
    ("5.2", lambda *a: log_p(*a, mix=lambda w, q: (w * q).sum(1).log_softmax(1)), "and normalized what came out"),
    ("5.2", lambda w, q, m: log_p(m / m.sum(1, keepdim=True), q, m), "every moment counts alike"),
    ("5.2", lambda w, q, m: log_p(w, q, m, lambda a, x: (a * x.exp()).sum(2)[:, :4].log()), "over emotions"),
    ("5.2", lambda w, q, m: torch.logsumexp(q, dim=1), "you added up the q's"),
    ("5.2", lambda w, q, m: torch.logsumexp(w.unsqueeze(-1) + q, dim=1), "must stand as logarithms"),
    ("5.2", lambda *a: log_p(*a, mix=lambda w, q: (w * q.exp()).amax(1).log()), "the strongest moment"),
    ("5.2", lambda w, q, m: log_p(w, q, torch.ones_like(m)), "padding take part"),
    ("5.2", lambda *a: log_p(*a), "exp(-1000) is 0"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).abs().sum(), "left out the half"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).abs().max(), "the largest difference"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).abs().mean(), "the mean difference"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).norm(), "the Euclidean distance"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).square().sum(), "squared differences"),
    ("5.3", lambda c, e, p: (p - shares(c, e)).sum() / 2, "cancel out"),
    ("5.3", lambda c, e, p: (p - shares(c, e, count=True)).abs().sum() / 2, "count words instead of seconds"),
    ("5.3", lambda c, e, p: (p - shares(c, e, add=False)).abs().sum() / 2, "has overwritten the first"),
    ("5.3", lambda c, e, p: (p - seconds(c, e) / c[-1][2]).abs().sum() / 2, "the length of the clip"),
    ("5.3", lambda c, e, p: (p - seconds(c, e) / (c[-1][2] - c[0][1])).abs().sum() / 2, "the first cue to the last"),
    ("5.3", lambda c, e, p: (p - present(c, e)).abs().sum() / 2, "each emotion that occurs the same share"),
]


test_mistake_is_named = named(MISTAKES)


@pytest.mark.parametrize("id", ["5.1", "5.2", "5.3"])
def test_another_way_to_the_same_answer_passes(id):
    def clip_by_clip(weights, log_q, mask):
        clips = zip(weights, log_q, mask, strict=True)
        return torch.stack([(w[real, None].log() + q[real]).logsumexp(dim=0) for w, q, real in clips])

    other = {"5.1": lag, "5.2": clip_by_clip, "5.3": lambda c, e, p: (p - shares(c, e)).clamp(min=0).sum()}
    assert check(id, other[id]), check(id, other[id])


def test_solutions_agree_with_the_library():
    """What the exercises ask for is what the evidence and the pooling of chapter 5 do."""
    lag_of, mixture_log_probability, share_error = (defined(id) for id in ("5.1", "5.2", "5.3"))
    generator = np.random.default_rng(0)
    for _ in range(5):
        voice, face = (np.convolve(generator.normal(size=90), np.hanning(9), "same") for _ in range(2))
        ours = lag_of(torch.from_numpy(voice), torch.from_numpy(face), VIDEO_HOP, 30)
        assert ours == pytest.approx(best_lag(voice, face))

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
