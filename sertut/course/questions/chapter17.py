"""Exercises of chapter 17: what a channel hears, statistics under a mask, and one draw of a paired difference."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise, pair
from sertut.signals import length_mask
from sertut.training.metrics import uar, wa


@exercise("17.1")
def louder(answer: Any) -> str:
    first, second = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0))
    x, got = 0.75, ask(answer, first, second, 0.75)
    right = torch.stack([first + x, second])
    mistakes = [
        (torch.stack([first, second]), "nothing changed: then no channel would know how loud a voice is."),
        (torch.stack([first + x, second + x]), "the second channel moves, too. But the clip's own mean grows by x as"
         " well, and it is taken away."),
        (torch.stack([first, second + x]), "it is the other way round: the second one is relative to the clip."),
        (right.flip(0), "return the first channel first."),
        (torch.stack([first * (1 + x), second]), "louder by x dB is a *sum* in a table of decibels, not a product."),
    ]  # fmt: skip
    compare(torch.stack([torch.as_tensor(part) for part in pair(got, "both channels")]), right, mistakes)
    return "the first channel hears how loud a voice is, the second cannot be fooled by the volume knob."


@exercise("17.2")
def relative(answer: Any) -> str:
    mask = length_mask(torch.tensor([7, 4, 5]))
    real, n = mask.unsqueeze(-1), mask.sum(dim=1)[:, None, None]
    values = real * (2 + torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0)))
    changes = (values - values.sum(dim=1, keepdim=True) / n) * real
    squares = changes.square().sum(dim=1, keepdim=True)
    deviation = (squares / n).sqrt()
    padded = values - values.mean(dim=1, keepdim=True)
    all_clips = (values - values[mask].mean(dim=0)) * real / (values[mask].std(dim=0, correction=0) + 0.2)
    unmasked = (values - values.sum(dim=1, keepdim=True) / n) / (deviation + 0.2)
    mistakes = [
        (padded / (values.std(dim=1, keepdim=True) + 0.2), "the fault is still there: padding is in your mean."),
        (padded * real / (padded.square().mean(dim=1, keepdim=True).sqrt() + 0.2), "padding is in your mean."),
        (unmasked, "right on real steps; padding must stay zero."),
        (all_clips, "that is relative to the batch: a clip would depend on its neighbors."),
        (changes / (deviation + 1e-9), "the 0.2 is missing: a band in which nothing happens is blown up."),
        (changes / (deviation.square() + 0.2).sqrt(), "add the 0.2 to the deviation, not under the root."),
        (changes / ((squares / (n - 1)).sqrt() + 0.2), "divide the squares by the number of real steps, not one less."),
        (changes / ((squares / values.shape[1]).sqrt() + 0.2), "you divided by T, padding included."),
        (changes, "these are the changes; divide them by the deviation + 0.2."),
    ]
    compare(ask(answer, values, mask), changes / (deviation + 0.2), mistakes, "The values are different.")
    return "a clip alone and a clip in a batch are the same now, as every network of this book promises."


@exercise("17.3")
def drawn_difference(answer: Any) -> str:
    ours, theirs = torch.randint(1, 9, (2, 4, 3, 3), generator=torch.Generator().manual_seed(0))
    drawn, several = torch.tensor([2, 0, 2, 3]), torch.tensor([0, 2, 3])

    def gain(tables: Any, others: Any, score: Any = uar) -> float:
        return float(score(tables.numpy()) - score(others.numpy()))

    right = gain(ours[drawn].sum(dim=0), theirs[drawn].sum(dim=0))
    mistakes = [
        (-right, "that is theirs minus ours."),
        (gain(ours.sum(dim=0), theirs.sum(dim=0)), "you took each speaker once; take those who were drawn."),
        (gain(ours[several].sum(dim=0), theirs[several].sum(dim=0)), "a speaker who was drawn twice counts twice."),
        (gain(ours[drawn].sum(dim=0), theirs.sum(dim=0)), "draw the same speakers on both sides: that is the pairing."),
        (gain(ours[drawn].sum(dim=0), theirs[drawn].sum(dim=0), wa), "that is WA; take the recall of each class."),
        (float((uar(ours[drawn].numpy()) - uar(theirs[drawn].numpy())).mean()), "you averaged over speakers the UAR of"
         " each; put their clips together first."),
    ]  # fmt: skip
    compare(ask(answer, ours, theirs, drawn), right, mistakes, "The difference is another.")
    return "what is hard about a speaker is hard on both sides of the difference, and cancels."
