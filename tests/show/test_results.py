"""Pictures of results: the numbers drawn are the numbers given."""

from types import SimpleNamespace

import numpy as np
import pytest

from sertut import show
from sertut.errors import SertutError
from sertut.evidence.intervals import Interval
from sertut.evidence.localization import METRICS

EMOTIONS = ("neutral", "anger", "sadness")


def test_history_marks_the_best_epoch():
    history = [{"epoch": i, "loss": 2.0 - 0.5 * i, "dev_uar": uar} for i, uar in enumerate((0.3, 0.8, 0.6))]
    picture = show.history(SimpleNamespace(history=history, best_epoch=1, emotions=EMOTIONS))
    loss, uar = picture.figure.axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[1, 2.0], [2, 1.5], [3, 1.0]])
    np.testing.assert_allclose(uar.lines[0].get_ydata(), [0.3, 0.8, 0.6])
    best = next(line for line in uar.lines if line.get_marker() == "D")
    assert best.get_xydata().tolist() == [[2, 0.8]]
    assert "from 2.00 to 1.00" in picture.alt and "highest, 0.80, in epoch 2; chance is 0.33" in picture.alt


def test_confusion_is_percent_of_the_row(report):
    picture = show.confusion(report)
    axis = picture.figure.axes[0]
    drawn = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(drawn, [[100, 0, 0], [0, 100 / 3, 200 / 3], [0, 0, 100]])
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["100%\n3", "33%\n1", "67%\n2", "100%\n3"]
    assert [label.get_text() for label in axis.get_xticklabels()] == list(EMOTIONS)
    assert "Confusion of 9 clips" in picture.alt
    assert "least anger (33%)" in picture.alt and "anger is taken for sadness, 2 times" in picture.alt


def test_confusion_of_a_class_without_clips():
    counts = np.array([[2, 0, 0], [0, 0, 0], [1, 0, 1]])
    picture = show.confusion(SimpleNamespace(confusion=counts, emotions=EMOTIONS))
    assert "anger (" not in picture.alt and "sadness is taken for neutral, 1 times" in picture.alt


def test_localization_draws_each_score_beside_its_chance(report):
    result = report.localization
    picture = show.localization(result)
    left = picture.figure.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == list(result.methods)
    for axis, metric in zip(picture.figure.axes, METRICS, strict=True):
        assert axis.get_title(loc="left") == METRICS[metric]
        drawn = [container[0].get_xdata()[0] for container in axis.containers]
        assert drawn == pytest.approx([result.interval(method, metric).estimate for method in result.methods])
        bars = [line.get_xdata()[0] for line in axis.lines if len(set(line.get_ydata())) == 2]
        rows = result.table.groupby("method", sort=False)[f"{metric}_chance"].mean()
        assert bars == pytest.approx(rows.tolist())
    attention = result.interval("attention", "auroc").estimate
    assert f"AUROC: attention {attention:.2f} (chance 0.50)" in picture.alt
    assert "9 clips of 3 speakers scored; none skipped." in picture.alt


REFERENCE = {"mean": [0.5, 0.55, 0.52], "attention": [0.6, 0.66, 0.63]}


def test_dots_shows_every_reference_run_and_the_readers_own():
    picture = show.dots(REFERENCE, {"attention": 0.7}, chance=0.125)
    lines = picture.figure.axes[0].lines
    for row, scores in enumerate(REFERENCE.values()):
        found = [line for line in lines if line.get_marker() == "o" and abs(line.get_ydata().mean() - row) < 0.3]
        np.testing.assert_allclose(found[0].get_xdata(), scores)
    (own,) = [line for line in lines if line.get_label() == "your run"]
    assert own.get_xydata().tolist() == [[0.7, 1]]
    assert "attention: 3 reference runs from 0.60 to 0.66, mean 0.63, your run 0.70, outside their range" in picture.alt
    assert "mean: 3 reference runs from 0.50 to 0.55, mean 0.52;" in picture.alt
    legend = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert legend == ["reference runs", "mean", "your run", "chance 0.125"]


def test_dots_draws_given_intervals():
    picture = show.dots(
        REFERENCE, intervals={"mean": Interval(0.52, 0.48, 0.56), "attention": Interval(0.63, 0.6, 0.67)}
    )
    drawn = [container[0].get_xdata()[0] for container in picture.figure.axes[0].containers]
    assert drawn == [0.52, 0.63]


def test_dots_refuses_a_method_without_reference():
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        show.dots(REFERENCE, {"atention": 0.7})


def test_differences_say_which_cross_zero():
    rows = {"a - b": Interval(0.05, 0.02, 0.08), "a - c": Interval(-0.01, -0.03, 0.01)}
    picture = show.differences(rows)
    assert "a - b: +0.050, interval +0.020 to +0.080 excludes zero" in picture.alt
    assert "a - c: -0.010, interval -0.030 to +0.010 crosses zero" in picture.alt
    axis = picture.figure.axes[0]
    assert [c[0].get_xydata().tolist()[0] for c in axis.containers] == [[0.05, 0], [-0.01, 1]]
    bars = [c[2][0].get_segments()[0][:, 0].tolist() for c in axis.containers]
    assert bars == [pytest.approx([0.02, 0.08]), pytest.approx([-0.03, 0.01])]


def test_interval_without_bounds_is_drawn_as_a_point():
    picture = show.differences({"one speaker": Interval(0.1, float("nan"), float("nan"))})
    assert picture.png and "no interval" in picture.alt


def test_localization_draws_the_agreement_with_loudness_as_well(report):
    picture = show.localization(report.loudness)
    assert [axis.get_title(loc="left") for axis in picture.figure.axes] == list(report.loudness.metrics.values())
    for axis in picture.figure.axes:
        low, high = axis.get_xlim()
        assert all(low < x < high for line in axis.lines for x in line.get_xdata())
    assert "energy 1.00 (chance 0.00)" in picture.alt
