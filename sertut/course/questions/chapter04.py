"""Exercises of chapter 4: a mask that came too late, and whether attention looks at the right place."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair
from sertut.signals import length_mask


@exercise("4.1")
def repaired(answer: Any) -> str:
    generator, mask = torch.Generator().manual_seed(0), length_mask(torch.tensor([12, 5, 8]))
    scores, states = torch.randn(3, 12, generator=generator), torch.randn(3, 12, 4, generator=generator)
    late, right = scores.softmax(dim=1), scores.masked_fill(~mask, -torch.inf).softmax(dim=1)
    pooled, vectors = ((weights[:, None] @ (states * mask[:, :, None])).squeeze(1) for weights in (late, right))
    kept, n = late * mask, mask.sum(dim=1, keepdim=True)
    real = kept.sum(dim=1, keepdim=True)
    found = pair(ask(answer, late, pooled, mask), "weights and vectors")
    mistakes = [
        (late, "the weights are unchanged; padding still has some."),
        (kept, "padding is 0, but the real weights no longer sum to 1: padding took its share before you removed it."),
        (kept.softmax(dim=1), "a softmax of weights gives padding weight again, exp(0) = 1; divide instead."),
        (late.masked_fill(~mask, -torch.inf).softmax(dim=1), "weights are no scores. Their logarithms would do."),
        (kept / kept.sum(), "you divided by the sum of the whole batch; each clip has its own."),
        (kept / n, "you divided by the number of real frames; divide by the weight that they had."),
        (kept + (1 - real) * mask / n, "you added the same to each real frame. All must grow by the same *factor*."),
        (late * ~mask / (1 - real), "the mask is the wrong way round: True is real."),
        (mask / n, "these weights are uniform: what the clip attended to is gone."),
    ]
    compare(found[0], right, mistakes, "The weights are different.")
    mistakes = [
        (pooled, "the weights are right, but the vectors are unchanged. They were made with the old weights."),
        (pooled * real, "you multiplied the vectors; they are too *short*, as the real weights were."),
        (pooled / n, "you divided the vectors by the number of real frames; divide by the weight that these had."),
    ]
    compare(found[1], vectors, mistakes, "The weights are right, the vectors are different.")
    return "this needs padded states of 0. Others would be part of the vector, and nobody could take them out again."


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
