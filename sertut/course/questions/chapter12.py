"""Exercises of chapter 12: gates from summaries, what a constant gate is worth, and how far a head looks."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise


@exercise("12.1")
def head_gates(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for B, H in ((3, 4), (1, 4)):
        s = torch.randn(B, H, generator=generator)
        W_a, b_a = torch.randn(2, H, generator=generator), torch.tensor([0.7, -0.2])
        W_b, b_b = torch.randn(H, 2, generator=generator), torch.randn(H, generator=generator)
        squeezed = s @ W_a.T + b_a  # (B, r)
        logits = torch.relu(squeezed) @ W_b.T + b_b
        right = torch.sigmoid(logits)
        mistakes = [
            (right.squeeze(), "for a batch of one clip the first axis is gone: return (1, H). A `squeeze` without a"
             " dimension removes every axis of length 1."),
            (torch.sigmoid(squeezed @ W_b.T + b_b), "the ReLU between the layers is missing: two linear layers in a row"
             " are one."),
            (logits, "these are the logits; their sigmoid is between 0 and 1."),
            (logits.softmax(dim=1), "your gates sum to 1, so that one head can only win if others lose. A sigmoid for"
             " each head lets all of them be open."),
            (logits.softmax(dim=0), "your softmax runs over the clips of the batch, so that a clip's gates depend on"
             " its neighbors; take a sigmoid of each number."),
            (torch.relu(logits), "a ReLU at the end is not bounded by 1; the last step is a sigmoid."),
            (torch.sigmoid(torch.relu(squeezed @ W_b.T + b_b)), "the ReLU stands after the second layer, where no gate"
             " can fall below a half; it belongs between the two."),
            (torch.sigmoid(torch.relu(s @ W_a.T) @ W_b.T), "both biases are missing."),
            (torch.sigmoid(torch.relu(squeezed) @ W_b.T), "`b_b` is missing: it decides how open the gates are before"
             " anything is learned."),
            (torch.sigmoid(torch.relu(s @ W_a.T) @ W_b.T + b_b), "`b_a` is missing."),
            (torch.sigmoid(torch.sigmoid(squeezed) @ W_b.T + b_b), "the first layer ends in a ReLU, not in a sigmoid."),
            (torch.sigmoid(torch.tanh(squeezed) @ W_b.T + b_b), "the first layer ends in a ReLU, not in a tanh."),
            (1 - right, "these are 1 minus the gates: a large logit opens a gate."),
            (right.T, "the gates are transposed: one row a clip, (B, H)."),
        ]  # fmt: skip
        compare(ask(answer, s, W_a, b_a, W_b, b_b), right, mistakes, "The gates are different.")
    return "no sum over heads: gates do not compete, unlike the weights of a softmax."


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
        mistakes = [
            (right / hop, "those are steps; a step lasts `hop` seconds."),
            (right / hop**2, "seconds are steps *times* hop."),
            ((weights * signed).sum(dim=2).mean(dim=1), "earlier and later keys cancel out: take the absolute value of"
             " the distance."),
            (-(weights * signed).sum(dim=2).mean(dim=1), "earlier and later keys cancel out: take the absolute value of"
             " the distance."),
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
