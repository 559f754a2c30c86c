"""Recordings without the silence before and after the speech.

RAVDESS clips are almost half silence; a network that reads it learns less from the rest. The rule looks at one clip at
a time (no statistics of other clips), so nothing leaks. The copies are kept; a recording is trimmed once.
"""

from dataclasses import replace

import numpy as np

from sertut.corpora.cache import content_hash, in_threads, kept
from sertut.corpora.clip import Clip
from sertut.corpora.corpus import Corpus
from sertut.files import data_folder
from sertut.signals import HOP, SAMPLE_RATE, WINDOW, level_db, read_audio, sounding, write_audio

TRIM_DB = 35.0  # frames this far below a clip's loudest one, at its ends, are trimmed
MARGIN = int(0.03 * SAMPLE_RATE)  # samples kept around the speech


def trim(samples: np.ndarray) -> np.ndarray:
    """Cut the silence at both ends; shape (n,) to (m,), m <= n."""
    first, last = sounding(level_db(samples), TRIM_DB).nonzero()[[0, -1], 0].tolist()
    return samples[max(0, first * HOP - MARGIN) : last * HOP + WINDOW + MARGIN]


def trim_silence(corpus: Corpus) -> Corpus:
    """The same corpus, each clip trimmed. Known regions would move, so it is for corpora without them.

    A clip with a video is left as it is: cut at the front, its sound would no longer fit its pictures.

    Raises:
        AudioError: a recording cannot be used; the message names the file.
    """
    if any(clip.regions for clip in corpus):
        raise ValueError("trimming would move the known regions")
    folder = data_folder() / "cache" / f"trimmed-{TRIM_DB:g}dB-{MARGIN}"

    def one(clip: Clip) -> Clip:
        if clip.video is not None:
            return clip
        copy = folder / f"{content_hash(clip.audio)}.flac"
        return replace(clip, audio=kept(copy, lambda path: write_audio(path, trim(read_audio(clip.audio)))))

    return corpus.keeping(in_threads(one, corpus, "trimming"))
