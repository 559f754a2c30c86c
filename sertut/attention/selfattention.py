"""Multi-head self-attention: every frame asks every other frame, several questions at a time.

Plain, it is that of Vaswani et al. (arXiv 1706.03762). Two switches, alone or together, make it ours "after Kim, An &
Kim" (arXiv 2208.10491): a bias before the softmax (:mod:`sertut.attention.focus`), and a gate for each head after it
(:mod:`sertut.attention.calibration`). Shapes: B clips, T frames, D features a frame, H heads, d = D / H.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, scaled_dot_product_attention

from sertut.attention.calibration import HeadGate
from sertut.attention.focus import Focus
from sertut.attention.softmax import masked_softmax
from sertut.errors import SertutError


class MultiHeadAttention(nn.Module):
    r"""Each head compares queries with keys, and adds up the values of what it finds.

    .. math::
        Q, K, V = X W_Q, X W_K, X W_V \ \text{(split into H heads)}, \qquad
        A^h = \operatorname{softmax}\Big(\frac{Q^h {K^h}^\top}{\sqrt d} + G^h\Big), \qquad
        Y = \operatorname{Concat}_h(w_h A^h V^h) \, W_O

    with :math:`W_Q, W_K, W_V, W_O` (D, D) with biases; G is 0 without focus, w is 1 without calibration.

    Args:
        n_features: D; a :class:`SertutError` if it is not divisible by H. n_heads: H.
        focus: None, "learned" or "loudest": see :class:`~sertut.attention.focus.Focus`.
        calibrate: weigh the heads: see :class:`~sertut.attention.calibration.HeadGate`.
        dropout: share of the weights set to zero in training.
    """

    def __init__(
        self, n_features: int, n_heads: int = 4, focus: str | None = None, calibrate: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if n_features % n_heads:
            raise SertutError(f"{n_features} features cannot be shared by {n_heads} heads; choose a multiple.")
        self.n_heads, self.dropout = n_heads, dropout
        self.query = nn.Linear(n_features, n_features)  # W_Q
        self.key = nn.Linear(n_features, n_features)  # W_K
        self.value = nn.Linear(n_features, n_features)  # W_V
        self.join = nn.Linear(n_features, n_features)  # W_O
        self.focus = Focus(n_features, n_heads, focus) if focus else None
        self.gate = HeadGate(n_heads) if calibrate else None

    def forward(
        self, states: Tensor, mask: Tensor, level: Tensor | None = None, maps: bool = True
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Attend over `states` (B, T, D) under `mask` (B, T).

        Args:
            level: (B, T), how loud each frame is, in any unit that rises with it; for focus "loudest" only.
            maps: False takes the fast path, which never holds the weights.

        Returns:
            result (B, T, D), 0 on padding; weights (B, H, T, T), each real query a distribution over real keys, 0 else,
            or None without `maps`; gates (B, H) or None without calibration.
        """
        queries = self.query(states)  # (B, T, D)
        bias = None if self.focus is None else self.focus(queries, mask, level)  # (B, H, T, T)
        Q, K, V = (self.split(values) for values in (queries, self.key(states), self.value(states)))  # (B, H, T, d)
        rate = self.dropout if self.training else 0.0
        keys = mask[:, None, None, :]  # (B, 1, 1, T)
        if maps:
            scores = Q @ K.transpose(2, 3) / math.sqrt(Q.shape[-1])  # (B, H, T, T)
            weights = masked_softmax(scores if bias is None else scores + bias, keys)
            weights = weights * mask[:, None, :, None]  # a padded query asks nothing
            heads = dropout(weights, rate) @ V  # (B, H, T, d)
        else:
            weights = None
            allowed = keys if bias is None else bias.masked_fill(~keys, -torch.inf)
            heads = scaled_dot_product_attention(Q, K, V, attn_mask=allowed, dropout_p=rate)
        gates = None if self.gate is None else self.gate(heads, mask)  # (B, H)
        if gates is not None:
            heads = gates[:, :, None, None] * heads
        result = self.join(heads.transpose(1, 2).flatten(2))  # (B, T, D)
        return result * mask.unsqueeze(-1), weights, gates

    def split(self, values: Tensor) -> Tensor:
        """(B, T, D) to (B, H, T, d): head h has the features from h d to (h + 1) d."""
        return values.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
