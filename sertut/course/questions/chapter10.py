"""Exercises of chapter 10: a head that looks back, the attention that a frame receives, and what order does."""

import math
from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair


@exercise("10.1")
def one_step_back(answer: Any) -> str:
    for T in (4, 20):
        Q, K = (torch.as_tensor(values).double() for values in pair(ask(answer, T), "queries and keys"))
        if Q.shape != (T, 2) or K.shape != (T, 2):
            raise Wrong(f"the shapes are {tuple(Q.shape)} and {tuple(K.shape)}; both must be ({T}, 2).")
        scores = Q @ K.T / math.sqrt(2)
        if not bool(scores.isfinite().all()):
            raise Wrong("the scores are not finite; large numbers are enough, infinite ones are not needed.")
        found, asked, steps = scores.softmax(dim=1)[1:], scores.T.softmax(dim=1)[1:], torch.arange(T - 1)
        least, best = float(found[steps, steps].min()), found.argmax(dim=1)
        if least >= 0.9:
            continue
        if float(asked[steps, steps].min()) >= 0.9:
            raise Wrong("queries and keys are exchanged: as it is, each step looks one step *ahead*.")
        if bool((best == steps).all()):
            raise Wrong(f"each step finds the one before, but one of them gives it only {least:.2f}. Longer queries"
                        " make larger scores, and larger scores sharper weights.")  # fmt: skip
        if bool((best[1:] == best[1]).all()):
            raise Wrong(f"all steps look at step {int(best[1])}. The product with a long key is large for every query;"
                        " make all keys equally long, and let their directions differ.")  # fmt: skip
        mistakes = {0: "itself", 1: "the step after it"}
        wrong = int((best != steps).nonzero()[0])  # the query of step wrong + 1
        at = mistakes.get(int(best[wrong]) - wrong - 1, f"step {int(best[wrong])}")
        raise Wrong(f"for T = {T}, step {wrong + 1} looks most at {at}; it must be step {wrong}.")
    return (
        "sines and cosines of a place are such keys; one matrix turns all by one step, so W_Q can learn to look back."
    )


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
