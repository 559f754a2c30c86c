"""What is computed of a recording once: samples and level in memory, features and fingerprints on disk.

On disk everything lies under the SHA-256 of the recording's bytes, so a recording that changes is computed anew. What
is returned belongs to the caller: whoever changes it changes nothing for others.
"""

from __future__ import annotations

import functools
import hashlib
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import joblib
import numpy as np
import torch

from sertut.corpora.clip import Clip
from sertut.errors import AudioError, must_be_known
from sertut.files import data_folder, writing
from sertut.progress import progress_bar
from sertut.signals import SAMPLE_RATE, VOICES, at_tempo, feature, in_voice, level_db, read_audio
from sertut.signals.features import settings
from sertut.video import FACE_FEATURES, face_settings, n_video_frames, on_clock, read_faces

Item = TypeVar("Item")
Result = TypeVar("Result")
ONE_AT_A_TIME = threading.Lock()
"""Who loads. NumPy parses the head of a file as Python, and CPython 3.11 can fail where two threads parse at once."""


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], title: str = "", progress: bool = True
) -> list[Result]:
    """``[function(item) for item in items]`` on all cores; `progress` shows a bar where there are 100 items or more."""
    items = list(items)
    at_once = max(1, min(16, len(items) // 64))  # what is kept already is read sooner than a thread is asked for it
    parallel = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator", batch_size=at_once)
    results = parallel(map(joblib.delayed(function), items))
    return list(progress_bar(results, total=len(items), desc=title, disable=not progress or len(items) < 100))


def kept(path: Path, write: Callable[[Path], object]) -> Path:
    """`path`; made first where it is not there: ``write(temporary)`` writes it, whole or not at all."""
    if not path.is_file():
        with writing(path) as temporary:
            write(temporary)
    return path


def read_clip(clip: Clip) -> np.ndarray:
    """The sound of a clip as of :func:`sertut.signals.read_audio`, (n_samples,); decoded once while it is in use.

    Raises:
        AudioError: as :func:`sertut.signals.read_audio`.
    """
    return _samples(clip.audio, *_stamp(clip.audio)).copy()


def clip_level(clip: Clip) -> torch.Tensor:
    """The level of each voice frame of a clip, dB, (T,); :func:`sertut.signals.level_db`, computed once.

    Raises:
        AudioError: the recording cannot be used, or is shorter than one frame.
    """
    return _level(clip.audio, *_stamp(clip.audio)).clone()


@functools.lru_cache(maxsize=256)  # 50 MB where clips last 3 s
def _samples(path: Path, size: int, changed: int) -> np.ndarray:
    return read_audio(path)


@functools.lru_cache(maxsize=20_000)  # 25 MB
def _level(path: Path, size: int, changed: int) -> torch.Tensor:
    return level_db(_samples(path, size, changed))


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change of a file: while both stay, it is not read again."""
    if not path.is_file():
        read_audio(path)  # raises, with the remedy
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; read again only when its size or time of change differs.

    Raises:
        AudioError: the file is missing.
    """
    return _content_hash(path, *_stamp(path))


@functools.lru_cache(maxsize=100_000)
def _content_hash(path: Path, size: int, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(path: Path) -> str:
    """SHA-256 of a recording's decoded 16 kHz 16-bit samples: the same for a copy in another container."""
    return _fingerprint(path, *_stamp(path))


@functools.lru_cache(maxsize=100_000)
def _fingerprint(path: Path, size: int, changed: int) -> str:
    def write(temporary: Path) -> None:
        samples = np.round(_samples(path, size, changed) * 32768).astype(np.int16)
        temporary.write_text(hashlib.sha256(samples.tobytes()).hexdigest())

    content = content_hash(path)
    return kept(data_folder() / "cache" / "fingerprints" / content[:2] / content, write).read_text()


def load_features(clips: Iterable[Clip], name: str = "log_mel", progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip, shape (T, F) each; computed on all cores, kept on disk.

    Raises:
        AudioError: a recording cannot be used; the message names the file.
        SertutError: the feature is unknown.
    """
    return of_samples(clips, feature(name), settings(name), f"{name} features", progress)


def load_voices(clips: Iterable[Clip], name: str, progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip in other voices, (V, T, F) each, in half precision: see :data:`~sertut.signals.VOICES`.

    Errors as of :func:`load_features`.
    """
    compute = feature(name)

    def voices(samples: np.ndarray) -> torch.Tensor:
        n = len(compute(samples))
        return torch.stack([at_tempo(compute(in_voice(samples, *ratio)), n) for ratio in VOICES]).half()

    ratios = "-".join(f"{above}.{below}" for above, below in VOICES)
    return of_samples(clips, voices, f"{settings(name)}-voices-{ratios}", "other voices", progress)


def of_samples(
    clips: Iterable[Clip], compute: Callable[[np.ndarray], torch.Tensor], kind: str, title: str, progress: bool = True
) -> list[torch.Tensor]:
    """What `compute` gives for the samples of each clip, on all cores, kept on disk in the folder of its `kind`.

    Raises:
        AudioError: a recording cannot be used, or `compute` says so; the message names the file.
    """

    def one(clip: Clip) -> torch.Tensor:
        try:
            return _on_disk(kind, content_hash(clip.audio), lambda: compute(read_clip(clip)))
        except AudioError as problem:
            already_named = str(clip.audio) in str(problem)
            raise problem if already_named else AudioError(f"{clip.audio}: {problem}") from problem

    return in_threads(one, clips, title, progress)


def load_faces(clips: Iterable[Clip], name: str = "hog", progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip's face, shape (T', F + 1) each, 25 rows a second; kept on disk.

    The last column is 1 where a face was found, and 0 where none was.

    A clip without a video, or whose video shows no face, has zeros throughout: it is kept, and a warning says so.

    Raises:
        VideoError: a video cannot be used; the message names the file.
        SertutError: the feature is unknown.
    """
    must_be_known("feature of the face", name, FACE_FEATURES)
    compute, n_columns = FACE_FEATURES[name]

    def one(clip: Clip) -> torch.Tensor:
        def rows() -> torch.Tensor:
            seconds = len(read_clip(clip)) / SAMPLE_RATE
            if clip.video is None:
                return torch.zeros(n_video_frames(seconds), n_columns + 1)
            return compute(on_clock(read_faces(clip.video), seconds))

        key = f"{content_hash(clip.audio)}-{content_hash(clip.video) if clip.video else 'no-video'}"
        return _on_disk(f"face-{name}-{face_settings()}", key, rows)

    clips = list(clips)
    tables = in_threads(one, clips, f"{name} features of faces", progress)
    if blind := [clip.name for clip, table in zip(clips, tables, strict=True) if not table[:, -1].any()]:
        warnings.warn(
            f"{len(blind)} of {len(clips)} clips show no face (no video, or none found in it), e.g. {blind[0]};"
            " they are kept, their face stream is masked.",
            stacklevel=2,
        )
    return tables


def _on_disk(kind: str, key: str, compute: Callable[[], torch.Tensor]) -> torch.Tensor:
    """The table under `key` in the folder of its `kind`, computed and put there where it is not."""
    path = data_folder() / "cache" / "features" / kind / f"{key}.npy"
    kept(path, lambda temporary: np.save(temporary, compute().numpy()))
    with ONE_AT_A_TIME:
        return torch.from_numpy(np.load(path))
