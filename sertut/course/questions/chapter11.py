"""Exercises of chapter 11: the window of a query, how to read it off, and what it does to finished weights."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair


@exercise("11.1")
def window_bias(answer: Any) -> str:
    center, width = torch.tensor([1.0, 4.5, -0.5, 2.0]), torch.tensor([2.0, 6.0, 1.0, 3.0])
    for n in (6, 4):  # a square one too: there, rows and columns are easily exchanged
        away = torch.arange(n) - center[:, None]  # (T, n)
        right = -2 * (away / width[:, None]) ** 2
        mistakes = [
            (-right, "the sign: far keys must lose, so the bias is never positive."),
            (right / 2, "the factor 2 is missing: the standard deviation of the window is *half* the width, and -(j -"
             " P)^2 / (2 s^2) with s = Z / 2 is -2 (j - P)^2 / Z^2."),
            (right / 4, "you took the width for the standard deviation; that is half the width."),
            (right.exp(), "that is the window e^G; the bias G is asked for (softmax takes the exponential)."),
            (-2 * away**2 / width[:, None], "the width is not squared."),
            (-2 * away.abs() / width[:, None], "the distance is not squared: that is a pointed hat, not a Gaussian."),
            (-2 * away**2, "the width plays no role."),
            (right.T, "transposed: queries stand down, keys across."),
        ]  # fmt: skip
        if n == len(center):
            keys_have_it = -2 * ((torch.arange(n)[:, None] - center) / width) ** 2
            crossed = -2 * ((torch.arange(n) - center) / width) ** 2
            told = "center and width belong to the *query*: give them a second axis, `center[:, None]`."
            mistakes += [(keys_have_it, told), (crossed.expand(n, n), told), (crossed, told)]
        compare(ask(answer, center, width, n), right, mistakes, "The bias is different.")
    endless = ask(answer, center, torch.full((4,), torch.inf), 5)
    compare(endless, torch.zeros(4, 5), otherwise="An infinite width must give a bias of 0: plain attention.")
    return "four numbers a query would do the same for a window in two directions; nothing here knows what is heard."


@exercise("11.2")
def window_from(answer: Any) -> str:
    for L, P, Z in ((7, [2.3, 4.0, 3.5], [3.0, 8.0, 5.0]), (6, [-1.5, 2.6, 7.2], [6.0, 2.5, 7.0])):
        center, width, keys = torch.tensor(P), torch.tensor(Z), torch.arange(L)
        weights = (-2 * ((keys - center[:, None]) / width[:, None]) ** 2).softmax(dim=1)
        mean = weights @ keys.float()
        spread = (weights * (keys - mean[:, None]) ** 2).sum(dim=1).sqrt()
        cut = "the clip ends before the window does, and what is cut off is missing in it. Compare neighboring weights."
        found = [torch.as_tensor(each) for each in pair(ask(answer, weights), "centers and widths")]
        mistakes = [
            (width, "the two are the other way round: first the centers, then the widths."),
            (weights.argmax(dim=1), "that is the strongest key. A center may lie between two keys, or outside."),
            (mean, f"that is the mean place under the weights: {cut}"),
            (center - 0.5, "half a step is missing: the slope between two keys belongs to the place between them."),
            (center + 0.5, "half a step too much: the slope between two keys belongs to the place between them."),
        ]  # fmt: skip
        compare(found[0], center, mistakes, "The centers are different.")
        mistakes = [
            (spread, f"that is the standard deviation under the weights: {cut}"),
            (2 * spread, f"that is twice the standard deviation under the weights: {cut}"),
            (width.square(), "these are the squared widths; take the root."),
            (width / 2, "that is the standard deviation of the window; the width is twice as much."),
            (width / 2**0.5, "G has a factor 2: its second difference is -4 / Z^2."),
            (width * 2**0.5, "G has a factor 2: its second difference is -4 / Z^2."),
        ]
        compare(found[1], width, mistakes, "The centers are right, the widths are different.")
    return "three neighboring keys are enough. The sum that the softmax divides by drops out of each difference."


@exercise("11.3")
def refocused(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    n = 5
    for real in (5, 4):
        scores = 2 * torch.randn(n, n, generator=generator)
        weights = scores.masked_fill(torch.arange(n) >= real, -torch.inf).softmax(dim=1)
        bias = -3 * torch.rand(n, n, generator=generator) ** 2 - 0.1
        right = (weights.log() + bias).softmax(dim=1)
        seen = weights * bias.exp()
        mistakes = [
            (seen, "the direction is right, but the rows sum to less than 1; divide each row by its sum."),
            (seen / seen.sum(dim=0), "you divided by the sums of columns; each query, a row, is a distribution."),
            (seen / seen.sum(), "you divided by the sum of the whole table; each query, a row, is a distribution."),
            (weights + bias, "the bias is added to the *scores*; on the weights it works as a factor, e^G."),
            ((weights + bias).softmax(dim=1), "weights are no scores: adding G to them and taking softmax again makes"
             " nearly even rows. log(weights) would do as scores, or multiply by e^G."),
            (weights * bias, "multiply by e^G, not by G, which is negative."),
            (weights * bias / (weights * bias).sum(dim=1, keepdim=True), "multiply by e^G, not by G: as it is, far keys"
             " win."),
            (seen.softmax(dim=1), "softmax once more makes the weights nearly even; divide each row by its sum."),
            (weights, "that is the plain head: the bias has no effect."),
            ((seen + 1e-9).log() - seen.sum(dim=1, keepdim=True).log(), "these are the logarithms of the weights."),
        ]  # fmt: skip
        got = torch.as_tensor(ask(answer, weights, bias))
        if got.isnan().any():
            raise Wrong("there are NaNs: a masked key has weight 0, and log(0) - log(0) or 0 / 0 is none; weights times"
                        " e^G, divided by the sum of the row, is enough.")  # fmt: skip
        compare(got, right, mistakes, "The weights are different.")
    return "a window only takes away; what the key at its center gains, the keys farther away have lost."
