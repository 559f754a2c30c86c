"""How an emotion changes the voice: the settings behind the planted corpus.

Directions follow the studies below; sizes are ours, chosen so that the cue is plain to hear on one word.

1. R. Banse, K. R. Scherer, "Acoustic profiles in vocal emotion expression", J. Pers. Soc. Psychol. 70(3), 1996:
   measured profiles of 14 emotions (F0 mean and spread, energy, rate, spectral balance).
2. P. N. Juslin, P. Laukka, "Communication of emotions in vocal expression and music performance: different channels,
   same code?", Psychol. Bull. 129(5), 2003: a review of 104 studies of vocal expression (anger, fear, joy, sadness).
3. F. Burkhardt, W. F. Sendlmeier, "Verification of acoustical correlates of emotional speech using
   formant-synthesis", ISCA Workshop on Speech and Emotion, 2000: the same manipulations, judged by listeners.
4. I. R. Murray, J. L. Arnott, "Toward the simulation of emotion in synthetic speech", J. Acoust. Soc. Am. 93(2), 1993:
   a table of correlates that includes disgust.
5. K. R. Scherer, J. S. Oshinsky, "Cue utilization in emotion attribution from auditory stimuli", Motiv. Emot. 1(4),
   1977: which tone sequences are heard as which emotion, disgust and surprise included.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Prosody:
    """Changes to one word, relative to the same word spoken neutrally; all zero changes nothing.

    pitch: F0 level, semitones. range: F0 movements of the word are multiplied by 2^range. slope: rise of F0 from the
    word's start to its end, semitones. arch: height of a hump of F0 over the word, semitones. tempo: speed is
    multiplied by 2^tempo. level: dB. tilt: dB an octave above 500 Hz, at constant level; positive is brighter.
    formants: frequencies of the formants are multiplied by 2^formants. breath: share of the periodic part
    that becomes noise, 0..1. jitter: random change of F0 every 5 ms, semitones (standard deviation). tremor: depth of
    a 7 Hz wave of F0, semitones.
    """

    pitch: float = 0.0
    range: float = 0.0
    slope: float = 0.0
    arch: float = 0.0
    tempo: float = 0.0
    level: float = 0.0
    tilt: float = 0.0
    formants: float = 0.0
    breath: float = 0.0
    jitter: float = 0.0
    tremor: float = 0.0

    def __add__(self, other: Prosody) -> Prosody:
        return Prosody(*(getattr(self, name) + getattr(other, name) for name in SETTINGS))


SETTINGS = tuple(field.name for field in fields(Prosody))


CUES = {
    # high and wide F0, fast, loud, strong high frequencies, falling accents, irregular [1, 2, 3]
    "anger": Prosody(pitch=4, range=0.8, slope=-6, tempo=0.3, level=4, tilt=6, jitter=0.3),
    # low F0, very slow, rather soft, "grumbled", wide falls at the end [4]; low energy and long words also in [1];
    # slow, with many harmonics: strong high frequencies [5]
    "disgust": Prosody(pitch=-6, range=0.2, slope=-7, tempo=-0.6, level=-1.5, tilt=4, formants=-0.2, jitter=1.2),
    # very high but narrow F0, fast, not loud, weak high frequencies, breathy, trembling [2, 3]
    "fear": Prosody(pitch=11, range=-1.5, slope=1, tempo=0.35, level=-1, tilt=-2, breath=0.7, jitter=0.2, tremor=1.5),
    # high and wide F0 in waves, rather fast and loud, bright, lips spread by the smile: formants up [2, 3]
    "happiness": Prosody(pitch=5, range=0.8, arch=10, tempo=0.05, level=2.5, tilt=3, formants=0.3),
    # low and narrow F0, falling, slow, soft, weak high frequencies, breathy [1, 2, 3]
    "sadness": Prosody(pitch=-3, range=-1.5, slope=-3, tempo=-0.5, level=-4, tilt=-6, breath=0.6),
    # high F0 with a very steep rise, rather fast [5]
    "surprise": Prosody(pitch=7, slope=20, tempo=0.05, level=2, tilt=2, breath=0.2),
}
"""Emotion -> what full strength does to the word that carries it. Neutral speech has no cue."""

PLAIN = Prosody(pitch=0.5, range=0.15, slope=0.8, arch=0.4, tempo=0.07, level=1.0, tilt=0.3, formants=0.005)
"""How much words differ in neutral speech (standard deviations): without it any change at all would give a cue away."""

STRENGTH = (0.95, 1.3)  # a cue is a share of the full one; the share is drawn from this interval, once a clip
UNEVEN = 0.12  # and each of its numbers is changed by this share of itself (standard deviation)


def plain(rng: np.random.Generator) -> Prosody:
    """Draw what sets one neutral word apart from the next."""
    return _scaled(PLAIN, _normal(rng))


def varied(full: Prosody, rng: np.random.Generator) -> Prosody:
    """Draw how a change of full strength turns out in one clip: weaker or stronger as a whole, and uneven."""
    strength = rng.uniform(*STRENGTH)
    return _scaled(full, strength * (1 + UNEVEN * _normal(rng)))


def _normal(rng: np.random.Generator) -> np.ndarray:
    """A number for each setting, none further than two standard deviations from 0."""
    return np.clip(rng.normal(size=len(SETTINGS)), -2, 2)


def _scaled(change: Prosody, factors: np.ndarray) -> Prosody:
    return Prosody(*(getattr(change, name) * factor for name, factor in zip(SETTINGS, factors.tolist(), strict=True)))
