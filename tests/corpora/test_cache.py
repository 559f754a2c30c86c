"""What is computed of recordings once: found again, renewed with the recording, and nobody's to spoil."""

import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from sertut.corpora import Corpus, clip_level, load_faces, load_features, load_voices, read_clip
from sertut.corpora import cache as module
from sertut.errors import AudioError
from sertut.signals import level_db, log_mel, read_audio, write_audio
from sertut.video import write_video
from tests.conftest import tone


@pytest.fixture
def filmed(tones, tmp_path) -> Corpus:
    """Three clips: a drawn face, an empty room, no video."""
    drawn = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)
    for name, frames in (("face", drawn), ("room", np.zeros((20, 60, 80), dtype=np.uint8))):
        write_video(tmp_path / f"{name}.avi", frames)
    videos = (tmp_path / "face.avi", tmp_path / "room.avi", None)
    return tones.keeping(replace(clip, video=video) for clip, video in zip(tones, videos, strict=False))


@pytest.mark.filterwarnings("ignore:.*no face")
@pytest.mark.parametrize("load", [load_features, load_faces, lambda c: [clip_level(c[0])], lambda c: [read_clip(c[0])]])
def test_what_a_caller_changes_changes_nothing_for_others(filmed, load):
    first = load(filmed)[0]
    as_computed = first + 0
    first[:] = 7.0
    for _ in range(2):
        assert (load(filmed)[0] == as_computed).all()


def test_clips_that_show_no_face_are_kept_and_said_each_time(filmed):
    with pytest.warns(UserWarning, match=r"room\.avi: no face found"):
        load_faces(filmed)
    for _ in range(2):  # from the disk, too
        with pytest.warns(UserWarning, match=f"2 of 3 clips show no face .*e.g. {filmed[1].name}; they are kept"):
            tables = load_faces(filmed)
    assert [bool(table.any()) for table in tables] == [True, False, False]
    assert len({table.shape[1] for table in tables}) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_faces(filmed.clips[:1])


def test_a_clip_is_decoded_once_and_anew_when_it_changes(tones, cache, monkeypatch):
    """However often level, samples, features and fingerprints are asked for."""
    clip, decoded = tones[0], []
    monkeypatch.setattr(module, "read_audio", lambda path: decoded.append(path) or read_audio(path))
    for _ in range(3):
        samples = read_clip(clip)
        torch.testing.assert_close(clip_level(clip), level_db(samples), rtol=0, atol=0)
        assert load_features([clip])[0].equal(log_mel(samples))
        module.fingerprint(clip.audio)
    assert decoded == [clip.audio]
    write_audio(clip.audio, tone(0.7, 500))
    assert len(read_clip(clip)) == round(0.7 * 16_000) and len(clip_level(clip)) == 68
    assert len(load_features([clip])[0]) == 68 and len(decoded) == 2
    assert len(list((cache / "cache" / "features").rglob("*"))) == 1 + 2  # a folder, a file each time, no temporary one


def test_a_recording_that_is_too_short_or_missing_is_named(tones):
    write_audio(tones[0].audio, tone(0.01))
    for load in (load_features, lambda clips: load_voices(clips, "log_mel")):
        with pytest.raises(AudioError, match=rf"{tones[0].name}\.wav.*less than one frame"):
            load([tones[0]])
    tones[0].audio.unlink()
    for ask in (read_clip, clip_level, lambda clip: load_features([clip])):
        with pytest.raises(AudioError, match=f"{tones[0].name}.wav does not exist"):
            ask(tones[0])


def test_no_two_threads_parse_the_head_of_a_file_at_once(tones, cache, monkeypatch):
    """CPython 3.11 can raise SystemError there ("AST constructor recursion depth mismatch")."""
    load, alone = np.load, threading.Lock()

    def slowly(path):
        assert alone.acquire(blocking=False), "another thread is loading"
        time.sleep(0.01)
        alone.release()
        return load(path)

    clips = tones.clips[:4]
    load_features(clips)
    monkeypatch.setattr(module.np, "load", slowly)
    assert len(load_features(clips)) == 4
