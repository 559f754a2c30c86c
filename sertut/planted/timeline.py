"""The face of a clip in time: what is drawn for it, and what it shows when. No pixel, no sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sertut.planted.expressions import Expression, Look

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


def random_face(look: Look, n_words: int, seed: int) -> FacePlan:
    """Draw what the face of one clip does."""
    rng = np.random.default_rng([seed, 2])
    return FacePlan(
        look=look,
        place=float(rng.uniform()),
        strength=float(rng.uniform(*STRENGTH)),
        moves=tuple(float(move) for move in rng.uniform(-MOVED, MOVED, size=n_words + 1)),
        seed=int(rng.integers(2**32)),
    )


def follow_words(face: FacePlan, cues: Sequence[tuple[str, int]], borders: Sequence[float], seconds: float) -> Timeline:
    """Expressions as long as their words, and all of them earlier or later by one offset that fits the clip.

    Args:
        cues: (emotion, index of the word), in the order of the words.
        borders: where each word starts in the voice, and where the last one ends, seconds.
        seconds: length of the clip.
    """
    moved = np.array(borders) + face.moves
    # The offsets with which all expressions stay inside the clip; a neutral clip has nothing to keep inside.
    first, last = (moved[cues[0][1]], moved[cues[-1][1] + 1]) if cues else (seconds / 2, seconds / 2)
    lowest, highest = max(-LARGEST_OFFSET, CLEAR - first), min(LARGEST_OFFSET, seconds - CLEAR - last)
    offset = round(float(lowest + face.place * (highest - lowest)), 3)
    shown = (face.expression(emotion, float(moved[i]) + offset, float(moved[i + 1]) + offset) for emotion, i in cues)
    return Timeline(offset, tuple(shown))
