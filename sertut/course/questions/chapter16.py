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
    wanted = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    ways = torch.cat([torch.ones(1), (torch.arange(500) + 0.5) / 500]).double()  # x itself, then the way from 0 to x
    for x in torch.tensor([[1.0, 1.0], [2.0, -0.5]], dtype=torch.float64):
        step = 1e-3 * torch.diag(x)
        up, down = ((ways[:, None, None] * x + way * step).flatten(0, 1) for way in (1, -1))  # (1002, 2)
        y = ask(answer, torch.cat([up, down, x[None], 0 * x[None]]), x)
        if not isinstance(y, torch.Tensor) or y.shape != (2006,):
            raise Wrong(f"return one value for each of the N points, shape (N,): here (2006,), not {kind_of(y)}.")
        slopes = (y[:1002] - y[1002:2004]).double().view(501, 2) / (2 * step.diagonal())
        found, rise = x * torch.stack([slopes[0], slopes[1:].mean(dim=0)]), float(y[2004] - y[2005])
        (a, b), (c, d) = found.tolist()
        told = f"For x = {x.tolist()} gradient times input gives ({a:.2f}, {b:.2f}), and IG gives ({c:.2f}, {d:.2f})."
        if abs(c + d - rise) > 0.02:
            raise Wrong(f"{told} IG should add up to f(x) - f(0) = {rise:.2f}: your f jumps, and no slope sees that.")
        mistakes = [
            (found[[1, 1]], "The two agree, as they do where f is straight. Bend f between 0 and x."),
            (wanted.flip(0), "The two are exchanged."),
            (wanted.new_tensor([[a, 1.0], [1.0, 0.0]]), "In entry 0, f must rise on the way and be level at x."),
            (wanted.new_tensor([[0.0, 1.0], [1.0, d]]), "In entry 1, f must fall first and come back before x."),
        ]
        near = [why for each, why in mistakes if torch.allclose(found, each, atol=0.02)]
        if not torch.allclose(found, wanted, atol=0.02):
            raise Wrong(f"{told} {near[0] if near else 'They must be (0, 1) and (1, 0), for every x.'}")
    return "both add up to 1, so a right sum is no proof of an attribution. Remove each entry, and see what f does."
