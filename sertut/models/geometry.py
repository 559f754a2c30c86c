"""What one cell of a convolutional network sees: computed from its layers, never quoted.

Every convolution and pooling layer is a window that slides along an axis. Stacking them multiplies the steps and adds
up the widths; this page keeps the sums. Positions are indices of the input: frames along time, mel bands along
frequency.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

FREQUENCY, TIME = 0, 1  # the axes of a feature map (B, C, F', T')


@dataclass(frozen=True)
class Window:
    """One sliding layer along one axis. ceil: a last window that hangs over the end counts too."""

    kernel: int
    stride: int = 1
    padding: int = 0
    ceil: bool = False

    def size(self, n: torch.Tensor) -> torch.Tensor:
        """How many windows fit on `n` inputs, elementwise; 0 where not even one does."""
        room = n + 2 * self.padding - self.kernel
        steps = -(-room // self.stride) if self.ceil else room // self.stride
        if self.ceil:  # as in PyTorch: a window must not start beyond the input
            steps = torch.where(steps * self.stride >= n + self.padding, steps - 1, steps)
        return (steps + 1).clamp(min=0)


@dataclass(frozen=True)
class Geometry:
    """A stack of windows along one axis.

    Cell n is centered on input index ``first + n * stride`` and depends on `field` inputs around it, no others.
    """

    windows: tuple[Window, ...]

    @property
    def stride(self) -> int:
        """Inputs from one cell to the next."""
        return math.prod(window.stride for window in self.windows)

    @property
    def field(self) -> int:
        """Receptive field: inputs that one cell depends on."""
        return 1 + sum((w.kernel - 1) * step for w, step in self._with_steps())

    @property
    def first(self) -> float:
        """Input index on which cell 0 is centered; a half where it lies between two."""
        return sum(((w.kernel - 1) / 2 - w.padding) * step for w, step in self._with_steps())

    @property
    def shortest(self) -> int:
        """Smallest input that gives one cell."""
        n = torch.arange(1, self.field + 2)
        return int(n[self.size(n) > 0][0])

    def size(self, n: torch.Tensor) -> torch.Tensor:
        """Cells of `n` inputs, elementwise."""
        for window in self.windows:
            n = window.size(n)
        return n

    def _with_steps(self) -> Iterable[tuple[Window, int]]:
        """Each window with the distance, in inputs, between two neighbors of what it reads."""
        step = 1
        for window in self.windows:
            yield window, step
            step *= window.stride


def geometry(trunk: Iterable[nn.Module], axis: int) -> Geometry:
    """Geometry of a stack of layers along `axis`, :data:`FREQUENCY` or :data:`TIME`."""
    return Geometry(tuple(w for module in trunk if (w := window(module, axis)) is not None))


def window(module: nn.Module, axis: int) -> Window | None:
    """The window that a layer slides along `axis`; None for a layer that treats each position alone."""
    if isinstance(module, fire()):
        return Window(3, 1, 1)  # a 1 x 1 and a 3 x 3 convolution side by side
    if isinstance(module, (nn.Conv2d, nn.MaxPool2d)):
        kernel, stride, padding = (_along(getattr(module, name), axis) for name in ("kernel_size", "stride", "padding"))
        return Window(kernel, stride, padding, getattr(module, "ceil_mode", False))
    return None


@functools.cache
def fire() -> type[nn.Module]:
    """The class of SqueezeNet's building block; imported late, because torchvision takes seconds."""
    from torchvision.models.squeezenet import Fire

    return Fire


def _along(value: int | Sequence[int], axis: int) -> int:
    return value if isinstance(value, int) else value[axis]
