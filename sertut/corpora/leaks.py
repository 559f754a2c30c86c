"""Leak checks: what do train, dev and test share?

A speaker on two sides makes every score of speech emotion recognition too good; so does one recording under two names.
A shared sentence is not forbidden (many corpora have two), but it must be said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sertut.corpora.cache import fingerprint, in_threads
from sertut.corpora.clip import Clip
from sertut.errors import LeakError


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
