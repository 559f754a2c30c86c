"""Exercises of chapter 16: the area under a deletion curve, how often a test is right, and two attributions."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, kind_of


@exercise("16.1")
def area(answer: Any) -> str:
    shares = torch.tensor([0.0, 0.05, 0.1, 0.3, 1.0], dtype=torch.float64)
    p = torch.tensor([0.9, 0.7, 0.3, 0.25, 0.1], dtype=torch.float64)
    steps, middles = shares.diff(), (p[1:] + p[:-1]) / 2
    right = (steps * middles).sum()
    mistakes = [
        (p.mean(), "that is the mean of the points. They do not lie equally far apart: half of them lie below a share"
         " of .1, and count too much."),
        (middles.mean(), "that is the mean of the pieces; weigh each by how wide it is."),
        ((steps * p[:-1]).sum(), "you took the left end of each piece; the curve falls to the right one."),
        ((steps * p[1:]).sum(), "you took the right end of each piece; take the mean of its two ends."),
        (1 - right, "that is what lies above the curve."),
        (p[0] - right, "that is the fall, averaged over all shares. The area itself is asked for."),
    ]  # fmt: skip
    compare(ask(answer, shares, p), right, mistakes, "The area is another.")
    return "of a deletion curve a small area is good, of an insertion curve a large one."


@exercise("16.2")
def right_pairs(answer: Any) -> str:
    truth = torch.tensor([1.0, 0.9, 0.85, 0.5, 0.45])
    test = torch.tensor([0.3, 0.7, 0.3, 0.3, 0.4])

    def share(clear: float, tie: float, sign: float = 1.0) -> float:
        found = []
        for i in range(5):
            for j in range(i):
                truly, says = float(truth[i] - truth[j]), sign * float(test[i] - test[j])
                if abs(truly) >= clear:
                    found.append(tie if says == 0 else float(truly * says > 0))
        return sum(found) / len(found)

    mistakes = [
        (share(0.09, 0.0), "there equal scores count as wrong. A test that cannot choose is neither right nor wrong:"
         " .5."),
        (share(0.09, 1.0), "there equal scores count as right, so that a test which says the same of all maps would be"
         " perfect."),
        (share(0.0, 0.5), "pairs that the truth does not tell apart are in it; leave out those nearer than `clear`."),
        (share(0.09, 0.5, -1.0), "the other way round: right is a test that prefers the map of which the truth is"
         " larger."),
    ]  # fmt: skip
    compare(ask(answer, truth, test, 0.09), share(0.09, 0.5), mistakes, "The share is another.")
    return "chance is one half, whatever the maps are, because the truth plays no part in a coin."


@exercise("16.3")
def contradiction(answer: Any) -> str:
    wanted = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    for x in (torch.tensor([1.0, 1.0]), torch.tensor([2.0, -0.5])):
        if not callable(f := ask(answer, x)):
            raise Wrong(f"return a function f; you returned {kind_of(f)}.")
        slopes = []
        for share in (1.0, *((k + 0.5) / 500 for k in range(500))):
            at = (share * x).requires_grad_()
            value = ask(f, at)
            if not isinstance(value, torch.Tensor) or value.numel() != 1 or not value.requires_grad:
                raise Wrong("f must return one number, made from its argument by torch operations with a gradient.")
            slopes.append(torch.autograd.grad(value.sum(), at)[0])
        found = x * torch.stack([slopes[0], torch.stack(slopes[1:]).mean(dim=0)])
        (a, b), (c, d) = found.tolist()
        told = f"For x = {x.tolist()} gradient times input gives ({a:.2f}, {b:.2f}), and IG gives ({c:.2f}, {d:.2f})."
        rise = float(ask(f, x) - ask(f, 0 * x))
        if abs(c + d - rise) > 0.02:
            raise Wrong(f"{told} IG should add up to f(x) - f(0) = {rise:.2f}: your f jumps, and no slope sees that.")
        mistakes = [
            (found[[1, 1]], "The two agree, as they do where f is straight. Bend f between 0 and x."),
            (wanted.flip(0), "The two are exchanged."),
            (torch.tensor([[a, 1.0], [1.0, 0.0]]), "In entry 0, f must rise on the way and be level at x."),
            (torch.tensor([[0.0, 1.0], [1.0, d]]), "In entry 1, f must fall first and come back before x."),
        ]
        near = [why for each, why in mistakes if torch.allclose(found, each, atol=0.02)]
        if not torch.allclose(found, wanted, atol=0.02):
            raise Wrong(f"{told} {near[0] if near else 'They must be (0, 1) and (1, 0), for every x.'}")
    return "both add up to 1, so a right sum is no proof of an attribution. Remove each entry, and see what f does."
