"""Exercises of chapters 7 to 9: cells of any length; attention over the spectrogram; weights from photographs."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sertut.course.exercises import Wrong, ask, compare, exercise, pair
from sertut.models import FullyConvolutional

ALEXNET = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
"""(kernel, stride, padding) of each layer that slides along time in AlexNet's trunk."""

Layers = Sequence[tuple[int, int, int]]


def _cells(n: int, layers: Layers, *, paddings: int = 2, plus: int = 1) -> int:
    """Cells of `n` frames; `paddings` and `plus` are 2 and 1 when it is right."""
    for kernel, stride, padding in layers:
        room = n + paddings * padding - kernel
        n = room // stride + plus if room >= 0 else 0
    return n


@exercise("7.1")
def n_cells(answer: Any) -> str:
    for n, layers in ((30, [(5, 1, 2)]), (300, ALEXNET[:2]), (301, ALEXNET), (64, [(5, 2, 2), (3, 2, 1)])):
        whole = float(n)
        for kernel, stride, padding in layers:
            whole = (whole + 2 * padding - kernel) / stride + 1
        mistakes = [
            (_cells(n, layers, plus=0), "one is missing in each layer: count the first window too, hence the + 1."),
            (_cells(n, layers, paddings=1), "padding is added at *both* ends: n + 2 p."),
            (_cells(n, layers, paddings=0), "you left the padding out: the layer slides over n + 2 p positions."),
            (whole, "cells are whole: round down, with `//`."),
            (_cells(n, [layers[-1]]), "that is the last layer alone; it reads what the layers before it have made of"
             " the n frames."),
        ]  # fmt: skip
        compare(ask(answer, n, list(layers)), _cells(n, layers), mistakes, f"For {n} frames and {layers}:")
    if (short := ask(answer, 20, ALEXNET)) != 0:
        raise Wrong(
            f"20 frames are too short for this stack, you return {short!r}: as soon as n + 2 p < k no window fits, so"
            " return 0."
        )
    return "no layer asks how long the input is, as long as one window fits: that is all that 'any length' means."


def _hears(n: int, layers: Layers) -> torch.Tensor:
    """Whether each cell of the last layer depends on each of `n` frames: (cells, n)."""
    sees = torch.eye(n)
    for kernel, stride, padding in layers:
        around = nn.functional.pad(sees, (0, 0, padding, padding))
        sees = around.unfold(0, kernel, stride).amax(dim=2)
    return sees > 0


@exercise("7.2")
def cells_that_hear(answer: Any) -> str:
    inside, ends = (12, 30, [(5, 1, 2)]), [(frame, 301, ALEXNET) for frame in (150, 0, 300)]
    for frame, n, layers in (inside, *ends, (8, 24, [(3, 5, 0), (3, 1, 1)])):
        sees, unpadded = _hears(n, layers), _hears(n, [(kernel, stride, 0) for kernel, stride, _ in layers])
        right = sees[:, frame].nonzero().flatten().tolist()
        got = sorted(int(cell) for cell in ask(answer, frame, n, list(layers)))
        where = f"For frame {frame} of {n} and {layers}:"
        if got and not 0 <= got[0] <= got[-1] < len(sees):
            raise Wrong(f"{where} there are the cells 0 to {len(sees) - 1}; you return {got}. Do not go past the ends.")
        if got and not right:
            raise Wrong(f"{where} it lies between two windows of a layer, or behind the last one. So no cell hears it.")
        if len(got) == 1 < len(right):
            raise Wrong(f"{where} you return one cell. Windows overlap, so that {len(right)} cells hear this frame.")
        if got != right and got == unpadded[:, frame].nonzero().flatten().tolist():
            raise Wrong(f"{where} you left the padding out: with it, window 0 begins before frame 0.")
        for cell in sorted({*got} ^ {*right}):
            heard = sees[cell].nonzero().flatten().tolist()
            what = "does not hear it" if cell in got else "hears it, too"
            raise Wrong(f"{where} cell {cell} {what}. It depends on the frames {heard[0]} to {heard[-1]}.")
    return "one frame of 10 ms reaches six or seven cells of AlexNet's trunk: neighbors share most of what they hear."


@exercise("7.3")
def masked_layer(answer: Any) -> str:
    for kernel, stride, padding, seed in ((3, 2, 1, 0), (5, 1, 2, 1), (3, 2, 0, 2)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            conv = nn.Conv1d(2, 3, kernel, stride=stride, padding=padding).requires_grad_(False)
            values = torch.randn(3, 2, 12)
        lengths = torch.tensor([12, 6, 9])
        expected, left = _masked(conv, values, lengths)
        got, got_left = pair(ask(answer, conv, values, lengths), "the values and the new lengths")
        where = f"For kernel {kernel}, stride {stride}, padding {padding}:"
        mistakes = [
            (lengths, "these are the lengths of the input; the layer makes floor((n + 2 p - k) / s) + 1 of n."),
            (lengths // stride, "the length is not just divided by the stride: floor((n + 2 p - k) / s) + 1."),
            (-(-lengths // stride), "that rounds n / s up, which is right only if p = (k - 1) / 2; use floor((n + 2 p -"
             " k) / s) + 1."),
            ((lengths - kernel) // stride + 1, "you left out the convolution's own padding: n + 2 p."),
            (torch.full_like(left, int(left.max())), "all clips get the length of the longest; each has its own."),
        ]  # fmt: skip
        compare(got_left, left, mistakes, f"{where} the lengths are different.")
        unmasked = conv(values)
        after = torch.arange(unmasked.shape[-1]) < left[:, None]
        before = torch.arange(values.shape[-1]) < lengths[:, None]
        mistakes = [
            (unmasked, "you convolved the padding with the rest, and left it there: no mask is at work."),
            (unmasked * after[:, None], "the padding behind a clip is still in its last cells: set it to 0 before the"
             " convolution too."),
            (conv(values * before[:, None]), "after the new length there is not 0 but what the convolution made of the"
             " zeros (its bias, at least); the next layer would read it. Mask the result too."),
            (conv(values * ~before[:, None]) * after[:, None], "the mask is the wrong way round: True is real."),
        ]  # fmt: skip
        compare(got, expected, mistakes, f"{where} the values are different.")
    return "zeros behind a clip are what the convolution itself puts there when the clip is alone: nobody can tell."


def _masked(conv: nn.Conv1d, values: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each clip alone, then side by side: a second way to the same result."""
    alone = [conv(row[None, :, :n])[0] for row, n in zip(values, lengths.tolist(), strict=True)]
    result = conv(values).zero_()
    for i, clip in enumerate(alone):
        result[i, :, : clip.shape[-1]] = clip
    return result, torch.tensor([clip.shape[-1] for clip in alone])


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


@exercise("9.1")
def one_channel(answer: Any) -> str:
    weight = torch.randn(5, 3, 4, 2, generator=torch.Generator().manual_seed(0))
    mistakes = [
        (weight.mean(dim=1, keepdim=True), "that is the mean of the colors. The three channels are not averaged but"
         " *added*: w1 x + w2 x + w3 x."),
        (weight[:, :1], "you kept the first color only; the other two filters read the same spectrogram, too."),
        (weight.sum(dim=1), "right numbers, but the channel is gone: keep a dimension of size 1 for it."),
        (weight.sum(dim=0, keepdim=True), "you added up the filters (dim=0); add up the colors (dim=1)."),
    ]  # fmt: skip
    compare(ask(answer, weight), weight.sum(dim=1, keepdim=True), mistakes, "The filters are different.")
    return "a third of the multiplications in the first layer, and the same result; drawn, it is what the layer sees."


@exercise("9.2")
def refit(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(4, 3, 2, 2, generator=generator), torch.randn(4, generator=generator)
    mean, std, of_filter = 110.0, 57.0, weight.sum(dim=(1, 2, 3))
    result = pair(ask(answer, weight, bias, mean, std), "the new weight and the new bias")
    mistakes = [
        (weight / std, "you divided by std. The features are std times *smaller* than the pixels, so weights grow."),
        (weight, "your weights are the old ones: features of variance 1 would look like no contrast at all."),
        (weight * std + mean, "a mean is a shift: it belongs into the bias, not into the weights."),
    ]  # fmt: skip
    compare(result[0], weight * std, mistakes, "The weights are different.")
    mistakes = [
        (bias, "the weights are right, but the mean is forgotten: x = std z + mean, and w mean belongs into the bias."),
        (bias + mean, "every filter adds up `mean` times the *sum of its weights*, not `mean` itself."),
        (bias - mean * of_filter, "the sign of the mean's part: x = std z + mean, with a plus."),
        (bias + mean * std * of_filter, "the mean's part has the *old* weights: w (std z + mean)."),
        (bias * std, "a bias does not multiply the pixels, so it does not scale with them."),
    ]  # fmt: skip
    compare(result[1], bias + mean * of_filter, mistakes, "The weights are right, the bias is different:")
    return "the layer cannot tell pixels from features now. Forgetting this is a silent way to make a transfer fail."


@exercise("9.3")
def freeze_trunk(answer: Any) -> str:
    model = FullyConvolutional(7, "small")
    whole = sum(p.numel() for p in model.parameters())
    trunk = sum(p.numel() for p in model.trunk.parameters())
    frozen = copy.deepcopy(model)
    count = ask(answer, frozen)
    if any(p.requires_grad for p in frozen.trunk.parameters()):
        raise Wrong("some weights of the trunk would still be trained: every one needs `requires_grad = False`.")
    rest = [name for name, p in frozen.named_parameters() if not name.startswith("trunk") and not p.requires_grad]
    if rest:
        raise Wrong(f"you froze {rest[0]}, too; attention and classifier have to learn the new task.")
    mistakes = [
        (whole, "you counted all parameters; count those with `requires_grad` after freezing."),
        (trunk, "that is what you froze; asked is what can still be trained."),
    ]
    compare(count, whole - trunk, mistakes, "The count is different.")
    return "frozen are the weights; the running means of batch normalization still move while model.train() is on."
