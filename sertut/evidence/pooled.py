"""Many runs, one number: reports of several seeds and folds, pooled over folds and averaged over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sertut.errors import SertutError, unknown
from sertut.evidence.intervals import Interval, Statistic, bootstrap_speakers, mean, paired_difference
from sertut.evidence.lags import SCORES as OFFSETS
from sertut.evidence.lags import STEP, offset_pairs, score_tables
from sertut.evidence.level import METRICS as LOUDNESS
from sertut.evidence.localization import METRICS
from sertut.training.metrics import uar, wa

PARTS = ("localization", "loudness", "heads")
"""Keys of a report that hold sums of metrics."""


class Pooled:
    """Reports of the same method over seeds and folds.

    Within a seed the folds' tables are put side by side, so that each speaker counts once, in the fold where it was
    test; scores are computed on the pooled table of each seed, then averaged over seeds. Intervals resample speakers
    and seeds.

    Args:
        reports: dicts from :meth:`sertut.evidence.Report.to_json`, in any order. seeds: the seed of each.

    Attributes:
        seeds (K), speakers (S), emotions (C); confusions: (K, S, C, C).

    Raises:
        SertutError: seeds were tested on different speakers, or a speaker twice within a seed (then folds overlap).
    """

    def __init__(self, reports: Sequence[Mapping], seeds: Sequence[int]) -> None:
        if not reports or len(reports) != len(seeds):
            raise SertutError(f"{len(reports)} reports and {len(seeds)} seeds: pass at least one, and a seed for each.")
        self.emotions = tuple(reports[0]["emotions"])
        if any(tuple(report["emotions"]) != self.emotions for report in reports):
            raise SertutError("the reports have different lists of emotions; pool runs of one corpus only.")
        self.seeds = tuple(sorted(set(seeds)))
        self._by_seed = {seed: [r for r, s in zip(reports, seeds, strict=True) if s == seed] for seed in self.seeds}
        rows = {seed: [(r["speakers"], r["confusions"]) for r in folds] for seed, folds in self._by_seed.items()}
        self.confusions, self.speakers = side_by_side(rows)

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods scored for localization; empty if the reports have none."""
        parts = [report["localization"] for folds in self._by_seed.values() for report in folds]
        return () if any(part is None for part in parts) else tuple(parts[0]["methods"])

    @property
    def skipped(self) -> int:
        """Clips that could not be scored for localization, in all folds of one seed."""
        return sum(report["localization"]["skipped"] for report in self._by_seed[self.seeds[0]]) if self.methods else 0

    def sums(self, method: str, metric: str) -> np.ndarray:
        """(sum, count) of a metric, shape (K, S', 2); S' counts the speakers with a scored clip.

        Args:
            method: "attention" or a control; "all heads" or e.g. "head 2" for the metrics of heads.
            metric: of localization, :mod:`~sertut.evidence.level` or :mod:`~sertut.evidence.reach`.
        """
        every = [report for folds in self._by_seed.values() for report in folds]
        held = {part: every[0][part]["methods"] for part in PARTS if all(report.get(part) for report in every)}
        for part, methods in held.items():
            if metric in methods.get(method, ()):
                return side_by_side(
                    {
                        seed: [(r[part]["speakers"], r[part]["methods"][method][metric]) for r in folds]
                        for seed, folds in self._by_seed.items()
                    }
                )[0]
        family = {**dict.fromkeys(METRICS, "localization"), **dict.fromkeys(LOUDNESS, "loudness")}
        wanted = family.get(metric.removesuffix("_chance"), next(iter(held), "localization"))
        if wanted not in held:
            raise SertutError(
                f"these reports hold no {wanted}: the model has no attention"
                + (" or the corpus no known regions." if wanted == "localization" else ", or they are old: renew them.")
            )
        if method not in held[wanted]:
            raise unknown("method", method, held[wanted])
        raise unknown("metric", metric, held[wanted][method])

    @property
    def uar(self) -> Interval:
        """Unweighted average recall."""
        return bootstrap_speakers(uar, self.confusions)

    @property
    def wa(self) -> Interval:
        """Weighted accuracy."""
        return bootstrap_speakers(wa, self.confusions)

    def localization(self, method: str, metric: str) -> Interval:
        """Mean of a localization metric, e.g. ``("attention", "auroc")`` or ``("attention", "mass_chance")``."""
        return bootstrap_speakers(mean, self.sums(method, metric))

    def loudness(self, method: str, metric: str) -> Interval:
        """Mean of a metric of agreement with the level, e.g. ``("attention", "hit")``, or ``"hit_chance"``."""
        return bootstrap_speakers(mean, self.sums(method, metric))

    def heads(self, method: str, metric: str) -> Interval:
        """Mean of a metric of the heads' use, e.g. ``("all heads", "seconds")`` or ``("head 2", "gate")``."""
        return bootstrap_speakers(mean, self.sums(method, metric))

    def offset_error(self, method: str = "attention") -> Interval:
        """Median error of the recovered offset between voice and face, seconds; lower is better."""
        return bootstrap_speakers(*self._table("offset_error", method))

    def offset_within(self, method: str = "attention") -> Interval:
        """Share of the clips whose offset is recovered within 80 ms."""
        return bootstrap_speakers(*self._table("offset_within", method))

    def offset_correlation(self, method: str = "attention") -> Interval:
        """Pearson's correlation of recovered and true offset."""
        return bootstrap_speakers(*self._table("offset_correlation", method))

    def offset_pairs(self, method: str = "attention") -> np.ndarray:
        """True and recovered offset of every clip of every seed, shape (n, 2), seconds."""
        parts = self._parts("offsets")
        return STEP * np.concatenate([pairs.T for part in parts for pairs in offset_pairs(part, method)])

    def of_each_seed(self, score: str, method: str = "attention") -> np.ndarray:
        """One number a seed, shape (K,): `score` is "uar", "wa", "offset_error" or another one of
        :data:`sertut.evidence.lags.SCORES`, or a metric of `method` as in :meth:`sums`.
        """
        statistic, tables = self._table(score, method)
        return np.asarray(statistic(tables.sum(axis=1)))

    def difference(self, other: Pooled, score: str = "uar", method: str = "attention") -> Interval:
        """How much better this is than `other`, paired over speakers and seeds; `score` as in :meth:`of_each_seed`.

        Raises:
            SertutError: the two were not tested on the same speakers with the same seeds.
        """
        if self.seeds != other.seeds or self.speakers != other.speakers:
            raise SertutError("a paired difference needs the same seeds and the same speakers on both sides.")
        statistic, ours = self._table(score, method)
        return paired_difference(statistic, ours, other._table(score, method)[1])

    def gain(self, method: str, baseline: str, metric: str) -> Interval:
        """By how much `method` scores more than `baseline` in the same runs, paired over speakers and seeds."""
        statistic, ours = self._table(metric, method)
        return paired_difference(statistic, ours, self._table(metric, baseline)[1])

    def _table(self, score: str, method: str) -> tuple[Statistic, np.ndarray]:
        whole = {"uar": uar, "wa": wa}
        if score in OFFSETS:
            self._parts("offsets")
            rows = {
                seed: [(r["offsets"]["speakers"], score_tables(r["offsets"], method, score)[1]) for r in folds]
                for seed, folds in self._by_seed.items()
            }
            statistic = score_tables(self._by_seed[self.seeds[0]][0]["offsets"], method, score)[0]
            return statistic, side_by_side(rows)[0]
        return (whole[score], self.confusions) if score in whole else (mean, self.sums(method, score))

    def _parts(self, name: str) -> list[Mapping]:
        """A part of every report.

        Raises:
            SertutError: some report does not have it.
        """
        parts = [report.get(name) for folds in self._by_seed.values() for report in folds]
        if any(part is None for part in parts):
            raise SertutError(
                f"these reports hold no {name}: the model has no alignment or the corpus no known offsets."
            )
        return [part for part in parts if part is not None]


class PooledScores:
    """Scores of one kind, such as mixtures, over seeds and folds.

    Args:
        parts: from :func:`sertut.evidence.localization.stored`, in any order. seeds: the seed of each.
    """

    def __init__(self, parts: Sequence[Mapping], seeds: Sequence[int]) -> None:
        pairs = list(zip(parts, seeds, strict=True))
        self._by_seed = {seed: [part for part, s in pairs if s == seed] for seed in sorted(set(seeds))}

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods scored."""
        return tuple(next(iter(self._by_seed.values()))[0]["methods"])

    def sums(self, method: str, metric: str) -> np.ndarray:
        """(sum, count) of a metric, shape (K, S, 2)."""
        held = next(iter(self._by_seed.values()))[0]["methods"]
        if method not in held:
            raise unknown("method", method, held)
        if metric not in held[method]:
            raise unknown("metric", metric, held[method])
        rows = {s: [(p["speakers"], p["methods"][method][metric]) for p in parts] for s, parts in self._by_seed.items()}
        return side_by_side(rows)[0]

    def interval(self, method: str, metric: str) -> Interval:
        """Mean over clips, averaged over seeds; the interval resamples speakers and seeds."""
        return bootstrap_speakers(mean, self.sums(method, metric))

    def difference(self, method: str, other: str, metric: str) -> Interval:
        """By how much `metric` is higher for one method than for another in the same runs, paired over speakers."""
        return paired_difference(mean, self.sums(method, metric), self.sums(other, metric))

    def against(self, other: PooledScores, method: str, metric: str) -> Interval:
        """By how much `metric` of `method` is higher here than in other runs, with the same speakers and seeds."""
        return paired_difference(mean, self.sums(method, metric), other.sums(method, metric))


def side_by_side(
    rows: Mapping[int, Sequence[tuple[Sequence[str], Sequence | np.ndarray]]],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Per seed a list of (speakers, their tables); to an array (K, S, ...) and the sorted speakers."""
    by_seed = []
    for seed, folds in rows.items():
        pairs = [pair for names, tables in folds for pair in zip(names, tables, strict=True)]
        if len({name for name, _ in pairs}) < len(pairs):
            raise SertutError(f"seed {seed}: a speaker was tested twice; pool folds whose test speakers are disjoint.")
        by_seed.append(dict(pairs))
    speakers = tuple(sorted(by_seed[0]))
    for seed, tables in zip(rows, by_seed, strict=True):
        if tuple(sorted(tables)) != speakers:
            odd = sorted(set(tables) ^ set(speakers))
            raise SertutError(f"seed {seed} was not tested on the same speakers ({', '.join(odd)}); complete the runs.")
    return np.array([[tables[name] for name in speakers] for tables in by_seed], dtype=float), speakers
