"""The mistakes that the exercises of chapters 4 to 6 know are called by their names; see test_exercises.py."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sertut.attention import AttentionPooling, MixturePooling
from sertut.evidence.mixture import total_variation
from sertut.evidence.streams import best_lag
from sertut.video import VIDEO_HOP
from tests.course.answers import defined, named


def in_time(weights, mask):
    """The weights under a mask before the softmax, by another way: from their logarithms."""
    return weights.log().masked_fill(~mask, -torch.inf).softmax(1)


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
    ("4.1", lambda w, c, m: (w, c), "the weights are unchanged"),
    ("4.1", lambda w, c, m: (w * m, c), "no longer sum to 1"),
    ("4.1", lambda w, c, m: ((w * m).softmax(1), c), "exp(0) = 1"),
    ("4.1", lambda w, c, m: (w.masked_fill(~m, -torch.inf).softmax(1), c), "weights are no scores"),
    ("4.1", lambda w, c, m: (w * m / (w * m).sum(), c), "the sum of the whole batch"),
    ("4.1", lambda w, c, m: (w * m / m.sum(1, keepdim=True), c), "the number of real frames"),
    ("4.1", lambda w, c, m: (m * (w + (w * ~m).sum(1, keepdim=True) / m.sum(1, keepdim=True)), c), "the same *factor*"),
    ("4.1", lambda w, c, m: (w * ~m / (w * ~m).sum(1, keepdim=True), c), "the wrong way round"),
    ("4.1", lambda w, c, m: (m / m.sum(1, keepdim=True), c), "uniform"),
    ("4.1", lambda w, c, m: (in_time(w, m), c), "the vectors are unchanged"),
    ("4.1", lambda w, c, m: (in_time(w, m), c * (w * m).sum(1, keepdim=True)), "you multiplied the vectors"),
    ("4.1", lambda w, c, m: (in_time(w, m), c / m.sum(1, keepdim=True)), "the vectors by the number of real frames"),
    ("4.1", lambda w, c, m: (in_time(w, m)[:, :5], c), "the shape is (3, 5)"),
    ("4.1", lambda w, c, m: in_time(w, m), "return two values"),
    ("4.2", lambda w, c, a, b, t: a <= c[w.argmax()] <= b, "with a tolerance of 0.05 s"),
    ("4.2", lambda w, c, a, b, t: a <= c[w.argmax()] <= b + t, "*both* sides"),
    ("4.2", lambda w, c, a, b, t: a - 0.05 <= c[w.argmax()] <= b + 0.05, "more than the tolerance of 0.01"),
    ("4.2", lambda w, c, a, b, t: w[(c >= a - t) & (c <= b + t)].sum() > 0.5, "the one largest step only"),
    ("4.2", lambda w, c, a, b, t: a - t <= c[w.argmin()] <= b + t, "that is a hit"),
    ("4.2", lambda w, c, a, b, t: True, "that is a miss"),
    ("4.2", lambda w, c, a, b, t: (c >= a) & (c <= b), "one truth value"),
    ("4.3", lambda w, i: w[i].sum(), "the mass M itself"),
    ("4.3", lambda w, i: w[i].sum() - i.float().mean(), "M - n/N"),
    ("4.3", lambda w, i: w[i].sum() / i.float().mean(), "M over chance"),
    ("4.3", lambda w, i: w[i].sum() / i.float().mean() - 1, "divided by the chance level"),
    ("4.3", lambda w, i: (w[i].mean() - i.float().mean()) / (1 - i.float().mean()), "*sum* of the weights inside"),
    ("4.3", lambda w, i: (w[~i].sum() - i.float().mean()) / (1 - i.float().mean()), "outside the region"),
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


test_mistake_is_named, test_another_way_passes = named(
    MISTAKES,
    ("5.1", lag),
    ("5.2", needles),
    ("6.1", filled),
    ("6.2", lambda c, e, p: (p - shares(c, e)).clamp(min=0).sum()),
)


def test_a_late_mask_is_repaired_to_what_the_library_pools():
    pool, states, mask = AttentionPooling(4, 3), torch.randn(2, 6, 4), torch.arange(6) < torch.tensor([[4], [6]])
    states = states * mask[:, :, None]
    late = pool.score(torch.tanh(pool.project(states))).squeeze(-1).softmax(dim=1)
    weights, vectors = defined("4.1")(late, (late[:, None] @ states).squeeze(1), mask)
    right, expected = pool(states, mask)
    assert_close(vectors, right)
    assert_close(weights, expected)


def test_the_lag_of_chapter_5_is_that_of_the_evidence():
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


def test_the_shares_of_chapter_6_are_those_of_the_library():
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
