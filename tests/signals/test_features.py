"""Features against known signals and a second implementation; other voices: the frequencies move, the tempo stays."""

import numpy as np
import pytest
import torch

from sertut.corpora import load_features, load_voices
from sertut.errors import AudioError, SertutError
from sertut.signals import HOP, N_MELS, SAMPLE_RATE, WINDOW, feature, frame_seconds, level_db, log_mel, mfcc, n_frames
from sertut.signals.features import FEATURES, HIGHEST_HZ, LOWEST_HZ, N_FFT, VOICES, at_tempo, in_voice, sounding
from tests.conftest import tone


@pytest.mark.parametrize("n", [400, 401, 559, 560, 561, 16000, 16001])
def test_every_feature_has_the_frames_that_fit(n):
    samples = tone(2.0)[:n]
    assert n_frames(n) == 1 + (n - WINDOW) // HOP
    assert len(log_mel(samples)) == len(mfcc(samples)) == len(level_db(samples)) == n_frames(n)
    np.testing.assert_allclose(frame_seconds(3), [0.0125, 0.0225, 0.0325])


def test_log_mel_against_a_plain_numpy_version():
    samples = tone(0.2, 700)
    window = np.hanning(WINDOW + 1)[:-1]
    to_mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    corners = 700 * (10 ** (np.linspace(to_mel(LOWEST_HZ), to_mel(HIGHEST_HZ), N_MELS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    rising = (hertz[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz[:, None]) / (corners[2:] - corners[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling))
    expected = []
    for t in range(n_frames(len(samples))):
        frame = samples[t * HOP : t * HOP + WINDOW] * window
        power = np.abs(np.fft.rfft(frame, N_FFT)) ** 2
        expected.append(10 * np.log10(np.maximum(power @ bank, 1e-10)))
    np.testing.assert_allclose(log_mel(samples).numpy(), np.array(expected), atol=0.02)


def test_level_of_a_known_sine():
    sine = np.sin(2 * np.pi * 200 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    assert level_db(sine).mean().item() == pytest.approx(-3.01, abs=0.02)
    assert (level_db(0.1 * sine) - level_db(sine)).mean().item() == pytest.approx(-20.0, abs=0.02)
    assert level_db(np.zeros(1000)).max().item() == pytest.approx(-100.0)


def test_digital_silence_within_a_clip_stays_finite():
    samples = np.concatenate([tone(0.3), np.zeros(8000, np.float32)])
    assert torch.isfinite(log_mel(samples)).all() and torch.isfinite(mfcc(samples)).all()


def test_sounding_is_within_50_db_of_the_loudest_frame():
    level = torch.tensor([-71.0, -20.0, -69.0, -100.0])
    assert sounding(level).tolist() == [False, True, True, False]


def test_a_clip_shorter_than_a_frame_is_an_error():
    for compute in (log_mel, mfcc, level_db):
        with pytest.raises(AudioError, match=r"lasts 20.0 ms, less than one frame of 25 ms; leave it out"):
            compute(tone(0.02))


def test_relative_features_know_no_gain():
    samples = np.concatenate([tone(0.3, level=0.1), tone(0.3, level=0.4)])
    table, louder = (feature("log_mel_relative_level")(factor * samples) for factor in (1.0, 2.0))
    absolute, relative = table[:, :64], table[:, 64:-1]
    heard = absolute.min(dim=0).values > -80  # away from the floor, which a gain would lift bands out of
    assert heard.any()
    assert relative[:, heard].mean(dim=0).numpy() == pytest.approx(0.0, abs=1e-4)
    assert relative[:, heard].std(dim=0, correction=0).numpy() == pytest.approx(1.0, abs=1e-4)
    torch.testing.assert_close(louder[:, 64:-1][:, heard], relative[:, heard], atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["log_mel", "log_mel_long", "log_mel_relative", "mfcc"])
def test_the_level_is_the_last_column(name):
    samples = np.concatenate([tone(0.3, level=0.1), tone(0.3, level=0.4)])
    plain, table = feature(name)(samples), feature(f"{name}_level")(samples)
    assert (plain.shape[1], table.shape[1]) == (FEATURES[name].n_columns, FEATURES[f"{name}_level"].n_columns)
    assert torch.equal(table[:, :-1], plain) and torch.equal(table[:, -1], level_db(samples))


def test_unknown_feature():
    with pytest.raises(SertutError, match="did you mean 'log_mel'"):
        feature("logmel")


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
    expected = torch.linspace(0, 1, 100)[:, None].expand(100, 3)
    torch.testing.assert_close(at_tempo(table, 100), expected, atol=0.01, rtol=0)


def test_a_clip_in_all_voices_has_its_own_length(tones):
    rows, voices = load_features(tones, "log_mel_long"), load_voices(tones, "log_mel_long", progress=False)
    for row, heard in zip(rows, voices, strict=True):
        assert heard.shape == (len(VOICES), *row.shape)
        assert heard.isfinite().all()
        steps = (heard.float() - row).abs().mean(dim=(1, 2))
        assert steps.argmin() in (3, 4)  # 19/20 and 21/20 are the least changed
    assert len(in_voice(tone(0.026), 5, 4)) >= 400  # the shortest clip has voices, too
