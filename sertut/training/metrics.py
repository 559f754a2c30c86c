"""How good is a classifier, and how sure are we? WA, UAR, and intervals that resample speakers.

Clips of one speaker resemble one another, so 600 clips of 24 speakers are closer to 24 observations than to 600.
Every interval here therefore resamples **speakers**, each with all of its clips. What makes that fast is that the
scores need little of each speaker: a confusion matrix (C, C) for WA and UAR, a pair (sum, count) for a mean. Both
simply add up over speakers, so a resample is a weighted sum of small tables.

Shapes: K seeds, S speakers, C emotions; D stands for the shape of one speaker's table, (C, C) or (2,).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from sertut.errors import SertutError

Statistic = Callable[[np.ndarray], np.ndarray]
"""From tables summed over speakers, shape (..., D), to numbers, shape (...)."""


def confusion(labels: ArrayLike, predicted: ArrayLike, n_classes: int) -> np.ndarray:
    """Count the decisions: ``confusion[i, j]`` clips of class i were called j.

    Args:
        labels, predicted: shape (N,), class indices below `n_classes`.

    Returns:
        shape (C, C), int; one row for each class of the fixed list, also for a class that does not occur.

    Raises:
        SertutError: the lengths differ, or an index is outside the list of classes.
    """
    true, called = np.asarray(labels, dtype=int), np.asarray(predicted, dtype=int)
    if true.shape != called.shape or true.ndim != 1:
        raise SertutError(f"{true.size} labels do not fit {called.size} predictions; pass one of each for every clip.")
    both = np.concatenate([true, called])
    if both.size and not (both.min() >= 0 and both.max() < n_classes):
        raise SertutError(f"a label is outside the {n_classes} classes 0 ... {n_classes - 1}; check the label list.")
    return np.bincount(true * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes)


def confusions_by_speaker(
    labels: ArrayLike, predicted: ArrayLike, speakers: Sequence[str], n_classes: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """One confusion matrix a speaker, shape (S, C, C), and the speakers' names, sorted."""
    true, called, who = np.asarray(labels), np.asarray(predicted), np.asarray(speakers)
    names = tuple(sorted(set(who.tolist())))
    return np.stack([confusion(true[who == name], called[who == name], n_classes) for name in names]), names


def wa(confusion: np.ndarray) -> np.ndarray:
    r"""Weighted accuracy, the share of clips that are right: :math:`\sum_i n_{ii} / \sum_{ij} n_{ij}`.

    Args:
        confusion: shape (..., C, C), rows true. Returns shape (...), a plain number for one matrix.
    """
    return _divide(np.trace(confusion, axis1=-2, axis2=-1), np.sum(confusion, axis=(-2, -1)))


def recalls(confusion: np.ndarray) -> np.ndarray:
    """Share of each class that is recognized, shape (..., C); NaN for a class that does not occur."""
    confusion = np.asarray(confusion)
    return _divide(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def classes_present(confusion: np.ndarray) -> np.ndarray:
    """Which classes occur among the true labels, shape (..., C), bool."""
    return np.asarray(confusion).sum(axis=-1) > 0


def uar(confusion: np.ndarray) -> np.ndarray:
    r"""Unweighted average recall, :math:`\frac1C \sum_i n_{ii} / \sum_j n_{ij}`: every class counts the same.

    The mean runs over the classes that occur. A class of the fixed list that never occurs has no recall; it is left
    out **with a warning**, because the result then answers an easier question. See :func:`classes_present`.

    Args:
        confusion: shape (..., C, C), rows true. Returns shape (...), a plain number for one matrix.
    """
    confusion = np.asarray(confusion)
    n_classes = confusion.shape[-1]
    occurs = classes_present(confusion).reshape(-1, n_classes).any(axis=0)
    if not occurs.all():
        absent = ", ".join(str(i) for i in np.flatnonzero(~occurs))
        warnings.warn(
            f"UAR is taken over {occurs.sum()} of {n_classes} classes: no clip of class {absent}.", stacklevel=2
        )
    return _divide(np.nansum(recalls(confusion), axis=-1), classes_present(confusion).sum(axis=-1))


def mean(sums: np.ndarray) -> np.ndarray:
    """Mean from (sum, count), shape (..., 2) to (...); NaN where nothing was counted."""
    sums = np.asarray(sums)
    return _divide(sums[..., 0], sums[..., 1])


def sums_by_speaker(values: ArrayLike, speakers: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(sum, count) of the defined values of each speaker in `names`, shape (S, 2); NaN is not counted."""
    numbers, who = np.asarray(values, dtype=float), np.asarray(speakers)
    defined = ~np.isnan(numbers)
    rows = [(numbers[defined & (who == name)].sum(), (defined & (who == name)).sum()) for name in names]
    return np.array(rows, dtype=float).reshape(len(names), 2)


def chance_uar(n_classes: int) -> float:
    """UAR of any guess that does not listen: 1 / C."""
    return 1.0 / n_classes


def majority_wa(train_labels: ArrayLike, test_labels: ArrayLike) -> float:
    """WA on test of always saying the class that is most frequent in train."""
    return float(np.mean(np.asarray(test_labels) == np.bincount(np.asarray(train_labels)).argmax()))


@dataclass(frozen=True)
class Interval:
    """An estimate between two bounds: prints as ``.87 [.84, .90]``. Bounds are NaN where there is only one speaker."""

    estimate: float
    low: float
    high: float
    level: float = 0.95

    def contains(self, value: float) -> bool:
        """Whether `value` lies between the bounds."""
        return self.low <= value <= self.high

    def __format__(self, spec: str) -> str:
        """``f"{interval:.3f}"`` prints three decimals."""
        if math.isnan(self.low):
            return f"{_number(self.estimate, spec)} [no interval]"
        return f"{_number(self.estimate, spec)} [{_number(self.low, spec)}, {_number(self.high, spec)}]"

    def __str__(self) -> str:
        return format(self, "")


def bootstrap_speakers(
    statistic: Statistic, per_speaker: np.ndarray, n: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Interval of a score by resampling speakers, and training seeds where there are several.

    The estimate is the statistic of each seed's total over speakers, averaged over seeds. Each of the `n` resamples
    draws S speakers with replacement (the same ones for every seed: the seeds were tested on the same people) and,
    independently, K seeds with replacement, so that the interval speaks about new speakers *and* new trainings. The
    bounds are percentiles, moved outward as Student's t would for S speakers: plain percentiles of few speakers are too
    narrow. Source: Hesterberg, The American Statistician 69:371-386 (2015), "expanded percentile interval".

    Args:
        statistic: :func:`uar`, :func:`wa`, :func:`mean`, or any function of summed tables.
        per_speaker: shape (K, S, D): confusion matrices (K, S, C, C), or (sum, count) pairs (K, S, 2).
        n: resamples. seed: of the resampling. level: of confidence.
    """
    (replicates,), (estimate,) = _resample(statistic, [per_speaker], n, seed)
    return _interval(estimate, replicates, np.shape(per_speaker)[1], level)


def paired_difference(
    statistic: Statistic, a: np.ndarray, b: np.ndarray, n: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Interval of ``statistic(a) - statistic(b)`` for two systems tested on the same speakers with the same seeds.

    Both are resampled together, so that what is hard about a speaker cancels. Arguments as in
    :func:`bootstrap_speakers`; a and b must list the same speakers and seeds in the same order.

    Raises:
        SertutError: the shapes differ.
    """
    if np.shape(a) != np.shape(b):
        raise SertutError(f"cannot pair {np.shape(a)} with {np.shape(b)}: pass the same seeds, speakers and classes.")
    (first, second), (estimate_a, estimate_b) = _resample(statistic, [a, b], n, seed)
    return _interval(estimate_a - estimate_b, first - second, np.shape(a)[1], level)


def _resample(
    statistic: Statistic, systems: Sequence[np.ndarray], n: int, seed: int
) -> tuple[list[np.ndarray], list[float]]:
    """Replicates (n,) and the estimate of each system, all with the same draws."""
    n_seeds, n_speakers = np.shape(systems[0])[:2]
    generator = np.random.default_rng(seed)
    times_drawn = generator.multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=n)  # (n, S)
    seed_weights = generator.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n) / n_seeds  # (n, K)
    replicates, estimates = [], []
    for system in systems:
        tables = np.asarray(system, dtype=float)
        estimates.append(float(np.mean(statistic(tables.sum(axis=1)))))
        totals = np.tensordot(times_drawn.astype(float), tables, axes=(1, 1))  # (n, K, D)
        replicates.append((statistic(totals) * seed_weights).sum(axis=1))
    return replicates, estimates


def _interval(estimate: float, replicates: np.ndarray, n_speakers: int, level: float) -> Interval:
    defined = replicates[~np.isnan(replicates)]  # a resample of speakers without a scored clip has no mean
    if n_speakers < 2 or len(defined) == 0:
        return Interval(estimate, math.nan, math.nan, level)
    t = stats.t.ppf((1 + level) / 2, df=n_speakers - 1)
    tail = stats.norm.cdf(-t * math.sqrt(n_speakers / (n_speakers - 1)))  # toward (1 - level) / 2 for many speakers
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high), level)


def _number(value: float, spec: str) -> str:
    """``.87``, ``-.03``, ``12.50``: no zero before the point, as the field prints scores."""
    text = format(value, spec or ".2f")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.true_divide(numerator, denominator)
