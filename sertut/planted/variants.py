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

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from sertut.corpora import About, Clip, Corpus, Region
from sertut.files import data_folder
from sertut.planted.band import BandPlan
from sertut.planted.blend import BlendPlan
from sertut.planted.decoy import DecoyPlan
from sertut.planted.expressions import PICTURES
from sertut.planted.plans import FacePlan, LoudPlan, Plan, plan_faces
from sertut.planted.rendering import AUDIO, VIDEO, read_manifest, render_all

ABOUT = About(
    title=Plan.title,
    license="made on this computer by sertut; use it freely (the voice is the output of espeak-ng, itself under GPL-3)",
    citation="sertut: planted corpus; voices by espeak-ng, resynthesis by WORLD (Morise, Yokomori, Ozawa 2016)",
    url="https://github.com/espeak-ng/espeak-ng",
)

SOUND = 1
"""Raise it when a change of the code changes the sound, so that old copies are not taken for new ones."""

VARIANTS: dict[str, type[Plan]] = {
    "planted": Plan,
    "planted-loud": LoudPlan,
    "planted-band": BandPlan,
    "planted-blend": BlendPlan,
    "planted-decoy": DecoyPlan,
}
"""Each of :data:`sertut.corpora.MADE` -> the plan of its clips."""


def load(name: str, *, speakers: int = 24, clips_per_speaker: int = 42, seed: int = 0, progress: bool = True) -> Corpus:
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
        name: one of :data:`sertut.corpora.MADE`.
        speakers: how many voices.
        clips_per_speaker: a multiple of the number of emotions: 7, or 6 in `planted-blend` and `planted-decoy`.
        seed: of all that is drawn.
        progress: show a bar while the corpus is made.

    Raises:
        CorpusError: the sizes do not fit, or the speech engine does not work.
        SertutError: the folder cannot be written.
    """
    variant = VARIANTS[name]
    plans = variant.draw_all(speakers, clips_per_speaker, seed)
    faces = plan_faces(plans, seed) if variant.has_faces else []
    folders = [data_folder() / f"{name}-{sound_digest(plans)}"]
    if faces:
        folders.append(folders[0] / f"faces-{face_digest(faces)}")
    clips = _read(*folders)
    about = replace(ABOUT, title=variant.title)
    if clips is None:
        render_all(plans, faces, folders, about, f"making {name}" if progress else None)
        clips = _read(*folders)
        assert clips is not None, f"what was just made in {folders[0]} is not there"
    return Corpus(
        name=name,
        clips=clips,
        emotions=variant.emotions,
        about=about,
        expected={"clips": speakers * clips_per_speaker, "speakers": speakers},
    )


def sound_digest(plans: Sequence[Plan]) -> str:
    """Changes with everything that the sound depends on."""
    engines = {package: version(package) for package in ("espeakng-loader", "pyworld")}
    return _digest([SOUND, engines, plans])


def face_digest(faces: Sequence[FacePlan]) -> str:
    """Changes with everything that the pictures depend on, the sound apart."""
    return _digest([PICTURES, faces])


def _digest(everything: list) -> str:
    return hashlib.sha256(json.dumps(everything, default=vars).encode()).hexdigest()[:10]  # of a plan its fields


def _read(folder: Path, face_folder: Path | None = None) -> tuple[Clip, ...] | None:
    """The clips, or None if some were not made yet."""
    sounds = read_manifest(folder, AUDIO)
    faces = read_manifest(face_folder, VIDEO) if face_folder else [{}] * len(sounds or [])
    if sounds is None or faces is None:
        return None
    return tuple(_clip(sound, face, folder, face_folder) for sound, face in zip(sounds, faces, strict=True))


def _clip(sound: dict, face: dict, folder: Path, face_folder: Path | None) -> Clip:
    """A clip of what the two manifests say; `face` is empty where there is none."""
    words = tuple(map(tuple, sound["words"]))
    cue, decoy = (words[i] if (i := sound[which]) is not None else (None, None, None) for which in ("cue", "decoy"))
    details = {
        "cue_word": cue[0],
        "decoy_word": decoy[0],
        "decoy_start": decoy[1],
        "decoy_end": decoy[2],
        "words": words,
    }
    regions = [Region(*region) for region in sound["regions"]]
    if face:
        details["offset"] = face["offset"]
        regions += [Region(start, end, "face") for _, start, end in face["faces"]]
    if "cues" in sound:
        seconds = Counter[str]()
        for emotion, start, end in sound["cues"]:
            seconds[emotion] += end - start
        shares = {emotion: own / seconds.total() for emotion, own in seconds.items()}
        cues, faces = (tuple(map(tuple, spans)) for spans in (sound["cues"], face["faces"]))
        details |= {"cues": cues, "shares": shares, "faces": faces}
    if face.get("decoy"):
        emotion, *span = face["decoy"]
        details |= {"decoy_emotion": emotion, "decoy_face": tuple(span)}
    return Clip(
        name=sound["name"],
        audio=folder / AUDIO.format(sound["name"]),
        speaker=sound["speaker"],
        emotion=sound["emotion"],
        sentence=sound["sentence"],
        regions=tuple(regions),
        video=face_folder / VIDEO.format(sound["name"]) if face_folder else None,
        details=details,
    )
