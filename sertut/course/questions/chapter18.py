"""Exercises of chapter 18: how far "how sure" is from "how often right", and which of two clips is surer."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, tensors


@exercise("18.1")
def off_by(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    sure = torch.cat([torch.rand(40, generator=generator), torch.tensor([1.0, 0.999])])
    right = torch.rand(42, generator=generator) < sure**2
    bins = (sure * 5).long().clamp(max=4)
    apart = torch.tensor([float((right.double() - sure)[bins == b].sum()) for b in range(5)])
    n = torch.bincount(bins, minlength=5)
    total = apart.abs().sum() / len(sure)
    mistakes = [
        ((apart / n).abs().mean(), "every bin counts alike in yours; weigh each bin by its number of clips."),
        (apart.sum().abs() / len(sure), "take the absolute value of each bin before you add them: too sure in one bin"
         " and too unsure in another must not cancel out."),
        (apart.sum() / len(sure), "there the bins cancel out; take the absolute value of each."),
        ((apart / n).abs().max(), "that is the worst bin, the *maximum* calibration error."),
        ((right.double() - sure).abs().mean(), "that is the mean over single clips. One clip is right or wrong; only"
         " the clips of a bin together can be right in 70 % of cases."),
        (apart.abs().sum(), "divide by the number of all clips."),
        (apart[:4].abs().sum() / len(sure), "the last bin is missing."),
    ]  # fmt: skip
    compare(ask(answer, sure, right, 5), total, mistakes, "The error is another.")
    return "0 means: of all clips of which it is 70 % sure, 70 % are right. It does not say how often that is."


@exercise("18.2")
def swapped(answer: Any) -> str:
    for T in (2.0, 0.5, 1.5):
        (logits,) = tensors([ask(answer, T)], logits=(2, 3))
        p = torch.stack([(logits / by).softmax(dim=1) for by in (1, T)])  # before and after, clip, emotion
        (a, b), (c, d) = p.amax(dim=2).tolist()
        told = f"With T = {T:g} the confidences are {a:.3f} and {b:.3f} as trained, {c:.3f} and {d:.3f} after."
        below = " Below 1 a temperature sharpens, and the two clips change places." if T < 1 else ""
        mistakes = [
            (a < b and c > d, f"{told} The wrong way round.{below}"),
            (a > b and c < d and min(a - b, d - c) < 0.01, f"{told} The differences must be at least .01."),
            ((a - b) * (c - d) >= 0 and bool((p.amin(dim=2) < 0.005).all()), f"{told} The third emotion plays no role"
             " in both clips. Of two, the larger distance stays surer at every T."),
            ((a - b) * (c - d) >= 0, f"{told} The order stays. Give one clip a single rival near the top, and the other"
             " clip two rivals farther away."),
        ]  # fmt: skip
        if made := [why for wrong, why in mistakes if wrong]:
            raise Wrong(made[0])
    return "so choose the threshold after the temperature: chosen before, it would refuse other clips."
