"""One type for every attention map, so that one set of plots and one set of scores serves all methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Clock:
    """Where the steps of an axis lie: step t covers ``start + t * hop`` to ``start + (t + 1) * hop``.

    The unit is seconds on a time axis, mel bands on a frequency axis. field: how much of the axis one step depends on
    (the receptive field, centered on the step); None if a step may depend on all of it.
    """

    hop: float
    start: float = 0.0
    field: float | None = None

    def centers(self, n: int) -> torch.Tensor:
        """Middle of each of `n` steps, shape (n,)."""
        return self.start + self.hop * (torch.arange(n) + 0.5)


@dataclass(frozen=True)
class AttentionMap:
    """Attention weights with the names of their axes and the clocks of those in seconds or mel bands.

    weights: (B, *axes); along the attended axes they sum to 1 over real positions and are exactly 0 on padding.
    axes: names after the batch axis, e.g. ("time",), ("time", "frequency"), ("head", "query", "time"),
    ("video", "time"), ("emotion", "time").
    mask: (B, T), True on real steps of the axis "time".
    clocks: axis name -> its clock.
    """

    weights: torch.Tensor
    axes: tuple[str, ...]
    mask: torch.Tensor
    clocks: Mapping[str, Clock]

    def __post_init__(self) -> None:
        if self.weights.dim() != len(self.axes) + 1:
            raise ValueError(f"weights of shape {tuple(self.weights.shape)} do not fit the axes (batch, {self.axes}).")

    def over_time(self) -> AttentionMap:
        """Project to time, shape (B, T): attention received by each time step.

        A frequency axis is summed (its weights share one distribution with time); queries and heads are averaged
        (each has a distribution of its own), queries over their real positions only.
        """
        weights, axes = self.weights, list(self.axes)
        if "frequency" in axes:
            weights = weights.sum(dim=1 + axes.index("frequency"))
            axes.remove("frequency")
        while len(axes) > 1:
            axis = next(name for name in axes if name != "time")
            dim = 1 + axes.index(axis)
            if axis == "query":  # padded queries are rows of zeros
                shape = [1] * weights.dim()
                shape[0] = len(weights)
                weights = weights.sum(dim=dim, keepdim=True) / self.mask.sum(dim=1).view(shape)
                weights = weights.squeeze(dim)
            else:
                weights = weights.mean(dim=dim)
            axes.remove(axis)
        return replace(self, weights=weights, axes=("time",), clocks={"time": self.clocks["time"]})

    def of(self, index: int) -> torch.Tensor:
        """Weights of one clip without padding along time; the other axes stay."""
        weights = self.weights[index]
        keep = self.mask[index].nonzero().squeeze(1)
        return weights.index_select(self.axes.index("time"), keep)
