"""Perception attention: every emotion asks its own question of the fused sequence (after Chao et al.).

The abstract (arXiv 1603.08321) says that seven emotion embedding vectors are added to locate the perception attention;
the equations are our reconstruction. Shapes: B clips, T steps, H features a step, K emotions, E numbers an embedding,
G attention units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sertut.attention.pooling import deviation
from sertut.attention.softmax import masked_softmax


class PerceptionAttention(nn.Module):
    r"""One embedding an emotion; each finds its own moments, and from these its own evidence.

    .. math::
        g_{kt} = r^\top \tanh(W_s s_t + R \mu_k + q), \qquad
        \beta_{k \cdot} = \operatorname{softmax}_t(g_{k \cdot}), \qquad
        c_k = \sum_t \beta_{kt} s_t, \qquad
        \text{logit}_k = o_k^\top c_k + b_k

    with :math:`s_t` (H,), :math:`\mu_k` (E,), :math:`W_s` (G, H), :math:`R` (G, E), :math:`q, r` (G,),
    :math:`o_k` (H,).

    Args:
        n_features: H. n_classes: K. n_embedding: E. n_units: G.
        shared: one embedding for all emotions, the control: they then look at the same moments.
        spread: the evidence is also how much the steps that are looked at differ, (2 H,) instead of (H,).

    Source: reconstruction, after Chao et al.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_embedding: int = 16,
        n_units: int = 32,
        shared: bool = False,
        spread: bool = False,
    ) -> None:
        super().__init__()
        self.n_classes, self.spread = n_classes, spread
        self.embeddings = nn.Parameter(torch.empty(1 if shared else n_classes, n_embedding))  # mu
        self.state = nn.Linear(n_features, n_units)  # W_s, q
        self.emotion = nn.Linear(n_embedding, n_units, bias=False)  # R
        self.score = nn.Linear(n_units, 1, bias=False)  # r; a bias here would be lost in the softmax
        self.evidence = nn.Linear((1 + spread) * n_features, n_classes)  # o, b
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        nn.init.normal_(self.embeddings)
        for layer in (self.state, self.emotion, self.score, self.evidence):
            layer.reset_parameters()

    def weights(self, states: Tensor, mask: Tensor) -> Tensor:
        """beta, (B, K, T), of `states` (B, T, H) under `mask` (B, T): each row sums to 1 over real steps."""
        asked = self.emotion(self.embeddings).unsqueeze(1)  # (K, 1, G), or (1, 1, G) if shared
        scores = self.score(torch.tanh(self.state(states).unsqueeze(1) + asked)).squeeze(-1)  # (B, K, T)
        return masked_softmax(scores, mask.unsqueeze(1)).expand(-1, self.n_classes, -1)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K) of `states` (B, T, H) under `mask` (B, T), and the weights (B, K, T)."""
        weights = self.weights(states, mask)
        contexts = weights @ states  # (B, K, H)
        if self.spread:
            contexts = torch.cat([contexts, deviation(states, weights)], dim=-1)
        return (contexts * self.evidence.weight).sum(dim=-1) + self.evidence.bias, weights
