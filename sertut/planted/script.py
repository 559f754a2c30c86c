"""The script of the planted corpus: who says what, and how. All draws are made here, before any sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sertut.errors import CorpusError
from sertut.planted import prosody
from sertut.planted.prosody import Prosody
from sertut.planted.vocoder import Speaker
from sertut.planted.voices import Word

EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

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

VOICES = {
    "en-us": 1.0,
    "en-us+f1": 1.12,
    "en-us+m3": 1.0,
    "en-gb-x-rp": 1.0,
    "en-gb-scotland": 1.0,
    "en-029": 1.0,
}
"""The engine's voices that speakers are made from -> how high the voice's own formants are."""

LOUD = (7.0, 11.0)
"""Level, dB, by which one word of each clip stands out: a neutral one in `planted`, the cue in `planted-loud`."""

CUE_LEVEL = 3.0
"""In `planted`, the level of the cue is moved at random (standard deviation, dB): loud is not always angry."""


@dataclass(frozen=True)
class Take:
    """One clip to be made.

    cue: index of the word that carries the emotion, None in a neutral clip. decoy: index of the neutral word that is
    loud, if there is one. prosodies: one a word. pause: silence before and after, seconds. gain: level of the whole
    clip, dB relative to full scale. noise: level of the background, dB. seed: for what is random in the sound itself.
    """

    name: str
    speaker: Speaker
    emotion: str
    sentence: str
    cue: int | None
    decoy: int | None
    prosodies: tuple[Prosody, ...]
    pause: tuple[float, float]
    gain: float
    noise: float
    seed: int

    @property
    def cues(self) -> tuple[tuple[str, int], ...]:
        """(emotion, index of the word) for each word that stands out by its prosody."""
        return () if self.cue is None else ((self.emotion, self.cue),)

    def settled(self, words: Sequence[Word]) -> Take:
        """The take with nothing left open, once it is known when the engine speaks each word."""
        return self

    @property
    def start(self) -> float:
        """Second of all that is spoken at which the clip starts."""
        return 0.0

    def cut(self, speech: np.ndarray) -> np.ndarray:
        """The clip out of all that is spoken, (n_samples,): here all of it."""
        return speech

    def of_clip(self, words: Sequence[Word]) -> tuple[Take, list[Word]]:
        """The take, and the words that are heard in the clip, on the clip's clock: here all of them."""
        return self, list(words)


def content_words(sentence: str) -> list[int]:
    """Indices of the words that may carry a cue."""
    words = [word.strip(".").lower() for word in sentence.split()]
    return [i for i, word in enumerate(words) if len(word) >= SHORTEST and word not in FUNCTION_WORDS]


def write_script(loud_cue: bool, speakers: int, clips_per_speaker: int, seed: int) -> list[Take]:
    """Draw the whole corpus.

    Both variants draw alike: with the same seed, clips of one name share speaker, sentence, cue word and prosody, and
    differ in what is loud.

    Raises:
        CorpusError: the sizes do not allow a balanced corpus.
    """
    per_emotion = clips_of_a_class(speakers, clips_per_speaker, EMOTIONS)
    takes = []
    for i, speaker in enumerate(cast(speakers, seed)):
        rng = np.random.default_rng([seed, 1, i])
        for emotion in EMOTIONS:
            for k, sentence in enumerate(rng.permutation(SENTENCES)[:per_emotion]):
                name = f"{speaker.name.replace(' ', '')}-{emotion}-{k + 1}"
                takes.append(_take(name, speaker, emotion, str(sentence), loud_cue, rng))
    return takes


def clips_of_a_class(
    speakers: int, clips_per_speaker: int, classes: Sequence[str], sentences: Sequence[str] = SENTENCES
) -> int:
    """How many clips each speaker has of each class, every one of another sentence.

    Raises:
        CorpusError: the sizes do not allow a balanced corpus.
    """
    number, rest = divmod(clips_per_speaker, len(classes))
    if speakers < 1 or rest or not 1 <= number <= len(sentences):
        raise CorpusError(
            f"cannot make {speakers} speakers with {clips_per_speaker} clips each: clips_per_speaker must be a multiple"
            f" of {len(classes)}, at most {len(classes) * len(sentences)}, and speakers at least 1."
        )
    return number


def steps(classes: int, number: int, rng: np.random.Generator) -> list[int]:
    """`number` steps from a class to another one, each of 1 .. classes - 1 about equally often, in random order.

    Class `i` of clip `k` is paired with class ``(i + steps[k]) % classes``: so all classes are partners equally often.
    """
    rounds = [rng.permutation(classes - 1) + 1 for _ in range(-(-number // (classes - 1)))]
    return [int(step) for step in np.concatenate(rounds)[:number]]


def cast(n: int, seed: int) -> list[Speaker]:
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


def today(speaker: Speaker, rng: np.random.Generator) -> Speaker:
    """The same person, now a little higher or faster than the last time: else the mean F0 of a clip would tell."""
    return replace(
        speaker,
        pitch=speaker.pitch * float(2 ** (rng.normal(scale=0.12))),
        tempo=speaker.tempo * float(2 ** (rng.normal(scale=0.12))),
    )


def _take(name: str, speaker: Speaker, emotion: str, sentence: str, loud_cue: bool, rng: np.random.Generator) -> Take:
    special, ordinary = (int(i) for i in rng.permutation(content_words(sentence))[:2])
    prosodies = [prosody.plain(rng) for _ in sentence.split()]
    loudness, moved = float(rng.uniform(*LOUD)), CUE_LEVEL * float(rng.normal())
    cue = None
    if emotion != "neutral":
        cue = special
        change = prosody.cue(emotion, rng)
        level = loudness if loud_cue else change.level + moved
        prosodies[cue] += replace(change, level=level)
    decoy = ordinary if cue is None or not loud_cue else None
    if decoy is not None:
        prosodies[decoy] += Prosody(level=loudness)
    return Take(
        name=name,
        speaker=today(speaker, rng),
        emotion=emotion,
        sentence=sentence,
        cue=cue,
        decoy=decoy,
        prosodies=tuple(prosodies),
        pause=(float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.1, 0.4))),
        gain=float(rng.uniform(-32, -22)),
        noise=float(rng.uniform(-80, -70)),
        seed=int(rng.integers(2**32)),
    )
