"""Which face plays with which clip of a planted corpus, and when it shows what. Draws only: no pixel, no sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sertut.planted.decoy import MARGIN, DecoyTake
from sertut.planted.expressions import Look, Showing, cast_look
from sertut.planted.script import Take
from sertut.planted.voices import Word

OFFSET = 0.6
"""Seconds by which a face leads or lags its voice, at most."""

EDGE = 0.05
"""Seconds that an expression keeps away from both ends of the clip."""

MOVED = 0.06
"""Seconds by which a border of an expression strays, at most, from where its word begins or ends."""

STRENGTH = (0.8, 1.25)
"""How strong the expressions of a clip are is drawn from this interval; 1 is the full expression."""

GAP = 0.1
"""Seconds of a neutral face, at least, between the two expressions of `planted-decoy`."""


@dataclass(frozen=True)
class Part:
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


@dataclass(frozen=True)
class Scene:
    """What a face does in one clip, on the clip's clock.

    offset: seconds by which the face follows the voice. showings: the true expressions, one for each word with emotion.
    decoy: an expression that is not the clip's emotion, or None.
    """

    offset: float
    showings: tuple[Showing, ...]
    decoy: Showing | None = None


def cast_parts(takes: Sequence[Take], seed: int) -> list[Part]:
    """Draw a face for each speaker and a part for each take; with one seed a speaker looks the same in all corpora."""
    speakers = list(dict.fromkeys(take.speaker.name for take in takes))
    looks = {name: cast_look(np.random.default_rng([seed, 2, i])) for i, name in enumerate(speakers)}
    return [_part(take, looks[take.speaker.name]) for take in takes]


def stage(part: Part, take: Take, words: Sequence[Word], seconds: float) -> Scene:
    """Put a part on the clock of its clip.

    Args:
        take: the clip, settled.
        words: when each word is heard in the clip.
        seconds: length of the clip.
    """
    if isinstance(take, DecoyTake):
        return _stage_two(part, take, words)
    borders = np.array([word.start for word in words] + [words[-1].end]) + part.moves
    spans = [(emotion, float(borders[i]), float(borders[i + 1])) for emotion, i in take.cues]
    # The offsets with which all expressions stay inside the clip; a neutral clip has nothing to keep inside.
    first, last = (spans[0][1], spans[-1][2]) if spans else (seconds / 2, seconds / 2)
    lowest, highest = max(-OFFSET, EDGE - first), min(OFFSET, seconds - EDGE - last)
    offset = round(lowest + part.place * (highest - lowest), 3)
    showings = tuple(_showing(emotion, start + offset, end + offset, part) for emotion, start, end in spans)
    return Scene(offset, showings)


def _part(take: Take, look: Look) -> Part:
    rng = np.random.default_rng([take.seed, 2])
    return Part(
        look=look,
        place=float(rng.uniform()),
        strength=float(rng.uniform(*STRENGTH)),
        moves=tuple(float(move) for move in rng.uniform(-MOVED, MOVED, size=len(take.sentence.split()) + 1)),
        seed=int(rng.integers(2**32)),
    )


def _stage_two(part: Part, take: DecoyTake, words: Sequence[Word]) -> Scene:
    """The true expression and the misleading one, mirrored about the middle of the stressed word."""
    assert take.cue is not None
    word = words[take.cue]
    middle, offset = (word.start + word.end) / 2, round(take.offset, 3)
    half = min(take.length / 2 + part.moves[0], abs(offset) - GAP / 2, MARGIN - EDGE - abs(offset))
    true, false = (
        _showing(emotion, at - half, at + half, part)
        for emotion, at in ((take.emotion, middle + offset), (take.other, middle - offset))
    )
    return Scene(offset, (true,), false)


def _showing(emotion: str, start: float, end: float, part: Part) -> Showing:
    return Showing(emotion, round(start, 3), round(end, 3), part.strength)
