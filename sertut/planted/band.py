"""A cue in one half of the spectrum: the script and the sound of `planted-band`.

The word with the emotion is synthesized twice with the same timing, once with the emotion and once without; below or
above the crossover we hear the first, on the other side the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import firwin, oaconvolve

from sertut.planted import prosody
from sertut.planted.prosody import Prosody
from sertut.planted.script import Take
from sertut.planted.vocoder import EDGE, FRAME, Tracks, resynthesize, timing
from sertut.planted.voices import Word
from sertut.signals import SAMPLE_RATE

CROSSOVER = 2000.0
"""Hz. Below lie the harmonics that a 25 ms frame can tell apart and the first formant; above, the other formants."""

TAPS = 513  # of the filter: the step from pass to stop is 100 Hz wide, and the filter rings for 16 ms on each side


@dataclass(frozen=True)
class BandTake(Take):
    """A clip whose cue is heard from `low` to `high` (Hz; None: no limit), where both are None in a neutral clip.

    rest: the prosody of the cue's word in the rest of the spectrum, None in a neutral clip.
    """

    rest: Prosody | None
    low: float | None
    high: float | None


def in_one_band(takes: Sequence[Take]) -> list[BandTake]:
    """The script of `planted`, the cue of every other clip kept to the low band, of the others to the high one.

    Bands take turns, so that each emotion is heard in both alike. The cue's tempo is left out: a slow word is slow at
    all frequencies.
    """
    result = []
    for i, take in enumerate(takes):
        rest, prosodies, low, high = None, take.prosodies, None, None
        if take.cue is not None:
            rest = prosody.plain(np.random.default_rng([take.seed, 1]))
            cue = replace(take.prosodies[take.cue], tempo=rest.tempo)
            prosodies = (*prosodies[: take.cue], cue, *prosodies[take.cue + 1 :])
            low, high = (None, CROSSOVER) if i % 2 == 0 else (CROSSOVER, None)
        fields = {name: getattr(take, name) for name in Take.__dataclass_fields__} | {"prosodies": prosodies}
        result.append(BandTake(**fields, rest=rest, low=low, high=high))
    return result


def speak_in_band(tracks: Tracks, words: Sequence[Word], take: BandTake) -> np.ndarray:
    """The sentence with the cue in its band, shape (n_samples,), 16 kHz: the neutral one, changed there only.

    Outside the cue's word not one sample differs from the neutral sentence.
    """
    full = resynthesize(tracks, words, take.prosodies, take.speaker, np.random.default_rng(take.seed))
    if take.cue is None or take.rest is None:
        return full
    prosodies = list(take.prosodies)
    prosodies[take.cue] = take.rest
    neutral = resynthesize(tracks, words, prosodies, take.speaker, np.random.default_rng(take.seed))
    difference = full - neutral
    crossover = take.high if take.low is None else take.low
    low = oaconvolve(difference, firwin(TAPS, crossover, fs=SAMPLE_RATE), mode="same")
    # After the word both speak alike, but their periods do not begin at the same time; the gate keeps that out.
    return neutral + _gate(len(neutral), tracks, words, take) * (low if take.low is None else difference - low)


def _gate(n_samples: int, tracks: Tracks, words: Sequence[Word], take: BandTake) -> np.ndarray:
    """1 in the cue's word as it is heard, 0 outside, with raised-cosine edges inside it; shape (n_samples,)."""
    assert take.cue is not None
    n = len(tracks.f0)
    heard = timing(n, words, take.prosodies, take.speaker.tempo)
    word = words[take.cue]
    start, end = np.interp([word.start / FRAME, word.end / FRAME], np.arange(n), heard)
    seconds = np.arange(n_samples) / SAMPLE_RATE
    depth = np.minimum(seconds - start, end - seconds)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(depth / EDGE, 0, 1))
