"""Exercises of chapter 16: the area under a deletion curve, how often a test is right, and integrated gradients."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise


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
def path_gradients(answer: Any) -> str:
    x = torch.tensor([2.0, -1.0, 0.5, 0.0])
    w = torch.tensor([1.0, 0.5, -2.0, 3.0])

    def f(x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid((w * x).sum()) + (x**3).sum()

    def slope(share: float) -> torch.Tensor:
        at = (share * x).requires_grad_()
        return torch.autograd.grad(f(at), at)[0]

    middles = torch.stack([slope((k + 0.5) / 8) for k in range(8)]).mean(dim=0)
    lefts = torch.stack([slope(k / 8) for k in range(8)]).mean(dim=0)
    rights = torch.stack([slope((k + 1) / 8) for k in range(8)]).mean(dim=0)
    mistakes = [
        (slope(1.0), "that is the gradient at the input alone."),
        (x * slope(1.0), "that is gradient times input: the slope at the end of the way, not its mean on the way."),
        (middles, "multiply the mean slope by the way, x."),
        (8 * x * middles, "these are the sums over the way; take the mean."),
        (x * lefts, "your points are the left ends of the pieces; take their middles, (k + .5) / steps."),
        (x * rights, "your points are the right ends of the pieces; take their middles, (k + .5) / steps."),
        ((x * middles).abs(), "keep the sign: a part of the input can speak against the decision."),
        ((x * middles).sum(), "that is the sum, f(x) - f(0). One number for each entry of x is asked for."),
    ]  # fmt: skip
    compare(ask(answer, f, x, 8), x * middles, mistakes, "The attributions are different.")
    return "they add up to f(x) - f(0), up to the error of 8 pieces: no part of the decision is lost."
