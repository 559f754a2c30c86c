"""Exercises of chapter 2: frames, padding, masks and normalization."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair
from sertut.signals import HOP, SAMPLE_RATE, WINDOW, length_mask, n_frames


@exercise("2.1")
def frame_clock(answer: Any) -> str:
    for n, t in ((16_000, 10), (16_160, 0), (720, 1), (48_123, 250)):
        count, center = pair(ask(answer, n, t), "the number of frames and the time of frame t")
        mistakes = [
            (n // HOP, "that many hops fit, but the last frames would stick out: each needs 25 ms from its start."),
            (1 + n // HOP, "that is the count with padding at both ends; here only whole frames count."),
            ((n - WINDOW) // HOP, "one is missing: count the first frame too, then one more for every hop that fits."),
            (n // WINDOW, "you moved on by a whole window; a new frame starts every 10 ms, so frames overlap."),
            (n / HOP, "a number of frames is whole: use integer division."),
            (1 + (n - WINDOW) / HOP, "a number of frames is whole: round down with `//`."),
        ]
        compare(count, n_frames(n), mistakes, f"Number of frames in {n} samples:")
        begin, middle = HOP * t / SAMPLE_RATE, (WINDOW / 2 + HOP * t) / SAMPLE_RATE
        mistakes = [
            (begin, "that is where the frame begins; its center lies half a window, 12.5 ms, later."),
            (begin + WINDOW / SAMPLE_RATE, "that is where the frame ends; its center lies half a window earlier."),
            (begin + HOP / 2 / SAMPLE_RATE, "you added half a hop; the center is half a window (12.5 ms) after the"
             " start."),
            (middle * 1000, "that is in milliseconds; give seconds."),
            (middle * SAMPLE_RATE, "that is in samples; divide by the sample rate to get seconds."),
        ]  # fmt: skip
        compare(center, middle, mistakes, f"Center of frame {t}, seconds:")
    for n in (399, 100):
        count, _ = pair(ask(answer, n, 0), "the number of frames and the time of frame t")
        if count != 0:
            raise Wrong(f"a clip of {n} samples is shorter than one frame, so it has 0 frames; you count {count}.")
    return "every map in this book gets its seconds from these two lines."


@exercise("2.2")
def masked_mean(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 7, 2, generator=generator) + 3.0  # padding is not zero here: nobody promised that
    mask = length_mask(torch.tensor([7, 4, 2]))
    real = mask.unsqueeze(-1)
    total = (features * real).sum(dim=1)
    mistakes = [
        (features.mean(dim=1), "the padded frames are in your mean: multiply by the mask before you add up."),
        (total / 7, "you divide by T, the padded length, so that short clips come out too small; divide by the real"
         " frames of each clip, `mask.sum(dim=1)`."),
        (features.sum(dim=1) / real.sum(dim=1), "you divide by the right number, but padded frames are in the sum."),
        (total, "that is the sum; divide by the number of real frames of each clip."),
        (total / mask.sum(), "you divide by the real frames of the whole batch; each clip has a number of its own."),
        (features[mask].mean(dim=0).expand(3, 2), "you mixed the clips of the batch; each has a mean of its own."),
        ((features * real).mean(dim=(1, 2)), "you averaged over the features too; keep the last axis."),
    ]  # fmt: skip
    compare(
        ask(answer, features, mask), total / real.sum(dim=1), mistakes, "The mean over the real frames is different."
    )
    return "a clip's mean no longer depends on how long its neighbors in the batch are."


@exercise("2.3")
def statistics(answer: Any) -> str:
    generator = torch.Generator().manual_seed(1)
    scale = torch.tensor([1.0, 5.0, 0.2])
    train = torch.randn(4, 9, 3, generator=generator) * scale + 2.0
    test = torch.randn(2, 9, 3, generator=generator) * 3 * scale - 1.0
    train_mask, test_mask = length_mask(torch.tensor([9, 5, 3, 7])), length_mask(torch.tensor([6, 9]))
    train, test = train * train_mask.unsqueeze(-1), test * test_mask.unsqueeze(-1)
    mean, std = pair(ask(answer, train, train_mask, test, test_mask), "the mean and the standard deviation")
    ours, theirs = train[train_mask], test[test_mask]
    both = torch.cat([ours, theirs])
    everything = torch.cat([train.flatten(0, 1), test.flatten(0, 1)])
    per_clip = torch.stack([row[keep].mean(dim=0) for row, keep in zip(train, train_mask, strict=True)]).mean(dim=0)
    mistakes = [
        (both.mean(dim=0), "test frames are in your mean: what is fitted may come from train only."),
        (theirs.mean(dim=0), "you used the test part; fit on train, then apply to both."),
        (train.flatten(0, 1).mean(dim=0), "the zeros of the padding are in your mean: use `train[train_mask]`."),
        (everything.mean(dim=0), "padding and test frames are in your mean: use `train[train_mask]` and nothing else."),
        (per_clip, "you averaged the means of clips, so a short clip counts as much as a long one; take all frames at"
         " once."),
        (ours.mean(), "you averaged over the features too; each feature has a mean of its own."),
    ]  # fmt: skip
    compare(mean, ours.mean(dim=0), mistakes, "The mean is different.")
    if torch.allclose(torch.as_tensor(std).double(), ours.std(dim=0, correction=0).double(), atol=1e-4):
        return _LEARNED
    mistakes = [
        (ours.var(dim=0), "that is the variance; take its square root."),
        (both.std(dim=0), "test frames are in your standard deviation: what is fitted may come from train only."),
        (train.flatten(0, 1).std(dim=0), "the zeros of the padding are in your standard deviation."),
        (ours.std(), "you took one standard deviation over all features; each feature has its own."),
    ]
    compare(std, ours.std(dim=0), mistakes, "The standard deviation is different.")
    return _LEARNED


_LEARNED = "only real frames, only of train: the test speakers had no say in how they are measured."
