"""The planted corpus: speech in which one word of each clip carries the emotion, and we know which one.

A synthetic voice speaks a plain sentence; one content word is re-spoken with the prosody of an emotion
(:mod:`sertut.planted.prosody`), the rest stays neutral. A drawn face speaks along, earlier or later than the voice by
an offset that we know, and shows the emotion for as long as its word (:mod:`sertut.planted.expressions`). Nothing is
downloaded: a corpus is made on first use, in about a minute, and is the same for the same seed.

* `planted`: in each clip a *neutral* word is loud, so that loudness does not tell where the emotion is. It has faces.
* `planted-loud`: the word with the emotion is the loudest (in a neutral clip, a neutral word). Sound only.
* `planted-band`: as `planted`, but the emotion is heard in one band only, below or above 2000 Hz
  (:mod:`sertut.planted.band`): the region is known in time *and* frequency. Sound only.
* `planted-blend`: two emotions in one clip, each on words of its own, in voice and face; how much of the emotional time
  each has is known, and the label is the larger share (:mod:`sertut.planted.blend`).
* `planted-decoy`: the voice tells when, the face tells what, but it shows two emotions, and only one of them at the
  clip's own offset from the word that the voice stresses: that one is the label (:mod:`sertut.planted.decoy`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from sertut.corpora import About, Clip, Corpus, Region
from sertut.files import data_folder
from sertut.planted import filming
from sertut.planted.band import in_one_band
from sertut.planted.blend import write_blends
from sertut.planted.decoy import LABELS, write_decoys
from sertut.planted.making import audio_of, make, read_manifest, video_of
from sertut.planted.script import EMOTIONS, Take, write_script
from sertut.planted.staging import cast_parts

ABOUT = About(
    title="planted, synthetic speech with one emotional word at a known place",
    license="made on this computer by sertut; use it freely (the voice is the output of espeak-ng, itself under GPL-3)",
    citation="sertut: planted corpus; voices by espeak-ng, resynthesis by WORLD (Morise, Yokomori, Ozawa 2016)",
    url="https://github.com/espeak-ng/espeak-ng",
)

RENDERING = 1
"""Raise it when a change of the code changes the sound, so that old copies are not taken for new ones."""

SPEAKERS, CLIPS_PER_SPEAKER = 24, 42

VARIANTS = ("planted", "planted-loud", "planted-band", "planted-blend", "planted-decoy")

WITH_FACES = ("planted", "planted-blend", "planted-decoy")

TITLES = {
    "planted": ABOUT.title,
    "planted-loud": ABOUT.title,
    "planted-band": ABOUT.title,
    "planted-blend": "planted-blend, synthetic speech and drawn faces with two emotions whose shares are known",
    "planted-decoy": "planted-decoy, synthetic speech and drawn faces with a true and a misleading expression",
}
"""Variant -> what the corpus is."""


def load(
    name: str = "planted",
    *,
    speakers: int = SPEAKERS,
    clips_per_speaker: int = CLIPS_PER_SPEAKER,
    seed: int = 0,
    progress: bool = True,
) -> Corpus:
    """Load a planted corpus; make it first if it is not there, or finish it if its making was interrupted.

    Each emotional clip has the region "voice", the word with the emotion, and, where the corpus has faces, the region
    "face", seconds on the same clock; a neutral clip has none. In `planted-band` the region also has `low` or `high`,
    the limit of its band in Hz; in `planted-blend` there is one region for each word and stream.

    `Clip.details` holds ``cue_word``, ``decoy_word``, ``decoy_start``, ``decoy_end`` (None where there is none), and
    ``words``: a tuple of (word, start, end) in seconds. With a face, ``offset``: the seconds by which it follows the
    voice. In `planted-blend` also ``shares``: {emotion: share of the emotional time of the voice}, and ``cues`` and
    ``faces``: a tuple of (emotion, start, end) for each stream. In `planted-decoy` also ``decoy_emotion`` and
    ``decoy_face``, (start, end) of the misleading expression; ``cue_word`` is the stressed word.

    Args:
        name: one of :data:`VARIANTS`.
        speakers: how many voices.
        clips_per_speaker: a multiple of the number of emotions: 7, or 6 in `planted-blend` and `planted-decoy`.
        seed: of all that is drawn.
        progress: show a bar while the corpus is made.

    Raises:
        CorpusError: the sizes do not fit, or the speech engine does not work.
        SertutError: the folder cannot be written.
    """
    takes = _script(name, speakers, clips_per_speaker, seed)
    folder = data_folder() / f"{name}-{_fingerprint(takes)}"
    about = replace(ABOUT, title=TITLES[name])
    parts = cast_parts(takes, seed) if name in WITH_FACES else None
    faces = folder / f"faces-{filming.fingerprint(parts)}" if parts else None
    clips = _read(folder, faces)
    if clips is None:
        make(takes, parts, folder, faces, about, title=f"making {name}", progress=progress)
        clips = _read(folder, faces)
        assert clips is not None, f"what was just made in {folder} is not there"
    return Corpus(
        name=name,
        clips=clips,
        emotions=LABELS if name == "planted-decoy" else EMOTIONS,
        about=about,
        expected={"clips": speakers * clips_per_speaker, "speakers": speakers},
    )


def _script(name: str, speakers: int, clips_per_speaker: int, seed: int) -> Sequence[Take]:
    """All draws of one variant."""
    if name == "planted-blend":
        return write_blends(speakers, clips_per_speaker, seed)
    if name == "planted-decoy":
        return write_decoys(speakers, clips_per_speaker, seed)
    takes = write_script(name == "planted-loud", speakers, clips_per_speaker, seed)
    return in_one_band(takes) if name == "planted-band" else takes


def _fingerprint(takes: Sequence[Take]) -> str:
    """Changes with everything that the sound depends on."""
    engines = {package: version(package) for package in ("espeakng-loader", "pyworld")}
    everything = json.dumps([RENDERING, engines, [asdict(take) for take in takes]])
    return hashlib.sha256(everything.encode()).hexdigest()[:10]


def _read(folder: Path, faces: Path | None) -> tuple[Clip, ...] | None:
    """The clips, or None if some were not made yet."""
    sounds = read_manifest(folder, audio_of)
    if sounds is None:
        return None
    clips = [_clip(entry, folder) for entry in sounds]
    if faces:
        films = read_manifest(faces, video_of)
        if films is None:
            return None
        clips = [_with_face(clip, entry, faces) for clip, entry in zip(clips, films, strict=True)]
    return tuple(clips)


def _clip(entry: dict, folder: Path) -> Clip:
    words: list[list] = entry["words"]
    cue, decoy = (words[entry[which]] if entry[which] is not None else (None, None, None) for which in ("cue", "decoy"))
    details = {
        "cue_word": cue[0],
        "decoy_word": decoy[0],
        "decoy_start": decoy[1],
        "decoy_end": decoy[2],
        "words": tuple(tuple(word) for word in words),
    }
    if "cues" in entry:
        details |= {"cues": tuple(tuple(cue) for cue in entry["cues"]), "shares": _shares(entry["cues"])}
    return Clip(
        name=entry["name"],
        audio=audio_of(folder, entry["name"]),
        speaker=entry["speaker"],
        emotion=entry["emotion"],
        sentence=entry["sentence"],
        regions=tuple(Region(*region) for region in entry["regions"]),
        details=details,
    )


def _shares(cues: Sequence[tuple[str, float, float]]) -> dict[str, float]:
    """Emotion -> its share of the emotional time."""
    seconds = dict.fromkeys((emotion for emotion, _, _ in cues), 0.0)
    for emotion, start, end in cues:
        seconds[emotion] += end - start
    return {emotion: own / sum(seconds.values()) for emotion, own in seconds.items()}


def _with_face(clip: Clip, entry: dict, faces: Path) -> Clip:
    """The clip with its video and what is true of it."""
    details = {**clip.details, "offset": entry["offset"]}
    if "cues" in details:
        details["faces"] = tuple(tuple(face) for face in entry["faces"])
    if entry["decoy"]:
        emotion, start, end = entry["decoy"]
        details |= {"decoy_emotion": emotion, "decoy_face": (start, end)}
    return replace(
        clip,
        video=video_of(faces, clip.name),
        regions=clip.regions + tuple(Region(start, end, "face") for _, start, end in entry["faces"]),
        details=details,
    )
