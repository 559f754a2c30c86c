"""A recurrent network, and five ways to make one vector of its many states.

    features (B, T, F) -> front -> LSTM, both directions -> states (B, T', H)
    states -> pooling: last | mean | max | attention | mixture -> logits (B, C)

With ``pooling="attention"`` or ``"mixture"`` it is our reconstruction "after Desai, Cao & Shah" (arXiv 2203.03428); the
other three are the baselines.
"""

import torch
from torch import Tensor, nn

from sertut.attention.maps import AttentionMap
from sertut.attention.perception import PerceptionAttention
from sertut.attention.pooling import PLAIN, AttentionPooling, MixturePooling, deviation, uniform
from sertut.errors import must_be_known
from sertut.models.base import Network, Output
from sertut.models.front import Front, front_clock
from sertut.models.layers import VOICE, Convolutions, Encoder, states_clock
from sertut.signals import Batch

POOLINGS = (*PLAIN, "attention", "mixture")
EMBEDDINGS = ("perception", "one embedding")


class Readout(nn.Module):
    """From many states to one decision: pool the states, and classify what comes of it.

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

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
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


class AttentiveLSTM(Network):
    """LSTM with a choice of pooling.

    Args:
        n_features: F, columns of the feature table (64 for log-mel).
        n_classes: C, number of emotions.
        n_hidden: width of the LSTM in each direction; H = 2 * n_hidden.
        n_channels: width of the convolutions before it.
        pooling: one of :data:`POOLINGS`, or a module (:class:`Readout`).
        dropout: share of values set to zero in training, before the LSTM and before the classifier.
        front: W, width of the :class:`~sertut.models.front.Front` that it hears through, whose states the LSTM's are
            added to, and whose mean and spread are both read; 0 hears through convolutions over time alone, 4 x fewer
            frames.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_hidden: int = 64,
        n_channels: int = 64,
        pooling: str | nn.Module = "attention",
        dropout: float = 0.3,
        front: int = 0,
    ) -> None:
        super().__init__()
        width = 2 * n_hidden
        if front:
            self.encoder = Encoder(Front(n_features, front, width), width, n_hidden, dropout, added=True)
        else:
            self.encoder = Encoder(Convolutions(n_features, n_channels, VOICE), n_channels, n_hidden, dropout)
        self.clock = front_clock if front else states_clock
        self.pool = Readout(pooling, width, n_classes, dropout, spread=front > 0)

    def forward(self, batch: Batch) -> Output:
        """Logits (B, C) and, for "attention" and "mixture", the map "attention" with axes ("time",)."""
        states, mask = self.encode(batch)
        logits, weights = self.pool(states, mask)
        if weights is None:
            return Output(logits)
        return Output(logits, {"attention": AttentionMap(weights, ("time",), mask, {"time": self.clock(batch.hop)})})

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """States (B, T', H), T' = ceil(T / 4) or, behind a :class:`~sertut.models.front.Front`, ceil(T / 8); mask."""
        return self.encoder(batch.features, batch.mask)
