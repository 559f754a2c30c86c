"""WA and UAR, against scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from sertut.errors import SertutError
from sertut.training.metrics import chance_uar, confusion, majority_wa, recalls, uar, wa


def test_agrees_with_scikit_learn():
    generator = np.random.default_rng(0)
    labels, predicted = generator.integers(0, 5, 300), generator.integers(0, 5, 300)
    counted = confusion(labels, predicted, 5)
    assert (counted == confusion_matrix(labels, predicted, labels=range(5))).all()
    assert uar(counted) == pytest.approx(recall_score(labels, predicted, average="macro"))
    assert wa(counted) == pytest.approx(accuracy_score(labels, predicted))
    assert recalls(counted) == pytest.approx(recall_score(labels, predicted, average=None))


def test_a_class_that_does_not_occur_is_left_out_aloud():
    counted = confusion([0, 0, 2], [0, 1, 2], n_classes=3)
    with pytest.warns(UserWarning, match="2 of 3 classes: no clip of class 1"):
        assert uar(counted) == pytest.approx(0.75)
    assert np.isnan(recalls(counted)).tolist() == [False, True, False]
    with warnings.catch_warnings():  # absent from one table of several only: the pooled data know the class
        warnings.simplefilter("error")
        uar(np.stack([counted, np.eye(3, dtype=int)]))


@pytest.mark.parametrize(
    ("labels", "predicted", "words"), [([0, 1], [0], "do not fit"), ([0, 3], [0, 1], "outside"), ([-1], [0], "outside")]
)
def test_bad_labels_are_refused(labels, predicted, words):
    with pytest.raises(SertutError, match=words):
        confusion(labels, predicted, 3)


def test_trivial_baselines():
    assert chance_uar(7) == pytest.approx(1 / 7)
    assert majority_wa([0, 1, 1], [1, 1, 0, 0, 0]) == pytest.approx(0.4)
    guesses = np.random.default_rng(0).integers(0, 7, 70_000)
    assert uar(confusion(np.arange(70_000) % 7, guesses, 7)) == pytest.approx(chance_uar(7), abs=0.01)
