"""What the networks have in common; no layer lets padding touch a real frame."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d

from sertut.attention.maps import Clock
from sertut.signals import WINDOW_SECONDS, reverse

VOICE = ((5, 2), (5, 2))
"""Kernel and stride of the convolutions that make one state of four frames of the voice."""

REDUCTION = 4  # feature frames a state


def states_clock(hop: float) -> Clock:
    """Seconds of the states of a voice whose frames are `hop` seconds apart: step u is centered on frame 4 u."""
    step = hop * REDUCTION
    return Clock(hop=step, start=WINDOW_SECONDS / 2 - step / 2)


class MaskedNorm(nn.BatchNorm1d):
    """Batch normalization whose statistics come from the real frames only."""

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Normalize `values` (B, T, H) where `mask` (B, T) is True; padding becomes 0."""
        where = mask.nonzero(as_tuple=True)  # the one time that a GPU must be waited for
        if len(where[0]) == mask.numel() > 1:  # nothing to pick out
            return super().forward(values.flatten(0, 1)).view(values.shape)
        real, result = values[where], torch.zeros_like(values)
        if self.training and len(real) < 2:  # a batch without this stream has no statistics of its own
            normal = batch_norm(real, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        else:
            normal = super().forward(real)
        result[where] = normal.to(values.dtype)
        return result


class MaskedConv(nn.Module):
    """Convolution over time, normalization, ReLU; padding is zero before and after.

    Kernel sizes are odd, and step u of the result is centered on frame ``stride * u`` of the input.

    Args:
        symmetric: use the mean of each filter and its mirror image in time. What such a layer finds it finds where it
            is, neither earlier nor later.
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, symmetric: bool = False) -> None:
        super().__init__()
        self.stride, self.symmetric = stride, symmetric
        self.conv = nn.Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = MaskedNorm(n_out)

    def forward(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, n_in) and (B, T) to (B, ceil(T / stride), n_out) and its mask."""
        filters = self.conv.weight
        if self.symmetric:
            filters = (filters + filters.flip(-1)) / 2
        # As a picture of one row, whose channels lie together in memory: the same sums, sooner on a CPU.
        row = (values * mask.unsqueeze(-1)).transpose(1, 2).unsqueeze(2)  # (B, n_in, 1, T)
        row = conv2d(row, filters.unsqueeze(2), stride=(1, self.stride), padding=(0, filters.shape[2] // 2))
        values, mask = row.squeeze(2).transpose(1, 2), mask[:, :: self.stride]
        return torch.relu(self.norm(values, mask)), mask


class Convolutions(nn.ModuleList):
    """One :class:`MaskedConv` on the other, each of a kernel and a stride."""

    def __init__(self, n_in: int, n_out: int, sizes: Sequence[tuple[int, int]], symmetric: bool = False) -> None:
        super().__init__(MaskedConv(n_out if i else n_in, n_out, *size, symmetric) for i, size in enumerate(sizes))

    def forward(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, n_in) and (B, T) to (B, T', n_out) and its mask."""
        for layer in self:
            values, mask = layer(values, mask)
        # Steps lie together in memory: in this order dropout has drawn since the reference results.
        return values.transpose(1, 2).contiguous().transpose(1, 2), mask


class BiLSTM(nn.Module):
    """LSTM in both directions over clips of different lengths.

    The backward direction reads each clip reversed within its own length, so that padding always comes last and no
    state of a real frame has seen it. PyTorch's packed sequences do the same, but train several times slower on a CPU
    (benchmarks/timing.py).
    """

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.forward_lstm = nn.LSTM(n_in, n_hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(n_in, n_hidden, batch_first=True)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, T, n_in) under `mask` (B, T) to states (B, T, 2 n_hidden); states on padding mean nothing."""
        ahead, _ = self.forward_lstm(values)
        back, _ = self.backward_lstm(reverse(values, mask))
        return torch.cat([ahead, reverse(back, mask)], dim=-1)


class Encoder(nn.Module):
    """A front, then an LSTM in both directions.

    Args:
        front: from (B, T, F) and (B, T) to (B, T', n_in) and (B, T').
        added: the LSTM's states are added to what it reads (its width is then n_in), instead of taking its place.
    """

    def __init__(self, front: nn.Module, n_in: int, n_hidden: int, dropout: float, added: bool = False) -> None:
        super().__init__()
        self.front, self.added = front, added
        self.dropout = nn.Dropout(0.0 if added else dropout)  # an LSTM that is added learns too slowly with it
        self.lstm = BiLSTM(n_in, n_hidden)

    def forward(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, F) and (B, T) to states (B, T', 2 n_hidden) and their mask (B, T')."""
        values, mask = self.front(values, mask)
        states = self.lstm(self.dropout(values), mask)
        return (values + states if self.added else states), mask


class MaskedNorm2d(nn.BatchNorm2d):
    """Batch normalization of a feature map, then ReLU, with statistics from the real columns only.

    ReLU is here because the real columns lie together in memory at this point, which makes it several times faster.
    Without padding there is nothing to pick out, and training is twice as fast: see `similar` of
    :class:`sertut.training.recipe.Recipe`.
    """

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Normalize `values` (B, C, F', T') where `mask` (B, T') is True; padding becomes 0."""
        where = mask.nonzero(as_tuple=True)  # the one time that a GPU must be waited for
        if len(where[0]) == mask.numel():
            if self.training:  # channels that lie together in memory: all layers from here on are faster on a CPU
                values = values.contiguous(memory_format=torch.channels_last)
            return torch.relu(super().forward(values))
        rows = values.permute(0, 3, 2, 1)  # (B, T', F', C)
        real = rows[where]  # (N, F', C)
        cells = super().forward(real.reshape(-1, real.shape[-1], 1, 1))
        result = torch.zeros_like(rows, dtype=cells.dtype)
        result[where] = torch.relu(cells).view(real.shape)
        return result.permute(0, 3, 2, 1)
