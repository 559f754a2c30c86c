"""The last step of a recurrent network: from its many states to one decision, in seven ways, or in the reader's own."""

import torch
from torch import nn

from sertut.attention.perception import PerceptionAttention
from sertut.attention.pooling import (
    AttentionPooling,
    MixturePooling,
    deviation,
    last_state,
    max_pooling,
    mean_pooling,
    uniform,
)
from sertut.errors import must_be_known

POOLINGS = ("last", "mean", "max", "attention", "mixture")
EMBEDDINGS = ("perception", "one embedding")
PLAIN = {"last": last_state, "mean": mean_pooling, "max": max_pooling}
"""Poolings that have nothing to learn."""


class Readout(nn.Module):
    """Pool the states, and classify what comes of it.

    Args:
        pooling: one of :data:`POOLINGS`, or of :data:`EMBEDDINGS`: perception attention with an embedding for each
            emotion, or with one for all. Or a module: states (B, T, H) and mask (B, T) to a vector (B, H) and weights
            (B, T), or None for the weights.
        n_features: H, width of a state. n_classes: C, number of emotions.
        dropout: share of values set to zero in training, before the classifier.
        spread: the classifier also reads how much the states differ where they are looked at; not for "last", "max" and
            "mixture".
    """

    def __init__(
        self, pooling: str | nn.Module, n_features: int, n_classes: int, dropout: float, spread: bool = False
    ) -> None:
        super().__init__()
        own = pooling if isinstance(pooling, nn.Module) else None
        if own is None:
            must_be_known("pooling", pooling, (*POOLINGS, *EMBEDDINGS))
        self.pooling, self.dropout = pooling if isinstance(pooling, str) else "own", nn.Dropout(dropout)
        if pooling in EMBEDDINGS:
            self.perceive = PerceptionAttention(n_features, n_classes, shared=pooling == "one embedding", spread=spread)
        elif pooling == "mixture":
            self.mix = MixturePooling(n_features, n_classes)
        else:
            self.attend = AttentionPooling(n_features) if pooling == "attention" else own
            self.spread = spread and pooling not in ("last", "max")
            self.classify = nn.Linear((1 + self.spread) * n_features, n_classes)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits (B, C) of states (B, T, H) under `mask` (B, T), and weights: (B, T), (B, C, T), or None."""
        if self.pooling in EMBEDDINGS:
            return self.perceive(self.dropout(states), mask)
        if self.pooling == "mixture":
            return self.mix(self.dropout(states), mask)
        if self.attend is not None:
            pooled, weights = self.attend(states, mask)
        else:
            pooled, weights = PLAIN[self.pooling](states, mask), None
        if self.spread:
            looked = uniform(mask) if weights is None else weights
            pooled = torch.cat([pooled, deviation(states, looked.unsqueeze(1)).squeeze(1)], dim=1)
        return self.classify(self.dropout(pooled)), weights
