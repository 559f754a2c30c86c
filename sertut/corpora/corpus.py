"""What was recorded: a corpus of clips, its folds, and the check that train, dev and test share nothing.

A speaker on two sides makes every score of speech emotion recognition too good; so does one recording under two names.
A shared sentence is not forbidden (many corpora have two), but it must be said.
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from sertut.corpora.cache import fingerprint, in_threads
from sertut.corpora.clip import Clip
from sertut.errors import AudioError, CorpusError, LeakError, VideoError
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import read_video

Folds = tuple[tuple[frozenset[str], frozenset[str]], ...]
"""For each fold, the speakers of test and those of dev."""


@dataclass(frozen=True)
class About:
    """What a corpus must say of itself."""

    title: str
    license: str
    citation: str
    url: str


@dataclass(frozen=True)
class Problem:
    """One finding of :meth:`Corpus.validate`, or of reading: which file, what is wrong.

    clips: how many clips of the complete corpus it stands for, where they were left out.
    """

    file: str
    what: str
    clips: int = 1

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Corpus:
    """A table of clips.

    emotions: the fixed list of classes; a label is an index into it. published_folds: pairs (test speakers, dev
    speakers), where the literature has agreed on them. expected: what the complete corpus holds, e.g.
    ``{"clips": 1440, "speakers": 24}``. dropped: what was left out, with the reason. untold: what the corpus does not
    tell ("speakers", "sentences"); the clip's own name stands in its place, so that no two clips seem to share it.
    """

    name: str
    clips: tuple[Clip, ...]
    emotions: tuple[str, ...]
    about: About
    published_folds: Folds = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[Problem, ...] = ()
    untold: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.clips:
            raise CorpusError(f"the corpus '{self.name}' holds no clip.")
        if strange := sorted({clip.emotion for clip in self.clips} - set(self.emotions)):
            raise CorpusError(f"'{self.name}' has emotions outside its own list: {', '.join(strange)}.")
        if twice := [name for name, n in Counter(clip.name for clip in self.clips).items() if n > 1]:
            raise CorpusError(f"'{self.name}' has two clips named {twice[0]}.")

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.clips)

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index]

    @property
    def speakers(self) -> tuple[str, ...]:
        """All speakers, sorted."""
        return tuple(sorted({clip.speaker for clip in self.clips}))

    def label(self, clip: Clip) -> int:
        """Index of the clip's emotion in :attr:`emotions`."""
        return self.emotions.index(clip.emotion)

    def of_speakers(self, speakers: Iterable[str]) -> Corpus:
        """The clips of some speakers."""
        wanted = set(speakers)
        return self.keeping(clip for clip in self.clips if clip.speaker in wanted)

    def keeping(self, clips: Iterable[Clip]) -> Corpus:
        """The same corpus with fewer clips; the list of emotions stays as it is."""
        return replace(self, clips=tuple(clips))

    def table(self) -> pd.DataFrame:
        """One row a clip."""
        return pd.DataFrame(
            {
                "name": clip.name,
                "speaker": clip.speaker,
                "emotion": clip.emotion,
                "sentence": clip.sentence,
                "region_start": clip.regions[0].start if clip.regions else None,
                "region_end": clip.regions[0].end if clip.regions else None,
                **clip.details,
            }
            for clip in self.clips
        )

    def describe(self) -> str:
        """A paragraph a human can read: size, speakers, classes, license, how to cite."""
        seconds = sum(in_threads(_seconds, [clip.audio for clip in self.clips], "measuring"))
        counts = Counter(clip.emotion for clip in self.clips)
        located = sum(bool(clip.regions) for clip in self.clips)
        filmed = sum(clip.video is not None for clip in self.clips)
        lines = [
            f"{self.name}: {self.about.title}",
            f"  {len(self)} clips, {seconds / 60:.1f} minutes, {self._number('speakers')}, {self._number('sentences')}",
            "  " + ", ".join(f"{emotion} {counts[emotion]}" for emotion in self.emotions),
            f"  emotional region known in {located} clips",
            *([f"  video in {filmed} clips"] if filmed else []),
            *(f"  left out: {problem}" for problem in self.dropped),
            f"  license: {self.about.license}",
            f"  cite: {self.about.citation}",
            f"  home: {self.about.url}",
        ]
        return "\n".join(lines)

    def validate(self) -> list[Problem]:
        """Read every file; list what is unreadable, silent, duplicated or missing. An empty list is good news."""
        faults = in_threads(_fault, self.clips, f"reading {self.name}")
        problems = [Problem(clip.name, fault) for clip, fault in zip(self.clips, faults, strict=True) if fault]
        readable = [clip for clip, fault in zip(self.clips, faults, strict=True) if not fault]
        for group in find_leaks({"all": readable}).duplicates:
            names = [name for _, name in group]
            problems.append(Problem(names[0], f"same audio as {', '.join(names[1:])}"))
        return problems + [Problem(self.name, f"has {number}") for number in self.missing()]

    def found(self) -> dict[str, int]:
        """What to hold against :attr:`expected`: clips, those left out included, and speakers."""
        return {"clips": len(self) + sum(problem.clips for problem in self.dropped), "speakers": len(self.speakers)}

    def missing(self) -> list[str]:
        """What differs from :attr:`expected`, e.g. ``["56 of 1156 clips"]``; empty for a complete corpus."""
        found = self.found()
        return [f"{found[what]} of {number} {what}" for what, number in self.expected.items() if found[what] != number]

    def _number(self, of: str) -> str:
        """How many, in words: `24 speakers`, or `speakers unknown`."""
        found = {"speakers": self.speakers, "sentences": {clip.sentence for clip in self.clips}}
        return f"{of} unknown" if of in self.untold else f"{len(found[of])} {of}"

    def folds(self, n: int = 5, seed: int = 0) -> list[Fold]:
        """Cut the corpus by speakers: the published folds where there are any, else `n` seeded groups.

        In a seeded fold one group of speakers is test and the next one is dev. Every fold is checked for leaks.

        Raises:
            CorpusError: fewer speakers than a fold needs.
            LeakError: speakers or recordings are shared between train, dev and test.
        """
        here = set(self.speakers)
        if "speakers" in self.untold:
            warnings.warn(
                f"'{self.name}' does not tell who speaks: whether train, dev and test share one cannot be checked.",
                stacklevel=2,
            )
        pairs = [(here & test, here & dev) for test, dev in self.published_folds]
        if not pairs or not all(test and dev for test, dev in pairs):
            if pairs:
                warnings.warn(
                    f"the published folds of '{self.name}' need speakers that are missing; cutting {n} seeded groups.",
                    stacklevel=2,
                )
            groups = self._groups(n, seed)
            pairs = list(zip(groups, groups[1:] + groups[:1], strict=True))
        return [
            Fold(self.of_speakers(here - test - dev), self.of_speakers(dev), self.of_speakers(test), f"fold {i}")
            for i, (test, dev) in enumerate(pairs, start=1)
        ]

    def _groups(self, n: int, seed: int) -> list[set[str]]:
        """Deal the shuffled speakers into `n` groups, like cards."""
        speakers = np.array(self.speakers)
        if n < 3 or len(speakers) < n:
            raise CorpusError(
                f"'{self.name}' has {len(speakers)} speakers: too few for {n} folds of separate train, dev and test"
                " speakers; at least 3 folds and as many speakers are needed."
            )
        np.random.default_rng(seed).shuffle(speakers)
        return [set(speakers[i::n].tolist()) for i in range(n)]


@dataclass(frozen=True)
class Leaks:
    """What parts of a split share.

    speakers, sentences: those found in more than one part. duplicates: groups of (part, clip name) with identical
    samples, also within one part.
    """

    speakers: tuple[str, ...]
    sentences: tuple[str, ...]
    duplicates: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def crossing(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Duplicates whose copies are in different parts."""
        return tuple(group for group in self.duplicates if len({part for part, _ in group}) > 1)

    def refuse(self, where: str) -> None:
        """Raise :class:`LeakError` if a speaker or a recording is in two parts."""
        if self.speakers:
            raise LeakError(
                f"{where}: speakers {', '.join(self.speakers)} are in more than one of train, dev and test;"
                " split by speaker, for example with corpus.folds()."
            )
        if self.crossing:
            copies = " = ".join(f"{name} ({part})" for part, name in self.crossing[0])
            raise LeakError(f"{where}: the same recording is on two sides: {copies}; keep one of them.")

    def __str__(self) -> str:
        return (
            f"{len(self.speakers)} speakers and {len(self.sentences)} sentences in more than one part,"
            f" {len(self.duplicates)} groups of identical recordings ({len(self.crossing)} across parts)"
        )


@dataclass(frozen=True)
class Fold:
    """Train, dev and test of one corpus, checked for leaks when made.

    allow_leaks: do not raise on a leak; only for showing the damage (:func:`sertut.corpora.random_fold`).

    Raises:
        LeakError: a speaker or a recording is on two sides.
    """

    train: Corpus
    dev: Corpus
    test: Corpus
    name: str = "fold"
    allow_leaks: bool = False

    def __post_init__(self) -> None:
        if not self.allow_leaks:
            self.leaks.refuse(f"{self.train.name}, {self.name}")

    @property
    def parts(self) -> dict[str, Corpus]:
        """The three parts by name."""
        return {"train": self.train, "dev": self.dev, "test": self.test}

    @property
    def emotions(self) -> tuple[str, ...]:
        """The fixed list of classes."""
        return self.train.emotions

    @property
    def leaks(self) -> Leaks:
        """What the three parts share: speakers, sentences, recordings."""
        return find_leaks(self.parts)


def find_leaks(parts: Mapping[str, Iterable[Clip]]) -> Leaks:
    """Compare the parts of a split, e.g. ``find_leaks({"train": ..., "test": ...})``.

    Recordings are compared by their decoded samples, so a copy in another container is found too.
    """
    clips = [(part, clip) for part, members in parts.items() for clip in members]
    prints = in_threads(fingerprint, [clip.audio for _, clip in clips], "comparing recordings")
    groups: dict[str, list[tuple[str, str]]] = {}
    for (part, clip), samples in zip(clips, prints, strict=True):
        groups.setdefault(samples, []).append((part, clip.name))
    return Leaks(
        speakers=_shared((clip.speaker, part) for part, clip in clips),
        sentences=_shared((clip.sentence, part) for part, clip in clips),
        duplicates=tuple(tuple(group) for group in groups.values() if len(group) > 1),
    )


def _shared(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Values that occur with more than one part."""
    distinct = sorted(set(pairs))
    return tuple(value for value, group in itertools.groupby(distinct, key=lambda p: p[0]) if len(list(group)) > 1)


def random_fold(corpus: Corpus, seed: int = 0) -> Fold:
    """A split by clip, not by speaker, 70 : 10 : 20, as much published code does: **wrong on purpose**, for chapter 1.

    Its leaks are kept in ``fold.leaks``; nothing outside that chapter should use it.
    """
    order = np.random.default_rng(seed).permutation(len(corpus))
    n_test, n_dev = round(0.2 * len(corpus)), round(0.1 * len(corpus))
    parts = np.split(order, [n_test, n_test + n_dev])
    test, dev, train = (corpus.keeping(corpus[i] for i in sorted(part.tolist())) for part in parts)
    return Fold(train, dev, test, "random split", allow_leaks=True)


def _seconds(path: Path) -> float:
    """Duration of a recording; the sound of a video is decoded for it."""
    try:
        return float(soundfile.info(path).duration)
    except (soundfile.SoundFileError, RuntimeError):
        return len(read_audio(path)) / SAMPLE_RATE


def _fault(clip: Clip) -> str:
    """Why a recording cannot be used, its sound or its video; empty if it can."""
    try:
        read_audio(clip.audio)
        if clip.video:
            read_video(clip.video, longest=48)  # every frame is decoded, none is kept large
    except (AudioError, VideoError) as error:
        return str(error)
    return ""
