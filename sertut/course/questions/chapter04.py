"""Exercises of chapter 4: soft attention, and whether it looks at the right place."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise
from sertut.signals import length_mask


@exercise("4.1")
def masked_softmax(answer: Any) -> str:
    mask = length_mask(torch.tensor([12, 5, 8]))
    scores = torch.randn(3, 12, generator=torch.Generator().manual_seed(0)) - 1.0
    expected = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)
    plain, zeroed = scores.softmax(dim=-1), (scores * mask).softmax(dim=-1)
    mistakes = [
        (plain, "your weights sum to 1 over all 12 columns, padding included: mask before the softmax."),
        (plain * mask, "padding is 0, but the real weights no longer sum to 1: padding took its share before you"
         " removed it. Mask before the softmax."),
        (zeroed, "you set the padded scores to 0, and exp(0) = 1 is no small weight: use minus infinity."),
        (zeroed * mask, "you set the padded scores to 0 and cut them off afterwards; they took their share of the sum."
         " Use minus infinity before the softmax."),
        (scores.masked_fill(~mask, -torch.inf).softmax(dim=0), "your softmax runs over the clips of the batch (dim=0);"
         " it must run over time."),
        (scores.masked_fill(mask, -torch.inf).softmax(dim=-1).nan_to_num(), "the mask is the wrong way round: True is"
         " real."),
        (scores.softmax(dim=0), "your softmax runs over the clips of the batch (dim=0), and knows no mask."),
        (mask / mask.sum(dim=1, keepdim=True), "these weights are uniform: the scores play no role."),
    ]  # fmt: skip
    compare(ask(answer, scores, mask), expected, mistakes, "The weights are different.")
    large = ask(answer, scores * 1000, mask)
    if not bool(torch.isfinite(torch.as_tensor(large)).all()):
        raise Wrong(
            "with scores of 1000 your weights are not finite: exp overflows. Subtract each row's maximum first."
        )
    return "a distribution over the real frames; every mechanism of this book ends in this function."


@exercise("4.2")
def pointing_hit(answer: Any) -> str:
    centers = 0.02 + 0.04 * torch.arange(25)  # 0.02 ... 0.98 s

    def peak_at(step: int) -> torch.Tensor:
        weights = torch.full((25,), 0.02)
        weights[step] = 0.52
        return weights / weights.sum()

    def asked(weights: torch.Tensor, tolerance: float) -> bool:
        got = ask(answer, weights, centers, 0.40, 0.60, tolerance)
        if isinstance(got, torch.Tensor) and got.numel() > 1:
            raise Wrong(f"return one truth value a clip; you returned a tensor of shape {tuple(got.shape)}.")
        return bool(got)

    spread = torch.full((25,), 0.01)
    spread[10:15], spread[20] = 0.1, 0.2  # much weight inside, but the single largest step is outside
    cases = [
        (peak_at(12), 0.0, True, "the largest weight is at 0.50 s, well inside 0.40 to 0.60 s: that is a hit."),
        (peak_at(20), 0.0, False, "the largest weight is at 0.82 s, outside 0.40 to 0.60 s: that is a miss."),
        (peak_at(15), 0.05, True, "the peak at 0.62 s is 0.02 s late; with a tolerance of 0.05 s that is a hit."),
        (peak_at(9), 0.05, True, "the peak at 0.38 s is 0.02 s early; the tolerance widens the region on *both*"
         " sides."),
        (peak_at(15), 0.01, False, "the peak at 0.62 s misses the region by 0.02 s, more than the tolerance of 0.01"
         " s."),
        (spread / spread.sum(), 0.0, False, "most of the weight is inside, but the largest step is not: the pointing"
         " game asks for"
         " the one largest step only; how much lies inside is the mass in region."),
    ]  # fmt: skip
    for weights, tolerance, expected, message in cases:
        if asked(weights, tolerance) is not expected:
            raise Wrong(message)
    return "hits, averaged over clips, are the pointing game; a random step hits as often as the region is long."


@exercise("4.3")
def mass_gain(answer: Any) -> str:
    for n, seed in ((5, 0), (10, 1), (2, 2)):
        inside = torch.arange(20) < n
        weights = torch.randn(20, generator=torch.Generator().manual_seed(seed)).softmax(dim=0)
        mass, chance = weights[inside].sum(), n / 20
        mistakes = [
            (mass, "that is the mass M itself; a long region gets much of it by chance. Compare with n/N."),
            (mass - chance, "that is M - n/N; divide by what could be gained at most, 1 - n/N, so that 1 is perfect."),
            (mass / chance, "that is M over chance; its best value depends on the region, so clips cannot be"
             " averaged."),
            ((mass - chance) / chance, "you divided by the chance level n/N; divide by what is left above it, 1 -"
             " n/N."),
            ((weights.mean() - chance) / (1 - chance), "M is the *sum* of the weights inside,"
             " `weights[inside].sum()`."),
            ((weights[inside].mean() - chance) / (1 - chance), "M is the *sum* of the weights inside, not their mean."),
            ((weights[~inside].sum() - chance) / (1 - chance), "you summed the weights outside the region."),
        ]  # fmt: skip
        compare(
            ask(answer, weights, inside), (mass - chance) / (1 - chance), mistakes, f"For a region of {n} of 20 steps:"
        )
    return "M = 0.5 gains nothing if the region is half of the clip, and 0.44 if it is a tenth."
