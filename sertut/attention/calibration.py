"""Calibration-Attention: how much each head counts, clip by clip (a head gate after Kim, An & Kim, arXiv 2208.10491).

The abstract says that each head gets a weight of its own; the equation is not known to us. Ours is
squeeze-and-excitation (Hu et al., arXiv 1709.01507) over heads instead of channels. Shapes: B clips, H heads, T frames,
L of them real, d features a head, r hidden units.
"""

import torch
from torch import Tensor, nn

OPEN = 2.0  # b_b at the start: gates near 0.88, so that training starts near plain attention
AWAKE = 1.0  # b_a at the start: with 0, hidden units are often off for every clip, and their weights never train
TINY = 1e-8  # under the root, whose slope at 0 is infinite


class HeadGate(nn.Module):
    r"""Summarize each head in one number, and let all of these decide what each head is worth.

    .. math::
        s_h = \sqrt{\frac{1}{L d} \sum_{i=1}^{L} \sum_{k=1}^{d} (O^h_{ik})^2}, \qquad
        w = \sigma(W_b \operatorname{relu}(W_a s + b_a) + b_b), \qquad
        O^h \to w_h O^h

    with :math:`W_a` (r, H), :math:`W_b` (H, r), r = max(1, H // 2); :math:`b_a` starts at 1, :math:`b_b` at 2. The
    summary is how *much* the head found, its root mean square. The plain mean, as in squeeze-and-excitation, is nearly
    zero before training, because what attention adds up has no preferred sign yet: the gates then start from nothing
    that differs between clips.

    Source: reconstruction, after Kim et al.
    """

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        n_hidden = max(1, n_heads // 2)
        self.squeeze = nn.Linear(n_heads, n_hidden)  # W_a, b_a
        self.excite = nn.Linear(n_hidden, n_heads)  # W_b, b_b
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for layer, bias in ((self.squeeze, AWAKE), (self.excite, OPEN)):
            layer.reset_parameters()
            nn.init.constant_(layer.bias, bias)

    def forward(self, heads: Tensor, mask: Tensor) -> Tensor:
        """Gates w (B, H), each in (0, 1), of what the heads found, `heads` (B, H, T, d), under `mask` (B, T)."""
        squares = heads.to(torch.promote_types(heads.dtype, torch.float32)).square() * mask[:, None, :, None]
        length = mask.sum(dim=1).unsqueeze(1)  # (B, 1)
        summary = squares.sum(dim=(2, 3)) / (length * heads.shape[-1])  # s squared: (B, H)
        summary = (summary + TINY).sqrt()
        return torch.sigmoid(self.excite(torch.relu(self.squeeze(summary))))
