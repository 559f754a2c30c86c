"""The faces of a planted corpus as files: one video a clip, without loss, and beside them the truth about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sertut.corpora.faces import RENDERING, perform
from sertut.corpora.script import Take
from sertut.corpora.staging import Part, stage
from sertut.corpora.voices import Word
from sertut.signals import SAMPLE_RATE, level_db, read_audio
from sertut.signals.video import write_video


def fingerprint(parts: Sequence[Part]) -> str:
    """Changes with everything that the pictures depend on, the sound apart."""
    everything = json.dumps([RENDERING, [asdict(part) for part in parts]])
    return hashlib.sha256(everything.encode()).hexdigest()[:10]


def film(part: Part, take: Take, words: Sequence[Word], audio: Path, video: Path) -> dict:
    """Make the video of one clip, unless it is there already.

    The mouth follows the level of the finished recording, so a video made later is the same as one made at once.

    Args:
        take: the clip, settled.
        words: when each word is heard in the clip.
        audio: the clip's sound, made before.
        video: the file to be written, AVI.

    Returns:
        what the manifest says of it: the offset, and [emotion, start, end] of each expression, seconds.
    """
    samples = read_audio(audio)
    seconds = len(samples) / SAMPLE_RATE
    scene = stage(part, take, words, seconds)
    expressions = [*scene.showings, *([scene.decoy] if scene.decoy else [])]
    if not video.is_file():
        level, rng = level_db(samples).numpy(), np.random.default_rng(part.seed)
        write_video(video, perform(part.look, level, seconds, scene.offset, expressions, rng))
    spans = [[showing.emotion, showing.start, showing.end] for showing in expressions]
    return {
        "name": take.name,
        "offset": scene.offset,
        "faces": spans[: len(scene.showings)],
        "decoy": spans[-1] if scene.decoy else None,
        "strength": round(part.strength, 4),
    }
