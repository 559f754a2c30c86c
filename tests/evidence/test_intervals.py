"""Intervals over speakers: by hand, and by simulation."""

import math

import numpy as np
import pytest

from sertut.errors import SertutError
from sertut.evidence.intervals import (
    Interval,
    bootstrap_speakers,
    confusions_by_speaker,
    mean,
    paired_difference,
    sums_by_speaker,
)
from sertut.training.metrics import confusion, uar


def test_speakers_add_up():
    generator = np.random.default_rng(1)
    labels, predicted = generator.integers(0, 4, 200), generator.integers(0, 4, 200)
    speakers = generator.choice(["b", "a", "c"], 200)
    tables, names = confusions_by_speaker(labels, predicted, speakers, 4)
    assert names == ("a", "b", "c")
    assert (tables.sum(axis=0) == confusion(labels, predicted, 4)).all()
    assert tables[1].sum() == (speakers == "b").sum()


def test_sums_skip_what_is_undefined():
    sums = sums_by_speaker([1.0, math.nan, 3.0, 5.0], ["a", "a", "b", "b"], ["a", "b", "c"])
    assert sums.tolist() == [[1, 1], [8, 2], [0, 0]]
    assert mean(sums.sum(axis=0)) == 3.0
    assert math.isnan(mean(sums[2]))


def test_interval_prints_as_the_field_does():
    assert str(Interval(0.87, 0.84, 0.9)) == ".87 [.84, .90]"
    assert f"{Interval(0.108, -0.016, 0.23):+.3f}" == "+.108 [-.016, +.230]"
    assert str(Interval(-0.034, -0.1, 1.0)) == "-.03 [-.10, 1.00]"
    assert f"{Interval(0.5, 0.25, 10.75):.1f}" == ".5 [.2, 10.8]"
    assert str(Interval(0.5, math.nan, math.nan)) == ".50 [no interval]"
    assert Interval(0.5, 0.4, 0.6).contains(0.4)
    assert not Interval(0.5, math.nan, math.nan).contains(0.5)


def one_speaker_right_one_wrong(n_speakers: int, n_clips: int) -> np.ndarray:
    """Half of the speakers always right, half always wrong: (1, S, 2, 2)."""
    right, wrong = np.diag([n_clips, n_clips]), np.fliplr(np.diag([n_clips, n_clips]))
    return np.stack([right if i % 2 else wrong for i in range(n_speakers)])[None]


def test_clips_of_one_speaker_move_together():
    # 10 speakers, 100 clips each, and only the speaker matters: 10 observations, not 1000.
    by_speaker = bootstrap_speakers(uar, one_speaker_right_one_wrong(10, 50))
    expected = math.sqrt(0.25 / 10)  # standard deviation of a mean of 10 coins
    assert by_speaker.estimate == pytest.approx(0.5)
    student = 2.262 * math.sqrt(10 / 9)  # 97.5 % of Student's t with 9 degrees of freedom, expanded
    assert by_speaker.high - by_speaker.low == pytest.approx(2 * student * expected, rel=0.15)


def test_intervals_cover_the_true_mean_as_often_as_they_say():
    generator, n_speakers = np.random.default_rng(3), 5
    trials, hits = 300, 0
    for _ in range(trials):
        speaker_means = 0.6 + 0.1 * generator.standard_normal(n_speakers)
        sums = np.stack([10 * speaker_means, np.full(n_speakers, 10.0)], axis=1)
        hits += bootstrap_speakers(mean, sums[None]).contains(0.6)
    # The standard error of 300 trials is .013. Plain percentiles of 5 speakers would cover .84.
    assert 0.90 <= hits / trials <= 0.99


def test_seeds_are_resampled_too():
    tables = np.zeros((5, 20, 2))
    tables[:, :, 1] = 10  # 20 speakers, all alike within a seed, so that only the seeds differ
    tables[:, :, 0] = 10 * np.array([0.5, 0.55, 0.6, 0.65, 0.7])[:, None]
    interval = bootstrap_speakers(mean, tables)
    assert interval.estimate == pytest.approx(0.6)
    assert interval.high - interval.low > 0.08
    one_seed = bootstrap_speakers(mean, tables[2:3])
    assert one_seed.low == pytest.approx(0.6) and one_seed.high == pytest.approx(0.6)


def test_the_statistic_is_averaged_over_seeds_not_taken_of_the_pooled_seeds():
    first, second = np.array([[8, 0], [0, 2]]), np.array([[0, 8], [2, 0]])
    assert bootstrap_speakers(uar, np.array([[first, first], [second, second]])).estimate == pytest.approx(0.5)
    three_to_one = np.array([[[[9, 0], [0, 1]]] * 2, [[[9, 0], [1, 0]]] * 2])
    assert bootstrap_speakers(uar, three_to_one).estimate == pytest.approx((1.0 + 0.5) / 2)


def test_one_speaker_has_an_estimate_but_no_interval():
    interval = bootstrap_speakers(uar, np.diag([3, 4])[None, None])
    assert interval.estimate == 1.0
    assert math.isnan(interval.low) and math.isnan(interval.high)


def test_pairing_removes_what_is_hard_about_a_speaker():
    generator = np.random.default_rng(5)
    skill = generator.uniform(0.3, 0.9, 24)
    a = np.stack([100 * (skill + 0.05 + 0.01 * generator.standard_normal(24)), np.full(24, 100)], axis=1)[None]
    b = np.stack([100 * skill, np.full(24, 100)], axis=1)[None]
    difference = paired_difference(mean, a, b)
    assert difference.estimate == pytest.approx(0.05, abs=0.01)
    assert difference.low > 0.04
    alone = bootstrap_speakers(mean, a)
    assert difference.high - difference.low < 0.1 * (alone.high - alone.low)
    reverse = paired_difference(mean, b, a)
    assert reverse.estimate == pytest.approx(-difference.estimate)
    assert reverse.low == pytest.approx(-difference.high)


def test_only_equal_designs_can_be_paired():
    with pytest.raises(SertutError, match="same seeds, speakers"):
        paired_difference(mean, np.ones((1, 3, 2)), np.ones((1, 4, 2)))
