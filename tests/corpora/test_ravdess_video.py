"""RAVDESS with pictures: the official names, silent doubles, and the one real take."""

import numpy as np
import pytest
import scipy.signal

from sertut.corpora import load, ravdess, ravdess_video
from sertut.errors import CorpusError
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import read_video


def touch(root, *names):
    """Empty files under official names: reading a corpus opens none of them."""
    for name in names:
        path = root / f"Actor_{name[-2:]}" / f"{name}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return root


def test_names(tmp_path):
    touch(tmp_path, "01-01-06-01-02-01-12", "01-01-05-02-01-02-03")
    with pytest.warns(UserWarning, match="ravdess-video is incomplete: 2 of 1440 clips, 2 of 24 speakers"):
        first, second = ravdess_video.read(tmp_path)
    assert (first.name, first.speaker, first.emotion) == ("01-01-05-02-01-02-03", "actor 03", "anger")
    assert first.details == {"intensity": "strong", "repetition": 2, "sex": "male"}
    assert (second.speaker, second.emotion, second.sentence) == ("actor 12", "fear", "Dogs are sitting by the door")
    assert second.audio == second.video == tmp_path / "Actor_12" / "01-01-06-01-02-01-12.mp4"


def test_silent_doubles_are_counted_but_are_no_clips(tmp_path):
    touch(tmp_path, "01-01-01-01-01-01-01", "02-01-01-01-01-01-01", "02-01-02-01-01-01-01")
    with pytest.warns(UserWarning, match="1 of 1440 clips"):
        corpus = ravdess_video.read(tmp_path)
    assert len(corpus) == 1
    assert [str(problem) for problem in corpus.dropped] == ["02-*.mp4: 2 files are silent doubles of those with sound"]
    (tmp_path / "Actor_01" / "01-01-01-01-01-01-01.mp4").unlink()
    with pytest.raises(CorpusError, match=r"only silent doubles .*fetch those with sound"):
        ravdess_video.read(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "01-02-03-01-01-01-01",  # a song
        "03-01-03-01-01-01-01",  # sound only
        "01-01-09-01-01-01-01",  # there are eight emotions
        "01-01-03-01-01-01-25",  # there are 24 actors
        "holiday-01",
    ],
)
def test_other_names_are_refused(tmp_path, name):
    touch(tmp_path, "01-01-01-01-01-01-01", name)
    with pytest.raises(CorpusError, match=rf"{name}\.mp4 is not a RAVDESS name"):
        ravdess_video.read(tmp_path)


def test_missing_and_empty_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=r"ravdess_video: download Video_Speech_Actor_01\.zip"):
        load("ravdess-video")
    (tmp_path / "ravdess_video").mkdir()
    with pytest.raises(CorpusError, match=r"ravdess_video holds no \.mp4"):
        load("ravdess-video")


def test_it_has_the_folds_of_the_sound_alone(tmp_path):
    touch(tmp_path, *(f"01-01-01-01-01-01-{actor:02d}" for actor in range(1, 25)))
    with pytest.warns(UserWarning, match="24 of 1440 clips found"):
        corpus = ravdess_video.read(tmp_path)
    assert corpus.published_folds == ravdess.SOURCE.folds
    assert frozenset.union(*(test for test, _ in corpus.published_folds)) == set(corpus.speakers)
    assert all(not test & dev for test, dev in corpus.published_folds)


def test_the_real_take(recorded, cache):
    """Sound and pictures of one file: equally long, on one clock, and not trimmed."""
    with pytest.warns(UserWarning, match="1 of 1440 clips, 1 of 24 speakers"):
        corpus = load("ravdess-video", root=recorded("ravdess_video"))
    (clip,) = corpus
    assert (clip.speaker, clip.emotion, clip.sentence) == ("actor 01", "neutral", "Kids are talking by the door")
    assert clip.audio == clip.video and clip.audio.suffix == ".mp4"
    samples, video = read_audio(clip.audio), read_video(clip.video, longest=64)
    assert len(samples) / SAMPLE_RATE == pytest.approx(3.303, abs=0.05)  # AAC is padded
    assert video.period == pytest.approx(1001 / 30_000) and 0 < video.times[0] < video.times[-1] < 3.35
    assert len(video) * video.period == pytest.approx(3.303, abs=0.05)
    assert "1 clips, 0.1 minutes, 1 speakers" in corpus.describe()
    assert [problem.file for problem in corpus.validate()] == ["ravdess-video"] * 2  # too few clips, too few speakers


def test_the_sound_of_the_video_comes_a_frame_later_than_the_sound_alone(recorded):
    """Why the WAV of a take must not be paired with its video; otherwise they are the same recording."""
    with pytest.warns(UserWarning, match="incomplete"):
        seen = read_audio(ravdess_video.read(recorded("ravdess_video"))[0].audio)
    alone = read_audio(recorded("ravdess") / "Actor_01" / "03-01-01-01-01-01-01.flac")
    match = scipy.signal.correlate(seen, alone) / (np.linalg.norm(seen) * np.linalg.norm(alone))
    assert match.max() > 0.98
    assert (match.argmax() - (len(alone) - 1)) / SAMPLE_RATE == pytest.approx(1001 / 30_000, abs=0.002)
