"""Training and decisions: the numbers drawn are the numbers given."""

from types import SimpleNamespace

import numpy as np
import pytest

from sertut import show
from sertut.training.recipe import Recipe

from .conftest import EMOTIONS, ticks


@pytest.mark.parametrize(("kept", "keep", "said"), [(1, "best", "best epoch on dev, 2"), (2, "last", "last epoch, 3")])
def test_history_marks_the_kept_epoch(kept, keep, said):
    history = [{"epoch": i, "loss": 2.0 - 0.5 * i, "dev_uar": uar} for i, uar in enumerate((0.3, 0.8, 0.6))]
    run = SimpleNamespace(history=history, best_epoch=kept, emotions=EMOTIONS, recipe=Recipe(keep=keep))
    picture = show.history(run)
    loss, uar = picture.figure.axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[1, 2.0], [2, 1.5], [3, 1.0]])
    np.testing.assert_allclose(uar.lines[0].get_ydata(), [0.3, 0.8, 0.6])
    mark = next(line for line in uar.lines if line.get_marker() == "D")
    assert mark.get_xydata().tolist() == [[kept + 1, uar.lines[0].get_ydata()[kept]]]
    assert mark.get_label() == f"kept: {keep} epoch, {kept + 1}" and "from 2.00 to 1.00" in picture.alt
    height = mark.get_ydata()[0]
    assert f"kept is the {said}, with a UAR on dev of {height:.2f}; chance is 0.33" in picture.alt


def test_confusion_is_percent_of_the_row(report):
    picture = show.confusion(report)
    axis = picture.figure.axes[0]
    drawn = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(drawn, [[100, 0, 0], [0, 100 / 3, 200 / 3], [0, 0, 100]])
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["100%\n3", "33%\n1", "67%\n2", "100%\n3"]
    assert ticks(axis, across=True) == list(EMOTIONS)
    assert "Confusion of 9 clips: best recognized is neutral (100%)," in picture.alt
    assert "least anger (33%)" in picture.alt and "anger is taken for sadness, 2 times" in picture.alt


def test_confusion_of_a_class_without_clips():
    counts = np.array([[2, 0, 0], [0, 0, 0], [1, 0, 1]])
    picture = show.confusion(SimpleNamespace(confusion=counts, emotions=EMOTIONS))
    assert "anger (" not in picture.alt and "sadness is taken for neutral, 1 times" in picture.alt


def test_reliability_is_drawn_bin_by_bin():
    table = np.array([[0, 0, 0], [4, 1.8, 1], [6, 5.4, 6]], dtype=float)
    picture = show.reliability({"raw": table, "calibrated": table})
    (axis,) = picture.figure.axes
    np.testing.assert_allclose(axis.collections[0].get_offsets(), [[0.45, 0.25], [0.9, 1.0]])
    assert len(axis.collections) == 4 and "raw: 72% sure on average, 70% right" in picture.alt
