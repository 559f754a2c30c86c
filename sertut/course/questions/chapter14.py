"""Exercises of chapter 14: the votes of the diagonals, and the loss of a network that knows only who speaks."""

from typing import Any

import torch

from sertut.attention.alignment import SHARPNESS
from sertut.course.judging import ask, compare, exercise
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
