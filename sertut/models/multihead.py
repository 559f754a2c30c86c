"""Multi-head self-attention over convolutions, with Focus- and Calibration-Attention to switch on and off.

    features (B, T, F + 1) -> convolutions, 4 x fewer frames -> + position -> attention blocks -> mean -> logits (B, C)

The two switches are "after Kim, An & Kim" (arXiv 2208.10491); the network around them is our reconstruction.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d

from sertut.attention.maps import AttentionMap
from sertut.attention.pooling import deviation, mean_pooling, uniform
from sertut.attention.selfattention import MultiHeadAttention
from sertut.errors import SertutError
from sertut.models.base import Network, Output
from sertut.models.front import STEP, Front, front_clock
from sertut.models.layers import REDUCTION, VOICE, Convolutions, states_clock
from sertut.signals import Batch

POSITION = 0.3  # size of the position's sines beside states of about 1


class Block(nn.Module):
    """States plus what attention adds to them."""

    def __init__(self, n_hidden: int, n_heads: int, focus: str | None, calibrate: bool, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(n_hidden)
        self.attend = MultiHeadAttention(n_hidden, n_heads, focus, calibrate, dropout)

    def forward(
        self, states: Tensor, mask: Tensor, level: Tensor, maps: bool
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """States (B, T', D), and weights and gates of :class:`~sertut.attention.selfattention.MultiHeadAttention`."""
        found, weights, gates = self.attend(self.norm(states), mask, level, maps)
        return states + found, weights, gates


class MultiHead(Network):
    """Convolutions, then multi-head self-attention, then the mean over time.

    Since the mean gives every query the same say, the attention that a frame receives is the say of its value.

    Args:
        n_features: F, columns of the feature table without its last one, the level. The convolutions read these; the
            level tells the focus "loudest" where to look, and nothing else reads it.
        n_classes: C, number of emotions.
        n_hidden: D, width of the states. n_heads: H.
        focus: None, "learned" or "loudest": see :class:`~sertut.attention.focus.Focus`.
        calibrate: gate the heads: see :class:`~sertut.attention.calibration.HeadGate`.
        n_blocks: attention layers one on the other; the map is that of the last. 0 leaves the mean of the convolutions.
        dropout: share of values, and of attention weights, set to zero in training.
        front: W, width of the :class:`~sertut.models.front.Front` that it hears through, whose mean and spread are both
            read; 0 hears through convolutions over time alone, 4 x fewer frames.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_hidden: int = 64,
        n_heads: int = 4,
        focus: str | None = None,
        calibrate: bool = False,
        n_blocks: int = 1,
        dropout: float = 0.3,
        front: int = 0,
    ) -> None:
        super().__init__()
        self.n_features = n_features
        self.front: nn.Module
        if front:
            self.front, self.clock, self.step = Front(n_features, front, n_hidden), front_clock, STEP
        else:  # a state sees half a second, about a word
            self.front = Convolutions(n_features, n_hidden, (*VOICE, (9, 1)))
            self.clock, self.step = states_clock, REDUCTION
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([Block(n_hidden, n_heads, focus, calibrate, dropout) for _ in range(n_blocks)])
        self.spread = front > 0
        self.classify = nn.Linear((1 + self.spread) * n_hidden, n_classes)

    def forward(self, batch: Batch, maps: bool | None = None) -> Output:
        """Logits (B, C) and the map "attention" with axes ("head", "query", "time"), with gates if there are any.

        Args:
            maps: False takes the fast path and returns no map; by default there are maps except in training.
        """
        wanted = not self.training if maps is None else maps
        states, mask, level = self.encode(batch)
        weights = gates = None
        for block in self.blocks:
            states, weights, gates = block(states, mask, level, wanted)
        pooled = mean_pooling(states, mask)
        if self.spread:
            pooled = torch.cat([pooled, deviation(states, uniform(mask).unsqueeze(1)).squeeze(1)], dim=1)
        logits = self.classify(self.dropout(pooled))
        if weights is None:
            return Output(logits)
        clock = self.clock(batch.hop)
        clocks = {"query": clock, "time": clock}
        return Output(logits, {"attention": AttentionMap(weights, ("head", "query", "time"), mask, clocks, gates)})

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """What the first block reads: states (B, T', D), T' = ceil(T / step), their mask and level, (B, T') each."""
        if batch.features.shape[-1] != self.n_features + 1:
            raise SertutError(
                f"the network reads {self.n_features} features and the level, but got {batch.features.shape[-1]}"
                " columns; use a feature that ends in the level, such as log_mel_level."
            )
        hidden, mask = self.front(batch.features[..., :-1], batch.mask)
        states = self.dropout(hidden + positions(hidden.shape[1], hidden.shape[2], hidden.device).to(hidden))
        return states, mask, mean_level(batch.features[..., -1], batch.mask, self.step)

    @torch.no_grad()
    def windows(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Where the last block's focus looks: center and width of each head's window for each query.

        (B, H, T') each: seconds of the clip, and seconds; the window's standard deviation is half the width. A
        :class:`SertutError` if the network has no focus.
        """
        states, mask, level = self.encode(batch)
        last: Any = self.blocks[-1] if self.blocks else None
        if last is None or last.attend.focus is None:
            raise SertutError("this network has no focus; build it with focus='learned' or focus='loudest'.")
        for block in self.blocks[:-1]:
            states = block(states, mask, level, maps=False)[0]
        center, width = last.attend.focus.window(last.attend.query(last.norm(states)), mask, level)
        clock = self.clock(batch.hop)
        return clock.start + clock.hop * (center + 0.5), clock.hop * width


def positions(n: int, n_features: int, device: torch.device | str = "cpu") -> Tensor:
    r"""Sines and cosines by which a state knows when it is, shape (n, n_features); n_features is even.

    Feature k and feature k + D / 2 of step u are :math:`\sin` and :math:`\cos` of :math:`u / 10000^{2 k / D}`. Source:
    Vaswani et al., arXiv 1706.03762, section 3.5; the small factor is ours.
    """
    rates = torch.exp(-math.log(10_000.0) * torch.arange(0, n_features, 2, device=device) / n_features)
    angles = torch.arange(n, device=device)[:, None] * rates  # (n, n_features / 2)
    return POSITION * torch.cat([angles.sin(), angles.cos()], dim=1)


def mean_level(level: Tensor, mask: Tensor, step: int = REDUCTION) -> Tensor:
    """Level of each state, the mean over the real ones of the ``step + 1`` frames around frame ``step * u``: (B, T) to
    (B, T')."""
    real = mask.to(level.dtype)
    pooled = avg_pool1d(torch.stack([level * real, real], dim=1), step + 1, step, step // 2)  # (B, 2, T')
    return pooled[:, 0] / pooled[:, 1].clamp(min=1e-6)
