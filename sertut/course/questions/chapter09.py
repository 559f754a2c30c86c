"""Exercises of chapter 9: what it takes to put weights from photographs to work on speech."""

import copy
from typing import Any

import torch

from sertut.course.judging import Wrong, ask, compare, exercise
from sertut.models import FullyConvolutional


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
    mean, std = 110.0, 57.0
    result = ask(answer, weight, bias, mean, std)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("return two values: the new weight and the new bias.")
    mistakes = [
        (weight / std, "you divided by std. The features are std times *smaller* than the pixels, so weights grow."),
        (weight, "your weights are the old ones: features of variance 1 would look like no contrast at all."),
        (weight * std + mean, "a mean is a shift: it belongs into the bias, not into the weights."),
    ]  # fmt: skip
    compare(result[0], weight * std, mistakes, "The weights are different.")
    mistakes = [
        (bias, "the weights are right, but the mean is forgotten: x = std z + mean, and w mean belongs into the bias."),
        (bias + mean, "every filter adds up `mean` times the *sum of its weights*, not `mean` itself."),
        (bias - mean * weight.sum(dim=(1, 2, 3)), "the sign of the mean's part: x = std z + mean, with a plus."),
        (bias + mean * std * weight.sum(dim=(1, 2, 3)), "the mean's part has the *old* weights: w (std z + mean)."),
        (bias * std, "a bias does not multiply the pixels, so it does not scale with them."),
    ]  # fmt: skip
    compare(
        result[1], bias + mean * weight.sum(dim=(1, 2, 3)), mistakes, "The weights are right, the bias is different:"
    )
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
