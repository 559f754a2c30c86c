"""Reading sound: every format, rate and channel count; every kind of bad file."""

import io

import numpy as np
import pytest
import soundfile

from sertut.errors import AudioError
from sertut.signals import SAMPLE_RATE, read_audio, write_audio
from tests.conftest import tone


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_every_format_and_rate_gives_the_same_tone_at_16_khz(tmp_path, suffix, rate):
    time = np.arange(rate) / rate
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    samples = read_audio(path)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.08)  # MP3 pads its ends
    middle = samples[4000:12000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * SAMPLE_RATE / len(middle) == pytest.approx(440, abs=3)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)


def test_channels_are_averaged(tmp_path):
    left, right = tone(0.5, 200), tone(0.5, 300)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), SAMPLE_RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), (left + right) / 2, atol=1e-6)


def test_what_is_written_is_rounded_alike_in_every_format(tmp_path):
    samples = np.concatenate([tone(0.3), [-1.5, -1.0, 0.0, 0.99999, 1.0, 2.0]]).astype(np.float32)
    for suffix in ("wav", "flac"):
        write_audio(tmp_path / f"a.{suffix}", samples)
        found = soundfile.read(tmp_path / f"a.{suffix}", dtype="int16")[0]
        np.testing.assert_array_equal(found, np.clip(np.rint(samples * 32768.0), -32768, 32767))
    np.testing.assert_allclose(read_audio(tmp_path / "a.flac")[:-6], samples[:-6], atol=0.5 / 32768 + 1e-9)


def sound(samples, suffix="wav") -> bytes:
    """A file of these samples."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format=suffix)
    return file.getvalue()


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("missing.wav", None, "does not exist"),
        ("no-bytes.wav", b"", "empty file"),
        ("text.wav", b"this is not sound " * 100, "cannot be read as audio"),
        ("pointer.wav", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n", "git lfs pull"),
        ("no-seconds.wav", sound(np.zeros(0)), "0 seconds"),
        ("quiet.wav", sound(np.zeros(8000)), "silent"),
        ("half.wav", half(sound(tone(1.0))), "cut short"),
        ("half.flac", half(sound(tone(1.0), "flac")), "fetch it again"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_named_with_the_remedy(tmp_path, name, content, remedy):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=remedy) as error:
        read_audio(tmp_path / name)
    assert name in str(error.value) and "\n" not in str(error.value)


def test_a_wav_of_unknown_length_is_read(tmp_path):
    """Streaming programs write 0xFFFFFFFF where the length belongs."""
    content = sound(tone(0.5))
    (tmp_path / "a.wav").write_bytes(content[:4] + b"\xff\xff\xff\xff" + content[8:])
    assert len(read_audio(tmp_path / "a.wav")) == SAMPLE_RATE // 2
