"""Exercises of chapter 15: the weights of each emotion, its evidence, and how differently two emotions look."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise


@exercise("15.1")
def emotion_weights(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for K, T, H, E, G in ((3, 6, 4, 2, 5), (2, 7, 3, 5, 4)):
        s, mu = torch.randn(T, H, generator=generator), torch.randn(K, E, generator=generator)
        W_s, R = torch.randn(G, H, generator=generator), torch.randn(G, E, generator=generator)
        q, r = torch.randn(G, generator=generator), 2 * torch.randn(G, generator=generator)
        mask = torch.arange(T) < T - 2
        inner = s @ W_s.T + (mu @ R.T)[:, None] + q  # (K, T, G)
        g = torch.tanh(inner) @ r
        fill = lambda scores, mask=mask: scores.masked_fill(~mask, -torch.inf)  # noqa: E731
        right = fill(g).softmax(dim=1)
        no_shift = torch.tanh(s @ W_s.T + (mu @ R.T)[:, None]) @ r
        unmasked = g.softmax(dim=1)
        blind = fill(torch.tanh(s @ W_s.T + q) @ r).softmax(dim=0)  # (T,)
        mistakes = [
            (unmasked, "padding has weight: put -inf in its place before the softmax."),
            (unmasked * mask, "padding is set to 0 after the softmax, so that what is left no longer sums to 1; mask"
             " the scores instead."),
            (fill(g).softmax(dim=0), "your softmax runs over emotions, so that they compete for each step; each emotion"
             " shares out its own 1 over time."),
            (g.softmax(dim=0), "your softmax runs over emotions, so that they compete for each step; each emotion"
             " shares out its own 1 over time. And padding needs a score of -inf."),
            (fill(inner @ r).softmax(dim=1), "the tanh is missing. Look at your rows: without it they are all the same,"
             " since r . R mu_k is then a constant that the softmax ignores."),
            (blind, "the embeddings are missing, so that there is one row for all emotions."),
            (blind.expand(K, T), "all emotions look alike. Either the embeddings are missing, or they are added outside"
             " the tanh, where they are a constant that the softmax over time ignores."),
            (fill(no_shift).softmax(dim=1), "`q` is missing inside the tanh; outside it is a constant."),
            (fill(torch.tanh(inner).sum(dim=2)).softmax(dim=1), "`r` is missing: it says how much each unit counts."),
            (fill(torch.sigmoid(inner) @ r).softmax(dim=1), "a tanh is asked for, not a sigmoid."),
            (fill(g), "these are the scores; the weights are their softmax over time."),
            (g, "these are the scores; the weights are their softmax over time, without padding."),
            (right.T, "transposed: one row an emotion, (K, T)."),
        ]  # fmt: skip
        compare(ask(answer, s, mask, mu, W_s, R, q, r), right, mistakes, "The weights are different.")
    return "each emotion has a distribution of its own; take the tanh away, and all of them are the same."


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
        mistakes = [
            (every, "you judged what each emotion found by *all* emotions, (K, K). Emotion k judges what its own"
             " question found, and nothing else: one number each."),
            (every.T, "you judged what each emotion found by *all* emotions, (K, K). Emotion k judges what its own"
             " question found, and nothing else: one number each."),
            (o @ c.mean(dim=0) + b, "you averaged over the questions, so that all emotions judge the same vector, as in"
             " plain attentive pooling. Only the diagonal is meant: o_k with c_k."),
            (o @ s.mean(dim=0) + b, "the weights play no role: that is mean pooling."),
            (every.sum(dim=0), "you summed over the questions; only the diagonal is meant: o_k with c_k."),
            (every.max(dim=0).values, "you took, for each emotion, the best of all questions; it has only its own."),
            (right - b, "`b` is missing."),
            (right.softmax(dim=0), "these are the probabilities; the logits are asked for."),
            (c, "these are the contexts; emotion k still has to judge its own, with o_k and b_k."),
            (o * c + b[:, None], "the products are not summed: o_k . c_k is one number."),
            ((weights @ (s @ o.T)).sum(dim=0) + b, "you summed over the questions; only the diagonal is meant: o_k with"
             " c_k."),
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
            ((_relative(a, b) + _relative(b, a)) / 2, "that is symmetric, but infinite where one of them is 0. Compare"
             " both with their mean."),
            (_relative(a, b) + _relative(b, a), "that is symmetric, but infinite where one of them is 0. Compare both"
             " with their mean."),
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
