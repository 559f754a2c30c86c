"""A clip with everything a figure needs, and clips chosen by a rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Region, clip_level, read_clip
from sertut.signals import SAMPLE_RATE, log_mel
from sertut.video import Faces, on_clock, read_faces


@dataclass(frozen=True)
class Example:
    """One clip with everything a figure needs.

    samples: (n,), 16 kHz. level: (T,), dB. spectrogram: (T, 64), log-mel, dB. map: batch size 1, or None if the model
    has no attention. probabilities: (C,), one for each of `emotions`. predicted: the most probable emotion. face: crops
    (T', 48, 48), 25 a second, or None if the clip has no video. alignment: the map between voice and face, or None.
    """

    clip: Clip
    emotions: tuple[str, ...]
    samples: np.ndarray
    level: torch.Tensor
    spectrogram: torch.Tensor
    map: AttentionMap | None
    probabilities: torch.Tensor
    predicted: str
    face: Faces | None = None
    alignment: AttentionMap | None = None

    @property
    def regions(self) -> tuple[Region, ...]:
        """Where the emotion is known to be."""
        return self.clip.regions


def example_of(
    clip: Clip,
    emotions: tuple[str, ...],
    map_: AttentionMap | None,
    probabilities: torch.Tensor,
    alignment: AttentionMap | None = None,
) -> Example:
    """Read what a figure needs of a clip: its sound, and its face if it has a video.

    Args:
        probabilities: shape (C,).
    """
    samples = read_clip(clip)
    face = None if clip.video is None else on_clock(read_faces(clip.video), len(samples) / SAMPLE_RATE)
    level, spectrogram = clip_level(clip), log_mel(samples)
    predicted = emotions[int(probabilities.argmax())]
    return Example(clip, emotions, samples, level, spectrogram, map_, probabilities, predicted, face, alignment)


class Selection(tuple[Example, ...]):
    """Examples chosen by a rule, with the rule in words: show both."""

    rule: str

    def __new__(cls, rule: str, examples: Iterable[Example]) -> Self:
        chosen = super().__new__(cls, examples)
        chosen.rule = rule
        return chosen
