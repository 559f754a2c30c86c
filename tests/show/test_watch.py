"""The video inside the page decodes to the clip's frames and sound, and the words say where to look."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from sertut import show
from sertut.errors import SertutError
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import read_video, write_video

from .test_player import Balanced


def decoded(player, folder, kind):
    """The file that the page holds."""
    (data,) = re.findall(rf'src="data:{kind};base64,([^"]+)"', player.html)
    path = folder / kind.replace("/", ".")
    path.write_bytes(base64.b64decode(data, validate=True))
    return path


def test_the_video_is_the_clip(seen, tmp_path):
    path = decoded(show.watch(seen), tmp_path, "video/mp4")
    video, samples = read_video(path), read_audio(path)
    assert video.frames.shape == (50, 96, 96)
    np.testing.assert_allclose(video.times, seen.face.times, atol=0.002)
    levels = video.frames.mean(axis=(1, 2))
    np.testing.assert_allclose(levels, seen.face.crops.mean(axis=(1, 2)), atol=4)
    assert len(samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    shortest = min(len(samples), len(seen.samples))
    assert np.corrcoef(samples[:shortest], seen.samples[:shortest])[0, 1] > 0.95


def test_a_long_one_is_drawn_with_single_pixels(seen, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (50, 48, 48), dtype=np.uint8)
    player = show.watch(replace(seen, face=replace(seen.face, crops=noise, found=np.ones(50, dtype=bool))))
    assert read_video(decoded(player, tmp_path, "video/mp4")).frames.shape == (50, 48, 48)


def test_a_strip_of_frames_remains_where_no_video_can_be_played(seen, tmp_path):
    strip = imread(decoded(show.watch(seen), tmp_path, "image/png"))
    assert strip.shape[:2] == (48, 6 * 48)
    values = (255 * strip[24, 24::48, 0]).round() - 100
    np.testing.assert_allclose(values, [0, 10, 20, 29, 39, 49])


def test_the_words_say_where_the_emotion_is(seen):
    player = show.watch(seen)
    for said in (
        "Video with sound, 2.0 s of actor 01, anger: one",
        "The true region in the voice is 0.90 to 1.15 s. The true region in the face is 1.22 to 1.46 s.",
        "The face comes 0.30 s later than the voice. The face's decoy, fear, is at 0.40 to 0.75 s.",
        "No face was found in 3 of 50 frames.",
        "Attention to the face over 2.0 s of a clip of actor 01, anger: the peak at 1.",
    ):
        assert said in player.alt
    assert "<strong>actor 01, anger. Predicted: neutral (0.96)</strong>" in player.html
    caption = re.search(r"<br>(.*?)</figcaption>", player.html).group(1)
    assert caption.startswith("The true region in the voice is 0.90 to 1.15 s.") and "Attention" not in caption


def test_a_clip_that_nobody_judged(seen, tmp_path):
    write_video(tmp_path / "face.avi", seen.face.crops)
    player = show.watch(replace(seen.clip, video=tmp_path / "face.avi"))
    assert "<strong>actor 01, anger: one</strong>" in player.html
    assert "redicted" not in player.alt


def test_the_page_is_small_well_formed_and_of_one_piece(seen, tmp_path):
    player = show.watch(replace(seen, clip=replace(seen.clip, speaker='<script>"&x</script>')))
    assert len(player.html) < 150_000
    parser = Balanced()
    parser.feed(player.html.replace("<br>", "").replace("></video>", "/></video>"))
    assert parser.open == []
    without_data = re.sub(r"base64,[^\"]+", "", player.html)
    assert "//" not in without_data and "<script" not in without_data and "&lt;script&gt;" in without_data
    assert not re.findall(r"%\w+%", without_data)
    page = player.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert player.html in page


def test_a_clip_without_video(seen):
    with pytest.raises(SertutError, match="clip-0 has no video"):
        show.watch(replace(seen, face=None))
