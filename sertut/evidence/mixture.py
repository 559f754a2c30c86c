r"""Can an utterance be read as a mixture of emotions? Estimated shares against true ones: claim D6 of Desai, Cao, Shah.

Of a clip with the true shares s (C,), sum 1, and the estimate p (C,):

    variation   :math:`\frac12 \sum_k |p_k - s_k|`, the part of the clip that is given to the wrong emotion
    divergence  of Jensen and Shannon, :math:`H(\frac{p + s}2) - \frac12 H(p) - \frac12 H(s)`, bits, between 0 and 1
    pair        told which two emotions a and b are present, :math:`|p_a / (p_a + p_b) - s_a|`; only where there are two

All are errors, better when lower. A model that knows nothing of mixtures does not get all wrong, so beside it stand

    best constant  one answer for all clips: the one with the lowest mean error *on these very clips*, sought for each
                   of the three by itself, so that no constant fitted on other clips can be stricter
    half and half  the same share for each emotion that is present, which ones is told: 50/50 for two
    hard decision  everything to the emotion that the model finds most probable
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike
from scipy.special import entr, log_softmax, softmax

from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence.perclip import ClipScores

METRICS = {
    "variation": "total variation",
    "divergence": "Jensen-Shannon divergence, bits",
    "pair": "error within the pair",
}
"""Column of :attr:`ClipScores.table` -> name in print; ``<column>_chance`` holds that of the best constant."""

MODEL, CONSTANT, HALF, HARD = "model", "best constant", "half and half", "hard decision"


def mixture_error(
    probabilities: ArrayLike,
    shares: ArrayLike,
    speakers: Sequence[str],
    *,
    others: Mapping[str, ArrayLike] | None = None,
) -> ClipScores:
    """Hold estimated shares against true ones, beside estimates that know less; methods and metrics as said above.

    Args:
        probabilities: shape (N, C), what the model gives to each emotion. shares: shape (N, C), the true ones, from
            :func:`true_shares` or :func:`vote_shares`; a clip with NaN is left out. speakers: of the N clips.
        others: name -> further estimates (N, C), e.g. ``{"model, tempered": tempered(logits, temperature)}``.

    Raises:
        SertutError: the shapes differ, a row does not sum to 1, or no clip has shares.
    """
    truth = np.asarray(shares, dtype=float)
    told = {MODEL: probabilities, **(others or {})}
    estimates = {method: np.asarray(values, dtype=float) for method, values in told.items()}
    known = ~np.isnan(truth).any(axis=1)
    if not known.any():
        raise SertutError("no clip has known shares; use planted-blend, or cremad with its vote tables.")
    for method, values in {**estimates, "shares": truth}.items():
        if values.shape != truth.shape or len(speakers) != len(truth):
            raise SertutError(
                f"'{method}' {values.shape}, shares {truth.shape} and {len(speakers)} speakers do not fit."
            )
        if not np.allclose(values[known].sum(axis=1), 1.0, atol=1e-3) or (values[known] < 0).any():
            raise SertutError(f"'{method}' holds rows that are no shares: each must be at least 0, and sum to 1.")
    truth = truth[known]
    estimates = {method: values[known] for method, values in estimates.items()}
    estimates[HALF] = (truth > 0) / (truth > 0).sum(axis=1, keepdims=True)
    estimates[HARD] = np.eye(truth.shape[1])[estimates[MODEL].argmax(axis=1)]
    errors = {
        method: {name: error(values, truth) for name, error in ERRORS.items()} for method, values in estimates.items()
    }
    constant = {name: error(best_constant(truth, error), truth) for name, error in ERRORS.items()}
    every = np.array([f"clip {i + 1}" for i in range(len(known))])
    rows = pd.DataFrame({"clip": every[known], "speaker": np.asarray(speakers)[known]})
    chance = {f"{name}_chance": values for name, values in constant.items()}
    parts = [rows.assign(method=method, **found, **chance) for method, found in {**errors, CONSTANT: constant}.items()]
    skipped = dict.fromkeys(every[~known].tolist(), "no known shares")
    return ClipScores.of(pd.concat(parts, ignore_index=True), skipped, METRICS)


def total_variation(p: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Half the sum of absolute differences, between 0 and 1; shapes (..., C) to (...)."""
    return np.abs(p - s).sum(axis=-1) / 2


def divergence(p: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits, between 0 and 1; shapes (..., C) to (...).

    Source: Lin, IEEE Transactions on Information Theory 37(1), 1991.
    """
    return np.maximum(entropy((p + s) / 2) - (entropy(p) + entropy(s)) / 2, 0.0)


def pair_error(p: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Error of the share within the two emotions that are present; shapes (C,) or (N, C) and (N, C) to (N,).

    NaN for a clip in which not two emotions are present. An estimate that gives nothing to either says half and half.
    """
    present = s > 0
    inside = np.where(present, p, 0.0)
    total = inside.sum(axis=1, keepdims=True)
    within = np.where(total > 0, inside / np.where(total > 0, total, 1.0), present / 2)
    return np.where(present.sum(axis=1) == 2, np.abs(within - s).max(axis=1), np.nan)


def entropy(shares: np.ndarray) -> np.ndarray:
    """Entropy in bits, shapes (..., C) to (...): 0 where all agree on one emotion, log2(C) where all are alike."""
    return entr(shares).sum(axis=-1) / np.log(2)


ERRORS = {"variation": total_variation, "divergence": divergence, "pair": pair_error}
"""Metric -> its function."""


def best_constant(shares: np.ndarray, error: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """The constant shares (C,) with the lowest mean error on all clips `shares` (N, C), found by search."""

    def cost(scores: np.ndarray) -> float:
        errors = error(softmax(scores)[None], shares)
        return float(errors[~np.isnan(errors)].mean()) if not np.isnan(errors).all() else 0.0

    starts = [np.log(shares.mean(axis=0) + 1e-3), np.log(np.median(shares, axis=0) + 1e-3), np.zeros(shares.shape[1])]
    minimize = scipy.optimize.minimize  # SciPy loads a part when it is used
    found = [minimize(cost, start, method="Powell", options={"xtol": 1e-3, "ftol": 1e-6}) for start in starts]
    return softmax(min(found, key=lambda result: result.fun).x)


def true_shares(clips: Sequence[Clip], emotions: Sequence[str]) -> np.ndarray:
    """The shares that a corpus knows, as in planted-blend; shape (N, C), NaN where a clip tells none."""
    return np.array([_row(clip.details.get("shares"), emotions) for clip in clips])


def vote_shares(clips: Sequence[Clip], emotions: Sequence[str], stream: str = "voice") -> np.ndarray:
    """The shares of the votes that people gave, as in cremad; shape (N, C), NaN where a clip has none.

    Args:
        stream: what the people were given, "voice", "face" or "both".
    """
    votes = [clip.details.get("votes") for clip in clips]
    return np.array([_row(table.get(stream) if isinstance(table, Mapping) else None, emotions) for table in votes])


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    r"""The temperature T for which :math:`\text{softmax}(z / T)` gives `targets` the highest likelihood: use dev clips.

    Args:
        logits: shape (N, C). targets: labels, shape (N,), or shares, shape (N, C).

    Source: Guo et al., ICML 2017.
    """
    scores, wanted = np.asarray(logits, dtype=float), np.asarray(targets)
    if wanted.ndim == 1:
        wanted = np.eye(scores.shape[1])[wanted]
    cost = lambda log_t: float(-(wanted * log_softmax(scores / np.exp(log_t), axis=1)).sum(axis=1).mean())  # noqa: E731
    return float(np.exp(scipy.optimize.minimize_scalar(cost, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def tempered(logits: ArrayLike, temperature: float) -> np.ndarray:
    """Probabilities (N, C) at a temperature: above 1 they are more alike, and the decision stays what it is."""
    return softmax(np.asarray(logits, dtype=float) / temperature, axis=1)


def _row(amounts: object, emotions: Sequence[str]) -> np.ndarray:
    """Shares (C,) from amounts by emotion; NaN without any."""
    if not isinstance(amounts, Mapping) or not sum(amounts.values()):
        return np.full(len(emotions), np.nan)
    if strange := sorted(set(amounts) - set(emotions)):
        raise SertutError(f"shares of {', '.join(strange)} are told, but the list has {', '.join(emotions)}; add them.")
    row = np.array([float(amounts.get(emotion, 0.0)) for emotion in emotions])
    return row / row.sum()
