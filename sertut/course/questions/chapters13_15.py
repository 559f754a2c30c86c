"""Exercises of chapters 13 to 15: two clocks; votes for a lag, and who speaks; two opposite questions."""

from typing import Any

import torch

from sertut.attention.alignment import SHARPNESS
from sertut.course.exercises import ask, compare, exercise, refuse, tensors

HOP = 0.04


@exercise("13.1")
def nearest_steps(answer: Any) -> str:
    for n_face, face_rate, n_voice, voice_rate in ((6, 30, 12, 50), (8, 24, 9, 40)):
        index, others = torch.arange(n_face), torch.arange(n_voice)
        face, voice = (index + 0.5) / face_rate, (others + 0.5) / voice_rate
        lags = face[:, None] - voice[None, :]  # (n_face, n_voice)
        right, last = lags.abs().argmin(dim=1), n_voice - 1
        exact, started = face * voice_rate - 0.5, index * voice_rate / face_rate  # in steps of the voice
        own = "those are the frames' own numbers: step 3 of the voice is not the moment of frame 3 of the face."
        stretched = (
            "you stretched both streams to the same length; but a stream that ends earlier is not slower. Compare"
            " seconds."
        )
        mistakes = [
            (index, own),
            (index.clamp(max=last), own),
            (exact.round(), "right as long as the voice goes on; where it ends before the face, the nearest step is its"
             " last one."),
            (started.floor().clamp(max=last), "you compared when steps *start*; compare their middles, (i + 1/2) /"
             " rate."),
            (started.round().clamp(max=last), "the half is missing: steps lie at (i + 1/2) / rate, so that steps of"
             " different length do not begin together."),
            (started.round(), "the half is missing: steps lie at (i + 1/2) / rate; and the voice may end before the"
             " face."),
            ((face * voice_rate).round().clamp(max=last), "that is the step which *begins* nearest; take half a step of"
             " the voice away before rounding."),
            ((index * n_voice / n_face).floor(), stretched),
            ((index * (n_voice - 1) / (n_face - 1)).round(), stretched),
            (voice[right], "those are seconds; return the numbers of the steps."),
            (lags.abs().amin(dim=1), "that is how far away the nearest step is; `argmin` tells which one it is."),
            (lags.argmin(dim=1), "the smallest lag is the most negative one; the nearest one is smallest without its"
             " sign."),
            (lags.abs().argmin(dim=0), "that is the nearest frame of the face for each step of the voice; here the face"
             " asks."),
            (lags, "those are the lags of all pairs; for each frame of the face choose the nearest step."),
        ]  # fmt: skip
        compare(ask(answer, n_face, face_rate, n_voice, voice_rate), right, mistakes, "The steps are different.")
    return "two streams are compared in seconds; their indices say nothing to one another."


@exercise("13.2")
def most_attended_lag(answer: Any) -> str:
    for T, S, lag, seed in ((12, 10, 3, 0), (9, 12, -2, 1)):
        weights, steps = _map(T, S, lag, seed)
        lags = HOP * steps
        total, count = by_lag(weights, steps), by_lag(torch.ones(T, S), steps)
        first = int(steps.min())
        right = HOP * lag
        own = steps[torch.arange(T), weights.argmax(dim=1)]  # (T,), where each row looks most
        mean = float((weights * lags).sum() / T)
        mistakes = [
            (-right, "the sign is turned: a positive lag says that the face comes later, face minus voice."),
            (lag, "those are steps; a step lasts 0.04 s."),
            (lag - first, "that is a place in a list of lags; say which lag stands there."),
            (float(total.max()), "that is how *much* attention the lag gets; return the lag itself."),
            (HOP * int((total / count).argmax() + first), "you took the mean over the pairs of a lag. Far lags have few"
             " pairs, and the mean of few is large by chance; add up."),
            (HOP * int(steps.flatten()[weights.argmax()]), "that is the lag of the single largest weight; one row may"
             " be mistaken. Add up over all pairs of a lag."),
            (HOP * int(own.mode().values), "that is the lag that most rows like best; a row's other weights count,"
             " too."),
            (float(own.double().mean()) * HOP, "that is the mean over rows of where each looks most; one row that is"
             " far off moves it. Add up the attention of each lag, and take the largest sum."),
            (mean, "that is the *mean* lag. Weight that is spread over the clip pulls it toward the middle; the highest"
             " sum is asked for."),
            (mean * T, "that is a sum of weight times lag; add up the weights of each lag, and take the largest sum."),
            (float((weights * lags.abs()).sum() / T), "that is how far from the same time the map looks, its"
             " diagonality; which lag gets most?"),
        ]  # fmt: skip
        compare(ask(answer, weights, lags), right, mistakes, "The lag is different.")
    return "so one number can be held against the true offset, for any map, however it was made."


def _map(T: int, S: int, lag: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A map (T, S) with most of its attention at a lag, though most rows like another one best; and the lags, steps."""
    t, steps = torch.arange(T), torch.arange(T)[:, None] - torch.arange(S)[None, :]
    weights = 0.02 * torch.rand(T, S, generator=torch.Generator().manual_seed(seed))
    weights[steps == lag] += 0.3
    weights[4:8][steps[4:8] == lag - 2] += 0.36  # liked best by four rows, and not even known to the others
    weights[t, 3 * t % S] += 0.35
    weights[0, 5] += 9.0  # one row is sure of another moment
    weights[-1, 0] += 1.0  # and the pair that is farthest apart has no company
    return weights / weights.sum(dim=1, keepdim=True), steps


def by_lag(values: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Sums of `values` (T, S) over all pairs of the same lag, the smallest lag first."""
    first = int(steps.min())
    sums = torch.zeros(int(steps.max()) - first + 1, dtype=values.dtype)
    return sums.index_add(0, (steps - first).flatten(), values.flatten())


@exercise("14.1")
def votes(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for T, S in ((3, 5), (4, 2)):
        scores = 1.0 + torch.randn(T, S, generator=generator)
        steps = torch.arange(T)[:, None] - torch.arange(S)[None, :]
        above = scores - scores.mean()
        right = by_lag(above, steps) / T
        count = by_lag(torch.ones(T, S), steps)
        turned, sums = by_lag(above.flip(1), steps) / T, by_lag(scores, steps)
        rows = by_lag(scores - scores.mean(dim=1, keepdim=True), steps) / T
        columns = by_lag(scores - scores.mean(dim=0, keepdim=True), steps) / T
        mistakes = [
            (right.flip(0), "the order is turned: the first number belongs to d = -(S - 1), where the face is earliest."
             " (`diagonal(k)` holds the pairs with j - t = k.)"),
            (right * T, "divide by T: else long clips have longer votes."),
            (right * T / S, "you divided by the steps of the voice; the T steps of the face vote."),
            (right * T / count, "that is the mean over the pairs of a lag. Far lags have few pairs, and the mean of few"
             " is large by chance; add up, and divide by T."),
            (sums / T, "the mean was not taken away: then a lag with many pairs wins because it has many."),
            (sums, "the mean was not taken away, and the sums are not divided by T."),
            (sums / T - scores.mean(), "take the mean away from every *pair*, before adding up."),
            ((sums - sums.mean()) / T, "take the mean of all scores away from every *pair*, before adding up."),
            (sums / count, "that is the mean of each diagonal, and the mean of all was not taken away."),
            (rows, "you took away the mean of each row; it is one mean, over the whole table."),
            (columns, "you took away the mean of each column; it is one mean, over the whole table."),
            (turned, "those are the other diagonals, on which t + j is the same; a lag is a difference."),
            (turned.flip(0), "those are the other diagonals, on which t + j is the same; a lag is a difference."),
            (SHARPNESS * right, "that is kappa times the votes; the votes alone are asked for."),
            ((SHARPNESS * right).log_softmax(dim=0), "that is the relative-position term made of the votes; the votes"
             " alone are asked for."),
            (right[S - 1 :], "lags below 0 are missing: the face may come first."),
        ]  # fmt: skip
        compare(ask(answer, scores), right, mistakes, "The votes are different.")
    return "each pair votes for its own lag; far lags, with few pairs, get few votes."


@exercise("14.2")
def loss_of_speakers(answer: Any) -> str:
    for speakers in (torch.tensor([3, 0, 3, 1, 3, 1]), torch.tensor([0, 0, 1, 2])):
        same = (speakers[:, None] == speakers).double()
        own, N, S = same.sum(dim=1), len(speakers), len(speakers.unique())
        of_each = torch.stack([own[speakers == one].mean() for one in speakers.unique()])
        right = (2 * own).log().mean()
        mistakes = [
            (torch.tensor(2.0 * N).log(), "that is chance: log(2 N) is the loss of a network that knows nothing."),
            (torch.tensor(2.0).log(), "log 2 is for a network that knows each *clip* by heart. Here several clips have"
             " one speaker, and to this network they are all alike."),
            (own.log().mean(), "the voices played backward are missing: they have the same speaker."),
            ((2 * own - 1).log().mean(), "the own voice is one of those to choose from, too."),
            ((2 * own).mean().log(), "you averaged numbers of voices; each face has a loss, and losses are averaged."),
            (torch.tensor(2.0 * N / S).log(), "you averaged before the logarithm, the probabilities or the clips of a"
             " speaker. Each face has a loss; average the losses."),
            ((2 * of_each).log().mean(), "you averaged over speakers; the loss is a mean over faces."),
            (torch.tensor(2.0 * S).log(), "you counted speakers; the choice is among the voices of the own speaker."),
            (-right, "the sign is turned: a loss is minus the logarithm of a probability."),
            (right * N, "that is the sum over the faces; return the mean."),
            ((1 / (2 * own)).mean(), "that is the mean probability of the own voice, not the loss."),
        ]  # fmt: skip
        compare(ask(answer, speakers), right, mistakes, f"For the speakers {speakers.tolist()}:")
    return "a loss above this may come from knowing *who*; only what is below it has to come from knowing *when*."


@exercise("15.1")
def opposite_questions(answer: Any) -> str:
    mu, W_s, R, q, r = tensors(ask(answer), mu=(2, 2), W_s=(2, 1), R=(2, 2), q=(2,), r=(2,))
    inner = torch.tensor([[-1.0], [0.0], [1.0]]).double() @ W_s.T + (mu @ R.T)[:, None] + q  # (K, T, G)
    weights, rises = (torch.tanh(inner) @ r).softmax(dim=1), r * W_s[:, 0]
    found, crossed = ((float(weights[0, at]), float(weights[1, 2 - at])) for at in (2, 0))
    more = "higher" if float(rises.max()) > 0 else "lower"
    refuse(
        (bool((weights[0] - weights[1]).abs().max() < 1e-3), "both emotions have the same weights. The embeddings must"
         " bring a unit to different places on the curve of the tanh: around 0 for one emotion, far from 0 for the"
         " other."),
        (min(crossed) >= 0.9, "the two are exchanged: emotion 0 is to find 1, and emotion 1 is to find -1."),
        (float(rises.min()) >= 0 or float(rises.max()) <= 0, f"in both of your units a {more} number makes a larger"
         " score, or none. An embedding cannot turn a unit around. One unit must rise with the number, and the other"
         " must fall."),
        (bool((weights.amax(dim=1) - weights.amin(dim=1)).min() < 0.1), "an emotion has nearly even weights. Its units"
         " say the same of all steps: they are closed, or one takes away what the other adds."),
        (weights.argmax(dim=1).tolist() != [2, 0], f"emotion 0 looks most at {int(weights[0].argmax()) - 1}, emotion 1"
         f" at {int(weights[1].argmax()) - 1}; it must be 1 and -1. Which unit is open for which emotion?"),
        (min(found) < 0.9, f"each emotion finds its step, with weights of {found[0]:.2f} and {found[1]:.2f}. A longer r"
         " makes the scores differ more; so does a unit that is closed more tightly."),
    )  # fmt: skip
    return "one vector r for all emotions is enough, because each embedding closes the unit that it does not want."


@exercise("15.2")
def decide(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for K, T, H in ((3, 5, 4), (4, 6, 2)):
        weights = (2 * torch.randn(K, T, generator=generator)).softmax(dim=1)
        s, o = torch.randn(T, H, generator=generator), torch.randn(K, H, generator=generator)
        b = torch.randn(K, generator=generator)
        c = weights @ s
        right = (o * c).sum(dim=1) + b
        every = c @ o.T + b  # (K, K): question k, judged by emotion j
        summed = "you summed over the questions; only the diagonal is meant: o_k with c_k."
        own = "you judged what each emotion found by *all* emotions. Emotion k judges only what its own question found."
        mistakes = [
            (every, own),
            (every.T, own),
            (o @ c.mean(dim=0) + b, "you averaged over the questions, so that all emotions judge the same vector, as in"
             " plain attentive pooling. Only the diagonal is meant: o_k with c_k."),
            (o @ s.mean(dim=0) + b, "the weights play no role: that is mean pooling."),
            (every.sum(dim=0), summed),
            (every.max(dim=0).values, "you took, for each emotion, the best of all questions; it has only its own."),
            (right - b, "`b` is missing."),
            (right.softmax(dim=0), "these are the probabilities; the logits are asked for."),
            (c, "these are the contexts; emotion k still has to judge its own, with o_k and b_k."),
            (o * c + b[:, None], "the products are not summed: o_k . c_k is one number."),
            ((weights @ (s @ o.T)).sum(dim=0) + b, summed),
            (right.mean().expand(K), "one number for all; each emotion has its own logit."),
        ]  # fmt: skip
        compare(ask(answer, weights, s, o, b), right, mistakes, "The logits are different.")
    return "read the other way: each step's evidence o_k . s_t + b_k, averaged with the weights of emotion k."


@exercise("15.3")
def unlike(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    first, second = ((2 * torch.randn(6, generator=generator)).softmax(dim=0) for _ in range(2))
    apart = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([0.0, 0.0, 0.25, 0.75])
    padded = torch.tensor([0.2, 0.7, 0.1, 0.0]), torch.tensor([0.6, 0.1, 0.3, 0.0])
    for a, b in ((first, second), padded, apart, (first, first)):
        mean = (a + b) / 2
        right = _entropy(mean) - (_entropy(a) + _entropy(b)) / 2
        both = "that is symmetric, but infinite where one of them is 0. Compare both with their mean."
        mistakes = [
            (torch.tensor(torch.nan), "NaN: 0 times the logarithm of 0 is NaN for the computer, and 0 here. Leave out"
             " steps without weight, or use `torch.special.entr`."),
            (right * torch.log(torch.tensor(2.0)), "that is in nats; bits need the logarithm to base 2."),
            (right.clamp(min=0).sqrt(), "that is its square root, the Jensen-Shannon *distance*."),
            (2 * right, "twice too much: of both entropies (or divergences) the *mean* is taken."),
            (-right, "the sign is turned: the mixture of two is never less spread out than they are."),
            (_relative(a, b), "that is the Kullback-Leibler divergence of a from b: not symmetric, and infinite where b"
             " is 0. Compare both with their mean."),
            (_relative(b, a), "that is the Kullback-Leibler divergence of b from a: not symmetric, and infinite where a"
             " is 0. Compare both with their mean."),
            ((_relative(a, b) + _relative(b, a)) / 2, both),
            (_relative(a, b) + _relative(b, a), both),
            (_relative(a, mean), "that is a against their mean; b against their mean is the other half."),
            (_relative(b, mean), "that is b against their mean; a against their mean is the other half."),
            (_entropy(mean), "that is the entropy of their mean; the mean of their entropies goes off."),
            ((a - b).abs().sum() / 2, "that is the total variation; it also runs from 0 to 1, but is another measure."),
        ]  # fmt: skip
        compare(ask(answer, a, b), right, mistakes, "The divergence is different.")
    return "bits: how much one step, drawn from one of the two, tells about which emotion it was drawn for."


def _entropy(p: torch.Tensor) -> torch.Tensor:
    return torch.special.entr(p).sum() / torch.log(torch.tensor(2.0))


def _relative(p: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence in bits; infinite where `other` is 0 and p is not."""
    used = p > 0
    return (p[used] * (p[used] / other[used]).log2()).sum()
