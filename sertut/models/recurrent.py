"""A recurrent network, and five ways to make one vector of its many states.

    features (B, T, F) -> convolutions, 4 x fewer frames -> LSTM, both directions -> states (B, T', H)
    states -> pooling: last | mean | max | attention | mixture -> logits (B, C)

With ``pooling="attention"`` or ``"mixture"`` it is our reconstruction "after Desai, Cao & Shah" (arXiv 2203.03428); the
other three are the baselines.
"""

import torch
from torch import nn

from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.pooling import AttentionPooling, MixturePooling, max_pooling, mean_pooling
from sertut.errors import unknown
from sertut.models.base import Network, Output
from sertut.models.layers import BiLSTM, MaskedConv
from sertut.signals import WINDOW_SECONDS, Batch

REDUCTION = 4  # feature frames a state
POOLINGS = ("last", "mean", "max", "attention", "mixture")


class AttentiveLSTM(Network):
    """LSTM with a choice of pooling.

    Args:
        n_features: F, columns of the feature table (64 for log-mel).
        n_classes: C, number of emotions.
        n_hidden: width of the LSTM in each direction; H = 2 * n_hidden.
        n_channels: width of the convolutions before it.
        pooling: one of :data:`POOLINGS`.
        dropout: share of values set to zero in training, before the LSTM and before the classifier.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_hidden: int = 64,
        n_channels: int = 64,
        pooling: str = "attention",
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise unknown("pooling", pooling, POOLINGS)
        self.pooling = pooling
        self.front = nn.ModuleList(
            [
                MaskedConv(n_features, n_channels, kernel=5, stride=2),
                MaskedConv(n_channels, n_channels, kernel=5, stride=2),
            ]
        )
        self.dropout = nn.Dropout(dropout)
        self.lstm = BiLSTM(n_channels, n_hidden)
        if pooling == "attention":
            self.attend = AttentionPooling(2 * n_hidden)
        elif pooling == "mixture":
            self.mix = MixturePooling(2 * n_hidden, n_classes)
        if pooling != "mixture":
            self.classify = nn.Linear(2 * n_hidden, n_classes)

    def forward(self, batch: Batch) -> Output:
        """Logits (B, C) and, for "attention" and "mixture", the map "attention" with axes ("time",)."""
        states, mask = self.encode(batch)  # (B, T', H), (B, T')
        weights = None
        if self.pooling == "mixture":
            logits, weights = self.mix(self.dropout(states), mask)
        else:
            if self.pooling == "attention":
                pooled, weights = self.attend(states, mask)
            elif self.pooling == "mean":
                pooled = mean_pooling(states, mask)
            elif self.pooling == "max":
                pooled = max_pooling(states, mask)
            else:
                pooled = last_state(states, mask)
            logits = self.classify(self.dropout(pooled))
        if weights is None:
            return Output(logits)
        return Output(logits, {"attention": AttentionMap(weights, ("time",), mask, {"time": self.clock(batch.hop)})})

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """States (B, T', H) of the LSTM, T' = ceil(T / 4), and their mask (B, T')."""
        hidden, mask = batch.features, batch.mask
        for layer in self.front:
            hidden, mask = layer(hidden, mask)
        return self.lstm(self.dropout(hidden), mask), mask

    def clock(self, hop: float) -> Clock:
        """Seconds of the states: step u is centered on feature frame 4 u."""
        step = hop * REDUCTION
        return Clock(hop=step, start=WINDOW_SECONDS / 2 - step / 2)


def last_state(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Where each direction of a bidirectional LSTM ends: forward at the last real frame, backward at the first.

    Args:
        states: (B, T, 2 N). mask: (B, T).

    Returns:
        (B, 2 N).
    """
    forward, backward = states.chunk(2, dim=-1)
    end = (mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, forward.shape[-1])
    return torch.cat([forward.gather(1, end).squeeze(1), backward[:, 0]], dim=-1)
