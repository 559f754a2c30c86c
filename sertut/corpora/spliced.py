"""Real voices with a known emotional region: an emotional clip between, before or after neutral clips of its speaker.

    neutral ~~ EMOTION ~~ neutral        the place of the emotional clip is drawn, so that "look at the middle" fails
    EMOTION ~~ neutral ~~ neutral        all three are trimmed, brought to one level, and joined by short cross-fades
    neutral ~~ neutral ~~ EMOTION

The idea of making regions by joining clips is that of speech emotion diarization (Wang et al., arXiv 2306.12991).
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sertut.corpora.cache import content_hash, in_threads, kept
from sertut.corpora.clip import Clip, Region
from sertut.corpora.corpus import Corpus, Problem
from sertut.corpora.trimmed import MARGIN, TRIM_DB, trim
from sertut.errors import CorpusError
from sertut.files import data_folder, writing
from sertut.signals import SAMPLE_RATE, level_db, read_audio, sounding, write_audio

LEVEL_DB = -26.0  # level of every piece, root mean square over its sounding frames
FADE = int(0.02 * SAMPLE_RATE)  # cross-fade between two pieces
VERSION = 2  # raise it when a change of this page changes the sound or the manifest

LEFT_OUT = ("calm",)
"""Emotions that are not spliced: RAVDESS's "calm" is its second neutral baseline, not a region to be found."""


def splice(corpus: Corpus, seed: int = 0) -> Corpus:
    """Make, or find made, the spliced corpus of `corpus`; a file that is missing or cut short is made again.

    Every emotional clip is used once, with two different neutral clips of its speaker. The class "neutral" gets
    triples of neutral clips, as many a speaker as another class has, without a region. Speakers keep their folds.

    Raises:
        CorpusError: no speaker has three neutral clips and an emotional one.
    """
    plans, left_out = _plan(corpus, seed)
    sources = sorted({piece for plan in plans for piece in plan.pieces}, key=lambda clip: clip.name)
    settings = [VERSION, seed, LEVEL_DB, TRIM_DB, MARGIN, FADE, *(content_hash(clip.audio) for clip in sources)]
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]
    folder = data_folder() / f"spliced-{corpus.name}-{key}"
    spans = _made(plans, folder)
    clips = tuple(
        Clip(
            name=plan.name,
            audio=folder / f"{plan.name}.flac",
            speaker=plan.core.speaker,
            emotion=plan.core.emotion,
            sentence=" | ".join(piece.sentence for piece in plan.pieces),
            regions=() if plan.core.emotion == "neutral" else (Region(*spans[plan.name]),),
            details={"position": ("first", "middle", "last")[plan.position], "core": plan.core.name},
        )
        for plan in plans
    )
    title = f"neutral and emotional clips of one speaker, joined; from {corpus.about.title}"
    return replace(
        corpus,
        name=f"spliced-{corpus.name}",
        clips=clips,
        emotions=tuple(e for e in corpus.emotions if e not in LEFT_OUT),
        about=replace(corpus.about, title=title),
        expected={},
        dropped=left_out,
    )


@dataclass(frozen=True)
class _Plan:
    """Which clips are joined: `core` stands at `position` among the pieces."""

    name: str
    core: Clip
    position: int
    pieces: tuple[Clip, ...]


def _plan(corpus: Corpus, seed: int) -> tuple[list[_Plan], tuple[Problem, ...]]:
    """What to join, and the speakers with whom it cannot be done."""
    rng = np.random.default_rng(seed)
    plans, left_out = [], []
    for speaker in corpus.speakers:
        own = [clip for clip in corpus if clip.speaker == speaker and clip.emotion not in LEFT_OUT]
        neutral = [clip for clip in own if clip.emotion == "neutral"]
        emotional = [clip for clip in own if clip.emotion != "neutral"]
        if len(neutral) < 3 or not emotional:
            left_out.append(Problem(speaker, f"{len(neutral)} neutral and {len(emotional)} emotional clips: too few"))
            continue
        n_neutral = round(len(emotional) / len({clip.emotion for clip in emotional}))
        cores = emotional + [neutral[i % len(neutral)] for i in range(n_neutral)]
        for number, core in enumerate(cores):
            others = [clip for clip in neutral if clip is not core]
            pieces = [others[i] for i in rng.choice(len(others), size=2, replace=False)]
            position = int(rng.integers(3))
            pieces.insert(position, core)
            plans.append(_Plan(f"{core.name}-{number:02d}", core, position, tuple(pieces)))
    if not plans:
        raise CorpusError(
            f"'{corpus.name}' cannot be spliced: no speaker has three neutral clips and an emotional one."
        )
    return plans, tuple(left_out)


def _made(plans: list[_Plan], folder: Path) -> dict[str, tuple[float, float]]:
    """Name -> start and end of the core, seconds. What is not there, or not of the size it had when made, is made."""
    manifest = folder / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.is_file() else {}  # name -> start, end, bytes of the file
    file_of = {plan.name: folder / f"{plan.name}.flac" for plan in plans}
    sizes = {name: path.stat().st_size for name, path in file_of.items() if path.is_file()}
    if lost := [plan for plan in plans if plan.name not in entries or sizes.get(plan.name) != entries[plan.name][2]]:
        for plan in lost:
            if plan.name in entries:  # else it was made, whole, by a run that was stopped
                file_of[plan.name].unlink(missing_ok=True)
        sources = list({piece for plan in lost for piece in plan.pieces})
        prepared = in_threads(lambda clip: prepare(read_audio(clip.audio)), sources, "trimming")
        piece_of = dict(zip(sources, prepared, strict=True))

        def make(plan: _Plan) -> tuple[float, float, int]:
            samples, spans = join([piece_of[piece] for piece in plan.pieces])
            path = kept(file_of[plan.name], lambda temporary: write_audio(temporary, samples))
            return *spans[plan.position], path.stat().st_size

        made = in_threads(make, lost, f"making {folder.name}")
        entries.update(zip((plan.name for plan in lost), made, strict=True))
        with writing(manifest) as temporary:
            temporary.write_text(json.dumps(entries, indent=0))
    return {name: (start, end) for name, (start, end, _) in entries.items()}


def prepare(samples: np.ndarray) -> np.ndarray:
    """Trim the silence at both ends and bring the speech to :data:`LEVEL_DB`; shape (n,) to (m,), m <= n."""
    samples = trim(samples)
    level = level_db(samples)
    speech = sounding(level, TRIM_DB)
    rms = np.sqrt(np.mean(10 ** (level[speech].numpy() / 10)))
    scaled = samples * (10 ** (LEVEL_DB / 20) / rms)
    return scaled / max(1.0, float(np.abs(scaled).max()) / 0.99)  # a shout must not clip


def join(pieces: Sequence[np.ndarray]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Join pieces by cross-fades of equal power.

    Returns:
        samples (n,), and for each piece its span in seconds, from the middle of one cross-fade to that of the next.
    """
    rise = np.sin(0.5 * np.pi * (np.arange(FADE) + 0.5) / FADE).astype(np.float32)
    result = pieces[0]
    borders = [0.0]
    for piece in pieces[1:]:
        middle = result[-FADE:] * rise[::-1] + piece[:FADE] * rise
        borders.append((len(result) - FADE / 2) / SAMPLE_RATE)
        result = np.concatenate([result[:-FADE], middle, piece[FADE:]])
    borders.append(len(result) / SAMPLE_RATE)
    return result, list(itertools.pairwise(borders))
