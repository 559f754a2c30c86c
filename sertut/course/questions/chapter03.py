"""Exercises of chapter 3: a recurrent baseline."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise
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
def uar(answer: Any) -> str:
    counts = torch.tensor([[40, 5, 5], [6, 3, 1], [9, 0, 11]])
    right = counts.diagonal().double()
    recalls = right / counts.sum(dim=1)
    mistakes = [
        (right.sum() / counts.sum(), "that is WA, the share of right clips: large classes count more. Take the recall"
         " of each class first."),
        ((right / counts.sum(dim=0)).mean(), "you divided by the columns, which gives precision: of the clips *called*"
         " i. Recall asks of the clips that *are* i: divide by the rows."),
        (recalls, "these are the recalls; UAR is their mean."),
        (right.mean(), "that is a mean of counts; divide each by the number of clips of its class."),
        (100 * recalls.mean(), "that is in percent; this book gives shares from 0 to 1."),
    ]  # fmt: skip
    compare(ask(answer, counts), recalls.mean(), mistakes, "UAR of the matrix [[40, 5, 5], [6, 3, 1], [9, 0, 11]]:")
    return "each class counts the same, whether it has ten clips or fifty."
