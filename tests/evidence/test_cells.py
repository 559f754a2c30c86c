"""Scores over the cells of a map, with known answers: right band, wrong band, coarse maps, silence."""

from dataclasses import replace

import numpy as np
import pytest

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Report, Tally
from sertut.evidence.cells import METRICS, band_hz, cell_energy, cells_in, localize_cells, mel_band, score_cells
from sertut.signals import N_MELS, SAMPLE_RATE, WINDOW_SECONDS, log_mel
from tests.evidence.conftest import a_map

TIME, BANDS = Clock(0.04, WINDOW_SECONDS / 2 - 0.02), Clock(8.0, -4.0)
SHAPE = (25, 8)  # columns, rows; row r is centered on mel band 8 r, so rows 0, 1, 2 lie below 1000 Hz


def make_map(weights, time=TIME, bands=BANDS):
    weights = np.asarray(weights, dtype=float)
    return a_map(weights / weights.sum(), ("time", "frequency"), {"time": time, "frequency": bands})


@pytest.fixture(scope="module")
def banded(tiny):
    """The tiny corpus, its regions below 1000 Hz in every other clip and above in the others."""
    limits = [{"high": 1000.0}, {"low": 1000.0}]
    return [
        replace(clip, regions=tuple(replace(region, **limits[i % 2]) for region in clip.regions))
        for i, clip in enumerate(tiny.clips)
    ]


def truth(clip, time=TIME, bands=BANDS, shape=SHAPE) -> np.ndarray:
    return cells_in(clip.regions, time, bands, shape)


def test_a_right_map_is_found_right_and_the_baselines_are_not(banded):
    maps = [make_map(truth(clip) if clip.regions else np.ones(SHAPE)) for clip in banded]
    found = localize_cells(banded, maps, {"untrained network": [make_map(np.ones(SHAPE))] * 12})
    assert found.methods == ("attention", "untrained network", "energy", "uniform")
    for metric in METRICS:
        assert found.interval("attention", metric).estimate == pytest.approx(1.0)
        assert found.difference("attention", "uniform", metric).low > 0.1
    assert found.interval("untrained network", "cell_auroc").estimate == 0.5
    uniform = found.table.query("method == 'uniform'")
    for metric in ("cell_pointing", "cell_mass", "band"):
        assert uniform[metric].tolist() == pytest.approx(uniform[f"{metric}_chance"].tolist())
    # 3 rows of 8 below 1000 Hz, 5 above; the region lasts 5 of 23 sounding columns.
    assert sorted(set(uniform["band"].round(3))) == [0.375, 0.625]
    assert sorted(set(uniform["cell_mass"].round(3))) == [round(5 * 3 / 184, 3), round(5 * 5 / 184, 3)]
    assert uniform["cell_pointing_chance"].iloc[0] == pytest.approx(6 * 4 / 184)  # half a cell more on each side
    for text in (str(found), found._repr_html_()):
        assert "mass of the word in its band" in text and "4 skipped" in text
    assert found.sums("attention", "band").shape == (1, 4, 2)
    with pytest.raises(SertutError, match="cell_auroc"):
        found.sums("attention", "auroc")


def test_the_right_time_in_the_wrong_band(banded):
    def wrong(clip):
        region = truth(clip)
        return region.any(axis=1, keepdims=True) & ~region

    maps = [make_map(wrong(clip) if clip.regions else np.ones(SHAPE)) for clip in banded]
    table = localize_cells(banded, maps).table.query("method == 'attention'")
    assert (table["band"] == 0).all() and (table["cell_mass"] == 0).all() and (table["cell_auroc"] < 0.5).all()
    # Half a cell is forgiven: where the region is the low band, row 3, the first of five above, reaches into it.
    assert table["cell_pointing"].tolist() == pytest.approx([0.2, 0.2, 0, 0, 0.2, 0.2, 0, 0])


def test_the_band_is_asked_for_in_the_columns_of_the_word_only():
    region, values = np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE)
    region[8:12, :3] = True
    values[9, 1], values[10, 6], values[20, :] = 3.0, 1.0, 50.0  # much weight at another time
    found = score_cells(values, region, region, np.ones(SHAPE, dtype=bool))
    assert found["band"] == 0.75 and found["band_chance"] == 3 / 8
    assert found["cell_mass"] == pytest.approx(3 / 404) and found["cell_mass_chance"] == 12 / 200


def test_a_region_of_all_frequencies_has_no_band_to_find(tiny):
    maps = [make_map(np.ones(SHAPE))] * 12
    found = localize_cells(tiny.clips, maps)
    assert found.table["band"].isna().all() and found.sums("attention", "band")[..., 1].sum() == 0
    assert found.interval("uniform", "cell_mass").estimate == pytest.approx(5 / 23)


def test_pointing_forgives_half_a_cell():
    """A cell whose patch reaches into the region is near it; the next one is not."""
    region = [Region(0.3, 0.5, high=1000.0)]
    half = (TIME.hop / 2, BANDS.hop / 2)
    exact, near = cells_in(region, TIME, BANDS, SHAPE), cells_in(region, TIME, BANDS, SHAPE, half)
    seconds, rows = TIME.centers(25).numpy(), BANDS.centers(8).numpy()
    touches = (seconds + 0.02 >= 0.3) & (seconds - 0.02 < 0.5)
    np.testing.assert_array_equal(near, np.outer(touches, rows - 4 < mel_band(1000.0)))
    assert (near & ~exact).any() and not (exact & ~near).any()
    values = np.zeros(SHAPE)
    values[tuple(np.argwhere(near & ~exact)[0])] = 1
    assert score_cells(values, exact, near, np.ones(SHAPE, dtype=bool))["cell_pointing"] == 1.0


def test_a_map_of_a_single_row_cannot_tell_the_band_and_gets_chance(banded):
    coarse, row = Clock(0.32, 0.1625), Clock(32.0, 15.0)
    found = localize_cells(banded, [make_map(np.ones((2, 1)), coarse, row)] * 12)
    assert sorted(found.skipped) == ["clip1", "clip10", "clip4", "clip7"]  # the neutral ones, no other
    ours = found.table.query("method == 'attention'")
    for metric in METRICS:
        assert ours[metric].tolist() == pytest.approx(ours[f"{metric}_chance"].tolist())
    below = int(np.ceil(mel_band(1000.0)))  # mel bands with their center below 1000 Hz
    assert sorted(set(ours["band"].round(6))) == [round(below / 64, 6), round(1 - below / 64, 6)]
    assert ours["cell_mass_chance"].iloc[0] == pytest.approx(20 / 90 * below / 64, abs=0.003)  # frames, not steps


def test_energy_of_a_cell_is_the_mean_power_of_its_patch():
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    spectrogram = log_mel(0.1 * np.sin(2 * np.pi * 300 * seconds) * (seconds > 0.5))
    energy = cell_energy(spectrogram, TIME, BANDS, SHAPE)
    power = 10 ** (spectrogram.double().numpy() / 10)
    patches = np.zeros(SHAPE)
    for column in range(25):
        for row in range(8):
            frames = slice(max(0, 4 * column - 2), 4 * column + 2)
            patches[column, row] = power[frames, max(0, 8 * row - 4) : 8 * row + 4].mean()
    np.testing.assert_allclose(energy, patches / patches.sum(), rtol=1e-6)
    assert np.unravel_index(energy.argmax(), SHAPE)[1] == round(mel_band(300) / 8) and energy.sum() == pytest.approx(1)


def test_rows_finer_than_a_band_take_the_nearest():
    spectrogram = log_mel(np.random.default_rng(0).normal(size=SAMPLE_RATE).astype(np.float32))
    fine = cell_energy(spectrogram, TIME, Clock(0.5, -0.5), (25, 128))
    coarse = cell_energy(spectrogram, TIME, Clock(1.0, -0.5), (25, 64))
    np.testing.assert_allclose(fine[:, ::2] / fine[:, ::2].sum(), coarse, rtol=1e-6)


def test_mel_bands_are_where_they_are_drawn():
    assert [mel_band(hertz) for hertz in band_hz(N_MELS)] == pytest.approx(range(N_MELS), abs=1e-6)


def test_a_map_without_frequency_and_no_region_are_errors(tiny, right_map):
    with pytest.raises(SertutError, match="time and frequency"):
        localize_cells(tiny.clips, [right_map] * 12)
    with pytest.raises(SertutError, match="planted-band"):
        localize_cells([replace(clip, regions=()) for clip in tiny], [make_map(np.ones(SHAPE))] * 12)


def test_a_report_stores_what_a_study_pools(banded, tiny, predictions_of):
    """The sums of the cells stand beside those over time."""
    maps = [make_map(truth(clip) if clip.regions else np.ones(SHAPE)) for clip in banded]
    guesses = predictions_of(replace(tiny, clips=tuple(banded)), [0] * 12)
    report = Report("tiny", replace(guesses, maps=tuple({"attention": map_} for map_ in maps)))
    kept = report.tally.to_json()
    pooled = Tally.pooled([kept, kept], [0, 1])
    assert pooled.interval("attention", "band").estimate == pytest.approx(1.0)
    assert pooled.interval("attention", "band_chance").estimate == pytest.approx(
        report.cells.table["band_chance"].mean()
    )
    assert pooled.difference("attention", "energy", "cell_mass").low > 0
    assert "band" not in kept["methods"]["center"] and "auroc" in kept["methods"]["center"]
    assert not Report("tiny", predictions_of(tiny, [0] * 12)).tally.scored("band")
