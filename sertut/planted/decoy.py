"""A second, misleading expression of the face: `planted-decoy`, where only alignment helps.

The voice says *when*: it stresses one word, in the same way whatever the label. The face says *what*, but twice: it
shows the label at the stressed word + offset and another emotion at the word - offset. Both are equally far from the
word, equally long and equally strong. Which is true only the offset tells, and only the mouth tells the offset:

    voice   the gardener watered TOMATOES and tomorrow the museum
    mouth            the gardener watered tomatoes and tomorrow the museum
    face                  decoy             label

Nothing else may tell it, so:

* On the face's own clock both expressions lie on words: the true one on the stressed word, the decoy on another, and
  that is why the offset is half the distance between the two. As often as not the other word comes first.
* A stressed word is higher, livelier and brighter, but not louder or slower than others: a mouth would show that.
* A clip is cut out of the middle of longer speech. Silence before or after it would give the offset away: a mouth that
  starts late belongs to a face that comes late.

A little is left: words near the middle of the speech are stressed more often than those near its ends, so that someone
who reads the words from the lips can guess better than by chance. How much a network finds there is measured, by one
that has the face alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from sertut.errors import CorpusError
from sertut.planted.plans import CLEAR, FacePlan, Plan, Slot, Timeline, other_emotions
from sertut.planted.prosody import CUES, Prosody, varied
from sertut.planted.speakers import LONG_SENTENCES, content_words
from sertut.planted.vocoder import FRAME, word_spans
from sertut.planted.voices import Word
from sertut.signals import SAMPLE_RATE

LABELS = tuple(sorted(CUES))
"""The classes: all emotions but neutral, which has no expression to show."""

# What full stress does to a word, whatever the label; nothing of it is to be seen.
EMPHASIS = Prosody(pitch=6.0, range=0.8, arch=6.0, tilt=3.0)
OFFSETS = (0.3, 0.6)  # seconds between the stressed word and each expression: the least and the most
SECONDS = (2.4, 2.8)  # the length of a clip is drawn from this interval
FADE = 0.01  # seconds over which a clip rises from nothing, and falls to nothing
MARGIN = 0.95  # seconds from the middle of the stressed word to both ends of the clip, at least: expressions need room
GAP = 0.1  # seconds of a neutral face, at least, between the two expressions
# Factors on the tempo that was drawn, tried in this order until two words lie at a distance that fits.
TEMPOS = (1.0, 0.94, 1.06, 0.88, 1.12, 0.82, 1.18, 0.76, 1.24)

TEXTS = tuple(
    f"{first[:-1]} and {second[0].lower()}{second[1:]}"
    for first, second in zip(LONG_SENTENCES, LONG_SENTENCES[1:] + LONG_SENTENCES[:1], strict=True)
)
"""Two sentences in one breath: speech long enough to cut a clip out of its middle."""


@dataclass(frozen=True)
class DecoyPlan(Plan):
    """A clip cut out of longer speech, with one stressed word and two expressions.

    Each emotion is true and misleading equally often, and half of a speaker's faces come before the voice. Which word
    is stressed is open until the plan is :meth:`resolved`; only then `cue`, `cut_at` and `length` hold.

    other: the emotion of the misleading expression. offset: seconds by which the true one follows the word (negative:
    comes before it); while the plan is open, about how many. stress: what is done to the word. order: the content
    words, shuffled. seconds: length of the clip. place: 0..1, where the clip lies among all places where it fits.
    cut_at: second of the speech at which the clip starts. length: of each expression, seconds.
    """

    title: ClassVar[str] = "planted-decoy, synthetic speech and drawn faces with a true and a misleading expression"
    emotions: ClassVar[tuple[str, ...]] = LABELS
    labels: ClassVar[tuple[str, ...]] = LABELS
    sentences: ClassVar[tuple[str, ...]] = TEXTS
    stream: ClassVar[int] = 4
    pauses: ClassVar[tuple[float, float] | None] = None

    other: str
    offset: float
    stress: Prosody
    order: tuple[int, ...]
    seconds: float
    place: float
    cut_at: float = 0.0
    length: float = 0.0

    @classmethod
    def deal(cls, speaker: int, number: int, rng: np.random.Generator) -> list[list[tuple]]:
        signs = (-1.0) ** speaker * rng.permuted(np.resize([-1.0, 1.0], (len(LABELS), number)), axis=1)
        others = other_emotions(LABELS, number, rng)
        return [list(zip(*of_label, strict=True)) for of_label in zip(others, signs.tolist(), strict=True)]

    @classmethod
    def draw(cls, slot: Slot, rng: np.random.Generator) -> Self:
        return cls(
            **cls.draw_common(slot, rng),
            other=slot.other,
            offset=slot.sign * float(rng.uniform(*OFFSETS)),
            stress=varied(EMPHASIS, rng),
            order=tuple(int(i) for i in rng.permutation(content_words(slot.sentence))),
            seconds=float(rng.uniform(*SECONDS)),
            place=float(rng.uniform()),
        )

    def resolved(self, words: Sequence[Word]) -> Self:
        """Stress the first word, in the order drawn, with a partner on *both* sides to lie under the decoy.

        The sign of the offset was drawn and decides only now which side it is: so where in the clip the stress lies
        tells nothing about the sign.

        Raises:
            CorpusError: no word has such partners.
        """
        for factor in TEMPOS:
            tempo = factor * self.speaker.tempo
            spans = word_spans(int(words[-1].end / FRAME) + 1, words, self.prosodies, tempo)  # (n_words, 2)
            middles = spans.mean(axis=1)
            for word in self.order:
                # The offset that would put the decoy on another content word, where it is one that a face may have.
                offsets = {i: float(middles[word] - middles[i]) / 2 for i in self.order}
                offsets = {i: offset for i, offset in offsets.items() if OFFSETS[0] <= abs(offset) <= OFFSETS[1]}
                # The first and the last second at which the clip may start: mouth and voice speak throughout.
                first = float(max(spans[0, 0] + OFFSETS[1], middles[word] + MARGIN - self.seconds))
                last = float(min(spans[-1, 1] - OFFSETS[1] - self.seconds, middles[word] - MARGIN))
                if len({offset > 0 for offset in offsets.values()}) == 2 and first <= last:
                    missed = {i: abs(o - self.offset) for i, o in offsets.items() if (o > 0) == (self.offset > 0)}
                    partner = min(missed, key=missed.__getitem__)
                    return replace(
                        self,
                        speaker=replace(self.speaker, tempo=tempo),
                        cue=word,
                        prosodies=tuple(p + self.stress if i == word else p for i, p in enumerate(self.prosodies)),
                        offset=offsets[partner],
                        cut_at=first + self.place * (last - first),
                        length=float(np.ptp(spans[[word, partner]], axis=1).mean()),
                    )
        raise CorpusError(f"no three words of '{self.sentence}' lie as planted-decoy needs them; choose another seed.")

    @property
    def start(self) -> float:
        return self.cut_at

    def cut(self, speech: np.ndarray) -> np.ndarray:
        """The clip out of all that is spoken, with edges that do not click."""
        first, n = round(self.start * SAMPLE_RATE), round(self.seconds * SAMPLE_RATE)
        edge = np.minimum(np.arange(n), np.arange(n)[::-1]) / SAMPLE_RATE  # seconds from the nearer end
        return speech[first : first + n] * np.clip(edge / FADE, 0, 1)

    def within_clip(self, words: Sequence[Word]) -> tuple[Self, list[Word]]:
        """The resolved plan with the words that are heard in the clip, on the clip's clock; others are left out."""
        assert self.cue is not None
        end = self.start + self.seconds
        inside = [i for i, word in enumerate(words) if word.end > self.start and word.start < end]
        times = lambda t: round(float(np.clip(t - self.start, 0, self.seconds)), 3)  # noqa: E731
        plan = replace(self, cue=inside.index(self.cue), prosodies=tuple(self.prosodies[i] for i in inside))
        return plan, [Word(words[i].text, times(words[i].start), times(words[i].end)) for i in inside]

    def timeline(self, face: FacePlan, words: Sequence[Word], seconds: float) -> Timeline:
        """The true expression and the misleading one, mirrored about the middle of the stressed word."""
        assert self.cue is not None
        word = words[self.cue]
        middle, offset = (word.start + word.end) / 2, round(self.offset, 3)
        half = min(self.length / 2 + face.moves[0], abs(offset) - GAP / 2, MARGIN - CLEAR - abs(offset))
        true, false = (
            face.expression(emotion, at - half, at + half)
            for emotion, at in ((self.emotion, middle + offset), (self.other, middle - offset))
        )
        return Timeline(offset, (true,), false)
