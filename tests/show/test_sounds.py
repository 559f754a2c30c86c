"""Spectrograms stand upright with their ticks at their hertz, on one scale; padding is what the mask says."""

import numpy as np
import pytest
import torch

from sertut import show
from sertut.evidence.cells import band_hz
from sertut.signals import Batch, frame_seconds, log_mel

from .conftest import rows


def tone(hertz, n=8000):
    return np.sin(2 * np.pi * hertz * np.arange(n) / 16000).astype(np.float32)


def test_spectrogram_is_drawn_upright_with_ticks_at_their_hertz(example):
    axis = rows(show.attention(example))["frequency (Hz)"]
    (image,) = axis.images
    np.testing.assert_array_equal(image.get_array(), example.spectrogram.numpy().T)
    centers = frame_seconds(len(example.level))
    assert image.origin == "lower" and image.get_extent()[:2] == pytest.approx(
        (centers[0] - 0.005, centers[-1] + 0.005)
    )
    ticks = dict(zip([label.get_text() for label in axis.get_yticklabels()], axis.get_yticks(), strict=True))
    for name, hertz in (("1k", 1000), ("200", 200)):
        assert np.interp(ticks[name], np.arange(64), band_hz(64)) == pytest.approx(hertz, rel=0.01)


def test_spectrograms_share_time_frequency_and_level(example):
    sounds = {"a\nlow": tone(band_hz(64)[12]), "b": 0.1 * tone(band_hz(64)[40], 16000)}
    picture = show.spectrograms(sounds, title="both")
    first, second = (axis for axis in picture.figure.axes if axis.images and axis.get_title("left"))
    assert first.get_xlim() == second.get_xlim() and first.get_xlim()[1] == pytest.approx(1, abs=0.02)
    assert first.images[0].get_clim() == second.images[0].get_clim()
    for samples, part in zip(
        sounds.values(), ("a low, 0.50 s, 48 frames by 64 bands, strongest with ", " dB near "), strict=True
    ):
        assert part in picture.alt and f"with {log_mel(samples).max():.0f} dB" in picture.alt
    for band in (12, 40):
        assert f"near {band_hz(64)[band]:.0f} Hz at" in picture.alt
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
