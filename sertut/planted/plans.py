"""What is drawn for each clip: who says what, and how, and what the face does. All before any sound or picture.

:class:`Plan` is `planted` itself. The other variants are subclasses that override where they differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from sertut.errors import CorpusError
from sertut.planted.expressions import Expression, Look, random_look
from sertut.planted.prosody import CUES, Prosody, plain, varied
from sertut.planted.speakers import SENTENCES, Speaker, content_words, in_one_clip, random_speakers
from sertut.planted.vocoder import Tracks, resynthesize
from sertut.planted.voices import Word

EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

# dB by which one word of each clip stands out, drawn from this interval: a neutral one, or in `planted-loud` the cue.
LOUD = (7.0, 11.0)
CUE_LEVEL = 3.0  # dB: elsewhere the cue's level is moved at random (standard deviation); loud is not always angry
LARGEST_OFFSET = 0.6  # seconds by which a face leads or lags its voice, at most
CLEAR = 0.05  # seconds that an expression keeps away from both ends of the clip
MOVED = 0.06  # seconds by which a border of an expression strays, at most, from where its word begins or ends
STRENGTH = (0.8, 1.25)  # of the expressions of a clip, drawn from this interval; 1 is the full expression


@dataclass(frozen=True)
class FacePlan:
    """What is drawn for the face of one clip.

    look: the speaker's face. place: which of the offsets that fit the clip, from 0, the lowest, to 1, the highest.
    strength: of the expressions. moves: seconds by which each border between words is moved for the face, one more than
    there are words. seed: for what is random in the pictures themselves.
    """

    look: Look
    place: float
    strength: float
    moves: tuple[float, ...]
    seed: int

    def expression(self, emotion: str, start: float, end: float) -> Expression:
        """An emotion from `start` to `end`, seconds of the clip, as strong as this face shows it."""
        return Expression(emotion, round(start, 3), round(end, 3), self.strength)


@dataclass(frozen=True)
class Timeline:
    """What a face does in one clip, on the clip's clock.

    offset: seconds by which the face follows the voice. expressions: the true ones, one for each word with emotion.
    misleading: an expression that is not the clip's emotion, or None.
    """

    offset: float
    expressions: tuple[Expression, ...]
    misleading: Expression | None = None


class Slot(NamedTuple):
    """What is given of a clip before anything is drawn for it: the `k`-th of its speaker and emotion.

    other: the second emotion, in a variant that has two. sign: whether the face comes later (1) or earlier (-1) than
    the voice, in a variant that balances it.
    """

    speaker: Speaker
    emotion: str
    k: int
    sentence: str
    other: str = ""
    sign: float = 1.0


@dataclass(frozen=True)
class Plan:
    """One clip of `planted`. The fields, their order included, are hashed into the name of the corpus's folder.

    cue: index of the word that carries the emotion, None in a neutral clip. decoy: index of the neutral word that is
    loud, if there is one. prosodies: one a word. pause: silence before and after, seconds. gain: level of the whole
    clip, dB relative to full scale. noise: level of the background, dB. seed: for what is random in the sound itself.

    Of a variant: emotions, the list of classes; labels, those that its clips have; stream, which of a seed's streams
    of random numbers it draws from; pauses, the interval from which `pause` is drawn, None for no pause.
    """

    title: ClassVar[str] = "planted, synthetic speech with one emotional word at a known place"
    has_faces: ClassVar[bool] = True
    loud_cue: ClassVar[bool] = False
    emotions: ClassVar[tuple[str, ...]] = EMOTIONS
    labels: ClassVar[tuple[str, ...]] = EMOTIONS
    sentences: ClassVar[tuple[str, ...]] = SENTENCES
    stream: ClassVar[int] = 1
    pauses: ClassVar[tuple[float, float] | None] = (0.1, 0.4)

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

    # Drawing

    @classmethod
    def draw_all(cls, speakers: int, clips_per_speaker: int, seed: int) -> list[Self]:
        """Draw the whole corpus; with one seed, all variants have the same speakers.

        Each speaker has equally many clips of each label, every one of another sentence.

        Raises:
            CorpusError: the sizes do not allow a balanced corpus.
        """
        number, rest = divmod(clips_per_speaker, len(cls.labels))
        if speakers < 1 or rest or not 1 <= number <= len(cls.sentences):
            raise CorpusError(
                f"cannot make {speakers} speakers with {clips_per_speaker} clips each: clips_per_speaker must be a"
                f" multiple of {len(cls.labels)}, at most {len(cls.labels) * len(cls.sentences)}, and speakers at"
                " least 1."
            )
        plans = []
        for i, speaker in enumerate(random_speakers(speakers, seed)):
            rng = np.random.default_rng([seed, cls.stream, i])
            dealt = cls.deal(i, number, rng)
            for label, emotion in enumerate(cls.labels):
                for k, sentence in enumerate(rng.permutation(cls.sentences)[:number]):
                    plans.append(cls.draw(Slot(speaker, emotion, k + 1, str(sentence), *dealt[label][k]), rng))
        return plans

    @classmethod
    def deal(cls, speaker: int, number: int, rng: np.random.Generator) -> list[list[tuple]]:
        """What else a speaker's slots hold, so that it is balanced: [label][clip]."""
        return [[()] * number] * len(cls.labels)

    @classmethod
    def draw(cls, slot: Slot, rng: np.random.Generator) -> Self:
        """Draw one clip."""
        special, ordinary = (int(i) for i in rng.permutation(content_words(slot.sentence))[:2])
        prosodies = [plain(rng) for _ in slot.sentence.split()]
        loudness, moved = float(rng.uniform(*LOUD)), CUE_LEVEL * float(rng.normal())
        cue = None
        if slot.emotion != "neutral":
            cue = special
            change = varied(CUES[slot.emotion], rng)
            prosodies[cue] += replace(change, level=loudness if cls.loud_cue else change.level + moved)
        decoy = ordinary if cue is None or not cls.loud_cue else None
        if decoy is not None:
            prosodies[decoy] += Prosody(level=loudness)
        return cls(**cls.draw_common(slot, rng, prosodies) | {"cue": cue, "decoy": decoy})

    @classmethod
    def draw_common(cls, slot: Slot, rng: np.random.Generator, prosodies: Sequence[Prosody] = ()) -> dict[str, Any]:
        """The fields that all variants draw alike; neutral `prosodies` where none were drawn before."""
        return {
            "name": f"{slot.speaker.name.replace(' ', '')}-{slot.emotion}-{slot.k}",
            "speaker": in_one_clip(slot.speaker, rng),
            "emotion": slot.emotion,
            "sentence": slot.sentence,
            "cue": None,
            "decoy": None,
            "prosodies": tuple(prosodies or [plain(rng) for _ in slot.sentence.split()]),
            "pause": (float(rng.uniform(*cls.pauses)), float(rng.uniform(*cls.pauses))) if cls.pauses else (0.0, 0.0),
            "gain": float(rng.uniform(-32, -22)),
            "noise": float(rng.uniform(-80, -70)),
            "seed": int(rng.integers(2**32)),
        }

    # Once it is known when the engine speaks each word

    def resolved(self, words: Sequence[Word]) -> Self:
        """The plan with nothing left open: here nothing was."""
        return self

    @property
    def cues(self) -> tuple[tuple[str, int], ...]:
        """(emotion, index of the word) for each word that stands out by its prosody."""
        return () if self.cue is None else ((self.emotion, self.cue),)

    @property
    def band(self) -> tuple[float | None, ...]:
        """Lowest and highest frequency, Hz, at which the cue is heard; empty where it is heard at all of them."""
        return ()

    def voice(self, tracks: Tracks, words: Sequence[Word], rng: np.random.Generator) -> np.ndarray:
        """The sentence as it is spoken here, (n_samples,), 16 kHz."""
        return resynthesize(tracks, words, self.prosodies, self.speaker, rng)

    # What of the speech is the clip

    @property
    def start(self) -> float:
        """Second of all that is spoken at which the clip starts."""
        return 0.0

    def cut(self, speech: np.ndarray) -> np.ndarray:
        """The clip out of all that is spoken, (n_samples,): here all of it."""
        return speech

    def within_clip(self, words: Sequence[Word]) -> tuple[Self, list[Word]]:
        """The plan, and the words that are heard in the clip, on the clip's clock: here all of them."""
        return self, list(words)

    def timeline(self, face: FacePlan, words: Sequence[Word], seconds: float) -> Timeline:
        """What the face shows when: expressions as long as their words, all moved by one offset that fits the clip.

        Args:
            words: when each word is heard in the clip.
            seconds: length of the clip.
        """
        borders = np.array([*(word.start for word in words), words[-1].end]) + face.moves
        spans = [(emotion, float(borders[i]), float(borders[i + 1])) for emotion, i in self.cues]
        # The offsets with which all expressions stay inside the clip; a neutral clip has nothing to keep inside.
        first, last = (spans[0][1], spans[-1][2]) if spans else (seconds / 2, seconds / 2)
        lowest, highest = max(-LARGEST_OFFSET, CLEAR - first), min(LARGEST_OFFSET, seconds - CLEAR - last)
        offset = round(lowest + face.place * (highest - lowest), 3)
        return Timeline(
            offset, tuple(face.expression(what, start + offset, end + offset) for what, start, end in spans)
        )


@dataclass(frozen=True)
class LoudPlan(Plan):
    """One clip of `planted-loud`: drawn as in `planted`, and the word with the emotion is the loudest."""

    has_faces: ClassVar[bool] = False
    loud_cue: ClassVar[bool] = True


def plan_faces(plans: Sequence[Plan], seed: int) -> list[FacePlan]:
    """Draw a face for each speaker and what it does in each clip; with one seed, the same faces in all variants."""
    speakers = list(dict.fromkeys(plan.speaker.name for plan in plans))
    looks = {name: random_look(np.random.default_rng([seed, 2, i])) for i, name in enumerate(speakers)}
    faces = []
    for plan in plans:
        rng = np.random.default_rng([plan.seed, 2])
        place, strength = float(rng.uniform()), float(rng.uniform(*STRENGTH))
        moves = tuple(rng.uniform(-MOVED, MOVED, size=len(plan.sentence.split()) + 1).tolist())
        faces.append(FacePlan(looks[plan.speaker.name], place, strength, moves, int(rng.integers(2**32))))
    return faces


def other_emotions(labels: Sequence[str], number: int, rng: np.random.Generator) -> list[list[str]]:
    """A second emotion for each of the `number` clips of each label, [label][clip]: never the label itself.

    All emotions come equally often: clip `k` takes one step through the labels, the same from each of them, and steps
    of 1 .. n - 1 are about equally frequent, in random order.
    """
    n = len(labels)
    steps = np.concatenate([rng.permutation(n - 1) + 1 for _ in range(-(-number // (n - 1)))])[:number]
    return [[labels[(label + step) % n] for step in steps] for label in range(n)]
