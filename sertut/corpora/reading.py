"""Reading a recorded corpus: files found, names taken apart, and what was found held against what was published."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Folds, Problem
from sertut.errors import CorpusError, must_be_known

SOUND = (".wav", ".flac", ".ogg", ".mp3")


def neighbors(groups: Sequence[Iterable[str]]) -> Folds:
    """One fold a group of speakers: it is test, and the next group is dev."""
    sets = [frozenset(group) for group in groups]
    return tuple(zip(sets, sets[1:] + sets[:1], strict=True))


@dataclass(frozen=True)
class Source:
    """A recorded corpus as it was published.

    emotions, sentences: code -> what it stands for. names: regular expression of a file's whole name without its
    ending; its groups "emotion", "sentence", and "actor" or "speaker" are the codes. example: what such a name is, for
    errors. details: of a clip, from all codes of its name. expected, folds: as :class:`Corpus` takes them.
    known_faults: name of a clip -> what is wrong with it.
    """

    name: str
    about: About
    emotions: Mapping[str, str]
    names: str
    example: str
    expected: Mapping[str, int]
    sentences: Mapping[str, str] = field(default_factory=dict)
    details: Callable[[dict[str, str]], dict[str, object]] = dict
    folds: Folds = ()
    known_faults: Mapping[str, str] = field(default_factory=dict)

    def codes(self, name: str, where: object) -> dict[str, str]:
        """Group -> code in a name; a :class:`CorpusError` says `where` a name was found that does not fit."""
        found = re.fullmatch(self.names, name)
        if not found:
            raise CorpusError(f"{where} is not {self.example}; move it elsewhere.")
        return found.groupdict()

    def clip(self, path: Path, video: Path | None = None) -> Clip:
        """The clip that the name of a file tells of."""
        codes = self.codes(path.stem, path)
        (who,) = codes.keys() & {"actor", "speaker"}
        sentence = self.sentences.get(codes["sentence"], codes["sentence"])
        emotion, details = self.emotions[codes["emotion"]], self.details(codes)
        return Clip(path.stem, path, f"{who} {codes[who]}", emotion, sentence, video=video, details=details)

    def files(self, root: Path, suffixes: Sequence[str] = SOUND) -> list[Path]:
        """All files below `root` that end so, sorted by name; hidden ones are skipped.

        Raises:
            CorpusError: the folder is missing or holds no such file, or a name does not follow the code.
        """
        if not root.is_dir():
            raise CorpusError(
                f"the folder {root} does not exist; pass root=, or set SERTUT_DATA to the folder above it."
            )
        files = sorted(p for p in root.rglob("*") if p.suffix.lower() in suffixes and not p.name.startswith("."))
        if not files:
            raise CorpusError(f"the folder {root} holds no {', '.join(suffixes)} file.")
        for path in files:
            self.codes(path.stem, path)
        return files

    def without_faults(self, files: Sequence[Path], known_faults: str) -> tuple[list[Path], list[Problem]]:
        """Files without the known faults, and those left out; `known_faults` is "drop", or "keep" to keep them all."""
        must_be_known("known_faults", known_faults, ("drop", "keep"))
        faults = self.known_faults if known_faults == "drop" else {}
        dropped = [Problem(path.stem, faults[path.stem]) for path in files if path.stem in faults]
        return [path for path in files if path.stem not in faults], dropped

    def corpus(self, clips: Iterable[Clip], dropped: Iterable[Problem] = (), **others) -> Corpus:
        """The corpus of these clips; a warning says so where it is only partly there."""
        known = dict(emotions=tuple(self.emotions.values()), published_folds=self.folds, expected=self.expected)
        corpus = Corpus(self.name, tuple(clips), about=self.about, dropped=tuple(dropped), **known | others)
        if missing := corpus.missing():
            warnings.warn(f"{corpus.name} is incomplete: {', '.join(missing)} found.", stacklevel=3)
        return corpus
