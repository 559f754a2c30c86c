"""Other voices: all frequencies move together, the tempo stays."""

import numpy as np
import pytest
import torch

from sertut.corpora import load_features, load_voices
from sertut.signals import SAMPLE_RATE, VOICES, at_tempo, in_voice
from tests.conftest import tone


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize(("above", "below"), VOICES)
def test_all_frequencies_are_multiplied_by_the_ratio(above, below):
    for hz in (150.0, 900.0):
        samples = np.sin(2 * np.pi * hz * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
        played = in_voice(samples, above, below)
        assert len(played) == pytest.approx(SAMPLE_RATE * below / above, abs=1)
        assert loudest_hz(played) == pytest.approx(hz * above / below, abs=2.0)


def test_the_tempo_comes_back():
    table = torch.linspace(0, 1, 80)[:, None].expand(80, 3)
    torch.testing.assert_close(
        at_tempo(table, 100), torch.linspace(0, 1, 100)[:, None].expand(100, 3), atol=0.01, rtol=0
    )


def test_a_clip_in_all_voices_has_its_own_length(tones):
    rows, voices = load_features(tones, "log_mel_long"), load_voices(tones, "log_mel_long", progress=False)
    for row, heard in zip(rows, voices, strict=True):
        assert heard.shape == (len(VOICES), *row.shape)
        assert heard.isfinite().all()
        steps = (heard.float() - row).abs().mean(dim=(1, 2))
        assert steps.argmin() in (3, 4)  # 19/20 and 21/20 are the least changed


def test_the_shortest_clip_has_voices_too():
    assert len(in_voice(tone(0.026), 5, 4)) >= 400
