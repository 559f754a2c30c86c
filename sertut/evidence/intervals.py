"""How sure are we of a score? Intervals that resample speakers.

Clips of one speaker resemble one another, so 600 clips of 24 speakers are closer to 24 observations than to 600.
Every interval here therefore resamples **speakers**, each with all of its clips. What makes that fast is that the
scores need little of each speaker: a confusion matrix (C, C) for WA and UAR, a pair (sum, count) for a mean. Both
simply add up over speakers, so a resample is a weighted sum of small tables.

Shapes: K seeds, S speakers, C emotions; D stands for the shape of one speaker's table, (C, C) or (2,).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from sertut.errors import SertutError
from sertut.training.metrics import confusion

Statistic = Callable[[np.ndarray], np.ndarray]
"""From tables summed over speakers, shape (..., D), to numbers, shape (...)."""

RESAMPLES = 2000


def confusions_by_speaker(
    labels: ArrayLike, predicted: ArrayLike, speakers: Sequence[str], n_classes: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """One confusion matrix a speaker, shape (S, C, C), and the speakers' names, sorted."""
    true, called, who = np.asarray(labels), np.asarray(predicted), np.asarray(speakers)
    names = tuple(sorted(set(who.tolist())))
    return np.stack([confusion(true[who == name], called[who == name], n_classes) for name in names]), names


def mean(sums: np.ndarray) -> np.ndarray:
    """Mean from (sum, count), shape (..., 2) to (...); NaN where nothing was counted."""
    sums = np.asarray(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.true_divide(sums[..., 0], sums[..., 1])


def sums_by_speaker(values: ArrayLike, speakers: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(sum, count) of the defined values of each speaker in `names`, shape (S, 2); NaN is not counted."""
    numbers, who = np.asarray(values, dtype=float), np.asarray(speakers)
    defined = ~np.isnan(numbers)
    rows = [(numbers[defined & (who == name)].sum(), (defined & (who == name)).sum()) for name in names]
    return np.array(rows, dtype=float).reshape(len(names), 2)


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


def bootstrap_speakers(statistic: Statistic, per_speaker: np.ndarray) -> Interval:
    """Interval of a score by resampling speakers, and training seeds where there are several.

    The estimate is the statistic of each seed's total over speakers, averaged over seeds. Each of the resamples
    draws S speakers with replacement (the same ones for every seed: the seeds were tested on the same people) and,
    independently, K seeds with replacement, so that the interval speaks about new speakers *and* new trainings. The
    bounds are percentiles, moved outward as Student's t would for S speakers: plain percentiles of few speakers are too
    narrow. Source: Hesterberg, The American Statistician 69:371-386 (2015), "expanded percentile interval".

    Args:
        statistic: :func:`~sertut.training.metrics.uar`, :func:`mean`, or any function of summed tables.
        per_speaker: shape (K, S, D): confusion matrices (K, S, C, C), or (sum, count) pairs (K, S, 2).
    """
    (replicates,), (estimate,) = _resample(statistic, [per_speaker])
    return _interval(estimate, replicates, np.shape(per_speaker)[1])


def paired_difference(statistic: Statistic, a: np.ndarray, b: np.ndarray) -> Interval:
    """Interval of ``statistic(a) - statistic(b)`` for two systems tested on the same speakers with the same seeds.

    Both are resampled together, so that what is hard about a speaker cancels. Arguments as in
    :func:`bootstrap_speakers`; a and b must list the same speakers and seeds in the same order.

    Raises:
        SertutError: the shapes differ.
    """
    if np.shape(a) != np.shape(b):
        raise SertutError(f"cannot pair {np.shape(a)} with {np.shape(b)}: pass the same seeds, speakers and classes.")
    (first, second), (estimate_a, estimate_b) = _resample(statistic, [a, b])
    return _interval(estimate_a - estimate_b, first - second, np.shape(a)[1])


def _resample(statistic: Statistic, systems: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[float]]:
    """Replicates (n,) and the estimate of each system, all with the same draws."""
    n_seeds, n_speakers = np.shape(systems[0])[:2]
    generator = np.random.default_rng(0)
    times_drawn = generator.multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=RESAMPLES)  # (n, S)
    seed_weights = generator.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=RESAMPLES) / n_seeds  # (n, K)
    replicates, estimates = [], []
    for system in systems:
        tables = np.asarray(system, dtype=float)
        estimates.append(float(np.mean(statistic(tables.sum(axis=1)))))
        totals = np.tensordot(times_drawn.astype(float), tables, axes=(1, 1))  # (n, K, D)
        replicates.append((statistic(totals) * seed_weights).sum(axis=1))
    return replicates, estimates


def _interval(estimate: float, replicates: np.ndarray, n_speakers: int) -> Interval:
    defined = replicates[~np.isnan(replicates)]  # a resample of speakers without a scored clip has no mean
    if n_speakers < 2 or len(defined) == 0:
        return Interval(estimate, math.nan, math.nan)
    t = scipy.stats.t.ppf((1 + Interval.level) / 2, df=n_speakers - 1)
    tail = scipy.stats.norm.cdf(-t * math.sqrt(n_speakers / (n_speakers - 1)))  # toward .025 for many speakers
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def _number(value: float, spec: str) -> str:
    """``.87``, ``-.03``, ``+.03``, ``12.50``: no zero before the point, as the field prints scores."""
    text = format(value, spec or ".2f")
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text
