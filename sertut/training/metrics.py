"""How good is a classifier? WA, UAR, and the recall of each class, from a table of decisions (C, C) for C emotions."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from sertut.errors import SertutError


def confusion(labels: ArrayLike, predicted: ArrayLike, n_classes: int) -> np.ndarray:
    """Count the decisions, (C, C): ``confusion[i, j]`` clips of class i were called j, also of a class without clips.

    Of labels and predictions (N,), class indices below `n_classes`. An error if the lengths differ, or an index is
    outside the list of classes.
    """
    true, called = np.asarray(labels, dtype=int), np.asarray(predicted, dtype=int)
    if true.shape != called.shape or true.ndim != 1:
        raise SertutError(f"{true.size} labels do not fit {called.size} predictions; pass one of each for every clip.")
    both = np.concatenate([true, called])
    if both.size and not (both.min() >= 0 and both.max() < n_classes):
        raise SertutError(f"a label is outside the {n_classes} classes 0 ... {n_classes - 1}; check the label list.")
    return np.bincount(true * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes)


def wa(confusion: np.ndarray) -> np.ndarray:
    r"""Weighted accuracy (...), the share of right clips: :math:`\sum_i n_{ii} / \sum_{ij} n_{ij}` of (..., C, C)."""
    return _divide(np.trace(confusion, axis1=-2, axis2=-1), np.sum(confusion, axis=(-2, -1)))


def recalls(confusion: np.ndarray) -> np.ndarray:
    """Share of each class that is recognized, shape (..., C); NaN for a class that does not occur."""
    confusion = np.asarray(confusion)
    return _divide(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def uar(confusion: np.ndarray) -> np.ndarray:
    r"""Unweighted average recall, :math:`\frac1C \sum_i n_{ii} / \sum_j n_{ij}`: every class counts the same.

    From (..., C, C) to (...). The mean runs over the classes that occur. A class of the fixed list that never occurs
    has no recall; it is left out **with a warning**, because the result then answers an easier question.
    """
    found = recalls(confusion)
    present = ~np.isnan(found)
    occurs = present.reshape(-1, present.shape[-1]).any(axis=0)
    if not occurs.all():
        absent = ", ".join(str(i) for i in np.flatnonzero(~occurs))
        text = f"UAR is taken over {occurs.sum()} of {len(occurs)} classes: no clip of class {absent}."
        warnings.warn(text, stacklevel=2)
    return _divide(np.nansum(found, axis=-1), present.sum(axis=-1))


def chance_uar(n_classes: int) -> float:
    """UAR of any guess that does not listen: 1 / C."""
    return 1.0 / n_classes


def majority_wa(train_labels: ArrayLike, test_labels: ArrayLike) -> float:
    """WA on test of always saying the class that is most frequent in train."""
    return float(np.mean(np.asarray(test_labels) == np.bincount(np.asarray(train_labels)).argmax()))


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.true_divide(numerator, denominator)
