"""A clip leaves the house as a film with sound."""

from dataclasses import replace

import numpy as np
import pytest

from sertut.corpora import Clip
from sertut.corpora.export import SCALE, export_clip
from sertut.errors import CorpusError, VideoError
from sertut.signals import SAMPLE_RATE, read_audio, write_audio
from sertut.video import read_video, write_video
from tests.conftest import tone


@pytest.fixture
def clip(tmp_path) -> Clip:
    """A white square that moves down over a gray 48 x 48 picture for 1.6 s, and a tone."""
    frames = np.full((40, 48, 48), 90, dtype=np.uint8)
    for t, frame in enumerate(frames):
        frame[t : t + 8, 20:28] = 230
    write_video(tmp_path / "face.avi", frames)
    write_audio(tmp_path / "voice.flac", tone(1.6))
    return Clip("one", tmp_path / "voice.flac", "someone", "fear", "nothing", video=tmp_path / "face.avi")


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_a_clip_is_decoded_back_enlarged_and_with_its_sound(clip, tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    export_clip(clip, path)
    film = read_video(path)
    assert film.frames.shape == (40, 48 * SCALE, 48 * SCALE)
    small = film.frames.reshape(40, 48, SCALE, 48, SCALE).mean(axis=(2, 4))
    assert np.abs(small - read_video(clip.video).frames).mean() < (2 if suffix == "mp4" else 0.5)
    heard, said = read_audio(path), read_audio(clip.audio)
    assert abs(len(heard) - len(said)) < 0.15 * SAMPLE_RATE
    assert np.abs(np.fft.rfft(heard[:SAMPLE_RATE])).argmax() == 200  # the tone's 200 Hz


def test_it_needs_a_video_and_a_name_that_says_the_format(clip, tmp_path):
    with pytest.raises(CorpusError, match="'one' has no video"):
        export_clip(replace(clip, video=None), tmp_path / "film.mp4")
    with pytest.raises(VideoError, match=r"film\.mov"):
        export_clip(clip, tmp_path / "film.mov")
    assert not list(tmp_path.glob("*film*"))


def test_a_recorded_clip_shows_its_face(recorded, tmp_path):
    video = next(recorded("ravdess_video").rglob("01-*.mp4"))
    path = tmp_path / "film.mp4"
    export_clip(Clip("real", video, "actor", "neutral", "kids", video=video), path)
    film = read_video(path)
    seconds = len(read_audio(video)) / SAMPLE_RATE
    assert abs(len(film) - seconds * 25) <= 1 and film.frames.shape[1:] == (48 * SCALE, 48 * SCALE)
    assert film.frames.std(axis=(1, 2)).min() > 20  # a face, not a black picture
