"""One type for every attention map, so that one set of plots and one set of scores serves all methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

QUERIES = ("query", "video", "audio")
"""Axes whose steps each have a distribution of their own: those of the same stream, or of the other one."""


@dataclass(frozen=True)
class Clock:
    """Where the steps of an axis lie: step t covers ``start + t * hop`` to ``start + (t + 1) * hop``.

    The unit is seconds on a time axis, mel bands on a frequency axis. field: how much of the axis one step depends on
    (the receptive field, centered on the step); None if a step may depend on all of it.
    """

    hop: float
    start: float = 0.0
    field: float | None = None

    def centers(self, n: int) -> Tensor:
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
    stream: what the axis "time" is the time of, "voice" or "face".
    query_mask: (B, T'), True on real steps of the axis "video" or "audio", the other stream; None if there is none.
    """

    weights: Tensor
    axes: tuple[str, ...]
    mask: Tensor
    clocks: Mapping[str, Clock]
    gates: Tensor | None = None
    stream: str = "voice"
    query_mask: Tensor | None = None

    def __post_init__(self) -> None:
        if self.weights.dim() != len(self.axes) + 1:
            raise ValueError(f"weights of shape {tuple(self.weights.shape)} do not fit the axes (batch, {self.axes}).")

    def over_time(self) -> AttentionMap:
        """Project to time, shape (B, T): attention received by each time step.

        A frequency axis is summed (its weights share one distribution with time); queries and heads are averaged
        (each has a distribution of its own), queries over their real positions only, heads by their gates if they have
        any.
        """
        weights, dim = self.weights, 1
        if self.gates is not None:
            shares = self.gates / self.gates.mean(dim=1, keepdim=True)  # (B, H), mean 1
            weights = weights * shares.view(shares.shape + (1,) * (weights.dim() - 2))
        for axis in self.axes:
            if axis == "time":
                dim += 1  # it stays, and what comes after it lies behind it
            elif axis in QUERIES:  # padded queries are rows of zeros
                n = self._mask_of(axis).sum(dim=1).clamp(min=1)
                weights = weights.sum(dim=dim) / n.view(-1, *[1] * (weights.dim() - 2))
            else:
                weights = weights.sum(dim=dim) if axis == "frequency" else weights.mean(dim=dim)
        clocks = {"time": self.clocks["time"]}
        return replace(self, weights=weights, axes=("time",), clocks=clocks, gates=None, query_mask=None)

    def head(self, index: int) -> AttentionMap:
        """The map of one head, without the axis "head"."""
        if self.axes[0] != "head":
            raise ValueError(f"a map with the axes {self.axes} has no heads.")
        return replace(self, weights=self.weights[:, index], axes=self.axes[1:], gates=None)

    def emotion(self, index: int) -> AttentionMap:
        """The map of one emotion, without the axis "emotion"."""
        if self.axes[0] != "emotion":
            raise ValueError(f"a map with the axes {self.axes} has no emotions.")
        return replace(self, weights=self.weights[:, index], axes=self.axes[1:])

    def of(self, index: int) -> Tensor:
        """Weights of one clip without padding along time and queries; the other axes stay."""
        weights = self.weights[index]
        for axis, name in enumerate(self.axes):
            if name in (*QUERIES, "time"):
                weights = weights.narrow(axis, 0, _length(self._mask_of(name)[index]))
        return weights

    def alone(self, index: int) -> AttentionMap:
        """The map of one clip: batch size 1, no padding, on the CPU."""
        weights = self.of(index).float().cpu()[None]
        mask = _unpadded(self.mask, index)
        asked = None if self.query_mask is None else _unpadded(self.query_mask, index)
        gates = None if self.gates is None else self.gates[index : index + 1].float().cpu()
        return replace(self, weights=weights, mask=mask, gates=gates, query_mask=asked)

    def _mask_of(self, axis: str) -> Tensor:
        return self.query_mask if axis in QUERIES and self.query_mask is not None else self.mask


def _length(mask: Tensor) -> int:
    """Steps up to the last real one: frames without a face lie between real ones and keep their place in time."""
    return int(mask.nonzero().max()) + 1 if mask.any() else 0


def _unpadded(mask: Tensor, index: int) -> Tensor:
    return mask[index : index + 1, : _length(mask[index])].cpu()
