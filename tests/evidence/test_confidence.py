"""Calibration: known temperatures, a second implementation of the error, and what the threshold keeps."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.errors import SertutError
from sertut.evidence.confidence import BINS, KEPT, Calibration, calibrate, judge_confidence, reliability
from sertut.evidence.sums import Tally, calibration_error
from sertut.training import Predictions


def drawn(temperature: float, n: int = 20_000) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels that follow softmax(logits / temperature)."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(n, 5, generator=generator)
    return logits, (logits / temperature).softmax(dim=1).multinomial(1, generator=generator)[:, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    logits, labels = drawn(temperature)
    calibration = calibrate(logits, labels)
    assert calibration.temperature == pytest.approx(temperature, rel=0.05)
    probabilities = calibration.probabilities(logits)
    torch.testing.assert_close(probabilities, (logits / calibration.temperature).softmax(dim=1))
    assert torch.equal(probabilities.argmax(dim=1), logits.argmax(dim=1)), "no decision may change"
    error = calibration_error(reliability(probabilities, labels, ["a"] * len(labels)).sum(axis=0))
    assert error < 0.02
    if temperature == 2.5:
        assert calibration_error(reliability(logits.softmax(dim=1), labels, ["a"] * len(labels)).sum(axis=0)) > 0.15


def test_the_threshold_keeps_nine_in_ten_right_answers():
    logits, labels = drawn(1.0, 2_000)
    calibration = calibrate(logits, labels)
    sure, called = calibration.probabilities(logits.double()).max(dim=1)
    assert (sure[called == labels] >= calibration.threshold).double().mean() == pytest.approx(KEPT, abs=0.002)
    assert (sure[called != labels] >= calibration.threshold).double().mean() < KEPT


def test_a_network_that_recognizes_nothing_is_refused():
    with pytest.raises(SertutError, match="recognizes no dev clip"):
        calibrate(torch.eye(3), torch.tensor([1, 2, 0]))


def test_the_error_of_four_clips_by_hand():
    probabilities = torch.tensor([[0.95, 0.05], [0.91, 0.09], [0.4, 0.6], [0.0, 1.0]], dtype=torch.float64)
    tables = reliability(probabilities, torch.tensor([0, 1, 1, 1]), ["b", "a", "b", "a"])
    assert tables.shape == (2, BINS, 3)
    np.testing.assert_allclose(tables[0, 9], [2, 1.91, 1])  # a: sure of 1.0, in the last bin, and of .91, wrong
    np.testing.assert_allclose(tables[1, 9], [1, 0.95, 1])
    np.testing.assert_allclose(tables[1, 6], [1, 0.6, 1])
    by_hand = (abs(2 - (0.95 + 0.91 + 1.0)) + abs(1 - 0.6)) / 4
    assert calibration_error(tables.sum(axis=0)) == pytest.approx(by_hand)
    np.testing.assert_allclose(calibration_error(tables), [0.91 / 2, (0.05 + 0.4) / 2])
    assert np.isnan(calibration_error(np.zeros((BINS, 3))))


def test_what_is_kept_of_two_speakers_by_hand():
    """Sure .9 or .6; refused is what lies below .7, of the right and of the wrong answers of each speaker."""
    sure = torch.tensor([0.9, 0.6, 0.9, 0.6, 0.6, 0.9], dtype=torch.float64)
    logits = torch.stack([sure, 1 - sure], dim=1).log()
    people = [SimpleNamespace(speaker=name) for name in "bbbaaa"]
    test = Predictions(tuple(people), ("x", "y"), logits, torch.tensor([0, 0, 1, 1, 0, 0]), ({},) * 6)
    found = judge_confidence(Calibration(1.0, 0.7), test)
    assert found.speakers == ("a", "b")
    assert found.sums("right answers", "refused").tolist() == [[[1, 2], [1, 2]]]
    assert found.sums("wrong answers", "refused").tolist() == [[[1, 1], [0, 1]]]
    assert found.difference("wrong answers", "right answers", "refused").estimate == 0.0
    by_hand = (abs(1 + 1 - 2.7) + abs(1 + 1 - 1.8)) / 6  # .9: two of three right; .6: two of three right
    assert found.interval("calibrated", "calibration").estimate == pytest.approx(by_hand)
    assert found.difference("as trained", "calibrated", "calibration").estimate == pytest.approx(0.0, abs=1e-12)
    hotter = judge_confidence(Calibration(2.0, 0.7), test)
    assert hotter.interval("as trained", "calibration").estimate == pytest.approx(by_hand)
    assert hotter.interval("calibrated", "calibration").estimate != pytest.approx(by_hand)
    pooled = Tally.pooled([json.loads(json.dumps(one.to_json())) for one in (found, hotter)], [0, 1])
    assert pooled.of_each_seed("calibration", "as trained") == pytest.approx([by_hand, by_hand])
    assert pooled.sums("right answers", "refused").shape == (2, 2, 2)
