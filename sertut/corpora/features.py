"""Features of whole corpora, computed once: cached under the content of each recording."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
import torch

from sertut.corpora.corpus import Clip
from sertut.corpora.leaks import content_hash
from sertut.errors import AudioError
from sertut.files import data_folder, writing
from sertut.progress import progress_bar
from sertut.signals import feature, read_audio
from sertut.signals.features import settings


def load_features(clips: Iterable[Clip], name: str = "log_mel", progress: bool = True) -> list[torch.Tensor]:
    """Features of each clip, shape (T, F) each; computed on all cores, remembered on disk and in memory.

    Raises:
        AudioError: a recording cannot be used; the message names the file.
        SertutError: the feature is unknown.
    """
    compute = feature(name)
    clips = list(clips)
    folder = data_folder() / "cache" / "features" / settings(name)

    def one(clip: Clip) -> torch.Tensor:
        memory = folder / f"{content_hash(clip.audio)}.npy"
        if not memory.is_file():
            try:
                values = compute(read_audio(clip.audio)).numpy()
            except AudioError as problem:
                already_named = str(clip.audio) in str(problem)
                raise problem if already_named else AudioError(f"{clip.audio}: {problem}") from problem
            with writing(memory) as temporary, temporary.open("wb") as file:
                np.save(file, values)
        return _remembered(memory)

    jobs = (joblib.delayed(one)(clip) for clip in clips)
    results = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")(jobs)
    bar = progress_bar(results, total=len(clips), desc=f"{name} features", disable=not progress or len(clips) < 100)
    return list(bar)


@functools.lru_cache(maxsize=20_000)
def _remembered(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.load(path))
