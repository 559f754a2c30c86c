"""The softmax under every mechanism of this book: a distribution over the real frames, exactly 0 on padding."""

import torch
from torch import Tensor


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    r"""Softmax over the positions of the last axis where `mask` is True.

    .. math:: \alpha_t = \frac{m_t \exp(e_t)}{\sum_s m_s \exp(e_s)}

    From scores (..., T) under a mask that can be broadcast to them, to weights (..., T); a row without any True is all
    0, never NaN.
    """
    weights = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1)
    return weights.masked_fill(~mask, 0.0)
