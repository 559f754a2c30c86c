"""Who speaks in the planted corpora: voices made from a few of the engine's by continuous changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sertut.planted.voices import VOICES


@dataclass(frozen=True)
class Speaker:
    """A voice made from one of the engine's.

    voice: name of the engine's voice. pitch: mean F0, Hz. range: its F0 movements are multiplied by this. formants:
    factor on all formant frequencies (a shorter vocal tract has a larger one). tempo: factor on the speed. tilt: dB an
    octave above 500 Hz. breath: share of noise, 0..1.
    """

    name: str
    voice: str
    pitch: float
    range: float
    formants: float
    tempo: float
    tilt: float
    breath: float


def random_speakers(n: int, seed: int) -> list[Speaker]:
    """Draw `n` speakers, evenly from large and low to small and high."""
    rng = np.random.default_rng([seed, 0])
    size = rng.permutation((np.arange(n) + rng.uniform(size=n)) / n)  # 0 large .. 1 small
    voices = rng.permutation(np.resize(list(VOICES), n))
    return [
        Speaker(
            name=f"speaker {i + 1:02d}",
            voice=str(voices[i]),
            pitch=float(90 * 2 ** (1.35 * size[i] + 0.1 * rng.normal())),
            range=float(2 ** (0.3 * rng.normal())),
            formants=float(0.92 * 2 ** (0.38 * size[i] + 0.025 * rng.normal()) / VOICES[str(voices[i])]),
            tempo=float(2 ** (0.1 * rng.normal())),
            tilt=float(0.6 * rng.normal()),
            breath=float(abs(0.08 * rng.normal())),
        )
        for i in range(n)
    ]


def in_one_clip(speaker: Speaker, rng: np.random.Generator) -> Speaker:
    """The same person, now a little higher or faster than the last time: else the mean F0 of a clip would tell."""
    pitch, tempo = (float(2 ** rng.normal(scale=0.12)) for _ in range(2))
    return replace(speaker, pitch=speaker.pitch * pitch, tempo=speaker.tempo * tempo)
