"""Exercises of chapter 11: the window of a query, where it comes from, and what it does to finished weights."""

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
def window_of(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    T, d = 7, 4
    for L in (7, 5):
        Q, W1, W2 = (torch.randn(n, d, generator=generator) for n in (T, d, d))
        u_p, u_z = (torch.randn(d, generator=generator) for _ in range(2))
        mask = torch.arange(T) < L
        g, asked = Q[mask].mean(dim=0), Q @ W1

        def window(
            mean: torch.Tensor = g,
            local: torch.Tensor = asked,
            n: int = L,
            squash: Any = torch.tanh,
            W2: torch.Tensor = W2,
            L: int = L,
            u: tuple[torch.Tensor, torch.Tensor] = (u_p, u_z),
        ) -> torch.Tensor:
            phi = squash(local + mean @ W2)
            return torch.stack([n * torch.sigmoid(phi @ u[0]), n * torch.sigmoid(phi @ u[1]) + 1])[:, :L]

        right = window()
        one, logits = torch.tensor([[0.0], [1.0]]), torch.logit((right - torch.tensor([[0.0], [1.0]])) / L)
        mistakes = [
            (window(mean=Q.mean(dim=0)), "padded queries count in your g; take the mean over real frames only."),
            (window(n=T), "you multiply by T, padding included: put into another batch, the clip would look elsewhere."
             " Multiply by L, `mask.sum()`."),
            (window(mean=Q.mean(dim=0), n=T), "padding counts twice: in g, and in the length that you multiply by. Both"
             " belong to the real frames."),
            (window(mean=torch.zeros(d)), "g is missing: each query decides alone, without knowing the rest."),
            (window(local=torch.zeros(T, d)), "all queries get one window: Q W1 is missing in Phi."),
            (window(squash=lambda values: values), "the tanh is missing."),
            (window(local=Q @ W1.T), "you multiplied by the transpose of W1; it is Q @ W1."),
            (window(W2=W2.T), "you multiplied by the transpose of W2; it is g @ W2."),
            (right.flip(0), "the two are the other way round: first the center, then the width."),
            (window(u=(u_z, u_p)), "u_p and u_z are exchanged."),
            (right - one, "the floor is missing: without the + 1 a width can come near 0, and G divides by it."),
            (right + 1 - one, "the + 1 belongs to the width only; it would move the center."),
            (right + (1 - 2 * one), "the + 1 is at the center; it belongs to the width."),
            ((right - one) / L + one, "the sigmoid gives a part of the clip, from 0 to 1; times L it is frames."),
            ((right - one) / L, "the sigmoid gives a part of the clip, from 0 to 1; times L it is frames."),
            (L * logits + one, "the sigmoid is missing: the center could lie outside of the clip, and the width be"
             " negative."),
        ]  # fmt: skip
        if L == T:
            mistakes = [known for known in mistakes if not bool(known[0].allclose(right))]
        center, width = pair(ask(answer, Q, W1, W2, u_p, u_z, mask), "center and width")
        center, width = torch.as_tensor(center), torch.as_tensor(width)
        if center.shape != (T,) or width.shape != (T,):
            raise Wrong(f"the shapes are {tuple(center.shape)} and {tuple(width.shape)}; both must be ({T},): every"
                        " query has a window of its own.")  # fmt: skip
        compare(torch.stack([center, width])[:, :L], right, mistakes, "Center or width is different.")
    return "look for the loudness in it: there is none. Where the voice is loud, a head has to learn from Q."


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
