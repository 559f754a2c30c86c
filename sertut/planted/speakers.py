"""Who speaks in the planted corpora, voices made from a few of the engine's by continuous changes, and what is said."""

from dataclasses import dataclass, replace

import numpy as np

from sertut.planted.voices import VOICES

SENTENCES = (
    "The carpenter measured the window before breakfast.",
    "Yesterday the neighbors painted their wooden balcony.",
    "A yellow umbrella stood beside the entrance.",
    "Several passengers waited at the railway platform.",
    "The librarian arranged the dictionaries on Wednesday.",
    "My grandfather collects postcards from Canada.",
    "Our teacher copied the numbers onto the blackboard.",
    "The gardener watered the tomatoes on Saturday.",
    "Tomorrow the museum opens another exhibition.",
    "The secretary folded the letters into envelopes.",
    "They carried the furniture through the corridor.",
    "The bakery delivers sandwiches every morning.",
    "A photographer visited the village in September.",
    "The engineer explained the diagram to the visitors.",
    "Students usually borrow calculators at school.",
    "The postman delivered a package to the library.",
    "Both musicians practiced the melody together.",
    "The restaurant serves vegetables with potatoes.",
    "An electrician repaired the elevator on Monday.",
    "Her cousin ordered a newspaper and some coffee.",
    "The customer signed the document at the counter.",
    "Fishermen usually gather around the harbor.",
    "The bicycle belongs behind the garden fence.",
    "The committee discussed the calendar for October.",
)
"""Plain statements about nothing that moves anybody, each with several long content words."""

SHORTEST = 6  # letters of a word that may carry a cue: long enough to hear an emotion in
FUNCTION_WORDS = {"before", "beside", "several", "another", "through", "usually", "together", "around", "behind"}


def content_words(sentence: str) -> list[int]:
    """Indices of the words that may carry a cue."""
    words = [word.strip(".").lower() for word in sentence.split()]
    return [i for i, word in enumerate(words) if len(word) >= SHORTEST and word not in FUNCTION_WORDS]


LONG_SENTENCES = tuple(sentence for sentence in SENTENCES if len(content_words(sentence)) > 3)
"""Sentences in which three words can carry emotion and one is left to be neutral and loud."""


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
