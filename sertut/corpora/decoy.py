"""A second, misleading expression of the face: the script of `planted-decoy`.

The voice says *when*: one word is stressed, in the same way whatever the label. The face says *what*, but it says two
things: at the word + offset the label, at the word - offset another emotion. Both are as strong, as long and as far
from the word; which is true only the offset tells, and the offset is to be seen only in the mouth, which follows the
voice by the same offset.

    voice   .  .  .  .  .  . WORD .  .  .  .  .  .
    face    .  . DECOY .  .  .  .  .  . TRUE .  .        offset > 0: the face comes later
                   |<- offset ->|<- offset ->|
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sertut.corpora import prosody
from sertut.corpora.prosody import CUES, Prosody
from sertut.corpora.script import LOUD, SENTENCES, Take, cast, clips_of_a_class, content_words, steps, today
from sertut.corpora.vocoder import FRAME, Speaker, timing
from sertut.corpora.voices import Word

LABELS = tuple(sorted(CUES))
"""The classes: all emotions but neutral, which has no expression to show."""

EMPHASIS = Prosody(pitch=5.0, range=0.6, arch=6.0, tempo=-0.2, level=1.5, tilt=1.5)
"""What full stress does to a word: higher, wider, a bit slower, louder and brighter. It is the same for all labels."""

OFFSET = (0.3, 0.6)
"""Seconds between the word and each of the two expressions; drawn from this interval, the sign apart."""

PAUSE = (0.3, 0.6)
"""Silence before and after, seconds."""


@dataclass(frozen=True)
class DecoyTake(Take):
    """A clip with one stressed word and two expressions; which word it is, is open until the take is :meth:`settled`.

    other: the emotion of the misleading expression. offset: seconds by which the true one follows the word; negative:
    it comes before. stress: what is done to the word. order: the content words, shuffled. loudness: level of a neutral
    word, dB.
    """

    other: str
    offset: float
    stress: Prosody
    order: tuple[int, ...]
    loudness: float

    def settled(self, words: Sequence[Word]) -> DecoyTake:
        """Stress the first word, in the order drawn, with speech enough around it.

        While the face shows the decoy, the mouth does what the voice did two offsets away from the word. In a pause it
        would be closed, and that would betray the decoy without any sound. So the voice must speak two offsets before
        the word, and two offsets after it as well: the sign of the offset has no part in the choice. Where no word
        lies so far inside the sentence, the offset shrinks to what the best one allows.
        """
        ways = [self._stressing(word) for word in self.order]
        room = [max(OFFSET[0], _speech_around(take, words) / 2) for take in ways]
        best = next((i for i in range(len(ways)) if room[i] >= abs(self.offset)), int(np.argmax(room)))
        return replace(ways[best], offset=float(np.copysign(min(abs(self.offset), room[best]), self.offset)))

    def _stressing(self, word: int) -> DecoyTake:
        """The take with this word stressed, and the first of the others loud."""
        loud = next(i for i in self.order if i != word)
        prosodies = list(self.prosodies)
        prosodies[word] += self.stress
        prosodies[loud] += Prosody(level=self.loudness)
        return replace(self, cue=word, decoy=loud, prosodies=tuple(prosodies))


def write_decoys(speakers: int, clips_per_speaker: int, seed: int) -> list[DecoyTake]:
    """Draw the script of `planted-decoy`; with one seed its speakers are those of `planted`.

    Each emotion is true and misleading equally often, and half of a speaker's faces come before the voice.

    Raises:
        CorpusError: the sizes do not allow a balanced corpus.
    """
    number = clips_of_a_class(speakers, clips_per_speaker, LABELS)
    takes = []
    for i, speaker in enumerate(cast(speakers, seed)):
        rng = np.random.default_rng([seed, 4, i])
        signs = (-1.0) ** i * rng.permuted(np.resize([-1.0, 1.0], (len(LABELS), number)), axis=1)
        partners = steps(len(LABELS), number, rng)
        for first, emotion in enumerate(LABELS):
            for k, sentence in enumerate(rng.permutation(SENTENCES)[:number]):
                other = LABELS[(first + partners[k]) % len(LABELS)]
                name = f"{speaker.name.replace(' ', '')}-{emotion}-{k + 1}"
                takes.append(_take(name, speaker, emotion, other, float(signs[first, k]), str(sentence), rng))
    return takes


def _take(
    name: str, speaker: Speaker, emotion: str, other: str, sign: float, sentence: str, rng: np.random.Generator
) -> DecoyTake:
    return DecoyTake(
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
        offset=sign * float(rng.uniform(*OFFSET)),
        stress=prosody.drawn(EMPHASIS, rng),
        order=tuple(int(i) for i in rng.permutation(content_words(sentence))),
        loudness=float(rng.uniform(*LOUD)),
    )


def _speech_around(take: DecoyTake, words: Sequence[Word]) -> float:
    """Seconds for which the voice speaks before and after the middle of the stressed word: the smaller of both."""
    assert take.cue is not None
    n = int(words[-1].end / FRAME) + 1
    heard = timing(n, words, take.prosodies, take.speaker.tempo)
    word = words[take.cue]
    first, start, end, last = np.interp(
        [words[0].start / FRAME, word.start / FRAME, word.end / FRAME, words[-1].end / FRAME], np.arange(n), heard
    )
    return float(min((start + end) / 2 - first, last - (start + end) / 2))
