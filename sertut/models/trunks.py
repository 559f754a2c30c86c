"""Stacks of convolutions: a spectrogram in, a map of features out, one cell for each patch of time and frequency.

`alexnet` and `squeezenet` are torchvision's, without their dense layers, so that weights trained on photographs fit.
The others are trained from nothing: `alexnet-original` has the widths of the first publication, `small` the same
geometry with a fifth of the weights, and `fine` has small steps and a small view: what lights a cell of it is within a
quarter of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from sertut.errors import unknown
from sertut.models.layers import MaskedNorm2d

Pair = tuple[int, int]


def _conv(n_in: int, n_out: int, kernel: Pair, stride: Pair = (1, 1), padding: Pair | None = None) -> list[nn.Module]:
    """Convolution, normalization, ReLU; by default padded so that the stride alone sets the size of the result."""
    if padding is None:
        padding = (kernel[0] // 2, kernel[1] // 2)
    return [nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False), MaskedNorm2d(n_out)]


def _pool() -> nn.Module:
    return nn.MaxPool2d(kernel_size=3, stride=2)


def _small() -> nn.Sequential:
    """AlexNet's kernels and strides with batch normalization, narrow enough for a CPU."""
    return nn.Sequential(
        *_conv(1, 48, (11, 11), stride=(4, 4), padding=(2, 2)),
        _pool(),
        *_conv(48, 96, (5, 5)),
        _pool(),
        *_conv(96, 128, (3, 3)),
        *_conv(128, 128, (3, 3)),
        *_conv(128, 128, (3, 3)),
        _pool(),
    )


def _fine() -> nn.Sequential:
    """A cell every 40 ms and 8 mel bands, which sees half a second; kernels and strides are (frequency, time)."""
    return nn.Sequential(
        *_conv(1, 24, (7, 7), stride=(4, 4)),
        *_conv(24, 48, (3, 5), stride=(2, 1)),
        *_conv(48, 64, (3, 5)),
        *_conv(64, 64, (3, 3)),
    )


def _alexnet_original() -> nn.Sequential:
    """Widths 96-256-384-384-256, local response normalization, one group of channels.

    As in the original, the first layer does not pad, but along frequency it must, or 64 mel bands would be too few.

    Source: Krizhevsky, Sutskever, Hinton, NIPS 2012; there, two GPUs each held half of the channels.
    """
    return nn.Sequential(
        nn.Conv2d(1, 96, 11, 4, padding=(2, 0)),
        nn.ReLU(),
        nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0),
        _pool(),
        nn.Conv2d(96, 256, 5, padding=2),
        nn.ReLU(),
        nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0),
        _pool(),
        nn.Conv2d(256, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        _pool(),
    )


def _torchvision(name: str) -> nn.Sequential:
    """The convolutions of one of torchvision's networks, with weights drawn at random."""
    from torchvision.models import get_model  # late, because torchvision takes seconds to import

    features = get_model(name, weights=None).features
    assert isinstance(features, nn.Sequential)
    return features


TRUNKS: Mapping[str, Callable[[], nn.Sequential]] = {
    "small": _small,
    "fine": _fine,
    "alexnet": lambda: _torchvision("alexnet"),
    "alexnet-original": _alexnet_original,
    "squeezenet": lambda: _torchvision("squeezenet1_0"),
}
"""Name of each trunk -> what builds it."""


def build_trunk(name: str) -> nn.Sequential:
    """A new trunk; an unknown name is an error that names the nearest."""
    if name not in TRUNKS:
        raise unknown("trunk", name, TRUNKS)
    return TRUNKS[name]()
