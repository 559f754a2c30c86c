"""Exercises of chapter 18: how far "how sure" is from "how often right", and below what to give no answer."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise


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
def lowest(answer: Any) -> str:
    generator = torch.Generator().manual_seed(1)
    sure = torch.rand(31, generator=generator)
    right = torch.rand(31, generator=generator) < sure
    best = sure[right].sort().values
    kept = 0.75

    def at(values: torch.Tensor, share: float) -> torch.Tensor:
        return values.quantile(share)

    mistakes = [
        (at(best, kept), "yours lets a quarter of the right answers through and refuses the rest: the quantile is one"
         " minus the share."),
        (at(sure, 1 - kept), "choose by the *right* answers alone: how many wrong ones are refused is what you gain."),
        (at(sure[~right], 1 - kept), "those are the wrong answers; the share is one of the right ones."),
        (at(sure[~right], kept), "those are the wrong answers; the share is one of the right ones."),
        (best.min(), "that refuses no right answer at all."),
    ]  # fmt: skip
    compare(ask(answer, sure, right, kept), at(best, 1 - kept), mistakes, "The threshold is another.")
    return "what it costs is chosen here, on dev; what it gains must be measured, on speakers who had no part in it."
