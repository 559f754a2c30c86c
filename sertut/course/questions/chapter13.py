"""Exercises of chapter 13: one moment on two clocks, and an offset from a map."""

from typing import Any

import torch

from sertut.course.judging import ask, compare, exercise

HOP = 0.04


@exercise("13.1")
def nearest_steps(answer: Any) -> str:
    for n_face, face_rate, n_voice, voice_rate in ((6, 30, 12, 50), (8, 24, 9, 40)):
        index, others = torch.arange(n_face), torch.arange(n_voice)
        face, voice = (index + 0.5) / face_rate, (others + 0.5) / voice_rate
        lags = face[:, None] - voice[None, :]  # (n_face, n_voice)
        right, last = lags.abs().argmin(dim=1), n_voice - 1
        exact, started = face * voice_rate - 0.5, index * voice_rate / face_rate  # in steps of the voice
        mistakes = [
            (index, "those are the frames' own numbers: step 3 of the voice is not the moment of frame 3 of the face."),
            (index.clamp(max=last), "those are the frames' own numbers: step 3 of the voice is not the moment of frame"
             " 3 of the face."),
            (exact.round(), "right as long as the voice goes on; where it ends before the face, the nearest step is its"
             " last one."),
            (started.floor().clamp(max=last), "you compared when steps *start*; compare their middles, (i + 1/2) /"
             " rate."),
            (started.round().clamp(max=last), "the half is missing: steps lie at (i + 1/2) / rate, so that steps of"
             " different length do not begin together."),
            (started.round(), "the half is missing: steps lie at (i + 1/2) / rate; and the voice may end before the"
             " face."),
            ((face * voice_rate).round().clamp(max=last), "that is the step which *begins* nearest; take half a step of"
             " the voice away before rounding."),
            ((index * n_voice / n_face).floor(), "you stretched both streams to the same length; but a stream that ends"
             " earlier is not slower. Compare seconds."),
            ((index * (n_voice - 1) / (n_face - 1)).round(), "you stretched both streams to the same length; but a"
             " stream that ends earlier is not slower. Compare seconds."),
            (voice[right], "those are seconds; return the numbers of the steps."),
            (lags.abs().amin(dim=1), "that is how far away the nearest step is; `argmin` tells which one it is."),
            (lags.argmin(dim=1), "the smallest lag is the most negative one; the nearest one is smallest without its"
             " sign."),
            (lags.abs().argmin(dim=0), "that is the nearest frame of the face for each step of the voice; here the face"
             " asks."),
            (lags, "those are the lags of all pairs; for each frame of the face choose the nearest step."),
        ]  # fmt: skip
        compare(ask(answer, n_face, face_rate, n_voice, voice_rate), right, mistakes, "The steps are different.")
    return "two streams are compared in seconds; their indices say nothing to one another."


@exercise("13.2")
def most_attended_lag(answer: Any) -> str:
    for T, S, lag, seed in ((12, 10, 3, 0), (9, 12, -2, 1)):
        weights, steps = _map(T, S, lag, seed)
        lags = HOP * steps
        total, count = by_lag(weights, steps), by_lag(torch.ones(T, S), steps)
        first = int(steps.min())
        right = HOP * lag
        own = steps[torch.arange(T), weights.argmax(dim=1)]  # (T,), where each row looks most
        mean = float((weights * lags).sum() / T)
        mistakes = [
            (-right, "the sign is turned: a positive lag says that the face comes later, face minus voice."),
            (lag, "those are steps; a step lasts 0.04 s."),
            (lag - first, "that is a place in a list of lags; say which lag stands there."),
            (float(total.max()), "that is how *much* attention the lag gets; return the lag itself."),
            (HOP * int((total / count).argmax() + first), "you took the mean over the pairs of a lag. Far lags have few"
             " pairs, and the mean of few is large by chance; add up."),
            (HOP * int(steps.flatten()[weights.argmax()]), "that is the lag of the single largest weight; one row may"
             " be mistaken. Add up over all pairs of a lag."),
            (HOP * int(own.mode().values), "that is the lag that most rows like best; a row's other weights count,"
             " too."),
            (float(own.double().mean()) * HOP, "that is the mean over rows of where each looks most; one row that is"
             " far off moves it. Add up the attention of each lag, and take the largest sum."),
            (mean, "that is the *mean* lag. Weight that is spread over the clip pulls it toward the middle; the highest"
             " sum is asked for."),
            (mean * T, "that is a sum of weight times lag; add up the weights of each lag, and take the largest sum."),
            (float((weights * lags.abs()).sum() / T), "that is how far from the same time the map looks, its"
             " diagonality; which lag gets most?"),
        ]  # fmt: skip
        compare(ask(answer, weights, lags), right, mistakes, "The lag is different.")
    return "so one number can be held against the true offset, for any map, however it was made."


def _map(T: int, S: int, lag: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A map (T, S) with most of its attention at a lag, though most rows like another one best; and the lags, steps."""
    t, steps = torch.arange(T), torch.arange(T)[:, None] - torch.arange(S)[None, :]
    weights = 0.02 * torch.rand(T, S, generator=torch.Generator().manual_seed(seed))
    weights[steps == lag] += 0.3
    weights[4:8][steps[4:8] == lag - 2] += 0.36  # liked best by four rows, and not even known to the others
    weights[t, 3 * t % S] += 0.35
    weights[0, 5] += 9.0  # one row is sure of another moment
    weights[-1, 0] += 1.0  # and the pair that is farthest apart has no company
    return weights / weights.sum(dim=1, keepdim=True), steps


def by_lag(values: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Sums of `values` (T, S) over all pairs of the same lag, the smallest lag first."""
    first = int(steps.min())
    sums = torch.zeros(int(steps.max()) - first + 1, dtype=values.dtype)
    return sums.index_add(0, (steps - first).flatten(), values.flatten())
