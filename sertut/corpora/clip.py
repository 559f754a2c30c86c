"""One utterance: its recording, who speaks, what is felt, and, where that is known, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Region:
    """A span in which the emotion is known to be: seconds from the clip's start, in one stream ("voice" or "face").

    low, high: the band in which it is heard, Hz; None where there is no limit.
    """

    start: float
    end: float
    stream: str = "voice"
    low: float | None = None
    high: float | None = None

    @property
    def in_band(self) -> bool:
        """Whether the region is known in frequency too."""
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class Clip:
    """One utterance.

    name: unique within its corpus. regions: where the emotion is known to be; empty for ordinary corpora.
    details: what else the corpus says of it (intensity, repetition, ...).
    """

    name: str
    audio: Path
    speaker: str
    emotion: str
    sentence: str
    regions: tuple[Region, ...] = ()
    video: Path | None = None
    details: Mapping[str, object] = field(default_factory=dict, compare=False)
