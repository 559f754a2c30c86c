"""Exercises of chapter 8: one softmax over all cells, what lambda is worth, and how many cells count."""

from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise


@exercise("8.1")
def region_attention(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    for scale in (0.3, 2.0):
        cells, W = torch.randn(3, 5, 4, generator=generator), torch.randn(6, 4, generator=generator)
        b, u = torch.randn(6, generator=generator), torch.randn(6, generator=generator)
        scores = torch.tanh(cells @ W.T + b) @ u  # (F, T)

        def over_all(values: torch.Tensor) -> torch.Tensor:
            return values.flatten().softmax(dim=0).view(values.shape)

        right = over_all(scale * scores)
        mistakes = [
            ((scale * scores).softmax(dim=1), "each row sums to 1: your softmax runs over time only, and no band can"
             " win over another. All F x T cells share one distribution."),
            ((scale * scores).softmax(dim=0), "each column sums to 1: your softmax runs over frequency only, so that no"
             " moment can win over another. All F x T cells share one distribution."),
            (over_all(scores), "lambda plays no role; multiply the scores by it, before the softmax."),
            (scale * over_all(scores), "lambda belongs inside the softmax: these weights sum to lambda, not to 1."),
            (over_all(scores / scale), "you divided by lambda (a temperature); here it multiplies the scores."),
            (over_all(scale * ((cells @ W.T + b) @ u)), "the tanh is missing between W a + b and u."),
            (scale * scores, "these are the scores; their softmax over all cells are the weights."),
            (right.T, "the weights are transposed: return (F, T)."),
            (right.flatten(), "the weights are right, but flat; give them the shape (F, T) of the cells again."),
        ]  # fmt: skip
        compare(ask(answer, cells, W, b, u, scale), right, mistakes, "The weights are different.")
    return "one distribution over time and frequency together, so its sum over frequency is a map over time."


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
