"""Exercises of chapter 6: a course for given shares, and the error of estimated shares."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise


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
    compare(
        ask(answer, [("joy", 0.0, 1.0)], emotions, torch.tensor([0.0, 0.0, 1.0, 0.0])),
        0.0,
        (),
        "A clip of joy alone, told rightly, has no error.",
    )
    # Two spans of fear as long as one of joy: seconds and counts differ, and nothing is lost.
    shared = [("fear", 0.0, 0.2), ("fear", 0.5, 0.6), ("joy", 1.0, 1.3)]
    mistakes = [
        (1 / 6, "you count words instead of seconds: two short words of fear last as long as one of joy."),
        (0.25, "the second span of fear has overwritten the first: add their seconds up."),
    ]
    compare(
        ask(answer, shared, emotions, torch.tensor([0.0, 0.5, 0.5, 0.0])), 0.0, mistakes, "Fear 0.2 + 0.1 s, joy 0.3 s:"
    )
    return "0 is perfect; giving everything to an emotion that is not there is 1."
