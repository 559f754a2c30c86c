"""Features of whole corpora, computed once: cached under the content of each recording."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

import joblib
import numpy as np
import torch

from sertut.corpora.corpus import Clip
from sertut.corpora.leaks import content_hash
from sertut.errors import AudioError, unknown
from sertut.files import data_folder, writing
from sertut.progress import progress_bar
from sertut.signals import SAMPLE_RATE, feature, read_audio
from sertut.signals.features import settings
from sertut.video import FACE_FEATURES, face_settings, n_video_frames, on_clock, read_faces


def load_features(clips: Iterable[Clip], name: str = "log_mel", progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip, shape (T, F) each; computed on all cores, remembered on disk and in memory.

    Raises:
        AudioError: a recording cannot be used; the message names the file.
        SertutError: the feature is unknown.
    """
    compute = feature(name)

    def one(clip: Clip) -> torch.Tensor:
        try:
            return compute(read_audio(clip.audio))
        except AudioError as problem:
            already_named = str(clip.audio) in str(problem)
            raise problem if already_named else AudioError(f"{clip.audio}: {problem}") from problem

    return _of_all(clips, one, lambda clip: content_hash(clip.audio), settings(name), f"{name} features", progress)


def load_faces(clips: Iterable[Clip], name: str = "hog", progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip's face, shape (T', F + 1) each, 25 rows a second.

    The last column is 1 where a face was found, and 0 where none was.

    A clip without a video, or whose video shows no face, has zeros throughout: it is kept, and a warning says so.

    Raises:
        VideoError: a video cannot be used; the message names the file.
        SertutError: the feature is unknown.
    """
    if name not in FACE_FEATURES:
        raise unknown("feature of the face", name, FACE_FEATURES)
    compute, n_columns = FACE_FEATURES[name]

    def one(clip: Clip) -> torch.Tensor:
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        if clip.video is None:
            return torch.zeros(n_video_frames(seconds), n_columns + 1)
        return compute(on_clock(read_faces(clip.video), seconds))

    def key(clip: Clip) -> str:
        return f"{content_hash(clip.audio)}-{content_hash(clip.video) if clip.video else 'no-video'}"

    return _of_all(clips, one, key, f"face-{name}-{face_settings()}", f"{name} features of faces", progress)


def _of_all(
    clips: Iterable[Clip],
    compute: Callable[[Clip], torch.Tensor],
    key: Callable[[Clip], str],
    kind: str,
    title: str,
    progress: bool,
) -> list[torch.Tensor]:
    """A table for each clip: from the folder of its `kind` if it is there under `key`, else computed and put there."""
    clips = list(clips)
    folder = data_folder() / "cache" / "features" / kind

    def one(clip: Clip) -> torch.Tensor:
        memory = folder / f"{key(clip)}.npy"
        if not memory.is_file():
            values = compute(clip).numpy()
            with writing(memory) as temporary, temporary.open("wb") as file:
                np.save(file, values)
        return _remembered(memory)

    jobs = (joblib.delayed(one)(clip) for clip in clips)
    results = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")(jobs)
    return list(progress_bar(results, total=len(clips), desc=title, disable=not progress or len(clips) < 100))


@functools.lru_cache(maxsize=20_000)
def _remembered(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.load(path)).float()
