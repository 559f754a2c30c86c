"""Tables as colors: numbers, frames of the cells that belong together, and the text; spectrograms, batches, filters."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from seaborn.utils import relative_luminance

from sertut import show
from sertut.corpora import Corpus
from sertut.corpora.ravdess import ABOUT
from sertut.evidence.cells import band_hz
from sertut.show.style import ROLES
from sertut.show.tables import smoothness
from sertut.signals import Batch, log_mel

from .conftest import EMOTIONS, ticks


@pytest.fixture
def table():
    """Two questions in clips of three emotions; the last row stands for a map that asks nothing."""
    return pd.DataFrame(
        [[0.9, 0.2, np.nan], [0.3, 0.7, 0.25], [0.15, 0.16, 0.17]],
        index=pd.Index(["anger", "sadness", "uniform"], name="question of"),
        columns=pd.Index(["anger", "sadness", "neutral"], name="true emotion"),
    )


def framed(picture):
    return [patch for patch in picture.figure.axes[0].patches if not patch.get_fill()]


def test_every_number_stands_in_its_cell(table):
    axis = show.heatmap(table, measure="mass").figure.axes[0]
    written = {(round(t.get_position()[1] - 0.5), round(t.get_position()[0] - 0.5)): t.get_text() for t in axis.texts}
    expected = {(i, j): f"{table.iat[i, j]:.2f}" for i in range(3) for j in range(3) if not np.isnan(table.iat[i, j])}
    assert written == expected
    assert ticks(axis) == list(table.index)
    assert ticks(axis, across=True) == list(table.columns)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("true emotion", "question of")


def test_ranks_have_no_decimals():
    picture = show.heatmap(pd.DataFrame([[1.0, 2.5], [np.nan, 3.0]], columns=["a", "b"]), measure="rank")
    assert [text.get_text() for text in picture.figure.axes[0].texts] == ["1", "2.5", "3"]
    assert " 0: a 1 and b 2.5. 1: b 3." in picture.alt


def test_own_cells_are_framed_and_no_others(table):
    found = framed(show.heatmap(table, measure="mass"))
    assert sorted(patch.get_xy() for patch in found) == [(0, 0), (1, 1)]
    assert {to_hex(patch.get_edgecolor()).upper() for patch in found} == {ROLES["region"]}
    renamed = table.rename(index={"anger": "a", "sadness": "b"})
    empty = table.mask(table.index.to_numpy()[:, None] == table.columns.to_numpy())
    for other in (renamed, empty):
        picture = show.heatmap(other, measure="mass")
        assert not framed(picture) and "framed" not in picture.alt


def test_colors_span_what_is_asked(table):
    def colors(values, span=None):
        return show.heatmap(values, measure="mass", span=span).figure.axes[0].collections[0].get_clim()

    assert colors(table, (0, 1)) == (0, 1) and colors(table) == (0.15, 0.9)
    assert colors(0.005 * table) == (0.00075, pytest.approx(0.10075))  # numbers that read the same look the same


def test_digits_can_be_read_on_their_color():
    levels = np.linspace(0, 1, 11)
    axis = show.heatmap(pd.DataFrame([levels]), measure="mass").figure.axes[0]
    for text, level in zip(axis.texts, levels, strict=True):
        ink, paper = (relative_luminance(c) + 0.05 for c in (text.get_color(), axis.collections[0].to_rgba(level)))
        assert max(ink, paper) / min(ink, paper) > 4.5  # W3C, Web Content Accessibility Guidelines, 1.4.3


def test_the_text_holds_every_number_and_both_means(table):
    alt = show.heatmap(table, measure="mass in region").alt
    assert alt.startswith("mass in region, question of by true emotion.")
    assert "Mean of the framed cells 0.80, of the others in the same rows 0.25." in alt
    assert "anger: anger 0.90 and sadness 0.20." in alt and "nan" not in alt


def test_corpus_counts_clips_of_each_speaker_and_emotion(report):
    clips = report.predictions.clips[:-1]  # so that one cell is empty
    picture = show.corpus(Corpus("invented", clips, EMOTIONS, ABOUT))
    axis = picture.figure.axes[0]
    drawn = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    assert drawn.tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]
    assert ticks(axis, across=True) == ["01", "02", "03"]
    assert ticks(axis) == ["neutral (3)", "anger (3)", "sadness (2)"]
    assert "8 clips of 3 speakers and 3 emotions (neutral 3, anger 3, sadness 2); 0 to 1 clips" in picture.alt


def test_of_many_slanted_names_every_second_stands_and_the_middle_one_with_them():
    lags = [f"{lag:+d}" for lag in range(-8, 9)]
    axis = show.heatmap(pd.DataFrame(np.zeros((2, 17)), columns=lags), measure="weight").figure.axes[0]
    written = {label.get_text(): at for label, at in zip(axis.get_xticklabels(), axis.get_xticks(), strict=True)}
    assert written == {f"{lag:+d}": lag + 8.5 for lag in range(-8, 9, 2)}


def tone(hertz, n=8000):
    return np.sin(2 * np.pi * hertz * np.arange(n) / 16000).astype(np.float32)


def test_spectrograms_share_time_frequency_and_level(example):
    sounds = {"a\nlow": tone(band_hz(64)[12]), "b": 0.1 * tone(band_hz(64)[40], 16000)}
    picture = show.spectrograms(sounds, title="both")
    first, second = (axis for axis in picture.figure.axes if axis.images and axis.get_title("left"))
    assert first.get_xlim() == second.get_xlim() and first.get_xlim()[1] == pytest.approx(1, abs=0.02)
    assert first.images[0].get_clim() == second.images[0].get_clim()
    assert "a low, 0.50 s, 48 frames by 64 bands, strongest with " in picture.alt
    for samples, band in zip(sounds.values(), (12, 40), strict=True):
        assert f"with {log_mel(samples).max():.0f} dB near {band_hz(64)[band]:.0f} Hz at" in picture.alt
    alone, table = (show.spectrogram(sound, title="b").alt for sound in (sounds["b"], log_mel(sounds["b"])))
    assert alone.startswith("log-mel spectrograms: b, 1.00 s, ")
    assert alone.split("s, 98 frames")[1] == table.split("s, 98 frames")[1]


def test_padding_is_hatched_where_the_mask_is_false():
    lengths = torch.tensor([5, 3])
    batch = Batch(torch.rand(2, 5, 4), torch.arange(5)[None] < lengths[:, None], torch.zeros(2, dtype=torch.long))
    picture = show.padding(batch, title="a batch")
    (axis,) = picture.figure.axes
    shown = axis.images[0].get_array()
    np.testing.assert_allclose(shown[0], batch.features[0].mean(dim=1))
    np.testing.assert_array_equal(shown.mask, ~batch.mask.numpy())
    hatched = [(bar.get_x(), bar.get_width()) for bar in axis.patches]
    assert hatched == [(5, 0), (3, 2)]
    assert picture.alt == "2 clips padded to 5 frames; real frames: 5 and 3; 20 % of the table is padding."


def test_smoothness():
    noise, wave = torch.randn(200, 11, 11), torch.sin(torch.arange(64) / 5).expand(1, 64, 64)
    assert abs(smoothness(noise)) < 0.02 and smoothness(wave) > 0.9
    assert smoothness(torch.zeros(2, 3, 3)) == pytest.approx(0), "a dead filter is no NaN"


def test_every_picture_is_drawn_and_named():
    images = {f"picture {i}": torch.rand(4, 6) for i in range(5)}
    picture = show.pixels(images, columns=3)
    drawn = [axis for axis in picture.figure.axes if axis.get_images()]
    for axis, (name, image) in zip(drawn, images.items(), strict=True):
        np.testing.assert_array_equal(axis.get_images()[0].get_array(), image)
        assert axis.get_title() == name
    assert picture.alt == "5 gray pictures: picture 0, picture 1, picture 2, picture 3 and picture 4."
