"""The softmax under every mechanism of this book: a distribution over the real frames, exactly 0 on padding."""

import torch


def masked_softmax(scores: torch.Tensor, mask: torch.Tensor, dim: int = -1) -> torch.Tensor:
    r"""Softmax over the positions where `mask` is True.

    .. math:: \alpha_t = \frac{m_t \exp(e_t)}{\sum_s m_s \exp(e_s)}

    Args:
        scores: any shape.
        mask: bool, broadcastable to `scores`; at least one True along `dim` for each row that matters.
        dim: the axis that sums to 1.

    Returns:
        the shape of `scores`; a row without any True is all 0, never NaN.
    """
    weights = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=dim)
    return weights.masked_fill(~mask, 0.0)
