"""Exercises of chapter 6: the likelihood of a mixture, and the error of estimated shares."""

import math
from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise
from sertut.signals import length_mask


@exercise("6.1")
def mixture_log_probability(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    mask = length_mask(torch.tensor([6, 4, 5]))
    scores = torch.randn(3, 6, generator=generator)
    weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=1)
    log_q = (2 * torch.randn(3, 6, 4, generator=generator)).log_softmax(dim=-1)
    weighed = weights.unsqueeze(-1)
    p = (weighed * log_q.exp()).sum(dim=1)
    mean_q = (log_q.exp() * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    mistakes = [
        (p, "that is p; return its logarithm."),
        (-p.log(), "that is -log p: a loss. Return log p."),
        ((weighed * log_q).sum(dim=1), "you mixed the *logarithms*: that is a product of the q's (a geometric mean), in"
         " which one moment that says no can veto all others. Mix the probabilities."),
        ((weighed * log_q).sum(dim=1).log_softmax(dim=-1), "you mixed the *logarithms*, and normalized what came out: a"
         " geometric mean. Mix the probabilities."),
        (mean_q.log(), "every moment counts alike in your result: where are the weights?"),
        (torch.logsumexp(weighed.clamp(min=1e-38).log() + log_q, dim=2)[:, :4], "your sum runs over emotions; it must"
         " run over time (dim=1)."),
        (torch.logsumexp(log_q, dim=1), "you added up the q's of all moments: where are the weights?"),
        (torch.logsumexp(weighed + log_q, dim=1), "inside logsumexp the weights must stand as logarithms, too."),
        ((log_q.masked_fill(~mask.unsqueeze(-1), -torch.inf) + weighed.log()).amax(dim=1), "you took the strongest"
         " moment; a mixture is the sum over all of them."),
    ]  # fmt: skip
    compare(ask(answer, weights, log_q, mask), p.log(), mistakes, "log p is different.")
    smeared = torch.where(mask, weights, torch.tensor(0.1))
    compare(
        ask(answer, smeared, log_q, mask),
        p.log(),
        [((smeared.unsqueeze(-1) * log_q.exp()).sum(dim=1).log(), "moments that are padding take part: use the mask.")],
        "With something else than 0 on padding, log p is different.",
    )
    sure = torch.tensor([[[0.0, -1000.0], [0.0, -1001.0]]])
    got = torch.as_tensor(ask(answer, torch.tensor([[0.5, 0.5]]), sure, torch.tensor([[True, True]])))
    if not bool(torch.isfinite(got).all()):
        raise Wrong(
            "with log_q = -1000 your result is not finite: exp(-1000) is 0, and its logarithm minus infinity. Stay with"
            " logarithms and use torch.logsumexp."
        )
    compare(got, [[0.0, math.log(0.5) - 1000 + math.log1p(math.exp(-1))]], (), "With log_q near -1000:")
    return (
        "log p of the true emotion, with a minus, is the loss of the mixture: no moment is asked to be the whole clip."
    )


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
