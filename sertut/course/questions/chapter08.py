"""Exercises of chapter 8: one softmax in two steps, what lambda is worth, and how many cells count."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise, pair


@exercise("8.1")
def when_and_where(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    distant = torch.tensor([[0.0, -900.0], [1.0, -901.0]])  # a moment so low that its weight is 0 for the computer
    for scores in (2 * torch.randn(3, 5, generator=generator), torch.randn(4, 4, generator=generator), distant):
        columns, rows, each = scores.softmax(dim=0), scores.softmax(dim=1), scores.logsumexp(dim=0)
        weights = scores.flatten().softmax(dim=0).view(scores.shape)
        when, where = pair(ask(answer, scores), "when and where")
        mistakes = [
            (columns, "the two are the other way round: first `when`, then `where`."),
            (weights.sum(dim=1), "that is the weight of each band; sum over the bands, not over time."),
            (scores.sum(dim=0).softmax(dim=0), "you added up scores. The softmax adds up their *exponentials*."),
            (scores.mean(dim=0).softmax(dim=0), "you averaged scores. The softmax adds up their *exponentials*."),
            (scores.amax(dim=0).softmax(dim=0), "you took the best band of each moment alone; the others add to it."),
            (each, "these are the scores of the moments; their softmax is asked for."),
            (each.exp(), "these are sums of exponentials; divide them by their sum over time."),
            (each.exp().softmax(dim=0), "the sum of exponentials is no score; its logarithm is."),
            (torch.full_like(each, 1 / len(each)), "all moments have the same weight in yours."),
            (rows.mean(dim=0), "each row sums to 1 in yours, so that all bands count alike."),
        ]
        compare(when, each.softmax(dim=0), mistakes, "`when` is different.")
        mistakes = [
            (weights, "`where` are the weights of the cells; then `when` would count twice."),
            (rows, "each *row* of `where` sums to 1: your softmax runs over time."),
            (weights.sum(dim=1, keepdim=True).expand(scores.shape), "`where` is the same at all moments."),
            (weights / weights.sum(dim=0), "a moment of weight 0 gives 0 / 0; use the scores of its column alone."),
        ]
        compare(where, columns, mistakes, "`when` is right, `where` is different.")
    return "the score of a moment is the logsumexp of its bands: a bit above the best of them, more if many are good."


@exercise("8.2")
def rescaled(answer: Any) -> str:
    u = torch.tensor([1.0, -2.0, 0.5])
    for scale, new in ((0.3, 2.0), (1.0, 0.1), (3.0, 0.3)):
        mistakes = [
            (u, f"unchanged, the scores are multiplied by {new:g} instead of {scale:g}, and the weights differ."),
            (u * new / scale, "the other way round: a larger lambda needs a shorter u, for the same product."),
            (u * scale, "lambda u must stay as it is, and with this u the new lambda still multiplies it."),
            (u / new, "lambda u must stay as it is: the old lambda is missing."),
            (u + scale - new, "lambda multiplies the scores; nothing can be added to u to undo that."),
        ]  # fmt: skip
        compare(ask(answer, u, scale, new), u * scale / new, mistakes, f"From lambda {scale:g} to {new:g}:")
    return "what one positive lambda can express, every other one can; lambda 0 cannot, and there is no u for it."


@exercise("8.3")
def cells_that_count(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    uneven = torch.randn(3, 4, generator=generator).mul(2).flatten().softmax(dim=0).view(3, 4)
    for weights in (uneven, torch.full((2, 8), 1 / 16)):
        entropy = float(-(weights * weights.log()).sum())
        mistakes = [
            (entropy, "that is the entropy itself; its exponential counts cells."),
            (-entropy, "that is minus the entropy; take exp(-sum a log a)."),
            (torch.tensor(-entropy).exp(), "the sign is lost: entropy is *minus* sum a log a."),
            (torch.tensor(entropy / 0.6931471805599453).exp(), "you took the logarithm to base 2 and then exp; use one"
             " base for both."),
            (entropy / torch.tensor(weights.numel()).log(), "that is the entropy over its largest value, log N."),
            (float(weights.numel()), "that is the number of cells, however the weights are spread."),
            (1 / weights.square().sum(), "that is 1 / sum a^2, another count of cells; here the entropy is asked for."),
        ]  # fmt: skip
        expected = torch.tensor(entropy).exp()
        if torch.as_tensor(weights).allclose(weights.flatten()[0]):
            mistakes = mistakes[:5]  # on equal weights the last two are right
        compare(ask(answer, weights), expected, mistakes, "The number is different.")
    needle = torch.zeros(3, 4)
    needle[1, 2] = 1.0
    got = torch.as_tensor(ask(answer, needle))
    if got.isnan().any():
        raise Wrong("a weight of 0 gives 0 log 0 = NaN; leave such cells out, they add nothing.")
    compare(got, 1.0, otherwise="If one cell has all of the weight, exactly one cell counts.")
    return "a map that uses as many cells as it has is mean pooling under another name."
