"""A cue in one half of the spectrum: `planted-band`.

The word with the emotion is synthesized twice with the same timing, once with the emotion and once without; below or
above the crossover we hear the first, on the other side the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy.signal import firwin, oaconvolve

from sertut.planted.plans import Plan
from sertut.planted.prosody import Prosody, plain
from sertut.planted.vocoder import Tracks, gate, resynthesize, word_spans
from sertut.planted.voices import Word
from sertut.signals import SAMPLE_RATE

CROSSOVER = 2000.0
"""Hz. Below lie the harmonics that a 25 ms frame can tell apart and the first formant; above, the other formants."""

TAPS = 513  # of the filter: the step from pass to stop is 100 Hz wide, and the filter rings for 16 ms on each side


@dataclass(frozen=True)
class BandPlan(Plan):
    """A clip whose cue is heard from `low` to `high` (Hz; None: no limit), where both are None in a neutral clip.

    rest: the prosody of the cue's word in the rest of the spectrum, None in a neutral clip.
    """

    has_faces: ClassVar[bool] = False

    rest: Prosody | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def draw_all(cls, speakers: int, clips_per_speaker: int, seed: int) -> list[Self]:
        """As in `planted`, the cue of every other clip kept to the low band, of the others to the high one.

        Bands take turns, so that each emotion is heard in both alike.
        """
        plans = super().draw_all(speakers, clips_per_speaker, seed)
        halves = ((None, CROSSOVER), (CROSSOVER, None))
        return [plan if plan.cue is None else plan._in(*halves[i % 2]) for i, plan in enumerate(plans)]

    def _in(self, low: float | None, high: float | None) -> Self:
        """The cue in one band; its tempo is left out, since a slow word is slow at all frequencies."""
        assert self.cue is not None
        rest = plain(np.random.default_rng([self.seed, 1]))
        prosodies = list(self.prosodies)
        prosodies[self.cue] = replace(prosodies[self.cue], tempo=rest.tempo)
        return replace(self, prosodies=tuple(prosodies), rest=rest, low=low, high=high)

    @property
    def band(self) -> tuple[float | None, ...]:
        return (self.low, self.high)

    def voice(self, tracks: Tracks, words: Sequence[Word], rng: np.random.Generator) -> np.ndarray:
        """The neutral sentence, changed in the cue's band only; outside the cue's word not one sample differs from it.

        Both sentences draw the same random numbers; `rng` is left as it is.
        """
        full = super().voice(tracks, words, np.random.default_rng(self.seed))
        if self.cue is None or self.rest is None:
            return full
        prosodies = list(self.prosodies)
        prosodies[self.cue] = self.rest
        neutral = resynthesize(tracks, words, prosodies, self.speaker, np.random.default_rng(self.seed))
        difference = full - neutral
        low = oaconvolve(difference, firwin(TAPS, CROSSOVER, fs=SAMPLE_RATE), mode="same")
        # After the word both speak alike, but their periods do not begin at the same time; the gate keeps that out.
        span = word_spans(len(tracks.f0), words, self.prosodies, self.speaker.tempo)[self.cue]
        inside = gate(np.arange(len(neutral)) / SAMPLE_RATE, *span)
        return neutral + inside * (low if self.low is None else difference - low)
