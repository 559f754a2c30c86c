"""Exercises of chapter 7: how many cells, which of them hear a frame, and padding that must not leak."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sertut.course.judging import Wrong, ask, compare, exercise, pair

ALEXNET = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
"""(kernel, stride, padding) of each layer that slides along time in AlexNet's trunk."""

Layers = Sequence[tuple[int, int, int]]


def _cells(n: int, layers: Layers, *, paddings: int = 2, plus: int = 1) -> int:
    """Cells of `n` frames; `paddings` and `plus` are 2 and 1 when it is right."""
    for kernel, stride, padding in layers:
        room = n + paddings * padding - kernel
        n = room // stride + plus if room >= 0 else 0
    return n


@exercise("7.1")
def n_cells(answer: Any) -> str:
    for n, layers in ((30, [(5, 1, 2)]), (300, ALEXNET[:2]), (301, ALEXNET), (64, [(5, 2, 2), (3, 2, 1)])):
        whole = float(n)
        for kernel, stride, padding in layers:
            whole = (whole + 2 * padding - kernel) / stride + 1
        mistakes = [
            (_cells(n, layers, plus=0), "one is missing in each layer: count the first window too, hence the + 1."),
            (_cells(n, layers, paddings=1), "padding is added at *both* ends: n + 2 p."),
            (_cells(n, layers, paddings=0), "you left the padding out: the layer slides over n + 2 p positions."),
            (whole, "cells are whole: round down, with `//`."),
            (_cells(n, [layers[-1]]), "that is the last layer alone; it reads what the layers before it have made of"
             " the n frames."),
        ]  # fmt: skip
        compare(ask(answer, n, list(layers)), _cells(n, layers), mistakes, f"For {n} frames and {layers}:")
    if (short := ask(answer, 20, ALEXNET)) != 0:
        raise Wrong(
            f"20 frames are too short for this stack, you return {short!r}: as soon as n + 2 p < k no window fits, so"
            " return 0."
        )
    return "no layer asks how long the input is, as long as one window fits: that is all that 'any length' means."


def _hears(n: int, layers: Layers) -> torch.Tensor:
    """Whether each cell of the last layer depends on each of `n` frames: (cells, n)."""
    sees = torch.eye(n)
    for kernel, stride, padding in layers:
        around = nn.functional.pad(sees, (0, 0, padding, padding))
        sees = around.unfold(0, kernel, stride).amax(dim=2)
    return sees > 0


@exercise("7.2")
def cells_that_hear(answer: Any) -> str:
    inside, ends = (12, 30, [(5, 1, 2)]), [(frame, 301, ALEXNET) for frame in (150, 0, 300)]
    for frame, n, layers in (inside, *ends, (8, 24, [(3, 5, 0), (3, 1, 1)])):
        sees, unpadded = _hears(n, layers), _hears(n, [(kernel, stride, 0) for kernel, stride, _ in layers])
        right = sees[:, frame].nonzero().flatten().tolist()
        got = sorted(int(cell) for cell in ask(answer, frame, n, list(layers)))
        where = f"For frame {frame} of {n} and {layers}:"
        if got and not 0 <= got[0] <= got[-1] < len(sees):
            raise Wrong(f"{where} there are the cells 0 to {len(sees) - 1}; you return {got}. Do not go past the ends.")
        if got and not right:
            raise Wrong(f"{where} it lies between two windows of a layer, or behind the last one. So no cell hears it.")
        if len(got) == 1 < len(right):
            raise Wrong(f"{where} you return one cell. Windows overlap, so that {len(right)} cells hear this frame.")
        if got != right and got == unpadded[:, frame].nonzero().flatten().tolist():
            raise Wrong(f"{where} you left the padding out: with it, window 0 begins before frame 0.")
        for cell in sorted({*got} ^ {*right}):
            heard = sees[cell].nonzero().flatten().tolist()
            what = "does not hear it" if cell in got else "hears it, too"
            raise Wrong(f"{where} cell {cell} {what}. It depends on the frames {heard[0]} to {heard[-1]}.")
    return "one frame of 10 ms reaches six or seven cells of AlexNet's trunk: neighbors share most of what they hear."


@exercise("7.3")
def masked_layer(answer: Any) -> str:
    for kernel, stride, padding, seed in ((3, 2, 1, 0), (5, 1, 2, 1), (3, 2, 0, 2)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            conv = nn.Conv1d(2, 3, kernel, stride=stride, padding=padding).requires_grad_(False)
            values = torch.randn(3, 2, 12)
        lengths = torch.tensor([12, 6, 9])
        expected, left = _masked(conv, values, lengths)
        got, got_left = pair(ask(answer, conv, values, lengths), "the values and the new lengths")
        where = f"For kernel {kernel}, stride {stride}, padding {padding}:"
        mistakes = [
            (lengths, "these are the lengths of the input; the layer makes floor((n + 2 p - k) / s) + 1 of n."),
            (lengths // stride, "the length is not just divided by the stride: floor((n + 2 p - k) / s) + 1."),
            (-(-lengths // stride), "that rounds n / s up, which is right only if p = (k - 1) / 2; use floor((n + 2 p -"
             " k) / s) + 1."),
            ((lengths - kernel) // stride + 1, "you left out the convolution's own padding: n + 2 p."),
            (torch.full_like(left, int(left.max())), "all clips get the length of the longest; each has its own."),
        ]  # fmt: skip
        compare(got_left, left, mistakes, f"{where} the lengths are different.")
        unmasked = conv(values)
        after = torch.arange(unmasked.shape[-1]) < left[:, None]
        before = torch.arange(values.shape[-1]) < lengths[:, None]
        mistakes = [
            (unmasked, "you convolved the padding with the rest, and left it there: no mask is at work."),
            (unmasked * after[:, None], "the padding behind a clip is still in its last cells: set it to 0 before the"
             " convolution too."),
            (conv(values * before[:, None]), "after the new length there is not 0 but what the convolution made of the"
             " zeros (its bias, at least); the next layer would read it. Mask the result too."),
            (conv(values * ~before[:, None]) * after[:, None], "the mask is the wrong way round: True is real."),
        ]  # fmt: skip
        compare(got, expected, mistakes, f"{where} the values are different.")
    return "zeros behind a clip are what the convolution itself puts there when the clip is alone: nobody can tell."


def _masked(conv: nn.Conv1d, values: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each clip alone, then side by side: a second way to the same result."""
    alone = [conv(row[None, :, :n])[0] for row, n in zip(values, lengths.tolist(), strict=True)]
    result = conv(values).zero_()
    for i, clip in enumerate(alone):
        result[i, :, : clip.shape[-1]] = clip
    return result, torch.tensor([clip.shape[-1] for clip in alone])
