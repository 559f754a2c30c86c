"""Focus-Attention: a Gaussian window for each head and query, laid over the scores before the softmax.

Source: earlier code of the first author of Kim, An & Kim (arXiv 2208.10491), which takes the form from You et al., ACL
2019 (P19-1205); whether the paper's is the same is not known. Ours, "after Kim et al.": centers and widths count in the
clip's real frames, the width has a floor, all parameters train. Shapes: B clips, T frames, L of them real, D features,
H heads, d = D / H.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sertut.errors import SertutError, must_be_known

CENTERS = ("learned", "loudest")
NARROWEST = 1.0  # frames; added to every width, because a width of 0 divides by zero


class Focus(nn.Module):
    r"""Where each query of each head should look, and how widely.

    .. math::
        \Phi = \tanh(Q W_1 + g W_2), \qquad
        P^h = L \, \sigma(\Phi^h \cdot u_p^h), \qquad
        Z^h = L \, \sigma(\Phi^h \cdot u_z^h) + \varepsilon, \qquad
        G^h_{ij} = -2 \frac{(j - P^h_i)^2}{(Z^h_i)^2}

    with Q the queries (T, D) and g (D,) their mean over the real frames, :math:`W_1, W_2` (D, D) with biases,
    :math:`u_p, u_z` (H, d), centers P and widths Z in frames, and :math:`\varepsilon` one frame.
    :math:`e^G` is a Gaussian of standard deviation Z / 2. Since :math:`\sigma(0) = 1/2`, training starts from a wide
    window on the **middle** of the clip.

    Nothing in this formula reads the amplitude. For the abstract's other reading, "the largest amplitude of the
    segment", ``center="loudest"`` puts P on the loudest real frame, for every head and query, and learns Z only.

    Args:
        n_features: D. n_heads: H. center: "learned" or "loudest".

    Source: earlier code, after Kim et al.; "loudest" is our reconstruction.
    """

    def __init__(self, n_features: int, n_heads: int, center: str = "learned") -> None:
        super().__init__()
        must_be_known("focus", center, CENTERS)
        self.center, self.n_heads = center, n_heads
        self.local = nn.Linear(n_features, n_features)  # W_1
        self.overall = nn.Linear(n_features, n_features)  # W_2
        shape = (n_heads, n_features // n_heads)
        self.to_center = nn.Parameter(torch.empty(shape)) if center == "learned" else None  # u_p
        self.to_width = nn.Parameter(torch.empty(shape))  # u_z
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.local.reset_parameters()
        self.overall.reset_parameters()
        for vector in (self.to_center, self.to_width):
            if vector is not None:
                nn.init.xavier_uniform_(vector)

    def forward(self, queries: Tensor, mask: Tensor, level: Tensor | None = None) -> Tensor:
        """The bias G (B, H, T, T) of `queries` (B, T, D); other arguments as in :meth:`window`."""
        center, width = self.window(queries, mask, level)
        return gaussian_bias(center, width)

    def window(self, queries: Tensor, mask: Tensor, level: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Centers P and widths Z, frames, (B, H, T) each; those of padded queries mean nothing.

        Args:
            queries: (B, T, D), before they are split into heads. mask: (B, T).
            level: (B, T), rises with loudness; a :class:`SertutError` if center "loudest" has none.
        """
        length = mask.sum(dim=1)[:, None, None]  # L: (B, 1, 1)
        mean = (queries * mask.unsqueeze(-1)).sum(dim=1, keepdim=True) / length  # g: (B, 1, D)
        state = torch.tanh(self.local(queries) + self.overall(mean))  # Phi: (B, T, D)
        state = state.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, T, d)
        width = length * torch.sigmoid(_dot(state, self.to_width)) + NARROWEST  # (B, H, T)
        if self.to_center is not None:
            return length * torch.sigmoid(_dot(state, self.to_center)), width
        if level is None:
            raise SertutError("a focus on the loudest frame needs the level of every frame; pass level=.")
        loudest = level.masked_fill(~mask, -torch.inf).argmax(dim=1)  # (B,)
        return loudest[:, None, None].to(width.dtype).expand_as(width), width


def gaussian_bias(center: Tensor, width: Tensor) -> Tensor:
    """G = -2 (j - center)^2 / width^2 for all keys j, (B, H, T, T), queries then keys.

    Of `center` and `width` (B, H, T), frames; an infinite width gives 0, which is plain attention.
    """
    keys = torch.arange(center.shape[-1], device=center.device, dtype=center.dtype)
    return -2 * ((keys - center.unsqueeze(-1)) / width.unsqueeze(-1)) ** 2


def _dot(state: Tensor, vector: Tensor) -> Tensor:
    """(B, H, T, d) and (H, d) to (B, H, T); at least single precision, because half a frame matters in a long clip."""
    result = torch.einsum("bhtd,hd->bht", state, vector)
    return result.to(torch.promote_types(result.dtype, torch.float32))
