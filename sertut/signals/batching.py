"""Clips of different lengths in one tensor: padding, masks, and statistics that come from train only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from sertut.signals.features import HOP_SECONDS
from sertut.video.frames import VIDEO_HOP


def length_mask(lengths: torch.Tensor, longest: int | None = None) -> torch.Tensor:
    """True where a frame is real, (B, T): ``mask[b, t] = t < lengths[b]``; T is `longest`, or the largest length."""
    longest = int(lengths.max()) if longest is None else longest
    return torch.arange(longest, device=lengths.device)[None, :] < lengths[:, None]


def pad(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack B tables (T_b, F): features (B, T, F), zero on padding, and mask (B, T), True on real frames."""
    lengths = torch.tensor([len(row) for row in rows])
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True), length_mask(lengths)


def reverse(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Turn each clip of `values` (B, T, H) around within its own length; padding stays where it is.

    A clip lasts to its last real step; masked steps before it (frames without a face) turn with the others.
    """
    steps = torch.arange(values.shape[1], device=values.device).expand(mask.shape)  # (B, T)
    length = torch.where(mask, steps + 1, 0).amax(dim=1, keepdim=True)
    index = torch.where(steps < length, length - 1 - steps, steps)
    return values[torch.arange(len(values), device=values.device).unsqueeze(1), index]


@dataclass(frozen=True)
class Batch:
    """What a model reads.

    features: (B, T, F), zero on padding. mask: (B, T), True on real frames; all False for a clip without voice.
    labels: (B,), index into the corpus's emotions. hop: seconds from one frame to the next, so that maps can be drawn
    on a clock.
    face: (B, T', F') of the second stream, if there is one. face_mask: (B, T'), True where a face was seen; all False
    for a clip without. face_hop: seconds from one of its frames to the next.
    """

    features: torch.Tensor
    mask: torch.Tensor
    labels: torch.Tensor
    hop: float = HOP_SECONDS
    face: torch.Tensor | None = None
    face_mask: torch.Tensor | None = None
    face_hop: float = VIDEO_HOP

    def __len__(self) -> int:
        return len(self.features)

    @property
    def lengths(self) -> torch.Tensor:
        """Real frames of each clip, shape (B,)."""
        return self.mask.sum(dim=1)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device. Toward a GPU nobody waits for it; back from there one must."""
        toward = torch.device(device).type == "cuda"
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, torch.Tensor)}
        moved: dict = {name: value.to(device, non_blocking=toward) for name, value in tensors.items()}
        return replace(self, **moved)


@dataclass(frozen=True)
class Normalizer:
    """Zero mean and unit variance a feature column, with statistics of the training clips only.

    mean, std: shape (F,).
    """

    mean: torch.Tensor
    std: torch.Tensor

    @classmethod
    def fit(cls, rows: Sequence[torch.Tensor]) -> Normalizer:
        """Statistics over all frames of `rows`, B tensors of shape (T_b, F); pass training clips and nothing else."""
        frames = torch.cat(list(rows))
        return cls(frames.mean(dim=0), frames.std(dim=0).clamp(min=1e-5))

    def __call__(self, row: torch.Tensor) -> torch.Tensor:
        """Normalize one table of shape (T, F)."""
        return (row - self.mean) / self.std
