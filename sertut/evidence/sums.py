r"""Scores as sums by speaker: what intervals, paired differences and pooled folds and seeds are made from.

A score needs little of each speaker, and what it needs adds up: a confusion matrix for UAR, (sum, count) for a mean,
the counts of a histogram for a median. So every result here is kept as one small table for each seed and speaker, and
a name that says how a score is made from their sum. Folds are put side by side, seeds are stacked.

    statistic    table of one speaker                        score
    mean         (sum, count)                                their quotient
    uar          confusion matrix (C, C), rows true          unweighted average recall; "wa" is read from it, too
    macro        (recognized, clips) of each class, (C, 2)   the same from what is right alone
    median       (401,) values counted in steps of 5 ms      their median, seconds
    correlation  sums of (1, x, y, xx, yy, xy)               Pearson's correlation of x and y
    calibration  (clips, their confidences, how many are     expected calibration error
                 right) of each bin of confidence, (B, 3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sertut.errors import SertutError, unknown
from sertut.evidence.intervals import Interval, Statistic, bootstrap_speakers, mean, paired_difference
from sertut.training.metrics import chance_uar, uar, wa

STEP = 0.005
"""Seconds: medians are taken of values that were rounded to 5 ms."""

LONGEST = 2.0
"""Seconds: a value above it counts as this in a median."""

NEAR_SECONDS = 0.08
"""An offset counts as found if it is at most this far off: two video frames."""

BINS = round(LONGEST / STEP) + 1
AT = " at "
"""Between a metric and its setting: "drop at 0.3" is the fall when .3 of the steps are removed."""


def macro(sums: np.ndarray) -> np.ndarray:
    """Mean of the classes' recalls from (recognized, clips), shape (..., C, 2) to (...)."""
    return np.nanmean(mean(sums), axis=-1)


def median(counts: np.ndarray) -> np.ndarray:
    """Median of values that were counted in steps of :data:`STEP`: shape (..., n) to (...), seconds.

    ``counts[i]`` is how many values are i steps. It is that of :func:`numpy.median`; NaN where nothing was counted.
    """
    sums = np.cumsum(counts, axis=-1)
    half = sums[..., -1:] / 2
    lower, upper = (sums >= half).argmax(axis=-1), (sums > half).argmax(axis=-1)
    return np.where(sums[..., -1] > 0, STEP * (lower + upper) / 2, np.nan)


def within(counts: np.ndarray) -> np.ndarray:
    """Share of the counted values that are at most :data:`NEAR_SECONDS`; shapes as in :func:`median`."""
    near = np.asarray(counts)[..., : round(NEAR_SECONDS / STEP) + 1]
    return mean(np.stack([near.sum(axis=-1), np.sum(counts, axis=-1)], axis=-1))


def correlation(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation from the sums of (1, x, y, xx, yy, xy), shape (..., 6) to (...); 0 if one is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    spread = np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0)
    varied = spread > 1e-12 * np.maximum(n, 1) ** 4
    return np.where(varied, (n * xy - x * y) / np.sqrt(np.where(varied, spread, 1.0)), 0.0)


def calibration_error(tables: np.ndarray) -> np.ndarray:
    r"""Expected calibration error of tables (..., B, 3), shape (...); NaN without a clip.

    :math:`\sum_b \frac{n_b}{N} |\text{share right}_b - \text{mean confidence}_b|`: 0 where, of all clips of which it is
    70 % sure, 70 % are right. With few clips a bin is off by chance alone, so the error is never quite 0.

    Source: Naeini et al., AAAI 2015.
    """
    n, sure, right = np.moveaxis(np.asarray(tables, dtype=float), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(right - sure).sum(axis=-1) / n.sum(axis=-1)


STATISTICS: Mapping[str, Statistic] = {
    "mean": mean,
    "uar": uar,
    "macro": macro,
    "median": median,
    "correlation": correlation,
    "calibration": calibration_error,
}
"""Name of a statistic, as results keep it -> how a score is made from tables summed over speakers."""

READ_FROM: Mapping[str, tuple[str, Statistic | None]] = {"wa": ("uar", wa), "offset_within": ("offset_error", within)}
"""Metrics that are read from another one's tables, and how."""


@dataclass(frozen=True)
class Tally:
    """Scores of several methods over K seeds and S speakers, as sums by speaker.

    speakers: S names, sorted. tables: method -> metric -> (K, S, ...), whose last axes are a speaker's table. The
    decisions of a model go under the method "model", with the metric "uar". statistics: metric -> name of its
    statistic, "mean" where it is not listed. seeds: K of them; (None,) of what draws nothing, and so would get the same
    with every seed. emotions: the C classes, where there are confusions.

    A metric that was taken at several settings has one name for each, such as "drop at 0.3"; :meth:`at` chooses one.
    Where `method` is optional it is by default the first one that has the metric: "model" for "uar", "attention" for a
    score of maps. Intervals resample speakers (those without any scored clip aside) and seeds.
    """

    speakers: tuple[str, ...]
    tables: Mapping[str, Mapping[str, np.ndarray]]
    statistics: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int | None, ...] = (0,)
    emotions: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods, in the order in which they were scored."""
        return tuple(self.tables)

    def scored(self, metric: str) -> tuple[str, ...]:
        """The methods that have a metric; none where it could not be taken, e.g. where no region is known."""
        source = READ_FROM.get(metric, (metric, None))[0]
        return tuple(method for method, held in self.tables.items() if source in held)

    @property
    def settings(self) -> tuple[float, ...]:
        """What :meth:`at` can choose: shares removed, seconds heard, shifts."""
        names = [metric for held in self.tables.values() for metric in held if AT in metric]
        return tuple(dict.fromkeys(float(name.split(AT)[1]) for name in names))

    def at(self, setting: float) -> Tally:
        """The scores at one setting.

        Raises:
            SertutError: nothing was scored there.
        """
        if setting not in self.settings:
            raise unknown("setting", f"{setting:g}", [f"{known:g}" for known in self.settings])
        end = f"{AT}{setting:g}"
        tables = {
            method: {metric.removesuffix(end): table for metric, table in held.items() if metric.endswith(end)}
            for method, held in self.tables.items()
        }
        return Tally(self.speakers, tables, self.statistics, self.seeds, self.emotions)

    def sums(self, method: str, metric: str) -> np.ndarray:
        """The tables of a score, (K, S, ...): (sum, count) for a mean, confusion matrices for "uar".

        Raises:
            SertutError: unknown method or metric, or the metric was not taken of the method.
        """
        return self._find(metric, method)[1]

    def of_each_seed(self, metric: str, method: str | None = None) -> np.ndarray:
        """One number a seed, shape (K,)."""
        statistic, table = self._find(metric, method)
        return np.asarray(statistic(table.sum(axis=1)))

    def interval(self, method: str | None, metric: str) -> Interval:
        """A score, averaged over seeds, with its interval."""
        statistic, table = self._find(metric, method)
        return bootstrap_speakers(statistic, _with_clips(table)[0])

    def difference(self, method: str, other: str, metric: str) -> Interval:
        """By how much a metric is higher for one method than for another on the same clips, paired."""
        return self._paired(self, metric, method, other)

    def against(self, other: Tally, metric: str = "uar", method: str | None = None) -> Interval:
        """By how much a metric is higher here than in `other`, paired over speakers and seeds.

        What draws nothing (:attr:`seeds`) stands beside each seed of the other side, as the same number.

        Raises:
            SertutError: the two were not tested on the same speakers with the same seeds.
        """
        if (self.seeds == (None,)) != (other.seeds == (None,)):
            self, other = self._with(other.seeds), other._with(self.seeds)
        if self.seeds != other.seeds or self.speakers != other.speakers:
            raise SertutError("a paired difference needs the same seeds and the same speakers on both sides.")
        return self._paired(other, metric, method, method)

    @property
    def uar(self) -> Interval:
        """Unweighted average recall."""
        return self.interval(None, "uar")

    @property
    def wa(self) -> Interval:
        """Weighted accuracy."""
        return self.interval(None, "wa")

    @property
    def chance(self) -> float:
        """UAR of guessing: 1 / C, of the classes that have a clip."""
        clips = self._find("uar")[1].sum(axis=(0, 1, 3))  # (C,), of each true class
        return chance_uar(int((clips > 0).sum()))

    def merged(self, *others: Tally) -> Tally:
        """This with other scores of the same runs, whose speakers are among the speakers here."""
        tables, statistics = {method: dict(held) for method, held in self.tables.items()}, dict(self.statistics)
        for other in others:
            statistics |= other.statistics
            places = [self.speakers.index(name) for name in other.speakers]
            for method, held in other.tables.items():
                for metric, table in held.items():
                    whole = np.zeros((len(self.seeds), len(self.speakers), *table.shape[2:]), table.dtype)
                    whole[:, places] = table
                    tables.setdefault(method, {})[metric] = whole
        return Tally(self.speakers, tables, statistics, self.seeds, self.emotions)

    def _with(self, seeds: tuple[int | None, ...]) -> Tally:
        """The same for each of `seeds` where nothing was drawn; else as it is."""
        if self.seeds != (None,):
            return self
        tables = {
            method: {metric: np.repeat(table, len(seeds), axis=0) for metric, table in held.items()}
            for method, held in self.tables.items()
        }
        return Tally(self.speakers, tables, self.statistics, seeds, self.emotions)

    def to_json(self) -> dict:
        """Of one seed, for the result of a study: speakers, statistics, and method -> metric -> a table each speaker.

        A metric that counted no clip is left out. Instead of a histogram stands the list of its values, in steps.
        """
        packed = {
            method: {metric: _pack(self._statistic(metric), table[0]) for metric, table in held.items() if table.any()}
            for method, held in self.tables.items()
        }
        found = {"speakers": list(self.speakers), "statistics": dict(self.statistics), "methods": packed}
        return found | ({"emotions": list(self.emotions)} if self.emotions else {})

    @classmethod
    def pooled(cls, parts: Sequence[Mapping], seeds: Sequence[int | None]) -> Tally:
        """Folds side by side, so that each speaker counts once, in the fold where it was test; seeds stacked.

        Args:
            parts: from :meth:`to_json`, in any order. seeds: the seed of each.

        Raises:
            SertutError: seeds were tested on different speakers, or a speaker twice within a seed (then folds overlap);
                the parts have different emotions.
        """
        if not parts or len(parts) != len(seeds):
            raise SertutError(f"{len(parts)} results and {len(seeds)} seeds: pass at least one, and a seed for each.")
        emotions, statistics = parts[0].get("emotions", ()), parts[0]["statistics"]
        if any(part.get("emotions", ()) != emotions for part in parts):
            raise SertutError("the results have different lists of emotions; pool runs of one corpus only.")
        ordered = sorted(set(seeds), key=lambda seed: -1 if seed is None else seed)
        where: dict = {seed: {} for seed in ordered}  # seed -> speaker -> the part and place where the tables are
        for at, (part, seed) in enumerate(zip(parts, seeds, strict=True)):
            for place, name in enumerate(part["speakers"]):
                if name in where[seed]:
                    raise SertutError(
                        f"seed {seed}: a speaker was tested twice; pool folds whose speakers are disjoint."
                    )
                where[seed][name] = at, place
        speakers = tuple(sorted(where[ordered[0]]))
        for seed, found in where.items():
            if odd := ", ".join(sorted(set(found) ^ set(speakers))):
                raise SertutError(f"seed {seed} was not tested on the same speakers ({odd}); complete the runs.")
        empty = cls(speakers, {}, statistics, tuple(ordered), tuple(emotions))

        def stacked(method: str, metric: str) -> np.ndarray:
            of_part = [_unpack(empty._statistic(metric), part["methods"][method][metric]) for part in parts]
            return np.array([[of_part[at][place] for at, place in map(row.get, speakers)] for row in where.values()])

        everywhere = {  # what some part lacks, such as what nobody in one fold has, is left out
            method: [metric for metric in held if all(metric in part["methods"].get(method, ()) for part in parts)]
            for method, held in parts[0]["methods"].items()
        }
        tables = {method: {m: stacked(method, m) for m in metrics} for method, metrics in everywhere.items()}
        return replace(empty, tables=tables)

    def _statistic(self, metric: str) -> str:
        return self.statistics.get(metric.split(AT)[0], "mean")

    def _find(self, metric: str, method: str | None = None) -> tuple[Statistic, np.ndarray]:
        """How a score is made, and its tables (K, S, ...)."""
        source, read = READ_FROM.get(metric, (metric, None))
        method = method or next(iter(self.scored(metric) or self.methods))
        if method not in self.tables:
            raise unknown("method", method, self.tables)
        if source not in self.tables[method]:
            raise unknown(f"metric of '{method}'", metric, self.tables[method])
        return read or STATISTICS[self._statistic(metric)], self.tables[method][source]

    def _paired(self, other: Tally, metric: str, ours: str | None, theirs: str | None) -> Interval:
        (statistic, a), (_, b) = self._find(metric, ours), other._find(metric, theirs)
        a, b = _with_clips(a, b)
        return paired_difference(statistic, a, b)


def _with_clips(*tables: np.ndarray) -> list[np.ndarray]:
    """The tables (K, S, ...) of the speakers who have a scored clip in any of them; all speakers if nobody has one."""
    some = np.any([table.any(axis=(0, *range(2, table.ndim))) for table in tables], axis=0)  # (S,)
    return [table[:, some] if some.any() else table for table in tables]


PAIRS = {"mean": 2, "macro": 3}
"""Statistics of (sum, count), and how many axes the tables of all speakers have."""


def _pack(statistic: str, table: np.ndarray) -> list:
    """The tables of all speakers, (S, ...), for JSON: of histograms the values that were counted, in steps; of pairs
    (sum, count) the count, once, and then the sums, where all speakers have the same."""
    if statistic == "median":
        return [np.repeat(np.arange(len(row)), row).tolist() for row in table]
    if statistic in PAIRS and not np.ptp(table[..., 1], axis=0).any():
        table = np.concatenate([table[:1, ..., 1], table[..., 0]])
    return table.round(6).tolist()


def _unpack(statistic: str, packed: list) -> np.ndarray:
    if statistic == "median":
        return np.stack([np.bincount(np.array(row, dtype=int), minlength=BINS) for row in packed])
    table = np.array(packed)
    if table.ndim < PAIRS.get(statistic, 0):
        return np.stack([table[1:], np.broadcast_to(table[0], table[1:].shape)], axis=-1)
    return table
