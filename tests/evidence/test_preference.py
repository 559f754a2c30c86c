"""The preference of a question for its own emotion: detectors, one question for all, and shares known beforehand."""

import numpy as np
import pytest
import torch

from sertut.corpora import Clip, Region
from sertut.errors import SertutError
from sertut.evidence.intervals import bootstrap_speakers, mean
from sertut.evidence.preference import own_preference, two_shown
from sertut.training.prediction import Predictions
from tests.evidence.conftest import CLOCK, EMOTIONS, HOP, N_STEPS, a_map

A, B = slice(5, 8), slice(15, 17)  # steps of the moments of anger and of sadness


def seconds(steps):
    return CLOCK.start + HOP * steps.start, CLOCK.start + HOP * steps.stop


BOTH = {"faces": (("anger", *seconds(A)), ("sadness", *seconds(B)))}


def clip(name, speaker, details):
    return Clip(name, f"{name}.wav", speaker, "anger", "a sentence", (), details=details)


def told(*rows, clips=None):
    """Predictions of one clip a (K, T) table of weights."""
    clips = clips or [clip(f"clip{i}", f"speaker {i}", BOTH) for i in range(len(rows))]
    maps = tuple({"attention": a_map(row, ("emotion", "time") if np.ndim(row) == 2 else ("time",))} for row in rows)
    zeros = torch.zeros(len(rows), len(EMOTIONS))
    return Predictions(tuple(clips), EMOTIONS, zeros, zeros[:, 0].long(), maps)


def question(on_a, on_b):
    row = np.full(N_STEPS, (1 - on_a - on_b) / (N_STEPS - 5))
    row[A], row[B] = on_a / 3, on_b / 2
    return row


def test_detectors_prefer_their_own_and_a_shared_question_nothing():
    nobodys = question(0.4, 0.4)
    detectors = np.stack([question(0.8, 0.0), nobodys, question(0.0, 0.8)])
    against_oneself = detectors[::-1].copy()
    shared = np.stack([question(0.6, 0.2)] * 3)
    found = own_preference(told(detectors, against_oneself, shared))
    assert found.table["preference"].tolist() == pytest.approx([1.0, -1.0, 0.0], abs=1e-6)
    assert found.table["under_others"].tolist() == pytest.approx([0.5, 0.5, 0.75], abs=1e-6)
    assert found.table["on_both"].tolist() == pytest.approx([0.8] * 3, abs=1e-6)
    assert found.interval("attention", "preference").estimate == pytest.approx(0.0, abs=1e-6)


def test_the_shares_are_those_of_the_weight_on_both_moments():
    table = np.stack([question(0.3, 0.1), question(0.2, 0.2), question(0.1, 0.4)])
    found = own_preference(told(table))
    row = found.table.iloc[0]
    assert (row["under_a"], row["under_b"]) == pytest.approx((0.75, 0.2), abs=1e-6)
    assert row["preference"] == pytest.approx(0.55, abs=1e-6)
    assert row["on_both"] == pytest.approx((0.4 + 0.5) / 2, abs=1e-6)
    # Which of the two is called A does not matter.
    turned = clip("clip0", "speaker 0", {"faces": BOTH["faces"][::-1]})
    assert own_preference(told(table, clips=[turned])).table["preference"][0] == pytest.approx(0.55, abs=1e-6)


def test_intervals_resample_speakers():
    strong = np.stack([question(0.8, 0.0), question(0.4, 0.4), question(0.0, 0.8)])
    none = np.stack([question(0.5, 0.3)] * 3)
    clips = [clip(f"clip{i}", f"speaker {i // 2}", BOTH) for i in range(6)]
    found = own_preference(told(strong, strong, none, none, strong, none, clips=clips))
    sums = np.array([[[2.0, 2], [0.0, 2], [1.0, 2]]])  # (preference, clips) of each speaker
    theirs, ours = bootstrap_speakers(mean, sums), found.interval("attention", "preference")
    assert (ours.estimate, ours.low, ours.high) == pytest.approx((theirs.estimate, theirs.low, theirs.high), abs=1e-6)


def test_a_decoy_is_a_second_emotion_and_what_shows_one_is_left_out():
    start, end = seconds(B)
    decoyed = Clip(
        "d", "d.wav", "s", "anger", "", (Region(*seconds(A), "face"), Region(0.1, 0.2, "voice")),
        details={"decoy_emotion": "sadness", "decoy_face": (start, end)},
    )  # fmt: skip
    assert two_shown(decoyed) == {"anger": [seconds(A)], "sadness": [seconds(B)]}
    assert two_shown(clip("c", "s", {"faces": BOTH["faces"][:1]})) == {}
    detectors = np.stack([question(0.8, 0.0), question(0.4, 0.4), question(0.0, 0.8)])
    alone = clip("alone", "s", {})
    found = own_preference(told(detectors, detectors, clips=[decoyed, alone]))
    assert found.table["preference"].tolist() == pytest.approx([1.0])
    assert found.skipped == {"alone": "it shows no two emotions"}


def test_without_two_emotions_or_without_rows_it_says_so():
    detectors = np.stack([question(0.8, 0.0), question(0.4, 0.4), question(0.0, 0.8)])
    with pytest.raises(SertutError, match=r"it shows no two emotions.*planted-blend"):
        own_preference(told(detectors, clips=[clip("alone", "s", {})]))
    with pytest.raises(SertutError, match="one row for all emotions"):
        own_preference(told(question(0.5, 0.3)))
