"""Two emotions in one clip: the script of `planted-blend`.

Two or three words carry emotion, some one, some another; the clip's label is the one with the larger share of the
emotional time. How large it should be is drawn; the words are then chosen so that they come as near to it as words can.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sertut.planted import prosody
from sertut.planted.prosody import CUES, Prosody
from sertut.planted.script import (
    CUE_LEVEL,
    LOUD,
    SENTENCES,
    Take,
    cast,
    clips_of_a_class,
    content_words,
    steps,
    today,
)
from sertut.planted.vocoder import Speaker
from sertut.planted.voices import Word

LEADERS = tuple(sorted(CUES))
"""The emotions that a clip can be a blend of: all but neutral."""

CARRIERS = (2, 3)
"""How many words carry emotion."""

SHARE = (0.52, 0.76)
"""The label's share of the emotional time is drawn from this interval; the other emotion has the rest."""

PAUSE = (0.3, 0.7)
"""Silence before and after, seconds: the words lie far apart, and the face must have room to lead or to lag."""

# Sentences in which a content word is always left to be neutral and loud, as in `planted`.
LONG_SENTENCES = tuple(sentence for sentence in SENTENCES if len(content_words(sentence)) > max(CARRIERS))


@dataclass(frozen=True)
class BlendTake(Take):
    """A clip of two emotions; which words carry them is open until the take is :meth:`settled`.

    other: the emotion with the smaller share. share: what `emotion` should have of the emotional time, above 0.5.
    leading, following: what `emotion` and `other` do to each word, if it falls to them. order: the content words,
    shuffled; the first that carries no emotion becomes loud, by `loudness` dB. carriers: (emotion, index of the word)
    in the order of the words.
    """

    other: str
    share: float
    leading: tuple[Prosody, ...]
    following: tuple[Prosody, ...]
    order: tuple[int, ...]
    loudness: float
    carriers: tuple[tuple[str, int], ...] = ()

    @property
    def cues(self) -> tuple[tuple[str, int], ...]:
        return self.carriers

    def settled(self, words: Sequence[Word]) -> BlendTake:
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


def write_blends(speakers: int, clips_per_speaker: int, seed: int) -> list[BlendTake]:
    """Draw the script of `planted-blend`; with one seed its speakers are those of `planted`.

    Each emotion leads equally often and follows equally often.

    Raises:
        CorpusError: the sizes do not allow a balanced corpus.
    """
    number = clips_of_a_class(speakers, clips_per_speaker, LEADERS, LONG_SENTENCES)
    takes = []
    for i, speaker in enumerate(cast(speakers, seed)):
        rng = np.random.default_rng([seed, 3, i])
        partners = steps(len(LEADERS), number, rng)
        for first, emotion in enumerate(LEADERS):
            for k, sentence in enumerate(rng.permutation(LONG_SENTENCES)[:number]):
                other = LEADERS[(first + partners[k]) % len(LEADERS)]
                name = f"{speaker.name.replace(' ', '')}-{emotion}-{other}-{k + 1}"
                takes.append(_take(name, speaker, emotion, other, str(sentence), rng))
    return takes


def _take(name: str, speaker: Speaker, emotion: str, other: str, sentence: str, rng: np.random.Generator) -> BlendTake:
    leading, following = (
        tuple(_spoken(prosody.cue(which, rng), rng) for _ in sentence.split()) for which in (emotion, other)
    )
    return BlendTake(
        name=name,
        speaker=today(speaker, rng),
        emotion=emotion,
        sentence=sentence,
        cue=None,
        decoy=None,
        prosodies=tuple(prosody.plain(rng) for _ in sentence.split()),
        pause=(float(rng.uniform(*PAUSE)), float(rng.uniform(*PAUSE))),
        gain=float(rng.uniform(-32, -22)),
        noise=float(rng.uniform(-80, -70)),
        seed=int(rng.integers(2**32)),
        other=other,
        share=float(rng.uniform(*SHARE)),
        leading=leading,
        following=following,
        order=tuple(int(i) for i in rng.permutation(content_words(sentence))),
        loudness=float(rng.uniform(*LOUD)),
    )


def _spoken(change: Prosody, rng: np.random.Generator) -> Prosody:
    """A cue whose level is moved at random, as in `planted`."""
    return replace(change, level=change.level + CUE_LEVEL * float(rng.normal()))
