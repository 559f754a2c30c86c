"""Soft attention pooling: one learned question, asked of every frame (after Desai, Cao & Shah, arXiv 2203.03428).

The abstract says that attention in a recurrent network finds the regions of interest; the equations below are our
reconstruction. Shapes: B clips, T frames, H features a frame, A attention units, C emotions.
"""

import torch
from torch import Tensor, nn

from sertut.attention.softmax import masked_softmax


class AttentionPooling(nn.Module):
    r"""Weigh the frames, then add them up.

    .. math::
        e_t = u^\top \tanh(W h_t + b), \qquad
        \alpha = \operatorname{softmax}(e), \qquad
        c = \sum_t \alpha_t h_t

    with :math:`W` (A, H), :math:`b, u` (A,). Source: reconstruction, after Desai et al.
    """

    def __init__(self, n_features: int, n_units: int = 64) -> None:
        super().__init__()
        self.project = nn.Linear(n_features, n_units)  # W, b
        self.score = nn.Linear(n_units, 1, bias=False)  # u; a bias here would be lost in the softmax

    def weights(self, states: Tensor, mask: Tensor) -> Tensor:
        """Attention weights (B, T) of `states` (B, T, H): sum 1 over real frames, 0 on padding."""
        scores = self.score(torch.tanh(self.project(states))).squeeze(-1)  # (B, T)
        return masked_softmax(scores, mask)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pool `states` (B, T, H) under `mask` (B, T) to a vector (B, H); also return the weights (B, T)."""
        weights = self.weights(states, mask)
        return (weights.unsqueeze(1) @ states).squeeze(1), weights


class MixturePooling(nn.Module):
    r"""Let every frame say how the speaker feels, then mix what the frames said.

    .. math::
        q_t = \operatorname{softmax}(V h_t + a), \qquad
        p = \sum_t \alpha_t q_t, \qquad
        \log p_y = \operatorname{logsumexp}_t (\log \alpha_t + \log q_{t,y})

    with :math:`V` (C, H), :math:`a` (C,) and :math:`\alpha` as in :class:`AttentionPooling`. It takes the claim that an
    utterance can be read as a mixture of emotions literally. Source: reconstruction, after Desai et al.
    """

    def __init__(self, n_features: int, n_classes: int, n_units: int = 64) -> None:
        super().__init__()
        self.attend = AttentionPooling(n_features, n_units)
        self.classify = nn.Linear(n_features, n_classes)  # V, a

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pool `states` (B, T, H) to log p (B, C), which are valid logits; also return the weights (B, T)."""
        weights = self.attend.weights(states, mask)
        said = torch.log_softmax(self.classify(states), dim=-1)  # log q, what each frame says alone: (B, T, C)
        log_weights = weights.clamp(min=torch.finfo(weights.dtype).tiny).log()
        log_weights = log_weights.masked_fill(~mask, -torch.inf)  # (B, T)
        return torch.logsumexp(log_weights.unsqueeze(-1) + said, dim=1), weights


def deviation(states: Tensor, weights: Tensor) -> Tensor:
    r"""How much the states differ among themselves where they are looked at, :math:`\sqrt{E[h^2] - E[h]^2}`.

    From states (B, T, H) and weights (B, K, T), K distributions over T, to (B, K, H). Source: attentive statistics
    pooling, Okabe et al., arXiv 1803.10963.
    """
    weights = weights.to(states.dtype)
    return (weights @ states.square() - (weights @ states).square()).clamp(min=1e-5).sqrt()


def uniform(mask: Tensor) -> Tensor:
    """The same weight for every real step of `mask` (B, T), under which attention is mean pooling; (B, T)."""
    return mask / mask.sum(dim=1, keepdim=True)


def mean_pooling(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real frames: (B, T, H) under (B, T) to (B, H)."""
    return (states * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def max_pooling(states: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the real frames: (B, T, H) under (B, T) to (B, H)."""
    return states.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(dim=1)


def last_state(states: Tensor, mask: Tensor) -> Tensor:
    """Where each direction of a bidirectional LSTM ends: forward at the last real frame, backward at the first.

    From (B, T, 2 N) under (B, T) to (B, 2 N).
    """
    forward, backward = states.chunk(2, dim=-1)
    end = (mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, forward.shape[-1])
    return torch.cat([forward.gather(1, end).squeeze(1), backward[:, 0]], dim=-1)


PLAIN = {"last": last_state, "mean": mean_pooling, "max": max_pooling}
"""Poolings that have nothing to learn."""
