"""Other voices: a recording played faster or slower, its tempo brought back.

Pitch and resonances move together, as between a small and a large body. Few speakers are the bottleneck of the field,
and this makes more of them, none a real one. Source of the idea: vocal tract length perturbation, Jaitly & Hinton, ICML
workshop 2013, who move the resonances alone.
"""

import numpy as np
import torch
from torch.nn.functional import interpolate
from torchaudio.functional import resample

from sertut.signals.features import WINDOW

VOICES = ((4, 5), (17, 20), (9, 10), (19, 20), (21, 20), (11, 10), (7, 6), (5, 4))
"""What all frequencies are multiplied by, as fractions; odd ones would make resampling build filters of gigabytes."""


def in_voice(samples: np.ndarray, above: int, below: int) -> np.ndarray:
    """`samples` (n,) played ``above / below`` times as fast: (n * below / above,), and silence up to a frame."""
    played = resample(torch.as_tensor(samples), above, below).numpy()
    return np.pad(played, (0, max(0, WINDOW - len(played))))


def at_tempo(table: torch.Tensor, n: int) -> torch.Tensor:
    """A table of features (T, F) stretched to `n` frames, (n, F)."""
    return interpolate(table.T[None], n, mode="linear", align_corners=False)[0].T
