"""What one cell of a convolutional network sees: computed from its layers, never quoted.

Every convolution and pooling layer is a window that slides along an axis. Stacking them multiplies the steps and adds
up the widths; this page keeps the sums. Positions are indices of the input: frames along time, mel bands along
frequency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

FREQUENCY, TIME = 0, 1  # the axes of a feature map (B, C, F', T')


@dataclass(frozen=True)
class Window:
    """One sliding layer along one axis. ceil: a last window that hangs over the end counts too."""

    kernel: int
    stride: int = 1
    padding: int = 0
    ceil: bool = False

    @classmethod
    def of(cls, module: nn.Module, axis: int) -> Window | None:
        """The window that a layer slides along `axis`; None for a layer that treats each position alone."""
        if is_fire(module):
            return cls(3, 1, 1)  # a 1 x 1 and a 3 x 3 convolution side by side
        if not isinstance(module, (nn.Conv2d, nn.MaxPool2d)):
            return None
        sizes: list[Any] = [module.kernel_size, module.stride, module.padding]  # a number, or one for each axis
        kernel, stride, padding = (size if isinstance(size, int) else size[axis] for size in sizes)
        return cls(kernel, stride, padding, getattr(module, "ceil_mode", False))

    def size(self, n: Tensor) -> Tensor:
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

    @classmethod
    def of(cls, trunk: Iterable[nn.Module], axis: int) -> Geometry:
        """Geometry of a stack of layers along `axis`, :data:`FREQUENCY` or :data:`TIME`."""
        return cls(tuple(window for module in trunk if (window := Window.of(module, axis)) is not None))

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

    def size(self, n: Tensor) -> Tensor:
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


def is_fire(module: nn.Module) -> bool:
    """Whether it is SqueezeNet's building block; told by its parts, because torchvision takes seconds to import."""
    return hasattr(module, "expand3x3")
