"""Exercises of chapter 12: a gate made by hand, what a constant gate is worth, and how far a head looks."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, tensors


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
        mistakes = [
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
        ]  # fmt: skip
        if made := [why for wrong, why in mistakes if wrong]:
            raise Wrong(made[0])
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
