"""Exercises of chapter 14: the votes of the diagonals, and a loss that needs no label."""

from typing import Any

import torch

from sertut.attention.alignment import SHARPNESS
from sertut.course.judging import Wrong, ask, compare, exercise
from sertut.course.questions.chapter13 import by_lag


@exercise("14.1")
def votes(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for T, S in ((3, 5), (4, 2)):
        scores = 1.0 + torch.randn(T, S, generator=generator)
        steps = torch.arange(T)[:, None] - torch.arange(S)[None, :]
        above = scores - scores.mean()
        right = by_lag(above, steps) / T
        count = by_lag(torch.ones(T, S), steps)
        turned = by_lag(above.flip(1), steps) / T
        rows = by_lag(scores - scores.mean(dim=1, keepdim=True), steps) / T
        columns = by_lag(scores - scores.mean(dim=0, keepdim=True), steps) / T
        mistakes = [
            (right.flip(0), "the order is turned: the first number belongs to d = -(S - 1), where the face is earliest."
             " (`diagonal(k)` holds the pairs with j - t = k.)"),
            (right * T, "divide by T: else long clips have longer votes."),
            (right * T / S, "you divided by the steps of the voice; the T steps of the face vote."),
            (right * T / count, "that is the mean over the pairs of a lag. Far lags have few pairs, and the mean of few"
             " is large by chance; add up, and divide by T."),
            (by_lag(scores, steps) / T, "the mean was not taken away: then a lag with many pairs wins because it has"
             " many."),
            (by_lag(scores, steps), "the mean was not taken away, and the sums are not divided by T."),
            (by_lag(scores, steps) / T - scores.mean(), "take the mean away from every *pair*, before adding up."),
            (by_lag(scores, steps) / T - (by_lag(scores, steps) / T).mean(), "take the mean of all scores away from"
             " every *pair*, before adding up."),
            (by_lag(scores, steps) / count, "that is the mean of each diagonal, and the mean of all was not taken"
             " away."),
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
def synchrony(answer: Any) -> str:
    matches = 2 * torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    matches[:, :3] += 3 * torch.eye(3)
    own = torch.arange(3)
    right = torch.nn.functional.cross_entropy(matches, own)
    total = matches.exp()
    mistakes = [
        (-right, "the sign is turned: a loss is minus the logarithm of a probability."),
        (3 * right, "that is the sum over the faces; return the mean."),
        (torch.nn.functional.cross_entropy(matches[:, :3], own), "you chose among the voices played forward alone; a"
         " network that knows *who* by heart wins there."),
        (torch.nn.functional.cross_entropy(matches, own + 3), "you chose the own voice played *backward*; forward are"
         " columns 0 to N - 1."),
        (torch.nn.functional.cross_entropy(matches[:, :3].T, own), "your softmax runs over the faces; a face chooses"
         " among voices."),
        (-(total[own, own] / (total.sum(1) - total[own, own])).log().mean(), "the own voice itself is missing in the"
         " denominator."),
        (-(total.softmax(1)).diagonal().log().mean(), "you took exp twice: once by yourself and once in the softmax."),
        (-matches.diagonal().mean(), "that is how well the own voices match; beside how well do others?"),
        ((total[own, own] / total.sum(1)).mean(), "that is the mean probability of the own voice; the loss is minus the"
         " mean of its logarithm."),
        (-(total[own, own] / total.sum(1)).mean().log(), "you averaged probabilities and then took the logarithm; take"
         " the mean of the logarithms."),
    ]  # fmt: skip
    compare(ask(answer, matches), right, mistakes, "The loss is different.")
    sure = torch.tensor([[0.0, 0.0, 1000.0, 0.0], [0.0, 1000.0, 0.0, 0.0]])
    got = torch.as_tensor(ask(answer, sure))
    if not bool(torch.isfinite(got).all()):
        raise Wrong("with matches of 1000 your loss is not finite: exp(1000) is not. Use log_softmax or logsumexp.")
    compare(got, 500.0, (), "With matches of 1000:")
    return "log(2 N) is chance; log 2 is who knows whose voice it is, and not whether it runs forward."
