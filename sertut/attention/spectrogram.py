"""Attention over the cells of a feature map: which time, and which frequency (after Zhang et al., arXiv 1806.01506).

The abstract says that attention finds the time-frequency regions that matter. The equations below are those of
public code after the paper, samsudinng/speech_emo_recognition (grade: earlier code); the mask is ours. Shapes: B clips,
C channels, F' rows of the map (frequency), T' columns (time), A attention units.
"""

import torch
from torch import Tensor, nn

from sertut.attention.softmax import masked_softmax


class SpectrogramAttention(nn.Module):
    r"""Weigh the cells of a feature map, then add them up.

    .. math::
        e_i = u^\top \tanh(W a_i + b), \qquad
        \alpha = \operatorname{softmax}(\lambda e), \qquad
        c = \sum_i \alpha_i a_i

    with one :math:`a_i` (C,) for each of the F' T' cells, :math:`W` (A, C), :math:`b, u` (A,). :math:`\lambda = 0` is
    mean pooling, :math:`\lambda = 1` the ordinary softmax. Since u is learned, a positive :math:`\lambda` does not
    limit what can be learned; it sets how far from mean pooling training starts, and how fast it leaves.

    Args:
        n_channels: C. n_units: A; by default C, as in that code. scale: :math:`\lambda`.

    Source: earlier code, after Zhang et al.
    """

    def __init__(self, n_channels: int, n_units: int | None = None, scale: float = 0.3) -> None:
        super().__init__()
        n_units = n_units or n_channels
        self.scale = scale
        self.project = nn.Linear(n_channels, n_units)  # W, b
        self.score = nn.Linear(n_units, 1, bias=False)  # u; a bias here would be lost in the softmax

    def weights(self, cells: Tensor, mask: Tensor) -> Tensor:
        """Attention weights (B, T', F') of `cells` (B, C, F', T'): sum 1 over real cells, 0 where `mask` is False."""
        rows = cells.permute(0, 3, 2, 1)  # (B, T', F', C)
        scores = self.score(torch.tanh(self.project(rows))).squeeze(-1)  # (B, T', F')
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))  # half precision sums to 1 too coarsely
        real = mask.unsqueeze(-1).expand_as(scores)  # all rows of a real column
        weights = masked_softmax(self.scale * scores.flatten(1), real.flatten(1))
        return weights.view(scores.shape)

    def forward(self, cells: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pool `cells` (B, C, F', T') under `mask` (B, T') of their columns to (B, C); also the weights (B, T', F')."""
        weights = self.weights(cells, mask)
        return torch.einsum("bcft,btf->bc", cells, weights.to(cells.dtype)), weights


def mean_over_cells(cells: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real cells: (B, C, F', T') under (B, T') to (B, C)."""
    columns = (cells * mask[:, None, None, :]).mean(dim=2)  # (B, C, T')
    return columns.sum(dim=2) / mask.sum(dim=1, keepdim=True)
