"""Exercises of chapter 5: the lag of two curves, and two curves whose peaks mislead."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair


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
        highest = [int(curve.argmax()) for curve in curves.values()]
        if highest[1] - highest[0] == k:
            raise Wrong(
                f"your highest step moves along with the rest, from {highest[0]} to {highest[1]}; it must stay."
            )
        if highest[0] != highest[1]:
            raise Wrong(f"the voice is highest at step {highest[0]}, the face at step {highest[1]}; make it one step.")
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
