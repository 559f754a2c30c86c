"""Verdicts follow from intervals by rule."""

import json
import math

import pytest

from sertut.errors import SertutError
from sertut.evidence import Claim
from sertut.evidence.intervals import Interval


def claim(low, high, **changes):
    fields = dict(
        id="D5",
        statement="attention beats an LSTM without it",
        source="Desai, Cao & Shah, arXiv 2203.03428",
        grade="paper",
        corpus="planted",
        effect=Interval((low + high) / 2, low, high),
        unit="UAR",
        seeds=5,
    )
    return Claim(**fields | changes)


@pytest.mark.parametrize(
    ("low", "high", "threshold", "verdict"),
    [
        (0.01, 0.05, 0.0, "supported"),
        (-0.05, -0.01, 0.0, "contradicted"),
        (-0.05, 0.01, 0.0, "no difference shown"),
        (0.0, 0.05, 0.0, "no difference shown"),
        (0.4, 0.6, 0.5, "no difference shown"),
        (math.nan, math.nan, 0.0, "no difference shown"),
    ],
)
def test_verdict(low, high, threshold, verdict):
    assert claim(low, high, threshold=threshold).verdict == verdict


def test_to_dict_is_plain_json():
    found = json.loads(json.dumps(claim(0.01, 0.05).to_dict(), allow_nan=False))
    assert found["effect"] == pytest.approx(0.03) and (found["low"], found["high"]) == (0.01, 0.05)
    assert found["verdict"] == "supported" and found["seeds"] == 5 and found["grade"] == "paper"
    assert claim(math.nan, math.nan, effect=Interval(0.5, math.nan, math.nan)).to_dict()["low"] is None


def test_unknown_grades_are_refused():
    with pytest.raises(SertutError, match="did you mean 'paper'"):
        claim(0.01, 0.05, grade="papr")
