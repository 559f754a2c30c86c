"""Agreement with the level: known answers, a fair chance for maps without an opinion, and silence left out."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from sertut.errors import SertutError
from sertut.evidence import loudness
from sertut.evidence.level import METRICS, in_top, score_loudness, top_count
from sertut.signals import write_audio
from tests.evidence.conftest import CLOCK, HOP, N_STEPS

LEVEL = np.array([-80.0, -40, -38, -30, -20, -35, -39, -42, -33, -31, -80, -80])
SOUNDS = LEVEL > -70


def score(values):
    return score_loudness(np.asarray(values, dtype=float), LEVEL, SOUNDS, hop=0.1)


def test_a_map_equal_to_the_level_is_the_ceiling():
    found = score(10 ** (LEVEL / 10))
    assert found["rank"] == pytest.approx(1) and found["distance"] == 0 and found["hit"] == 1
    assert found["share"] == pytest.approx(0.01 / (10 ** (LEVEL[SOUNDS] / 10)).sum())  # one of nine is the top 10 %


def test_a_map_on_the_quietest_step_is_the_floor():
    values = np.zeros(12)
    values[7] = 1  # -42 dB, three steps after the loudest
    found = score(values)
    assert found["rank"] < 0 and found["hit"] == 0 and found["share"] == 0
    assert found["distance"] == pytest.approx(0.3)


def test_chance_of_each_metric():
    found = score(np.arange(12.0))
    assert found["rank_chance"] == 0
    assert found["hit_chance"] == found["share_chance"] == pytest.approx(1 / 9)
    assert found["distance_chance"] == pytest.approx(0.1 * np.mean([3, 2, 1, 0, 1, 2, 3, 4, 5]))


def test_silence_does_not_count():
    rng = np.random.default_rng(0)
    values = rng.random(12)
    louder = values.copy()
    louder[~SOUNDS] = 100.0
    first, second = score(values), score(louder)
    assert all(first[metric] == pytest.approx(second[metric]) for metric in METRICS)
    assert first["rank"] == pytest.approx(spearmanr(values[SOUNDS], LEVEL[SOUNDS]).statistic)


def test_equal_values_share_the_top():
    values = np.array([1.0, 3, 3, 3, 0])
    assert in_top(values, 2) == pytest.approx([0, 2 / 3, 2 / 3, 2 / 3, 0])
    assert in_top(values, 4) == pytest.approx([1, 1, 1, 1, 0])
    for k, drawn in itertools.product(range(1, 6), np.random.default_rng(0).integers(0, 3, (20, 5))):
        assert in_top(drawn, k).sum() == pytest.approx(k)
    assert [top_count(n, 0.1) for n in (2, 10, 11, 30, 70)] == [1, 1, 2, 3, 7]


def test_a_corpus_beside_its_controls(tiny, make_map):
    generator = np.random.default_rng(0)
    maps = [make_map(generator.random(N_STEPS)) for _ in tiny]
    found = loudness(tiny.clips, maps, {"untrained network": maps})
    assert found.methods[:3] == ("attention", "untrained network", "attention, shuffled")
    for metric, best in {"rank": 1.0, "distance": 0.0, "hit": 1.0}.items():
        assert found.interval("energy", metric).estimate == pytest.approx(best)
    for metric in METRICS:
        chance = found.interval("uniform", f"{metric}_chance").estimate
        assert found.interval("uniform", metric).estimate == pytest.approx(chance)
        assert found.difference("attention", "untrained network", metric).estimate == 0
    assert not found.skipped and "hit rate" in str(found)
    again = loudness(tiny.clips[5:], maps[5:])  # the shuffle belongs to the clip
    shuffled = [f.table[f.table["method"] == "attention, shuffled"]["rank"].tolist() for f in (found, again)]
    assert shuffled[0][5:] == shuffled[1]


def test_a_map_on_the_loud_part_of_a_recording_hits_it(tiny, make_map):
    centers = CLOCK.centers(N_STEPS).numpy()
    found = loudness(tiny.clips, [make_map(np.exp(-(((centers - 0.65) / 0.1) ** 2)))] * len(tiny))
    assert found.interval("attention", "hit").estimate == 1
    assert found.interval("attention", "distance").estimate <= 2 * HOP
    assert found.difference("attention", "center", "share").low > 0


def test_a_clip_with_one_sounding_step_is_listed(tmp_path, tiny, make_map):
    samples = np.zeros(16_000, dtype=np.float32)
    samples[7_800:7_808] = 0.5  # heard in two frames of one step
    write_audio(tmp_path / "click.wav", samples)
    click = SimpleNamespace(name="click", audio=tmp_path / "click.wav", speaker="nobody")
    map_ = make_map(np.ones(N_STEPS))
    assert "click" in loudness([tiny[0], click], [map_, map_]).skipped
    with pytest.raises(SertutError, match="two sounding steps"):
        loudness([click], [map_])
