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
    gates: (B, H), how much each head counts, if the model weighs its heads (Calibration-Attention); None: all alike.
    """

    weights: torch.Tensor
    axes: tuple[str, ...]
    mask: torch.Tensor
    clocks: Mapping[str, Clock]
    gates: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.weights.dim() != len(self.axes) + 1:
            raise ValueError(f"weights of shape {tuple(self.weights.shape)} do not fit the axes (batch, {self.axes}).")

    def over_time(self) -> AttentionMap:
        """Project to time, shape (B, T): attention received by each time step.

        A frequency axis is summed (its weights share one distribution with time); queries and heads are averaged
        (each has a distribution of its own), queries over their real positions only, heads by their gates if they have
        any.
        """
        weights, axes = self.weights, list(self.axes)
        if self.gates is not None:
            shares = self.gates / self.gates.mean(dim=1, keepdim=True)  # (B, H), mean 1
            weights = weights * shares.view(shares.shape + (1,) * (weights.dim() - 2))
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
        return replace(self, weights=weights, axes=("time",), clocks={"time": self.clocks["time"]}, gates=None)

    def head(self, index: int) -> AttentionMap:
        """The map of one head, without the axis "head"."""
        if self.axes[0] != "head":
            raise ValueError(f"a map with the axes {self.axes} has no heads.")
        return replace(self, weights=self.weights[:, index], axes=self.axes[1:], gates=None)

    def of(self, index: int) -> torch.Tensor:
        """Weights of one clip without padding along time and queries; the other axes stay."""
        weights = self.weights[index]
        keep = self.mask[index].nonzero().squeeze(1)
        for axis in ("query", "time"):
            if axis in self.axes:
                weights = weights.index_select(self.axes.index(axis), keep)
        return weights

    def alone(self, index: int) -> AttentionMap:
        """The map of one clip: batch size 1, no padding, on the CPU."""
        weights = self.of(index).float().cpu()[None]
        mask = torch.ones(1, int(self.mask[index].sum()), dtype=torch.bool)
        gates = None if self.gates is None else self.gates[index : index + 1].float().cpu()
        return replace(self, weights=weights, mask=mask, gates=gates)
