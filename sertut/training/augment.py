"""Small distortions of the training clips, so that few speakers go further. Dev and test clips are never touched."""

import torch

from sertut.signals import FEATURES, N_MELS
from sertut.training.recipe import Recipe


def distorted(row: torch.Tensor, recipe: Recipe, generator: torch.Generator, length: int | None = None) -> torch.Tensor:
    """A clip's table of normalized features (T, F) as it is seen this time; `stretch` changes T, to `length` if given.

    `gain` moves only what depends on the level; a mel band is masked in all its columns, the level never is. Source of
    the masks: SpecAugment, Park et al., arXiv 1904.08779.
    """

    def draw(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    def draw_int(low: int, high: int) -> int:  # both included
        return int(torch.randint(low, high + 1, (), generator=generator))

    if recipe.stretch:
        length = length or max(1, round(len(row) / draw(1 - recipe.stretch, 1 + recipe.stretch)))
        size = (length, row.shape[1])  # the columns stay as they are
        row = torch.nn.functional.interpolate(row[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    row = row.clone()
    if recipe.gain:
        gain = draw(-recipe.gain, recipe.gain)
        for columns in FEATURES[recipe.feature].follow_level:
            row[:, columns] += gain
    for _ in range(2):
        if recipe.frequency_mask:
            width = draw_int(0, recipe.frequency_mask)
            start = draw_int(0, N_MELS - width)
            for first in FEATURES[recipe.feature].mel_starts:
                row[:, first + start : first + start + width] = 0.0  # the training mean
        if recipe.time_mask:
            width = min(draw_int(0, recipe.time_mask), len(row) // 4)
            start = draw_int(0, len(row) - width)
            row[start : start + width] = 0.0
    return row
