"""Exercises of chapter 3: the last real state, and how far apart WA and UAR can be."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise
from sertut.signals import length_mask


@exercise("3.1")
def last_state(answer: Any) -> str:
    lengths = torch.tensor([4, 6, 2])
    states = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
    clips = torch.arange(3)
    mistakes = [
        (states[:, -1], "`states[:, -1]` is the last column: for short clips that is padding. Where does each clip"
         " end?"),
        (states[clips, lengths.clamp(max=5)], "you are one frame too far: a clip of n frames ends at index n - 1."),
        (states[clips, lengths - 2], "you are one frame too early: a clip of n frames ends at index n - 1."),
        (states[:, int(lengths.min()) - 1], "you took the same frame for all clips, the end of the shortest one."),
        (states[:, 0], "that is the first frame, where the network has heard almost nothing."),
        (states[:, lengths - 1], "the index broadcast over the batch: pair it with `torch.arange(len(states))`."),
        ((states * length_mask(lengths).unsqueeze(-1)).sum(dim=1) / lengths[:, None], "that is mean pooling."),
    ]  # fmt: skip
    compare(
        ask(answer, states, length_mask(lengths)),
        states[clips, lengths - 1],
        mistakes,
        "These are not the last real states.",
    )
    return "taken at the wrong place, the state of a short clip would depend on how long its neighbors are."


@exercise("3.2")
def farthest(answer: Any) -> str:
    for sizes in ([50, 10, 20], [6, 6, 1, 40, 30], [3, 9]):
        n, C = torch.tensor(sizes).double(), len(sizes)
        counts = torch.as_tensor(ask(answer, torch.tensor(sizes))).double()
        if counts.shape != (C, C) or bool((counts < 0).any()):
            raise Wrong(f"return counts, no negative ones, of shape ({C}, {C}); yours are {counts.tolist()}.")
        if torch.equal(counts.sum(dim=0), n) and not torch.equal(counts.sum(dim=1), n):
            raise Wrong("it is transposed: row i holds the clips of class i.")
        compare(counts.sum(dim=1), n, (), "Row i must sum to n[i].")
        recalls, gain = counts.diagonal() / n, n / n.sum() - 1 / C  # of WA - UAR, if all of a class is recognized
        apart, best = float((recalls * gain).sum()), float(gain.clamp(min=0).sum())
        if apart < best - 1e-6:
            k = int(torch.where(gain > 0, 1 - recalls, recalls * (gain < 0)).argmax())
            raise Wrong(
                "all recalls are equal. Then WA and UAR are the same." if bool((recalls == recalls[0]).all()) else
                "your UAR is above your WA; let WA be larger." if apart < 0 else
                "only the largest class is recognized. Other large classes, too, add more to WA than to UAR."
                if float(recalls[n.argmax()]) == recalls.sum() == 1 else
                f"with n = {sizes} yours {'misses' if gain[k] > 0 else 'recognizes'} clips of class {k}. All of its"
                f" clips add {float(n[k] / n.sum()):.2f} to WA and {1 / C:.2f} to UAR."
            )  # fmt: skip
    return "so a high WA can hide that small classes are never recognized."
