"""A sentence of a paper, turned into a number with an interval, and a verdict that follows from it by rule."""

import math
from dataclasses import asdict, astuple, dataclass

from sertut.errors import unknown
from sertut.evidence.intervals import Interval

GRADES = ("paper", "earlier code", "reconstruction", "measured")
"""How we know what a paper claims: from itself, its authors' earlier code, our reading, or our measurement."""


@dataclass(frozen=True)
class Claim:
    """One claim, measured on one corpus.

    id: e.g. "D5". statement: the claim in our words. source: where it was made. grade: one of :data:`GRADES`.
    effect: an estimate that is larger the truer the claim, e.g. a paired difference. unit: of the effect.
    seeds: trainings behind it. threshold: what the effect must exceed, 0 for a difference, chance for a score.

    Raises:
        SertutError: unknown grade.
    """

    id: str
    statement: str
    source: str
    grade: str
    corpus: str
    effect: Interval
    unit: str
    seeds: int
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise unknown("grade", self.grade, GRADES)

    @property
    def verdict(self) -> str:
        """By rule: "supported" if the whole interval lies above the threshold, "contradicted" if the whole lies below.

        Else "no difference shown"; so too without an interval (a single speaker), whatever the estimate.
        """
        if self.effect.low > self.threshold:
            return "supported"
        return "contradicted" if self.effect.high < self.threshold else "no difference shown"

    def to_dict(self) -> dict:
        """For ``results.json``; bounds that do not exist are None, since JSON knows no NaN."""
        effect, low, high, level = (None if math.isnan(value) else value for value in astuple(self.effect))
        found = {"effect": effect, "low": low, "high": high, "level": level, "verdict": self.verdict}
        return asdict(self) | found
