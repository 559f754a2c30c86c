"""The faces of a planted corpus as files: one video a clip, without loss, and beside them the truth about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sertut.planted.expressions import RENDERING, perform
from sertut.planted.staging import Part, Scene
from sertut.signals import level_db
from sertut.video import write_video


def fingerprint(parts: Sequence[Part]) -> str:
    """Changes with everything that the pictures depend on, the sound apart."""
    everything = json.dumps([RENDERING, [asdict(part) for part in parts]])
    return hashlib.sha256(everything.encode()).hexdigest()[:10]


def film(part: Part, scene: Scene, speech: np.ndarray, start: float, seconds: float, path: Path) -> None:
    """Make the video of one clip.

    Args:
        speech: (n_samples,), 16 kHz, what moves the mouth.
        start: the second of the speech at which the clip starts.
        seconds: length of the clip.
        path: the file to be written, AVI.
    """
    expressions = [*scene.showings, *([scene.decoy] if scene.decoy else [])]
    # Pictures count their time from the start of the clip, the level from the start of the speech.
    offset = scene.offset - start
    rng = np.random.default_rng(part.seed)
    write_video(path, perform(part.look, level_db(speech).numpy(), seconds, offset, expressions, rng))


def described(name: str, part: Part, scene: Scene) -> dict:
    """What the manifest says of a clip's face; an expression is [emotion, start, end], in seconds."""
    span = lambda showing: [showing.emotion, showing.start, showing.end]  # noqa: E731
    return {
        "name": name,
        "offset": scene.offset,
        "faces": [span(showing) for showing in scene.showings],
        "decoy": span(scene.decoy) if scene.decoy else None,
        "strength": round(part.strength, 4),
    }
