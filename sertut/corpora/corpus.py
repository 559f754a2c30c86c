"""What was recorded: a corpus of clips, and its folds, whose speakers are disjoint."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from sertut.corpora.cache import in_threads
from sertut.corpora.clip import Clip
from sertut.corpora.leaks import Leaks, find_leaks
from sertut.errors import AudioError, CorpusError, VideoError
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
