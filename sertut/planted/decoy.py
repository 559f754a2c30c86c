"""A second, misleading expression of the face: the script of `planted-decoy`, where only alignment helps.

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

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sertut.errors import CorpusError
from sertut.planted import prosody
from sertut.planted.prosody import CUES, Prosody
from sertut.planted.script import SENTENCES, Take, cast, clips_of_a_class, content_words, steps, today
from sertut.planted.vocoder import FRAME, Speaker, timing
from sertut.planted.voices import Word
from sertut.signals import SAMPLE_RATE

LABELS = tuple(sorted(CUES))
"""The classes: all emotions but neutral, which has no expression to show."""

EMPHASIS = Prosody(pitch=6.0, range=0.8, arch=6.0, tilt=3.0)
"""What full stress does to a word, whatever the label; nothing of it is to be seen."""

OFFSET = (0.3, 0.6)
"""Seconds between the stressed word and each expression: the least and the most."""

SECONDS = (2.4, 2.8)
"""Length of a clip is drawn from this interval."""

FADE = 0.01
"""Seconds over which a clip rises from nothing, and falls to nothing."""

MARGIN = 0.95
"""Seconds between the middle of the stressed word and both ends of the clip, at least: room for the expressions."""

TEMPOS = (1.0, 0.94, 1.06, 0.88, 1.12, 0.82, 1.18, 0.76, 1.24)
"""Factors on the tempo that was drawn, tried in this order until two words lie at a distance that fits."""

_LONG = [sentence for sentence in SENTENCES if len(content_words(sentence)) > 3]
TEXTS = tuple(
    f"{first[:-1]} and {second[0].lower()}{second[1:]}"
    for first, second in zip(_LONG, _LONG[1:] + _LONG[:1], strict=True)
)
"""Two sentences in one breath: speech long enough to cut a clip out of its middle."""


@dataclass(frozen=True)
class DecoyTake(Take):
    """A clip cut out of longer speech, with one stressed word and two expressions.

    Which word is stressed is open until the take is :meth:`settled`; only then `cue`, `cut_at` and `length` hold.

    other: the emotion of the misleading expression. offset: seconds by which the true one follows the word (negative:
    comes before it); while the take is open, about how many. stress: what is done to the word. order: the content
    words, shuffled. seconds: length of the clip. place: 0..1, where the clip lies among all places where it fits.
    cut_at: second of the speech at which the clip starts. length: of each expression, seconds.
    """

    other: str
    offset: float
    stress: Prosody
    order: tuple[int, ...]
    seconds: float
    place: float
    cut_at: float = 0.0
    length: float = 0.0

    @property
    def start(self) -> float:
        return self.cut_at

    def settled(self, words: Sequence[Word]) -> DecoyTake:
        """Stress the first word, in the order drawn, with a partner on *both* sides to lie under the decoy.

        The sign of the offset was drawn and decides only now which side it is: so where in the clip the stress lies
        tells nothing about the sign.
        """
        for factor in TEMPOS:
            tempo = factor * self.speaker.tempo
            spans = self._spans(words, tempo)  # (n_words, 2)
            for word in self.order:
                earlier, later = self._partners(word, spans)
                starts = self._starts(word, spans)
                if earlier and later and starts[0] <= starts[1]:
                    return self._stressing(word, earlier if self.offset > 0 else later, spans, starts, tempo)
        raise CorpusError(f"no three words of '{self.sentence}' lie as planted-decoy needs them; choose another seed.")

    def cut(self, speech: np.ndarray) -> np.ndarray:
        """The clip out of all that is spoken, with edges that do not click."""
        first, n = round(self.start * SAMPLE_RATE), round(self.seconds * SAMPLE_RATE)
        edge = np.minimum(np.arange(n), np.arange(n)[::-1]) / SAMPLE_RATE  # seconds from the nearer end
        return speech[first : first + n] * np.clip(edge / FADE, 0, 1)

    def of_clip(self, words: Sequence[Word]) -> tuple[DecoyTake, list[Word]]:
        """The settled take with the words that are heard in the clip, on the clip's clock; others are left out."""
        assert self.cue is not None
        end = self.start + self.seconds
        inside = [i for i, word in enumerate(words) if word.end > self.start and word.start < end]
        times = lambda t: round(float(np.clip(t - self.start, 0, self.seconds)), 3)  # noqa: E731
        take = replace(self, cue=inside.index(self.cue), prosodies=tuple(self.prosodies[i] for i in inside))
        return take, [Word(words[i].text, times(words[i].start), times(words[i].end)) for i in inside]

    def _spans(self, words: Sequence[Word], tempo: float) -> np.ndarray:
        """Start and end of each word as it is heard, seconds, shape (n_words, 2)."""
        n = int(words[-1].end / FRAME) + 1
        heard = timing(n, words, self.prosodies, tempo)
        return np.interp([[word.start / FRAME, word.end / FRAME] for word in words], np.arange(n), heard)

    def _partners(self, word: int, spans: np.ndarray) -> tuple[list[int], list[int]]:
        """The content words twice an offset before `word`, and those after it."""
        distances = {i: spans[word].mean() - spans[i].mean() for i in self.order}
        fitting = {i: d for i, d in distances.items() if OFFSET[0] <= abs(d) / 2 <= OFFSET[1]}
        return [i for i, d in fitting.items() if d > 0], [i for i, d in fitting.items() if d < 0]

    def _starts(self, word: int, spans: np.ndarray) -> tuple[float, float]:
        """The first and the last second at which a clip around `word` may start: mouth and voice speak throughout."""
        first, middle, last = spans[0, 0], spans[word].mean(), spans[-1, 1]
        return (
            float(max(first + OFFSET[1], middle + MARGIN - self.seconds)),
            float(min(last - OFFSET[1] - self.seconds, middle - MARGIN)),
        )

    def _stressing(
        self, word: int, partners: list[int], spans: np.ndarray, starts: tuple[float, float], tempo: float
    ) -> DecoyTake:
        """The take with `word` stressed, the decoy on the partner whose distance is nearest to what was drawn."""
        offsets = {i: float(spans[word].mean() - spans[i].mean()) / 2 for i in partners}
        partner = min(offsets, key=lambda i: abs(offsets[i] - self.offset))
        prosodies = list(self.prosodies)
        prosodies[word] += self.stress
        return replace(
            self,
            speaker=replace(self.speaker, tempo=tempo),
            cue=word,
            prosodies=tuple(prosodies),
            offset=offsets[partner],
            cut_at=starts[0] + self.place * (starts[1] - starts[0]),
            length=float(np.ptp(spans[[word, partner]], axis=1).mean()),
        )


def write_decoys(speakers: int, clips_per_speaker: int, seed: int) -> list[DecoyTake]:
    """Draw the script of `planted-decoy`; with one seed its speakers are those of `planted`.

    Each emotion is true and misleading equally often, and half of a speaker's faces come before the voice.

    Raises:
        CorpusError: the sizes do not allow a balanced corpus.
    """
    number = clips_of_a_class(speakers, clips_per_speaker, LABELS, TEXTS)
    takes = []
    for i, speaker in enumerate(cast(speakers, seed)):
        rng = np.random.default_rng([seed, 4, i])
        signs = (-1.0) ** i * rng.permuted(np.resize([-1.0, 1.0], (len(LABELS), number)), axis=1)
        partners = steps(len(LABELS), number, rng)
        for first, emotion in enumerate(LABELS):
            for k, text in enumerate(rng.permutation(TEXTS)[:number]):
                other = LABELS[(first + partners[k]) % len(LABELS)]
                name = f"{speaker.name.replace(' ', '')}-{emotion}-{k + 1}"
                takes.append(_take(name, speaker, emotion, other, float(signs[first, k]), str(text), rng))
    return takes


def _take(
    name: str, speaker: Speaker, emotion: str, other: str, sign: float, text: str, rng: np.random.Generator
) -> DecoyTake:
    return DecoyTake(
        name=name,
        speaker=today(speaker, rng),
        emotion=emotion,
        sentence=text,
        cue=None,
        decoy=None,
        prosodies=tuple(prosody.plain(rng) for _ in text.split()),
        pause=(0.0, 0.0),
        gain=float(rng.uniform(-32, -22)),
        noise=float(rng.uniform(-80, -70)),
        seed=int(rng.integers(2**32)),
        other=other,
        offset=sign * float(rng.uniform(*OFFSET)),
        stress=prosody.drawn(EMPHASIS, rng),
        order=tuple(int(i) for i in rng.permutation(content_words(text))),
        seconds=float(rng.uniform(*SECONDS)),
        place=float(rng.uniform()),
    )
