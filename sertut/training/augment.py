"""Small distortions of the training clips, so that few speakers go further. Dev and test clips are never touched."""

import math

import torch

from sertut.signals import FEATURES, N_MELS
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ
from sertut.training.recipe import Recipe

_LOW, _HIGH = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
MEL_HZ = 700 * (10 ** (torch.linspace(_LOW, _HIGH, N_MELS + 2)[1:-1] / 2595) - 1)
"""Center of each mel band."""
VOICE_RANGE = 1.25
"""Largest ratio by which the frequencies of a voice are raised, or lowered."""


def distorted(row: torch.Tensor, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """A clip's table of normalized features (T, F) as it is seen this time; `stretch` changes T.

    `gain` moves only what depends on the level; a mel band is masked in all its columns, the level never is. Source of
    the masks: SpecAugment, Park et al., arXiv 1904.08779.
    """

    def draw(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    def draw_int(low: int, high: int) -> int:  # both included
        return int(torch.randint(low, high + 1, (), generator=generator))

    if recipe.stretch:
        length = max(1, round(len(row) / draw(1 - recipe.stretch, 1 + recipe.stretch)))
        size = (length, row.shape[1])  # the columns stay as they are
        row = torch.nn.functional.interpolate(row[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    row = row.clone()
    if recipe.voices and draw(0, 1) < recipe.voices:
        ratio = VOICE_RANGE ** draw(-1, 1)
        for first in FEATURES[recipe.feature].mel_starts:
            row[:, first : first + N_MELS] = other_voice(row[:, first : first + N_MELS], ratio)
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


def other_voice(table: torch.Tensor, ratio: float) -> torch.Tensor:
    """Mel bands (T, 64) as if all frequencies, of the throat and of its resonances, were `ratio` times as high.

    Band k gets what was heard at its frequency divided by `ratio`. Source: vocal tract length perturbation, Jaitly &
    Hinton, ICML workshop 2013; here the pitch moves along, as when a recording is played faster.
    """
    bands = MEL_HZ.to(table.device, non_blocking=True)
    hz = bands / ratio
    place = (torch.bucketize(hz, bands) - 1).clamp(0, N_MELS - 2)
    share = ((hz - bands[place]) / (bands[place + 1] - bands[place])).clamp(0, 1)
    return torch.lerp(table[:, place], table[:, place + 1], share)
