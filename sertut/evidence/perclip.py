"""Scores clip by clip: one driver for all that is scored so, and its table with intervals, chance, and a note."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence.intervals import sums_by_speaker
from sertut.evidence.sums import BINS, READ_FROM, STEP, Tally

ATTENTION, UNTRAINED = "attention", "untrained network"
"""The method under test, and the same network before training."""

NOT_ATTENDING = "this model has no attention map; train one with attention, e.g. pooling='attention'."

Found = Mapping[str, Mapping[str, float]]
"""What one clip gives: method -> column -> value."""


@dataclass(frozen=True)
class ClipScores(Tally):
    """Scores of several methods on the same clips: sums by speaker, and what they were made from.

    table: one row a clip and method: clip, speaker, method, one column a metric, and ``<metric>_chance``, what a map
    that knows nothing would get there, where that is known. skipped: clip name -> why nothing could be scored there.
    metrics: name of a metric -> its name in print.
    """

    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    skipped: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        skipped: Mapping[str, str],
        metrics: Mapping[str, str],
        statistics: Mapping[str, str] | None = None,
    ) -> Self:
        """Add up a table by speaker.

        Args:
            statistics: of metrics that are no mean of their column. A "median" is that of the distance of the columns
                "true" and "recovered", seconds, a "correlation" that of the two.
        """
        speakers, statistics = tuple(sorted(table["speaker"].unique())), statistics or {}
        columns = [name for metric in metrics if metric not in READ_FROM for name in (metric, f"{metric}_chance")]
        tables = {
            str(method): {
                name: _sums(rows, name, statistics.get(name, "mean"), speakers)[None]
                for name in columns
                if name in rows or name in statistics
            }
            for method, rows in table.groupby("method", sort=False)
        }
        return cls(speakers, tables, statistics, table=table, skipped=skipped, metrics=metrics)

    def summary(self) -> pd.DataFrame:
        """One row a method; for each metric an :class:`Interval` and, where there is one, the chance level."""
        columns: dict = {}
        known = any(self.scored(f"{metric}_chance") for metric in self.metrics)
        for metric, name in self.metrics.items():
            columns[(name, "score") if known else name] = [self.interval(method, metric) for method in self.methods]
            if self.scored(chance := f"{metric}_chance"):
                columns[name, "chance"] = [float(self.of_each_seed(chance, method)[0]) for method in self.methods]
        return pd.DataFrame(columns, index=pd.Index(self.methods, name="method"))

    @property
    def note(self) -> str:
        """What was scored and what was left out, in a sentence."""
        n = self.table["clip"].nunique()
        reasons = pd.Series(self.skipped, dtype=str).value_counts()
        left_out = "; ".join(f"{count} skipped: {reason}" for reason, count in reasons.items())
        return f"{n} clips of {len(self.speakers)} speakers scored; {left_out or 'none skipped'}."

    def __str__(self) -> str:
        return f"{self.summary().to_string(float_format='{:.2f}'.format)}\n{self.note}"

    def _repr_html_(self) -> str:
        return f"{self.summary().to_html(float_format='{:.2f}'.format)}<p>{self.note}</p>"


def score_each(
    clips: Sequence[Clip],
    score: Callable[[int, Clip], Found | str],
    metrics: Mapping[str, str],
    nothing: str,
    statistics: Mapping[str, str] | None = None,
) -> ClipScores:
    """Score clip by clip, all methods on the same clips, and count what could not be scored.

    Args:
        score: of a clip and its place: method -> column -> value, or, in words, why the clip is skipped.
        metrics: column -> its name in print. nothing: the error's sentence if no clip can be scored; ``{}`` in it
            stands for the reason of the first. statistics: as of :meth:`ClipScores.of`.

    Raises:
        SertutError: no clip could be scored.
    """
    rows, skipped = [], {}
    for i, clip in enumerate(clips):
        found = score(i, clip)
        if isinstance(found, str):
            skipped[clip.name] = found
            continue
        for method, values in found.items():
            rows.append({"clip": clip.name, "speaker": clip.speaker, "method": method, **values})
    if not rows:
        raise SertutError(nothing.format(next(iter(skipped.values()), "there are no clips")))
    return ClipScores.of(pd.DataFrame(rows), skipped, metrics, statistics)


def draws_of(clip: Clip) -> np.random.Generator:
    """Random numbers that follow from the clip's own name: the same whichever clips come before it."""
    return np.random.default_rng(zlib.crc32(clip.name.encode()))


def _sums(rows: pd.DataFrame, metric: str, statistic: str, speakers: Sequence[str]) -> np.ndarray:
    """One method's table of each speaker, (S, ...), as :mod:`sertut.evidence.sums` says."""
    if statistic == "mean":
        return sums_by_speaker(rows[metric].tolist(), rows["speaker"].tolist(), speakers)
    known = rows[rows["true"].notna()]
    tables = []
    for speaker in speakers:
        x, y = (known.loc[known["speaker"] == speaker, ["true", "recovered"]] / STEP).round().astype(int).to_numpy().T
        if statistic == "median":
            tables.append(np.bincount(np.minimum(np.abs(x - y), BINS - 1), minlength=BINS))
        else:
            tables.append(np.array([len(x), *np.sum([x, y, x * x, y * y, x * y], axis=1)]))
    return np.stack(tables)
