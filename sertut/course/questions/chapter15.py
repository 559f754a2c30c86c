"""Exercises of chapter 15: two opposite questions, the evidence of each, and how differently two emotions look."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, tensors


@exercise("15.1")
def opposite_questions(answer: Any) -> str:
    mu, W_s, R, q, r = tensors(ask(answer), mu=(2, 2), W_s=(2, 1), R=(2, 2), q=(2,), r=(2,))
    inner = torch.tensor([[-1.0], [0.0], [1.0]]).double() @ W_s.T + (mu @ R.T)[:, None] + q  # (K, T, G)
    weights, rises = (torch.tanh(inner) @ r).softmax(dim=1), r * W_s[:, 0]
    found, crossed = ((float(weights[0, at]), float(weights[1, 2 - at])) for at in (2, 0))
    if min(found) >= 0.9:
        return "one vector r for all emotions is enough, because each embedding closes the unit that it does not want."
    more = "higher" if float(rises.max()) > 0 else "lower"
    mistakes = [
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
        (True, f"each emotion finds its step, with weights of {found[0]:.2f} and {found[1]:.2f}. A longer r makes the"
         " scores differ more; so does a unit that is closed more tightly."),
    ]  # fmt: skip
    raise Wrong(next(why for wrong, why in mistakes if wrong))


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
