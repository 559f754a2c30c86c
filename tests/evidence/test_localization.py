"""Localization over many clips: clocks, chance, what is skipped, and the table that says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence.localization import METRICS, localize, of_emotions, step_level, time_weights
from sertut.signals import frame_seconds
from sertut.video import write_video
from tests.evidence.conftest import a_map


@pytest.fixture(scope="module")
def found(tiny, right_map):
    return localize(tiny.clips, [right_map] * 12)


def test_a_right_map_is_found_right_and_the_baselines_are_not(tiny, right_map, make_map):
    found = localize(tiny.clips, [right_map] * 12, {"untrained network": [make_map(np.ones(25))] * 12})
    assert found.methods[:5] == ("attention", "untrained network", "energy", "center", "uniform")
    for metric in METRICS:
        assert found.interval("attention", metric).estimate == pytest.approx(1.0)
        gain = found.difference("attention", "uniform", metric)
        assert gain.low > 0.3
    assert found.interval("untrained network", "auroc").estimate == 0.5
    assert found.interval("uniform", "mass").estimate == pytest.approx(mean_chance(found, "mass"))
    assert found.interval("energy", "pointing").estimate == 0.0  # the loudest part is elsewhere


def mean_chance(found, metric):
    return found.table[found.table["method"] == "uniform"][f"{metric}_chance"].mean()


def test_what_cannot_be_scored_is_counted(found):
    assert sorted(found.skipped) == ["clip1", "clip10", "clip4", "clip7"]
    assert found.note == "8 clips of 4 speakers scored; 4 skipped: no known region in the voice."
    assert len(found.table) == 8 * len(found.methods)
    assert "untrained network" not in found.methods


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [(0.0, 2.0, "the region holds all of the voice"), (0.95, 1.0, "no sounding step inside the region")],
)
def test_regions_without_a_contrast_are_skipped_with_the_reason(tiny, right_map, start, end, reason):
    clips = list(tiny.clips)
    clips[0] = replace(clips[0], regions=(replace(clips[0].regions[0], start=start, end=end),))
    found = localize(clips, [right_map] * 12)
    assert found.skipped["clip0"] == reason
    assert reason in str(found)


def test_no_clip_at_all_is_an_error(tiny, right_map):
    with pytest.raises(SertutError, match="known regions, such as planted"):
        localize([replace(clip, regions=()) for clip in tiny], [right_map] * 12)


def test_summary_shows_chance_beside_each_score_and_prints(found):
    table = found.summary()
    assert table.loc["uniform", ("AUROC", "chance")] == 0.5
    assert table.loc["attention", ("mass in region", "chance")] == pytest.approx(5 / 23, abs=0.02)
    assert str(table.loc["attention", ("AUROC", "score")]) == "1.00 [1.00, 1.00]"
    for text in (str(found), found._repr_html_()):
        assert "pointing game" in text and "1.00 [1.00, 1.00]" in text and "4 skipped" in text


def test_silence_is_not_scored(tiny, make_map):
    weights = np.zeros(25)
    weights[9], weights[24] = 0.25, 0.75  # three quarters on the silent end
    rows = localize(tiny.clips, [make_map(weights)] * 12).table.query("method == 'attention'")
    assert rows["mass"].tolist() == pytest.approx([1.0] * 8)


def test_random_baselines_are_each_clips_own_whatever_the_other_clips(found, tiny, right_map):
    part = localize(tiny.clips[6:], [right_map] * 6).table
    last = found.table[found.table["clip"] == "clip11"].reset_index(drop=True)
    assert part[part["clip"] == "clip11"].reset_index(drop=True).equals(last)
    assert found.table[found.table["method"] == "random, as smooth"]["mass"].nunique() == 8


def test_energy_of_a_step_is_the_mean_power_of_its_frames():
    power = torch.arange(1.0, 98.0)
    clock = Clock(hop=0.04, start=0.0125 - 0.02)  # as in a network that halves the frames twice
    steps = 10 ** (step_level(10 * power.log10(), clock, 25) / 10)
    # Step u spans frames 4 u - 2 to 4 u + 1; the first has only the two that exist.
    assert steps[:3] == pytest.approx([1.5, 4.5, 8.5])
    same_clock = Clock(hop=0.01, start=0.0125 - 0.005)
    assert 10 ** (step_level(10 * power.log10(), same_clock, 97) / 10) == pytest.approx(power.numpy())


def test_a_step_without_a_frame_takes_the_value_between_its_neighbors():
    power = torch.arange(1.0, 11.0)
    fine = Clock(hop=0.005, start=0.0125 - 0.0025)
    steps = 10 ** (step_level(10 * power.log10(), fine, 19) / 10)
    assert steps == pytest.approx(np.arange(1, 10.5, 0.5))


def test_coarse_steps_are_brought_to_frames():
    """Three steps of 0.32 s from 0.1 s on; frames before the first step and after the last take the nearest."""
    clock = Clock(hop=0.32, start=0.1)
    weights, taken = time_weights(a_map([1 / 8, 2 / 8, 5 / 8], clocks=clock), 120)
    centers = frame_seconds(120)
    expected = np.where(centers < 0.42, 1.0, np.where(centers < 0.74, 2.0, 5.0))
    assert weights == pytest.approx(expected / expected.sum())
    assert taken.centers(120).numpy() == pytest.approx(centers)


def test_steps_of_up_to_50_ms_stay_as_they_are():
    for hop in (0.01, 0.04, 0.05):
        weights, clock = time_weights(a_map([1 / 8, 2 / 8, 5 / 8], clocks=Clock(hop)), 120)
        assert weights == pytest.approx([1 / 8, 2 / 8, 5 / 8]) and clock == Clock(hop)


def test_a_word_between_the_centers_of_two_coarse_steps_is_scored(tiny):
    """Steps are centered on 0.16, 0.56 and 0.96 s; the region, 0.3 to 0.5 s, holds no center.

    Sounding frames: 0 ... 89 of 98. The second step, 0.36 to 0.76 s, holds frames 35 ... 74; of them 35 ... 48 lie
    in the region, 29 ... 48.
    """
    found = localize(tiny.clips, [a_map([0.0, 1.0, 0.0], clocks=Clock(0.4, -0.04))] * 12)
    assert set(found.skipped.values()) == {"no known region in the voice"}
    rows = found.table.query("method == 'attention'")
    valid = rows["mass_chance"].iloc[0] ** -1 * 20
    assert valid == pytest.approx(round(valid)) and 88 <= valid <= 91
    assert rows["mass"].tolist() == pytest.approx([14 / 40] * 8)
    assert rows["pointing"].tolist() == pytest.approx([(14 + 5) / 40] * 8)  # 50 ms, 5 frames, are forgiven
    inside, outside = [1] * 14 + [0] * 6, [1] * 26 + [0] * (round(valid) - 46)
    wins = np.mean([(a > b) + (a == b) / 2 for a in inside for b in outside])
    assert rows["auroc"].tolist() == pytest.approx([wins] * 8)
    assert rows["iou"].tolist() == pytest.approx([14 / 46] * 8)


def face_map(weights, mask=None):
    return a_map(weights / np.sum(weights), clocks=Clock(0.04), mask=mask, stream="face")


@pytest.fixture
def seen(tiny, tmp_path, cache):
    """The first three clips with a face of 25 frames, which moves in frames 18 ... 20; its region is 0.5 to 0.7 s."""
    clips = []
    for i, clip in enumerate(tiny.clips[:3]):
        frames = np.zeros((25, 48, 48), dtype=np.uint8)
        frames[:, 12:30, 10:40] = 200
        for t in (18, 19, 20):
            frames[t, 12 : 30 + 2 * (t - 17), 10:40] = 200
        frames[21:] = frames[20]
        write_video(tmp_path / f"{i}.avi", frames)
        regions = (*clip.regions, Region(0.5, 0.7, "face"))
        clips.append(replace(clip, video=tmp_path / f"{i}.avi", regions=regions))
    return clips


def test_a_map_of_the_face_is_held_against_the_region_of_the_face(seen):
    weights = np.zeros(25)
    weights[13:17] = 1.0  # centered on 0.54 ... 0.66 s; the region holds the centers of frames 12 ... 16
    found = localize(seen, [face_map(weights)] * 3, {"untrained network": [face_map(np.ones(25))] * 3})
    assert found.methods[:5] == ("attention", "untrained network", "motion", "center", "uniform")
    attention = found.table.query("method == 'attention'")
    assert attention["mass"].tolist() == pytest.approx([1.0] * 3)  # silence of the voice plays no role
    assert attention["iou"].tolist() == pytest.approx([4 / 5] * 3)
    assert attention["mass_chance"].tolist() == pytest.approx([5 / 25] * 3)
    assert found.table.query("method == 'motion'")["pointing"].tolist() == [0.0] * 3  # it moves elsewhere


def test_frames_without_a_face_do_not_count(seen):
    mask = np.ones(25, dtype=bool)
    mask[:10] = mask[12:14] = False
    weights = np.where(mask, 1.0, 0.0)
    row = localize(seen, [face_map(weights, mask)] * 3).table.query("method == 'attention'").iloc[0]
    assert row["mass_chance"] == pytest.approx(3 / 13) and row["mass"] == pytest.approx(3 / 13)
    mask[12:17] = False
    with pytest.raises(SertutError, match="no frame with a face inside the region"):
        localize(seen, [face_map(np.where(mask, 1.0, 0.0), mask)] * 3)


def test_a_voice_map_does_not_see_the_region_of_the_face(seen, right_map, tiny):
    found, plain = localize(seen, [right_map] * 3), localize(tiny.clips[:3], [right_map] * 3)
    assert found.table.equals(plain.table) and found.skipped == plain.skipped


def test_one_emotion_of_a_map_with_several(tiny, right_map, make_map):
    maps = [right_map, make_map(np.ones(25)), make_map(np.arange(25.0))]
    several = a_map(np.concatenate([map_.weights for map_ in maps]), ("emotion", "time"))
    one, other, plain = of_emotions([several, several, right_map], [0, 2, 1])
    assert torch.equal(one.weights, right_map.weights) and one.axes == ("time",)
    assert torch.equal(other.weights, maps[2].weights) and plain is right_map
    found = localize(tiny.clips, [right_map] * 12, others={"predicted class": [maps[1]] * 12})
    assert found.methods[:3] == ("attention", "predicted class", "energy")
    assert found.interval("predicted class", "auroc").estimate == 0.5
