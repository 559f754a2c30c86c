"""Reading and writing video: every container and rate, sound in step with the pictures, every kind of bad file."""

from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from sertut.errors import AudioError, VideoError
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import read_video, write_video
from tests.conftest import tone

CODECS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "aac"),
    "avi": ("mpeg4", "pcm_s16le"),
    "flv": ("flv", "aac"),
    "mkv": ("mjpeg", "flac"),
    "webm": ("libvpx", "libopus"),
}


def pictures(n: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Gray frames, all different: a soft light moves over a slope, and the whole gets brighter from frame to frame."""
    y, x = np.mgrid[:height, :width]
    light = [np.exp(-((x - width * (i + 1) / (n + 1)) ** 2 + (y - height / 2) ** 2) / 100) for i in range(n)]
    brightness = np.linspace(40, 120, n)[:, None, None]
    return (brightness + 100 * np.stack(light) + y / 4).astype(np.uint8)


def encode(path, frames, ticks=None, rate=25, samples=None, sound_from=0.0, options=None):
    """Write any container with its usual codecs; `ticks` are the presentation times in ms where the rate varies."""
    of_pictures, of_sound = CODECS[path.suffix[1:]]
    with av.open(path, "w", options=options or {}) as container:
        picture = container.add_stream(of_pictures, rate=Fraction(rate).limit_denominator(1001))
        picture.height, picture.width = frames.shape[1:]
        picture.pix_fmt = "yuvj420p" if of_pictures == "mjpeg" else "yuv420p"
        if ticks is not None:
            picture.codec_context.time_base = Fraction(1, 1000)
        if samples is not None:
            sound_rate = 48000 if of_sound == "libopus" else SAMPLE_RATE  # Opus knows 48 kHz and not 44.1
            sound = container.add_stream(of_sound, rate=sound_rate, layout="mono")
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="gray")
            if ticks is not None:
                frame.pts, frame.time_base = ticks[i], Fraction(1, 1000)
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        if samples is not None:
            resampler = av.AudioResampler(sound.format, "mono", sound_rate, frame_size=sound.frame_size or 1024)
            whole = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
            whole.sample_rate, whole.pts, whole.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
            for piece in (*resampler.resample(whole), *resampler.resample(None)):
                piece.pts += round(sound_from * sound_rate)
                container.mux(sound.encode(piece))
            container.mux(sound.encode())


# Round trips


def test_avi_keeps_every_pixel_and_16_bits_of_the_sound(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (30, 48, 48), dtype=np.uint8)
    samples = tone(1.2)
    write_video(tmp_path / "a.avi", frames, samples)
    video = read_video(tmp_path / "a.avi")
    np.testing.assert_array_equal(video.frames, frames)
    assert video.frames.dtype == np.uint8 and video.times.dtype == np.float64
    np.testing.assert_allclose(video.times, (np.arange(30) + 0.5) / 25, atol=1e-9)
    np.testing.assert_allclose(read_audio(tmp_path / "a.avi"), samples, atol=1 / 32768)


def test_mp4_is_what_browsers_play_and_looks_and_sounds_the_same(tmp_path):
    frames, samples = pictures(50), tone(2.0)
    write_video(tmp_path / "a.mp4", frames, samples)
    with av.open(tmp_path / "a.mp4") as container:
        picture, sound = container.streams.video[0].codec_context, container.streams.audio[0].codec_context
        assert (picture.name, picture.pix_fmt, sound.name) == ("h264", "yuv420p", "aac")
        assert float(container.duration / av.time_base) == pytest.approx(2.0, abs=0.1)
    video, heard = read_video(tmp_path / "a.mp4"), read_audio(tmp_path / "a.mp4")
    assert np.abs(video.frames.astype(int) - frames).mean() < 2.0
    assert len(heard) / SAMPLE_RATE == pytest.approx(2.0, abs=0.07)  # AAC comes in frames of 64 ms
    assert np.corrcoef(heard[: len(samples)], samples)[0, 1] > 0.99


@pytest.mark.parametrize("suffix", ["avi", "mp4"])
def test_a_flash_and_a_click_stay_together_and_a_file_is_the_same_each_time(tmp_path, suffix):
    frames = np.zeros((75, 48, 48), dtype=np.uint8)
    frames[25] = 255  # from 1.00 s to 1.04 s
    samples = np.zeros(3 * SAMPLE_RATE, dtype=np.float32)
    samples[SAMPLE_RATE : SAMPLE_RATE + 640] = tone(0.04, 1000.0, level=0.5)
    for name in ("a", "again"):
        write_video(tmp_path / f"{name}.{suffix}", frames, samples)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"again.{suffix}").read_bytes()
    video, heard = read_video(tmp_path / f"a.{suffix}"), read_audio(tmp_path / f"a.{suffix}")
    assert video.times[video.frames.mean(axis=(1, 2)).argmax()] == pytest.approx(1.02, abs=1e-6)
    loud = np.flatnonzero(np.abs(heard) > 0.2) / SAMPLE_RATE
    assert (loud.min(), loud.max()) == pytest.approx((1.0, 1.04), abs=0.003)


@pytest.mark.parametrize("suffix", ["avi", "mp4"])
def test_a_small_face_can_be_enlarged(tmp_path, suffix):
    frames = pictures(4, height=16, width=22)
    write_video(tmp_path / f"a.{suffix}", frames, scale=3)
    large = frames.repeat(3, axis=1).repeat(3, axis=2)
    difference = np.abs(read_video(tmp_path / f"a.{suffix}").frames.astype(int) - large)
    assert difference.max() == 0 if suffix == "avi" else difference.mean() < 2.0


@pytest.mark.parametrize("problem", ["no frames", "no such format", "no pixels"])
def test_nothing_half_written_stays(tmp_path, problem):
    frames = {"no frames": pictures(3)[:0], "no pixels": pictures(3) + 0.5}
    name = "a.gif" if problem == "no such format" else "a.mp4"
    with pytest.raises((VideoError, ValueError)) as error:
        write_video(tmp_path / name, frames.get(problem, pictures(3)))
    assert not list(tmp_path.iterdir())
    if problem != "no pixels":
        assert isinstance(error.value, VideoError) and name in str(error.value)


# Time


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv"])
@pytest.mark.parametrize("rate", [7, 12.5, Fraction(30000, 1001), 60])
def test_any_rate_keeps_its_own_clock(tmp_path, suffix, rate):
    encode(tmp_path / f"a.{suffix}", pictures(20), rate=rate)
    video = read_video(tmp_path / f"a.{suffix}")
    tolerance = 1e-3 if suffix == "mkv" else 1e-6  # Matroska counts in milliseconds
    assert len(video) == 20
    np.testing.assert_allclose(video.times, (np.arange(20) + 0.5) / float(rate), atol=tolerance)
    assert video.period == pytest.approx(1 / float(rate), abs=tolerance)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "flv"])
def test_a_rate_that_varies_is_kept(tmp_path, suffix):
    ticks = [0, 40, 80, 120, 400, 440, 500, 540, 580, 620]
    encode(tmp_path / f"a.{suffix}", pictures(10), ticks)
    video = read_video(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(video.times, np.array(ticks) / 1000 + 0.02, atol=1e-3)
    brightness = video.frames[:, 0, 0].astype(int)
    assert (np.diff(brightness) > 0).all(), "the frames are out of order"
    write_video(tmp_path / "one.avi", pictures(1))
    np.testing.assert_allclose(read_video(tmp_path / "one.avi").times, [0.02])


@pytest.mark.parametrize("sound_from", [0.0, 0.4])
def test_the_clock_starts_with_the_sound(tmp_path, sound_from):
    encode(tmp_path / "a.mkv", pictures(25), samples=tone(0.5), sound_from=sound_from)
    assert read_video(tmp_path / "a.mkv").times[0] == pytest.approx(0.02 - sound_from, abs=2e-3)
    assert len(read_audio(tmp_path / "a.mkv")) / SAMPLE_RATE == pytest.approx(0.5, abs=1e-3)


# Containers


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container_gives_its_pictures_and_its_sound(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    encode(path, pictures(30), samples=tone(1.2, 440))
    video = read_video(path)
    assert video.frames.shape == (30, 48, 64)
    assert np.abs(video.frames.astype(int) - pictures(30)).mean() < 6.0
    assert np.diff(video.times) == pytest.approx(0.04, abs=1e-3)
    assert video.times[0] == pytest.approx(0.02, abs=0.07)  # FLV leaves the delay of AAC where it is
    samples = read_audio(path)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.2, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[4000:12000] * np.hanning(8000)))
    assert spectrum.argmax() * 2 == pytest.approx(440, abs=4)


def test_channels_of_a_video_are_averaged(tmp_path):
    left, right = tone(0.5, 200), tone(0.5, 300)
    with av.open(tmp_path / "a.mkv", "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="stereo")
        both = np.round(np.stack([left, right], axis=1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(both.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    np.testing.assert_allclose(read_audio(tmp_path / "a.mkv"), (left + right) / 2, atol=1e-4)


def test_large_frames_shrink_on_the_way_in(tmp_path):
    write_video(tmp_path / "a.avi", np.full((2, 120, 200), 77, dtype=np.uint8))
    small = read_video(tmp_path / "a.avi", longest=50)
    assert small.frames.shape == (2, 30, 50)
    assert (small.frames == 77).all()
    assert read_video(tmp_path / "a.avi", longest=500).frames.shape == (2, 120, 200)


# Bad files


def cut(path, **options):
    """Four fifths of a video."""
    encode(path, pictures(75), options=options, samples=tone(3.0))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.8)])


BAD = {  # a file, what is done to it, and what is said of it
    "missing.mp4": (lambda path: None, "does not exist"),
    "empty.mp4": (lambda path: path.write_bytes(b""), "empty file"),
    "text.mp4": (lambda path: path.write_text("this is not video " * 100), "cannot be read as video"),
    "pointer.mp4": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    "index-lost.mp4": (cut, "cannot be read as video"),
    # The index in front, as on the web: such an MP4 opens well however short it is.
    "cut.mp4": (lambda path: cut(path, movflags="faststart"), r"cut short|cannot be read"),
    **{f"cut.{suffix}": (cut, r"cut short|cannot be read") for suffix in ("avi", "flv", "mkv", "webm")},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_video_is_named_with_the_remedy_whatever_is_wanted_of_it(tmp_path, name):
    spoil, remedy = BAD[name]
    spoil(tmp_path / name)
    for read, error, stream in ((read_video, VideoError, "video"), (read_audio, AudioError, "audio")):
        with pytest.raises(error, match=remedy.replace("video", stream)) as caught:
            read(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_sound_without_pictures_and_pictures_without_sound_are_told_when_asked_for_the_other(tmp_path):
    with (tmp_path / "sound.mp4").open("wb") as file:
        soundfile.write(file, tone(1.0), SAMPLE_RATE, format="WAV")
    with pytest.raises(VideoError, match=r"sound\.mp4 .*no pictures"):
        read_video(tmp_path / "sound.mp4")
    encode(tmp_path / "mute.mp4", pictures(5))
    assert len(read_video(tmp_path / "mute.mp4")) == 5
    write_video(tmp_path / "silent.avi", pictures(25), samples=np.zeros(SAMPLE_RATE, dtype=np.float32))
    for name, says in (("mute.mp4", r"mute\.mp4 has no sound"), ("silent.avi", "silent from start to end")):
        with pytest.raises(AudioError, match=says):
            read_audio(tmp_path / name)


def test_a_real_recording_keeps_its_clock(recorded):
    """The MP4 shows its first picture one frame late, and the encoder of its sound begins with as much silence.

    The audio-only file of the same recording starts with it: so the delay of the sound is known.
    """
    clip = recorded("ravdess_video") / "Actor_01" / "01-01-01-01-01-01-01.mp4"
    video, sound = read_video(clip, longest=160), read_audio(clip)
    assert video.frames.shape == (99, 90, 160)
    np.testing.assert_allclose(np.diff(video.times), 1001 / 30000, atol=1e-6)
    assert len(sound) / SAMPLE_RATE == pytest.approx(3.3, abs=0.06)
    alone = read_audio(recorded("ravdess") / "Actor_01" / "03-01-01-01-01-01-01.flac")
    fit = [np.dot(sound[delay : delay + 48000], alone[:48000]) for delay in range(1600)]
    norms = np.linalg.norm(sound[:49600]) * np.linalg.norm(alone[:48000])
    delay = np.argmax(fit) / SAMPLE_RATE
    assert max(fit) / norms > 0.95 and delay == pytest.approx(1 / 30, abs=0.001)
    assert video.times[0] - video.period / 2 == pytest.approx(delay, abs=0.001)
