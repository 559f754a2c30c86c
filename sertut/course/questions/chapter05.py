"""Exercises of chapter 5: the lag of two curves, and mass that is moved to other steps."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise


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
    voice = bump((10, 0.9), (16, 1.0), (24, 0.9))
    face = bump((14, 0.9), (20, 0.95), (28, 1.0))
    compare(
        asked(voice, face),
        4 * 0.04,
        [
            (12 * 0.04, "you compared the two highest points. Here three bumps follow three bumps 4 steps later, and"
             " only their heights differ: the sum of products uses all of the curve."),
        ],
        "Three bumps follow three bumps 4 steps later.",
    )  # fmt: skip
    # On a high floor a sum over more steps is larger, unless the mean is taken away first.
    compare(
        asked(bump((20, 0.2), level=1.0), bump((28, 0.2), level=1.0)),
        8 * 0.04,
        [
            (0.0, "both curves stand on a high floor here, and you found the k with the most steps: take the mean from"
             " each curve first."),
        ],
        "Two bumps on a high floor, the face 8 steps later.",
    )  # fmt: skip
    far = bump((8, 1.0), (30, 0.7)), bump((38, 1.0))
    got = asked(*far, longest=12)
    if isinstance(got, (int, float, torch.Tensor)) and abs(float(got)) > 12 * 0.04 + 1e-6:
        raise Wrong(f"with longest = 12 no lag above {12 * 0.04:g} s may be returned; you returned {float(got):g} s.")
    compare(got, 8 * 0.04, (), "With longest = 12:")
    compare(
        asked(bump((4, 1.0), (50, 0.8), n=100), bump((58, 0.8), (92, 1.0), n=100)),
        8 * 0.04,
        [
            (-12 * 0.04, "did your curve wrap around (torch.roll)? What leaves it at one end must not come back at the"
             " other."),
        ],
        "A curve that ends must not begin again:",
    )  # fmt: skip
    return "a peak in each curve would have been enough for clean ones; the sum of products listens to all of both."


@exercise("5.2")
def moved(answer: Any) -> str:
    weights, hop, new_hop, n = torch.tensor([0.05, 0.1, 0.5, 0.2, 0.1, 0.05]), 0.1, 0.15, 4

    def mass(scaled: torch.Tensor, old: float = hop, new: float = new_hop, steps: int = n) -> torch.Tensor:
        begin, at = old * torch.arange(len(scaled))[:, None], new * torch.arange(steps)[None, :]
        common = torch.minimum(begin + old, at + new) - torch.maximum(begin, at)  # (T, n), seconds
        return scaled @ common.clamp(min=0) / old

    right = mass(weights)
    middle = ((torch.arange(n) + 0.5) * new_hop / hop).long()  # the old step in which each new one's middle lies
    owner = ((torch.arange(6) + 0.5) * hop / new_hop).long()  # the new step in which each old one's middle lies
    place = ((torch.arange(n) + 0.5) * new_hop / hop - 0.5).clamp(0, 5)
    low = place.long().clamp(max=4)
    heights = weights[low] + (place - low) * (weights[low + 1] - weights[low])
    mistakes = [
        (heights, "those are heights between the old weights; mass is shared out, and stays 1 in all."),
        (heights / heights.sum(), "those are heights, scaled to sum 1; share the mass out by the seconds in common."),
        (weights[middle], "you took the weight of one old step for each new one; what lies in the others is lost."),
        (torch.zeros(n).index_add(0, owner, weights), "you moved each step as a whole; one that lies across a border is"
         " divided."),
        (right * hop, "you multiplied by the seconds in common and did not divide by the old hop: the sum is not 1."),
        (right * hop / new_hop, "you divided by the new hop. A step gives away the share of *its own* length, hop."),
        (right.cumsum(0), "that is all the mass up to each border; take the difference of neighbors."),
    ]  # fmt: skip
    compare(ask(answer, weights, hop, new_hop, n), right, mistakes, "The mass in the new steps is different.")
    fewer, finer = mass(weights, steps=2), mass(weights, new=0.04, steps=15)
    compare(
        ask(answer, weights, hop, new_hop, 2),
        fewer,
        [(fewer / fewer.sum(), "you scaled the result to sum 1, but here some mass lies after the last new step.")],
        "With two new steps:",
    )
    compare(ask(answer, weights, hop, 0.04, 15), finer, (), "With new steps shorter than the old ones:")
    return "mass is kept: no clock makes a map more or less sure than another."
