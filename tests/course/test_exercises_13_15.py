"""The mistakes that the exercises of chapters 13 to 15 know are called by their names; see test_exercises.py."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot
from torch.testing import assert_close

from sertut.attention import Alignment, AttentionMap, Clock, PerceptionAttention, synchrony_loss
from sertut.attention.alignment import LAG_STEP, MAX_LAG, SHARPNESS, lag_profile, nearest
from sertut.evidence import recovered_offset
from sertut.evidence.mixture import divergence
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


def questions(
    mu=((1.0, 0.0), (0.0, 1.0)), W_s=((1.0,), (1.0,)), R=((0.0, 9.0), (9.0, 0.0)), q=(0.0, 0.0), r=(9.0, -9.0)
):
    """Two questions that want the opposite, and what can go wrong in them."""
    return [torch.tensor(each) for each in (mu, W_s, R, q, r)]


def mirrored():
    """Another way: one unit rises, one falls, and the biases alone close them; the embeddings open."""
    return questions(mu=[[2.0, 0.0], [0.0, -2.0]], W_s=[[3.0], [-3.0]], R=[[4.0, 0.0], [0.0, 4.0]], q=[-8.0, 8.0],
                     r=[7.0, 7.0])  # fmt: skip


def entropy(p, log=torch.log2):
    return -torch.where(p > 0, p * log(p.clamp(min=1e-30)), 0.0).sum()


def between(a, b, log=torch.log2):
    return entropy((a + b) / 2, log) - (entropy(a, log) + entropy(b, log)) / 2


def naive(a, b):
    h = lambda p: -(p * p.log2()).sum()  # noqa: E731
    return h((a + b) / 2) - (h(a) + h(b)) / 2


def relative(a, b):
    return (a * (a / b).log2()).sum()


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
    ("13.2", lambda w, d: -float(d.min()) - 0.04 * int(totals(w, d).argmax()), "the sign is turned"),
    ("13.2", lambda w, d: round(float(d.min()) / 0.04) + int(totals(w, d).argmax()), "those are steps"),
    ("13.2", lambda w, d: totals(w, d).argmax(), "a place in a list"),
    ("13.2", lambda w, d: totals(w, d).max(), "how *much* attention"),
    ("13.2", lambda w, d: float(d.min()) + 0.04 * int(totals(w, d, mean=True).argmax()), "the mean over the pairs"),
    ("13.2", lambda w, d: d.flatten()[w.argmax()], "the single largest weight"),
    ("13.2", lambda w, d: 0.04 * liked(w, d).round().mode().values, "that most rows like best"),
    ("13.2", lambda w, d: 0.04 * liked(w, d).mean(), "the mean over rows"),
    ("13.2", lambda w, d: (w * d).sum() / len(w), "the *mean* lag"),
    ("13.2", lambda w, d: (w * d).sum(), "a sum of weight times lag"),
    ("13.2", lambda w, d: (w * d.abs()).sum() / len(w), "its diagonality"),
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
    ("15.1", lambda: questions(R=[[0.0, 0.0], [0.0, 0.0]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(mu=[[1.0, 0.0], [1.0, 0.0]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(r=[9.0, 9.0], W_s=[[0.001], [0.001]]), "both emotions have the same weights"),
    ("15.1", lambda: questions(r=[-9.0, 9.0]), "the two are exchanged"),
    ("15.1", lambda: questions(r=[9.0, 9.0], R=[[0.0, 9.0], [0.5, 0.0]]), "a higher number makes a larger score"),
    ("15.1", lambda: questions(r=[-9.0, -9.0], R=[[0.0, 9.0], [0.5, 0.0]]), "a lower number makes a larger score"),
    ("15.1", lambda: questions(R=[[0.0, 9.0], [0.0, 0.0]]), "nearly even weights"),
    ("15.1", lambda: questions(R=[[0.0, 0.5], [9.0, 2.0]]), "emotion 1 at 1"),
    ("15.1", lambda: questions(r=[2.0, -2.0]), "A longer r"),
    ("15.1", lambda: questions(r=[torch.inf, 1.0]), "must be finite"),
    ("15.1", lambda: questions()[:4], "return 5 tensors"),
    ("15.1", lambda: questions(W_s=[[1.0, 1.0]]), "of shape (2, 1)"),
    ("15.2", lambda w, s, o, b: w @ s @ o.T + b, "by *all* emotions"),
    ("15.2", lambda w, s, o, b: o @ (w @ s).T + b[:, None], "by *all* emotions"),
    ("15.2", lambda w, s, o, b: o @ (w @ s).mean(0) + b, "you averaged over the questions"),
    ("15.2", lambda w, s, o, b: o @ s.mean(0) + b, "that is mean pooling"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).sum(0), "only the diagonal"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).mean(0), "you averaged over the questions"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T).sum(0) + b, "only the diagonal"),
    ("15.2", lambda w, s, o, b: (w @ s @ o.T + b).amax(0), "best of all questions"),
    ("15.2", lambda w, s, o, b: (o * (w @ s)).sum(1), "`b` is missing"),
    ("15.2", lambda w, s, o, b: ((o * (w @ s)).sum(1) + b).softmax(0), "these are the probabilities"),
    ("15.2", lambda w, s, o, b: w @ s, "these are the contexts"),
    ("15.2", lambda w, s, o, b: o * (w @ s) + b[:, None], "not summed"),
    ("15.3", naive, "NaN: 0 times the logarithm"),
    ("15.3", lambda a, b: between(a, b, torch.log), "that is in nats"),
    ("15.3", lambda a, b: between(a, b).clamp(min=0).sqrt(), "the Jensen-Shannon *distance*"),
    ("15.3", lambda a, b: 2 * between(a, b), "the *mean* is taken"),
    ("15.3", lambda a, b: -between(a, b), "the sign is turned"),
    ("15.3", relative, "divergence of a from b"),
    ("15.3", lambda a, b: relative(b, a), "divergence of b from a"),
    ("15.3", lambda a, b: (relative(a, b) + relative(b, a)) / 2, "infinite where one of them is 0"),
    ("15.3", lambda a, b: relative(a, b) + relative(b, a), "infinite where one of them is 0"),
    ("15.3", lambda a, b: relative(a, (a + b) / 2), "the other half"),
    ("15.3", lambda a, b: relative(b, (a + b) / 2), "the other half"),
    ("15.3", lambda a, b: entropy((a + b) / 2), "the mean of their entropies goes off"),
    ("15.3", lambda a, b: (a - b).abs().sum() / 2, "total variation"),
]


test_mistake_is_named, test_another_way_passes = named(MISTAKES, ("14.2", from_matches), ("15.1", mirrored))


def test_the_lags_of_chapter_13_are_those_of_the_library():
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


def test_the_votes_of_chapter_14_are_those_of_the_library():
    votes, loss_of_speakers = defined("14.1"), defined("14.2")
    scores = torch.randn(12, 12)
    lags = LAG_STEP * (torch.arange(12)[:, None] - torch.arange(12)[None, :])
    whole = torch.ones(12, dtype=torch.bool)
    profile = lag_profile(scores, whole, whole, lags)
    assert_close(SHARPNESS * votes(scores), profile[MAX_LAG - 11 : MAX_LAG + 12])

    # a network that says who speaks, louder in the middle of the clip
    speakers, middle = torch.tensor([2, 0, 2, 1]), 30 - (torch.arange(12) - 5.5).abs()
    knows, mask = one_hot(speakers)[:, None, :] * middle[:, None], torch.ones(4, 12, dtype=torch.bool)  # (4, 12, 3)
    align = Alignment(3, 3, n_units=3, score="product")
    with torch.no_grad():
        align.query.weight.copy_(30 * torch.eye(3))
        align.key.weight.copy_(torch.eye(3))
        loss = synchrony_loss(align, knows, knows, mask, mask, lags)
    assert_close(loss, loss_of_speakers(speakers), atol=1e-4, rtol=0)


def test_the_questions_of_chapter_15_are_those_of_the_library():
    perceive, s, mask = PerceptionAttention(6, 3, n_embedding=4, n_units=5), torch.randn(7, 6), torch.arange(7) < 5
    opposite_questions, decide, unlike = (defined(id) for id in ("15.1", "15.2", "15.3"))
    with torch.no_grad():
        logits, weights = perceive(s[None], mask[None])
        found = weights[0]
        assert_close(decide(found, s, perceive.evidence.weight, perceive.evidence.bias), logits[0])
        perceive = PerceptionAttention(1, 2, n_embedding=2, n_units=2)
        parts = perceive.embeddings, perceive.state.weight, perceive.emotion.weight, perceive.state.bias
        for part, made in zip((*parts, perceive.score.weight[0]), opposite_questions(), strict=True):
            part.copy_(made)
        _, weights = perceive(torch.tensor([[[0.0], [1.0], [-1.0]]]), torch.ones(1, 3) > 0)
        assert weights[0].argmax(dim=1).tolist() == [1, 2] and weights[0].amax(dim=1).min() > 0.99
    assert float(unlike(*found[:2])) == pytest.approx(divergence(*found[:2].double().numpy()), abs=1e-5)
