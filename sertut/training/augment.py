"""Small distortions of the training clips, so that few speakers go further. Dev and test clips are never touched."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Augment:
    """What may happen to one clip's normalized features each time it is seen in training; zeros switch it off.

    shift: move the spectrum up or down by as many mel bands (another vocal tract). stretch: make it faster or slower
    by this share. gain: louder or softer, in standard deviations. frequency_mask, time_mask: blank up to as many bands
    or frames, twice each (SpecAugment, Park et al., arXiv 1904.08779). Each is drawn uniformly.
    """

    shift: int = 0
    stretch: float = 0.0
    gain: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0

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
        if self.shift:
            bands = torch.arange(row.shape[1]) + draw_int(-self.shift, self.shift)
            row = row[:, bands.clamp(0, row.shape[1] - 1)]  # the outermost band is repeated
        if self.gain:
            row += draw(-self.gain, self.gain)
        for _ in range(2):
            if self.frequency_mask:
                width = draw_int(0, self.frequency_mask)
                start = draw_int(0, row.shape[1] - width)
                row[:, start : start + width] = 0.0  # the training mean
            if self.time_mask:
                width = min(draw_int(0, self.time_mask), len(row) // 4)
                start = draw_int(0, len(row) - width)
                row[start : start + width] = 0.0
        return row
