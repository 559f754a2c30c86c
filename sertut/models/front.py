"""The front: convolutions over the spectrogram, one for all families that are compared on real voices.

    features (B, T, F) -> two channels -> four convolutions -> cells (B, C, F', T') -> states (B, T', D), T' = T / 8

What attends comes after it, and there the networks differ. A state stands every 80 ms and sees a third of a second.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sertut.attention.maps import Clock
from sertut.errors import SertutError
from sertut.models.layers import MaskedNorm, MaskedNorm2d
from sertut.signals import WINDOW_SECONDS

LAYERS = ((5, (2, 1)), (3, (2, 2)), (3, (2, 1)), (3, (1, 2)))
"""Kernel, and stride in (frequency, time), of each convolution; a frame of the first is two of the features."""
STEP = 8
"""Feature frames from one state to the next."""


class Front(nn.Module):
    """From a table of features to states.

    The first channel is the table as it is, normalized over train: how high and loud this voice is. The second is
    relative to the clip: what changes within it. Each convolution is normalized over the real cells of a batch.

    Args:
        n_features: F, mel bands; a :class:`SertutError` if a table has other columns. n_states: D, columns of a state.
        width: W; the convolutions have W, 2 W, 3 W and 4 W channels.
    """

    def __init__(self, n_features: int = 64, width: int = 16, n_states: int = 96) -> None:
        super().__init__()
        sizes = [2, width, 2 * width, 3 * width, 4 * width]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False)
            for n_in, n_out, (kernel, stride) in zip(sizes, sizes[1:], LAYERS, strict=False)
        )
        self.norms = nn.ModuleList(MaskedNorm2d(n_out) for n_out in sizes[1:])
        self.dropout = nn.Dropout2d(0.05)  # of whole channels
        self.n_features = n_rows = n_features
        for _, (stride, _) in LAYERS:
            n_rows = -(-n_rows // stride)
        self.n_channels, self.n_rows, self.n_states = sizes[-1], n_rows, n_states
        self.project = nn.Linear(n_rows * sizes[-1], n_states, bias=False)  # which row speaks is told apart
        self.norm = MaskedNorm(n_states)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, T', D) of `features` (B, T, F) under `mask` (B, T), and their mask (B, T'); T' = ceil(T / 8)."""
        cells, mask = self.cells(features, mask)
        return self.states(cells, mask), mask

    def states(self, cells: Tensor, mask: Tensor, shares: Tensor | None = None) -> Tensor:
        """States (B, T', D) of `cells` (B, C, F', T') under their mask (B, T').

        Args:
            shares: (B, T', F'), what each row counts in its column; they add up to 1. By default all count alike.
        """
        columns = cells.permute(0, 3, 2, 1)  # (B, T', F', C)
        if shares is not None:
            columns = columns * (self.n_rows * shares).unsqueeze(-1)
        return torch.relu(self.norm(self.project(columns.flatten(2)), mask))

    def cells(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the convolutions make of it: (B, C, F', T'), zero on padding, and the mask (B, T')."""
        if features.shape[-1] != self.n_features:
            raise SertutError(
                f"the front reads {self.n_features} mel bands, but got {features.shape[-1]} columns; train with"
                " feature='log_mel'."
            )
        cells, mask = two_channels(features, mask)
        for convolve, norm, (_, (_, stride)) in zip(self.convolutions, self.norms, LAYERS, strict=True):
            mask = mask[:, ::stride]
            cells = self.dropout(norm(convolve(cells), mask))
        return cells, mask


def two_channels(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of frames, as they are and relative to their clip: (B, 2, F, T / 2), zero on padding, and (B, T / 2)."""
    real = mask.unsqueeze(-1).to(features.dtype)  # (B, T, 1)
    odd = features.shape[1] % 2
    values, real = (pad(x, (0, 0, 0, odd)).unflatten(1, (-1, 2)).sum(2) for x in (features * real, real))
    values = values / real.clamp(min=1)  # (B, T / 2, F)
    mask = real.squeeze(-1) > 0
    n = mask.sum(1).clamp(min=1)[:, None, None]
    mean = values.sum(1, keepdim=True) / n
    changes = (values - mean) * mask.unsqueeze(-1)
    deviation = (changes.square().sum(1, keepdim=True) / n).sqrt()
    cells = torch.stack([values, changes / (deviation + 0.2)], dim=1)  # 0.2: of a silent band nothing is made
    # The channels of a cell lie together in memory, which makes padded batches a third faster on a CPU.
    return cells.transpose(2, 3).contiguous(memory_format=torch.channels_last), mask


def front_clock(hop: float) -> Clock:
    """Seconds of the states of features whose frames are `hop` apart: state u is centered between 8 u and 8 u + 1."""
    return Clock(hop=hop * STEP, start=WINDOW_SECONDS / 2 + hop / 2 - hop * STEP / 2)
