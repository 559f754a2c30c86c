"""Small distortions of the training clips, so that few speakers go further. Dev and test clips are never touched."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from sertut.signals.features import FOLLOW_LEVEL, MEL_STARTS, N_MELS


@dataclass(frozen=True)
class Augment:
    """What may happen to one clip's normalized features each time it is seen in training; zeros switch it off.

    stretch: make it faster or slower by this share. gain: louder or softer, in standard deviations; it moves only what
    depends on the level. frequency_mask, time_mask: blank up to as many mel bands or frames, twice each (SpecAugment,
    Park et al., arXiv 1904.08779); a band is blanked in all its columns, the level never is. Each is drawn uniformly.
    feature: what the columns are.
    """

    stretch: float = 0.0
    gain: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    feature: str = "log_mel"

    def __call__(self, row: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Distort a table of features (T, F); the number of frames changes with `stretch`."""

        def draw(low: float, high: float) -> float:
            return low + (high - low) * torch.rand((), generator=generator).item()

        def draw_int(low: int, high: int) -> int:  # both included
            return int(torch.randint(low, high + 1, (), generator=generator))

        if self.stretch:
            length = max(1, round(len(row) / draw(1 - self.stretch, 1 + self.stretch)))
            row = torch.nn.functional.interpolate(row.T[None], size=length, mode="linear", align_corners=False)[0].T
        row = row.clone()
        if self.gain:
            row[:, list(FOLLOW_LEVEL[self.feature])] += draw(-self.gain, self.gain)
        for _ in range(2):
            if self.frequency_mask:
                width = draw_int(0, self.frequency_mask)
                start = draw_int(0, N_MELS - width)
                for first in MEL_STARTS[self.feature]:
                    row[:, first + start : first + start + width] = 0.0  # the training mean
            if self.time_mask:
                width = min(draw_int(0, self.time_mask), len(row) // 4)
                start = draw_int(0, len(row) - width)
                row[start : start + width] = 0.0
        return row
