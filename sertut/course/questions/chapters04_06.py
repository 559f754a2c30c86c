"""Exercises of chapters 4 to 6: a late mask, and where attention looks; the lag of two curves; shares of emotions."""

from typing import Any

import torch

from sertut.course.exercises import Wrong, ask, compare, exercise, pair
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
         " game asks for the one largest step only; how much lies inside is the mass in region."),
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
        right = (mass - chance) / (1 - chance)
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
        compare(ask(answer, weights, inside), right, mistakes, f"For a region of {n} of 20 steps:")
    return "M = 0.5 gains nothing if the region is half of the clip, and 0.44 if it is a tenth."


@exercise("5.1")
def lag_of(answer: Any) -> str:
    def bump(*peaks: tuple[int, float], level: float = 0.0, n: int = 60) -> torch.Tensor:
        steps = torch.arange(n, dtype=torch.float32)
        shape = [height * torch.exp(-0.5 * ((steps - at) / 2.0) ** 2) for at, height in peaks]
        return level + torch.stack(shape).sum(dim=0)

    def asked(voice: torch.Tensor, face: torch.Tensor, longest: int = 20) -> float:
        return ask(answer, voice, face, 0.04, longest)

    later = bump((20, 1.0)), bump((26, 1.0))  # the face 6 steps after the voice
    mistakes = [
        (-6 * 0.04, "the sign is the wrong way round: the face peaks after the voice here, so the lag is positive."),
        (6.0, "those are steps; return seconds, k times hop."),
        (-6.0, "those are steps, and with the wrong sign: the face is later here. Return k times hop."),
        (20 * 0.04, "you returned `longest`: does your loop keep the *best* k, or the last one?"),
        (0.0, "you found no lag, but the face peaks 6 steps after the voice."),
        (26 * 0.04, "that is when the face peaks; the lag is by how much later than the voice."),
        (26.0, "that is the step where the face peaks; the lag is by how much later than the voice, in seconds."),
    ]  # fmt: skip
    compare(asked(*later), 6 * 0.04, mistakes, "The face peaks 6 steps of 0.04 s after the voice.")
    mistakes = [
        (6 * 0.04, "here the face is *earlier*, and the lag is negative: try negative k as well."),
        (0.0, "here the face is earlier, and you found no lag: try negative k as well."),
    ]
    compare(asked(later[1], later[0]), -6 * 0.04, mistakes, "The face peaks 6 steps of 0.04 s before the voice.")
    # The highest points are 14 steps apart, but the rest of the curves agrees at 4.
    voice, face = bump((10, 0.9), (16, 1.0), (24, 0.9)), bump((14, 0.9), (20, 0.95), (28, 1.0))
    highest = (12 * 0.04, "you compared the two highest points. Here three bumps follow three bumps 4 steps later, and"
               " only their heights differ: the sum of products uses all of the curve.")  # fmt: skip
    compare(asked(voice, face), 4 * 0.04, [highest], "Three bumps follow three bumps 4 steps later.")
    # On a high floor a sum over more steps is larger, unless the mean is taken away first.
    voice, face = bump((20, 0.2), level=1.0), bump((28, 0.2), level=1.0)
    floor = (0.0, "both curves stand on a high floor here, and you found the k with the most steps: take the mean from"
             " each curve first.")  # fmt: skip
    compare(asked(voice, face), 8 * 0.04, [floor], "Two bumps on a high floor, the face 8 steps later.")
    got = asked(bump((8, 1.0), (30, 0.7)), bump((38, 1.0)), longest=12)
    if isinstance(got, (int, float, torch.Tensor)) and abs(float(got)) > 12 * 0.04 + 1e-6:
        raise Wrong(f"with longest = 12 no lag above {12 * 0.04:g} s may be returned; you returned {float(got):g} s.")
    compare(got, 8 * 0.04, (), "With longest = 12:")
    voice, face = bump((4, 1.0), (50, 0.8), n=100), bump((58, 0.8), (92, 1.0), n=100)
    wrapped = (-12 * 0.04, "did your curve wrap around (torch.roll)? What leaves it at one end must not come back at"
               " the other.")  # fmt: skip
    compare(asked(voice, face), 8 * 0.04, [wrapped], "A curve that ends must not begin again:")
    return "a peak in each curve would have been enough for clean ones; the sum of products listens to all of both."


@exercise("5.2")
def misleading(answer: Any) -> str:
    for T, k in ((24, 3), (40, -4), (30, 5), (26, -2)):
        curves = {"voice": torch.empty(0), "face": torch.empty(0)}
        for name, values in zip(curves, pair(ask(answer, T, k), "the voice and the face"), strict=True):
            curve = curves[name] = torch.as_tensor(values).double()
            if curve.shape != (T,):
                raise Wrong(f"the shape of the {name} is {tuple(curve.shape)}, it must be ({T},).")
            if not bool((curve >= 0).all()) or abs(float(curve.sum()) - 1) > 1e-4:
                raise Wrong(f"weights are never negative and sum to 1; those of the {name} have the minimum"
                            f" {float(curve.min()):.3g} and the sum {float(curve.sum()):.3g}.")  # fmt: skip
            if int((curve == curve.max()).sum()) > 1:
                raise Wrong(f"several steps of the {name} are equally high; one step must be the highest.")
        first, second = (int(curve.argmax()) for curve in curves.values())
        if second - first == k:
            raise Wrong(f"your highest step moves along with the rest, from {first} to {second}; it must stay.")
        if first != second:
            raise Wrong(f"the voice is highest at step {first}, the face at step {second}; make it one step.")
        x, y = (curve - curve.mean() for curve in curves.values())
        sums = {d: float((x[max(0, -d) : T - max(0, d)] * y[max(0, d) : T + min(0, d)]).sum()) for d in range(-8, 9)}
        lag = max(sums, key=lambda d: sums[d])
        mistakes = {
            0: "the sum of products is largest without a move: the highest step outweighs all others. Make it lower, or"
            " give the others more mass.",
            -k: "the sign is the wrong way round: with a positive k the face is later.",
        }
        if lag != k:
            raise Wrong(f"For T = {T}, k = {k}: {mistakes.get(lag, f'the lag of your curves is {lag} steps.')}")
    return "so two maps can peak at the same step and still not belong together; and a lag needs all of both."


@exercise("6.1")
def sure_moments(answer: Any) -> str:
    for shares, T in (([0.5, 0.3, 0.2], 10), ([0.37, 0.0, 0.55, 0.08], 9), ([0.0, 1.0], 4)):
        p = torch.tensor(shares)
        C, q = len(p), torch.as_tensor(ask(answer, p, T)).double()
        if q.shape != (T, C):
            raise Wrong(f"the shape is {tuple(q.shape)}, it must be ({T}, {C}): a row for each moment.")
        if bool((q <= 0).all()):
            raise Wrong("these are logarithms; return the probabilities.")
        if not bool((q > -1e-4).all()) or not bool((q.sum(dim=1) - 1).abs().max() < 1e-4):
            raise Wrong("what a moment says is a distribution: no number below 0, and each row sums to 1.")
        unsure = int((q.max(dim=1).values < 1 - 1e-3).sum())
        if not bool((q.mean(dim=0) - p).abs().max() < 1e-4):
            told = "Your moments are all sure. Where T times p is no whole number, some have to be unsure."
            compare(q.mean(dim=0), p, (), f"The mean of your moments is not p. {told if not unsure else ''}".strip())
        if bool((q - p).abs().max() < 1e-4) and unsure:
            raise Wrong("each of your moments says p itself. That has the right mean, but every moment is unsure.")
        if unsure >= C:
            raise Wrong(f"the mean is right, but {unsure} moments are unsure; for {C} emotions {C - 1} are enough. Let"
                        " one emotion begin where the one before ends, also within a moment.")  # fmt: skip
    return "p is the same for a clip that changes and for one whose moments are all torn; only the course tells which."


@exercise("6.2")
def share_error(answer: Any) -> str:
    emotions = ["anger", "fear", "joy", "neutral"]
    cues = [("joy", 0.5, 0.9), ("fear", 1.2, 1.4), ("joy", 1.8, 2.2)]  # joy 0.8 s, fear 0.2 s
    p = torch.tensor([0.06, 0.14, 0.7, 0.1])

    def against(*shares: float) -> torch.Tensor:
        return (p - torch.tensor(shares)).abs()

    right = against(0.0, 0.2, 0.8, 0.0)
    by_count = against(0.0, 1 / 3, 2 / 3, 0.0)  # so, too, if the second span of joy overwrites the first: see below
    of_clip, since_first = against(0.0, 0.2 / 2.2, 0.8 / 2.2, 0.0), against(0.0, 0.2 / 1.7, 0.8 / 1.7, 0.0)
    mistakes = [
        (right.sum(), "you left out the half: what p gives to the wrong emotion it takes from the right one, and the"
         " sum counts both."),
        (right.max(), "that is the largest difference; the total variation is half of the sum of all."),
        (right.mean(), "that is the mean difference; take half of the sum."),
        (right.norm(), "that is the Euclidean distance; take half of the sum of absolute differences."),
        (right.square().sum(), "those are squared differences; take half of the sum of absolute ones."),
        (torch.tensor(0.0), "your differences cancel out: take their absolute values before you add them up."),
        (by_count.sum() / 2, "fear comes out as a third: either you count words instead of seconds, or the second span"
         " of joy has overwritten the first. Joy has 0.8 of the 1.0 emotional seconds."),
        (of_clip.sum() / 2, "you divided by the length of the clip; divide by the *emotional* time, so that the shares"
         " sum to 1."),
        (since_first.sum() / 2, "you divided by the time from the first cue to the last; divide by the emotional time"
         " alone."),
        (against(0.0, 0.5, 0.5, 0.0).sum() / 2, "you gave each emotion that occurs the same share; weigh them by their"
         " seconds."),
    ]  # fmt: skip
    compare(ask(answer, cues, emotions, p), right.sum() / 2, mistakes, "Joy has 0.8 s, fear 0.2 s.")
    got = ask(answer, [("joy", 0.0, 1.0)], emotions, torch.tensor([0.0, 0.0, 1.0, 0.0]))
    compare(got, 0.0, (), "A clip of joy alone, told rightly, has no error.")
    # Two spans of fear as long as one of joy: seconds and counts differ, and nothing is lost.
    shared = [("fear", 0.0, 0.2), ("fear", 0.5, 0.6), ("joy", 1.0, 1.3)]
    got = ask(answer, shared, emotions, torch.tensor([0.0, 0.5, 0.5, 0.0]))
    mistakes = [
        (1 / 6, "you count words instead of seconds: two short words of fear last as long as one of joy."),
        (0.25, "the second span of fear has overwritten the first: add their seconds up."),
    ]
    compare(got, 0.0, mistakes, "Fear 0.2 + 0.1 s, joy 0.3 s:")
    return "0 is perfect; giving everything to an emotion that is not there is 1."
