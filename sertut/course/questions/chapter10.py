"""Exercises of chapter 10: the weights of one head, the attention that a frame receives, and what order does."""

import math
from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise


@exercise("10.1")
def head_weights(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for d, real in ((4, 6), (9, 4)):
        Q, K = torch.randn(6, d, generator=generator), torch.randn(6, d, generator=generator)
        mask = torch.arange(6) < real

        def over_keys(scores: torch.Tensor, mask: torch.Tensor = mask, real: int = real) -> torch.Tensor:
            return scores.masked_fill(~mask, -torch.inf).softmax(dim=1)[:real]

        raw, scale = Q @ K.T, math.sqrt(d)
        right = over_keys(raw / scale)
        queries_masked = (raw / scale).masked_fill(~mask[:, None], -torch.inf).softmax(dim=1)[:real]
        mistakes = [
            ((raw / scale).softmax(dim=1)[:real], "padded keys get weight: mask them before the softmax."),
            (over_keys(raw), "the scale is missing: divide the dot products by sqrt(d)."),
            (over_keys(raw / d), "you divided by d; it is its square root that keeps the variance at 1."),
            (over_keys(raw * scale), "you multiplied by sqrt(d); divide by it."),
            (over_keys(raw / math.sqrt(6)), "you divided by sqrt(T); d is the length of a query, `Q.shape[1]`."),
            ((raw / scale).softmax(dim=0)[:real], "each *column* sums to 1: every query needs a distribution over the"
             " keys, so the softmax runs along a row."),
            ((raw / scale).masked_fill(~mask, -torch.inf).softmax(dim=0)[:real], "each *column* sums to 1: every query"
             " needs a distribution over the keys, so the softmax runs along a row."),
            (over_keys(K @ Q.T / scale), "queries and keys are exchanged: queries stand down, keys across."),
            (queries_masked, "you removed padded *queries*; it is padded keys that must not be found."),
            ((raw / scale).softmax(dim=1)[:real] * mask, "a row sums to less than 1, because padding was taken away"
             " after the softmax; take it away before, by a score of minus infinity."),
            ((raw / scale * mask).softmax(dim=1)[:real], "a score of 0 still gets weight, since exp(0) = 1; a padded"
             " key needs a score of minus infinity."),
            ((raw / scale).masked_fill(~mask, -torch.inf)[:real], "these are the scores; their softmax is asked for."),
        ]  # fmt: skip
        got = torch.as_tensor(ask(answer, Q, K, mask))
        if got.shape != (6, 6):
            raise Wrong(f"the shape is {tuple(got.shape)}; for 6 frames it must be (6, 6), queries down, keys across.")
        compare(got[:real], right, mistakes, "The weights are different.")
    return "that is one head. All that is still missing are three projections before it and the values behind it."


@exercise("10.2")
def received(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for n_heads, real in ((2, 5), (3, 3)):
        mask = torch.arange(5) < real
        scores = 2 * torch.randn(n_heads, 5, 5, generator=generator)
        weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=2)
        right = weights[:, mask].mean(dim=(0, 1))
        silent = weights * mask[:, None]
        mistakes = [
            (weights.mean(dim=(0, 1)), "padded queries count in your mean; leave their rows out."),
            (silent.mean(dim=(0, 1)), "you divide by T, padded queries included: the sum is less than 1. Divide by the"
             " number of real ones."),
            (weights[:, mask].sum(dim=(0, 1)), "that is a sum; the mean over H heads and the real queries is asked for,"
             " so that the result sums to 1."),
            (weights[:, mask].mean(dim=1).sum(dim=0), "heads are summed; take their mean, so that all sums to 1."),
            (weights[:, mask].sum(dim=1).mean(dim=0), "queries are summed; take their mean, so that the result sums to"
             " 1."),
            (weights[:, mask].mean(dim=1), "one row a head; the mean over heads is still missing."),
            (weights.mean(dim=0), "one row a query; the mean over queries is still missing."),
            (weights.mean(dim=(0, 2)), "you averaged over keys. That is what a query *gives*, and it gives the same to"
             " everybody: its weights sum to 1. Average over queries."),
            (weights[:, mask].amax(dim=(0, 1)), "that is the largest weight a frame gets; the mean is asked for."),
            (right[mask], "the numbers are right, but padded frames are missing; return (T,), with their zeros."),
        ]  # fmt: skip
        compare(ask(answer, weights, mask), right, mistakes, "The numbers are different.")
    return "a distribution over time, so that all scores and pictures of chapter 4 apply to many heads, too."


@exercise("10.3")
def reordered(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for n in (5, 7):
        weights = torch.randn(n, n, generator=generator).softmax(dim=1)
        order = torch.randperm(n, generator=generator)
        while bool((order[order] == torch.arange(n)).all()):  # its own inverse would hide a mistake
            order = torch.randperm(n, generator=generator)
        back = order.argsort()
        mistakes = [
            (weights, "unchanged: but frame 0 of the new clip is another one, so its row must move."),
            (weights[order], "only the queries moved; the keys stand in the new order, too, so columns move as well."),
            (weights[:, order], "only the keys moved; the queries stand in the new order, too, so rows move as well."),
            (weights[back][:, back], "you used the inverse: frame i of the new clip is frame order[i] of the old one."),
            (weights[order][:, back], "rows and columns must move alike."),
            (weights[back][:, order], "rows and columns must move alike."),
            (weights[order, order], "`weights[order, order]` picks elements of the diagonal; index twice."),
            (weights[order][:, order].T, "right, but transposed: queries stand down."),
            (torch.full((n, n), 1 / n), "the weights do depend on what is in the frames; only where they stand plays no"
             " role."),
        ]  # fmt: skip
        compare(ask(answer, weights, order), weights[order][:, order], mistakes, "The weights are different.")
    return "so the mean over frames stays as it was: to this head, a sentence played backwards is the same sentence."
