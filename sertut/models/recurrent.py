"""A recurrent network, and five ways to make one vector of its many states.

    features (B, T, F) -> front -> LSTM, both directions -> states (B, T', H)
    states -> pooling: last | mean | max | attention | mixture -> logits (B, C)

With ``pooling="attention"`` or ``"mixture"`` it is our reconstruction "after Desai, Cao & Shah" (arXiv 2203.03428); the
other three are the baselines.
"""

import torch
from torch import nn

from sertut.attention.maps import AttentionMap
from sertut.models.base import Network, Output
from sertut.models.front import Front, front_clock
from sertut.models.layers import VOICE, Convolutions, Encoder, states_clock
from sertut.models.readout import Readout
from sertut.signals import Batch


class AttentiveLSTM(Network):
    """LSTM with a choice of pooling.

    Args:
        n_features: F, columns of the feature table (64 for log-mel).
        n_classes: C, number of emotions.
        n_hidden: width of the LSTM in each direction; H = 2 * n_hidden.
        n_channels: width of the convolutions before it.
        pooling: one of :data:`~sertut.models.readout.POOLINGS`, or a module (:class:`~sertut.models.readout.Readout`).
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

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """States (B, T', H), T' = ceil(T / 4) or, behind a :class:`~sertut.models.front.Front`, ceil(T / 8); mask."""
        return self.encoder(batch.features, batch.mask)
