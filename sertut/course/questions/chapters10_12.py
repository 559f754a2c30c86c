"""Exercises of chapters 10 to 12: heads, and what order does; the window of a query; gates, and a head's reach."""

import math
from typing import Any

import torch

from sertut.course.exercises import Wrong, ask, compare, exercise, pair, refuse, tensors


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


@exercise("12.1")
def open_if_apart(answer: Any) -> str:
    steps = torch.linspace(0, 3, 31).double()
    s = torch.cartesian_prod(steps, steps)
    apart = s[:, 0] - s[:, 1]
    for near, far in ((0.2, 1.0), (0.1, 0.4)):
        W_a, b_a, W_b, b_b = tensors(ask(answer, near, far), W_a=(2, 2), b_a=(2,), W_b=(2, 2), b_b=(2,))
        hidden = torch.relu(s @ W_a.T + b_a)
        gates = torch.sigmoid(hidden @ W_b.T + b_b)
        alike, first, second = (gates[at] for at in (apart.abs() < near + 1e-6, apart > far - 1e-6, apart < 1e-6 - far))
        shut, lowest = float(alike.max()), float(min(first.min(), second.min()))
        none, much = ([round(value, 2) for value in gates[at].tolist()] for at in (0, -1))
        opened = [round(float(part.mean())) for part in (first, second)]
        refuse(
            (bool((hidden == 0).all()), "both hidden units are dead: 0 for all summaries from 0 to 3."),
            (float((gates - gates[0]).abs().max()) < 0.01, "your gates are the same for all summaries."),
            (float((gates[-1] - gates[0]).abs().max()) > 0.05, f"if both heads found 0, the gates are {none}; if both"
             f" found 3, {much}. Only the difference may count: let the two numbers of a row of W_a cancel."),
            (opened[0] != opened[1], f"your gates open only if head {1 + opened[1]} found more. A unit sees differences"
             " of one sign. Let the other unit see the others."),
            (alike.mean() > max(first.mean(), second.mean()), "the other way round: yours are open for heads that are"
             " alike."),
            (shut > 0.1 or lowest < 0.9, f"with near = {near:g} and far = {far:g} a gate reaches {shut:.2f} where at"
             f" most .1 is allowed, and one falls to {lowest:.2f} where .9 is needed. W_b says how steep the step is,"
             " b_b where it lies."),
        )  # fmt: skip
    return "one layer cannot do this: the difference must be folded at 0, and only the ReLU folds."


@exercise("12.2")
def folded(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for H, d in ((2, 3), (4, 2)):
        W_O, gates = torch.randn(H * d, H * d, generator=generator), torch.rand(H, generator=generator)
        blocks, turns = gates.repeat_interleave(d), gates.repeat(d)
        right = W_O * blocks
        mistakes = [
            (W_O, "unchanged: this network would count every head fully."),
            (W_O * blocks[:, None], "you scaled the rows. Row k of W_O makes feature k of the *result*, from all heads;"
             " it is the columns that read the heads."),
            (W_O * turns[:, None], "you scaled the rows; it is the columns that read the heads."),
            (W_O * turns, "right axis, wrong order: head 1 has the first d features, then comes head 2. `repeat` gives"
             " 1, 2, 1, 2; `repeat_interleave` gives 1, 1, 2, 2."),
            (W_O / blocks, "you divided: that undoes gates instead of having them."),
            (W_O * gates.mean(), "the mean gate for all heads alike is not what each of them gets."),
            (right.T, "right, but transposed."),
            (W_O.T * blocks, "W_O is transposed: y = W_O x, so that its columns belong to x."),
            (W_O.T * blocks[:, None], "right, but transposed."),
            (W_O * blocks * blocks[:, None], "the columns are right; leave the rows alone, they make the result."),
            (W_O * blocks.sqrt(), "why a square root? The gate multiplies what it gates once."),
        ]  # fmt: skip
        compare(ask(answer, W_O, gates), right, mistakes, "The matrix is different.")
    return "so a gate that is the same in all clips adds nothing that W_O could not learn; only its variation is new."


@exercise("12.3")
def how_far(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for H, T, hop in ((2, 5, 0.04), (3, 8, 0.5)):
        weights = (2 * torch.randn(H, T, T, generator=generator)).softmax(dim=2)
        step = torch.arange(T)
        signed = (step[:, None] - step) * hop
        away = signed.abs()
        each = (weights * away).sum(dim=2)  # (H, T)
        right = each.mean(dim=1)
        centers = (weights * step).sum(dim=2)  # (H, T), where each query's weights balance
        cancel = "earlier and later keys cancel out: take the absolute value of the distance."
        mistakes = [
            (right / hop, "those are steps; a step lasts `hop` seconds."),
            (right / hop**2, "seconds are steps *times* hop."),
            ((weights * signed).sum(dim=2).mean(dim=1), cancel),
            (-(weights * signed).sum(dim=2).mean(dim=1), cancel),
            ((weights * away.square()).sum(dim=2).mean(dim=1), "that is the mean *squared* distance."),
            ((weights * away.square()).sum(dim=2).mean(dim=1).sqrt(), "that is a root mean square, to which far keys"
             " contribute more; the mean distance is asked for."),
            (each.sum(dim=1), "summed over queries; take their mean, or long clips look farther by their length"
             " alone."),
            ((weights * away).mean(dim=(1, 2)), "over keys a sum is needed: the weights already divide."),
            ((weights * away).sum(dim=1).mean(dim=1) / T, "over keys a sum is needed: the weights already divide."),
            (each, "one number a query; their mean is one number a head."),
            (right.mean(), "one number for all heads; keep them apart, (H,)."),
            (away.mean().expand(H), "that is how far *uniform* weights look; the weights play no role in it."),
            (away[step, weights.argmax(dim=2)].mean(dim=1), "that is the distance to the strongest key alone; the"
             " others have weight, too."),
            ((centers - step).abs().mean(dim=1) * hop, "you took the distance to the *mean* key. A query that looks far"
             " to both sides has its mean key near itself; average distances, not positions."),
        ]  # fmt: skip
        compare(ask(answer, weights, hop), right, mistakes, "The seconds are different.")
    return "beside it belongs what uniform weights get, about a third of the clip: longer clips look farther anyway."
