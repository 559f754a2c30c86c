"""Stacks of convolutions: a spectrogram in, a map of features out, one cell for each patch of time and frequency.

`small` has AlexNet's kernels and strides with a fifth of its weights; `fine` has small steps and a small view: what
lights a cell of it is within a quarter of a second. `squeezenet` is torchvision's, without its dense layers, so that
weights trained on photographs fit.
"""

from __future__ import annotations

from torch import nn

from sertut.errors import must_be_known
from sertut.models.layers import MaskedNorm2d

TRUNKS = ("small", "fine", "squeezenet")
Pair = tuple[int, int]


def _conv(n_in: int, n_out: int, kernel: Pair, stride: Pair = (1, 1), padding: Pair | None = None) -> list[nn.Module]:
    """Convolution, normalization, ReLU; by default padded so that the stride alone sets the size of the result.

    `kernel`, `stride` and `padding` are (frequency, time).
    """
    if padding is None:
        padding = (kernel[0] // 2, kernel[1] // 2)
    return [nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False), MaskedNorm2d(n_out)]


def build_trunk(name: str) -> tuple[nn.Sequential, int]:
    """A new trunk with weights drawn at random, and how many channels its cells have.

    An unknown name is an error that names the nearest.
    """
    must_be_known("trunk", name, TRUNKS)
    if name == "small":  # AlexNet's kernels and strides with batch normalization, narrow enough for a CPU
        small = nn.Sequential(
            *_conv(1, 48, (11, 11), stride=(4, 4), padding=(2, 2)),
            nn.MaxPool2d(3, stride=2),
            *_conv(48, 96, (5, 5)),
            nn.MaxPool2d(3, stride=2),
            *_conv(96, 128, (3, 3)),
            *_conv(128, 128, (3, 3)),
            *_conv(128, 128, (3, 3)),
            nn.MaxPool2d(3, stride=2),
        )
        return small, 128
    if name == "fine":  # a cell every 40 ms and 8 mel bands, which sees half a second
        fine = nn.Sequential(
            *_conv(1, 24, (7, 7), stride=(4, 4)),
            *_conv(24, 48, (3, 5), stride=(2, 1)),
            *_conv(48, 64, (3, 5)),
            *_conv(64, 64, (3, 3)),
        )
        return fine, 64
    from torchvision.models import get_model  # late, because torchvision takes seconds to import

    squeezenet = get_model("squeezenet1_0", weights=None).features
    assert isinstance(squeezenet, nn.Sequential)
    return squeezenet, 512
