"""Two emotions in one clip: `planted-blend`.

Two or three words carry emotion, some one, some another; the clip's label is the one with the larger share of the
emotional time. How large it should be is drawn; the words are then chosen so that they come as near to it as words can.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from sertut.planted.plans import CUE_LEVEL, LOUD, Plan, Slot, other_emotions
from sertut.planted.prosody import CUES, Prosody, varied
from sertut.planted.speakers import LONG_SENTENCES, content_words
from sertut.planted.voices import Word

CARRIERS = (2, 3)  # how many words carry emotion
SHARE = (0.52, 0.76)  # the label's, of the emotional time, is drawn from this interval; the other emotion has the rest


@dataclass(frozen=True)
class BlendPlan(Plan):
    """A clip of two emotions, each of which leads and follows equally often; :meth:`resolved` says on which words.

    other: the emotion with the smaller share. share: what `emotion` should have of the emotional time, above 0.5.
    leading, following: what `emotion` and `other` do to each word, if it falls to them. order: the content words,
    shuffled; the first that carries no emotion becomes loud, by `loudness` dB. carriers: (emotion, index of the word)
    in the order of the words.
    """

    title: ClassVar[str] = "planted-blend, synthetic speech and drawn faces with two emotions whose shares are known"
    labels: ClassVar[tuple[str, ...]] = tuple(sorted(CUES))  # all but neutral
    sentences: ClassVar[tuple[str, ...]] = LONG_SENTENCES
    stream: ClassVar[int] = 3
    # The words lie far apart, and the face must have room to lead or to lag.
    pauses: ClassVar[tuple[float, float] | None] = (0.3, 0.7)

    other: str
    share: float
    leading: tuple[Prosody, ...]
    following: tuple[Prosody, ...]
    order: tuple[int, ...]
    loudness: float
    carriers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def deal(cls, speaker: int, number: int, rng: np.random.Generator) -> list[list[tuple]]:
        return [[(other,) for other in others] for others in other_emotions(cls.labels, number, rng)]

    @classmethod
    def draw(cls, slot: Slot, rng: np.random.Generator) -> Self:
        words = slot.sentence.split()
        leading, following = (tuple(_cue(which, rng) for _ in words) for which in (slot.emotion, slot.other))
        common = cls.draw_common(slot, rng)
        return cls(
            **common | {"name": common["name"].replace(slot.emotion, f"{slot.emotion}-{slot.other}")},
            other=slot.other,
            share=float(rng.uniform(*SHARE)),
            leading=leading,
            following=following,
            order=tuple(int(i) for i in rng.permutation(content_words(slot.sentence))),
            loudness=float(rng.uniform(*LOUD)),
        )

    @property
    def cues(self) -> tuple[tuple[str, int], ...]:
        return self.carriers

    def resolved(self, words: Sequence[Word]) -> Self:
        """Of all ways to deal words to the two emotions, the one whose share is nearest to what was drawn."""
        shares = {way: self._share_of(way, words) for way in self._ways()}
        carriers = min(shares, key=lambda way: (shares[way] < SHARE[0], abs(shares[way] - self.share)))
        prosodies = list(self.prosodies)
        for emotion, word in carriers:
            prosodies[word] += self._changes(emotion)[word]
        loud = next(word for word in self.order if word not in {word for _, word in carriers})
        prosodies[loud] += Prosody(level=self.loudness)
        return replace(self, carriers=carriers, prosodies=tuple(prosodies), decoy=loud)

    def _ways(self) -> Iterator[tuple[tuple[str, int], ...]]:
        for n in CARRIERS:
            for chosen in itertools.combinations(sorted(self.order), n):
                for dealt in itertools.product((self.emotion, self.other), repeat=n):
                    if len(set(dealt)) == 2:
                        yield tuple(zip(dealt, chosen, strict=True))

    def _share_of(self, way: Sequence[tuple[str, int]], words: Sequence[Word]) -> float:
        """The label's share of the emotional time, but for the edges over which a word's tempo fades in and out."""
        seconds = dict.fromkeys((self.emotion, self.other), 0.0)
        for emotion, i in way:
            tempo = self.prosodies[i].tempo + self._changes(emotion)[i].tempo
            seconds[emotion] += (words[i].end - words[i].start) / 2**tempo
        return seconds[self.emotion] / sum(seconds.values())

    def _changes(self, emotion: str) -> tuple[Prosody, ...]:
        return self.leading if emotion == self.emotion else self.following


def _cue(emotion: str, rng: np.random.Generator) -> Prosody:
    """What an emotion does to a word; its level is moved at random, as in `planted`."""
    change = varied(CUES[emotion], rng)
    return replace(change, level=change.level + CUE_LEVEL * float(rng.normal()))
