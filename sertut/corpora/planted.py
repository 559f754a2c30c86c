"""The planted corpus: speech in which one word of each clip carries the emotion, and we know which one.

A synthetic voice speaks a plain sentence; one content word is re-spoken with the prosody of an emotion
(:mod:`sertut.corpora.prosody`), the rest stays neutral. Nothing is downloaded: the corpus is made on first use, in
about a minute, and is the same for the same seed.

* `planted`: in each clip a *neutral* word is loud, so that loudness does not tell where the emotion is.
* `planted-loud`: the word with the emotion is the loudest (in a neutral clip, a neutral word).
* `planted-band`: as `planted`, but the emotion is heard in one band only, below or above 2000 Hz
  (:mod:`sertut.corpora.band`): the region is known in time *and* frequency.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sertut.corpora.band import BandTake, in_one_band, speak_in_band
from sertut.corpora.corpus import About, Clip, Corpus, Region
from sertut.corpora.script import EMOTIONS, Take, write_script
from sertut.corpora.vocoder import FRAME, analyze, resynthesize, timing
from sertut.corpora.voices import Word, speak
from sertut.errors import CorpusError
from sertut.files import data_folder, writing
from sertut.progress import progress_bar
from sertut.signals import SAMPLE_RATE, write_audio

ABOUT = About(
    title="planted, synthetic speech with one emotional word at a known place",
    license="made on this computer by sertut; use it freely (the voice is the output of espeak-ng, itself under GPL-3)",
    citation="sertut: planted corpus; voices by espeak-ng, resynthesis by WORLD (Morise, Yokomori, Ozawa 2016)",
    url="https://github.com/espeak-ng/espeak-ng",
)

RENDERING = 1
"""Raise it when a change of the code changes the sound, so that old copies are not taken for new ones."""

SPEAKERS, CLIPS_PER_SPEAKER = 24, 42

VARIANTS = ("planted", "planted-loud", "planted-band")


def load(
    name: str = "planted",
    *,
    speakers: int = SPEAKERS,
    clips_per_speaker: int = CLIPS_PER_SPEAKER,
    seed: int = 0,
    progress: bool = True,
) -> Corpus:
    """Load a planted corpus; make it first if it is not there, or finish it if its making was interrupted.

    Each emotional clip has one region, the word with the emotion, in the stream "voice"; neutral clips have none. In
    `planted-band` the region also has `low` or `high`, the limit of its band in Hz.
    `Clip.details` holds ``cue_word``, ``decoy_word``, ``decoy_start``, ``decoy_end`` (None where there is none), and
    ``words``: a tuple of (word, start, end) in seconds.

    Args:
        name: one of :data:`VARIANTS`.
        speakers: how many voices.
        clips_per_speaker: a multiple of 7, the number of emotions.
        seed: of all that is drawn.
        progress: show a bar while the corpus is made.

    Raises:
        CorpusError: the sizes do not fit, or the speech engine does not work.
        SertutError: the folder cannot be written.
    """
    takes: Sequence[Take] = write_script(name == "planted-loud", speakers, clips_per_speaker, seed)
    if name == "planted-band":
        takes = in_one_band(takes)
    folder = data_folder() / f"{name}-{_fingerprint(takes)}"
    entries = _read_manifest(folder)
    if entries is None:
        entries = _make(takes, folder, f"making {name}", progress)
    return Corpus(
        name=name,
        clips=tuple(_clip(entry, folder) for entry in entries),
        emotions=EMOTIONS,
        about=ABOUT,
        expected={"clips": speakers * clips_per_speaker, "speakers": speakers},
    )


def _fingerprint(takes: Sequence[Take]) -> str:
    """Changes with everything that the sound depends on."""
    engines = {package: version(package) for package in ("espeakng-loader", "pyworld")}
    everything = json.dumps([RENDERING, engines, [asdict(take) for take in takes]])
    return hashlib.sha256(everything.encode()).hexdigest()[:10]


def _read_manifest(folder: Path) -> list[dict] | None:
    """What was made, or None if the making has not come to its end or files were lost since."""
    try:
        entries = json.loads((folder / "manifest.json").read_text())["clips"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return entries if all(_audio(folder, entry["name"]).is_file() for entry in entries) else None


def _make(takes: Sequence[Take], folder: Path, title: str, progress: bool) -> list[dict]:
    """Make all clips that are not there yet, on all cores; then write the manifest, the sign that all is done."""
    key = lambda take: (take.speaker.voice, take.sentence)  # noqa: E731 - takes that share one analysis
    groups = [list(group) for _, group in itertools.groupby(sorted(takes, key=key), key=key)]
    jobs = (joblib.delayed(_render)(group, folder) for group in groups)
    made: dict[str, dict] = {}
    with progress_bar(total=len(takes), desc=title, unit="clip", disable=not progress) as bar:
        try:
            for entries in joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(jobs):
                made.update((entry["name"], entry) for entry in entries)
                bar.update(len(entries))
        except TerminatedWorkerError as problem:
            raise CorpusError(
                f"{title}: the system stopped a worker process (out of memory?); run again to go on where it stopped."
            ) from problem
    ordered = [made[take.name] for take in takes]
    with writing(folder / "manifest.json") as temporary:
        rows = ",\n".join(json.dumps(entry) for entry in ordered)  # one line a clip, to be read by humans too
        temporary.write_text(f'{{"about": {json.dumps(asdict(ABOUT))},\n"clips": [\n{rows}\n]}}\n')
    return ordered


def _render(takes: list[Take], folder: Path) -> list[dict]:
    """Make the clips of one voice and one sentence; those that exist already are only described."""
    utterance = speak(takes[0].sentence, takes[0].speaker.voice)
    n_frames = int(len(utterance.samples) / utterance.rate / FRAME) + 1
    tracks = None
    entries = []
    for take in takes:
        path = _audio(folder, take.name)
        if not path.is_file():
            tracks = tracks or analyze(utterance)
            rng = np.random.default_rng(take.seed)
            if isinstance(take, BandTake):
                voice = speak_in_band(tracks, utterance.words, take)
            else:
                voice = resynthesize(tracks, utterance.words, take.prosodies, take.speaker, rng)
            with writing(path) as temporary:
                write_audio(temporary, _recorded(voice, take, rng))
        heard = timing(n_frames, utterance.words, take.prosodies, take.speaker.tempo)
        times = lambda t, heard=heard, take=take: (  # noqa: E731 - seconds of the original -> seconds of the clip
            round(take.pause[0] + float(np.interp(t / FRAME, np.arange(n_frames), heard)), 3)
        )
        words = [Word(word.text, times(word.start), times(word.end)) for word in utterance.words]
        entries.append(_entry(take, words))
    return entries


def _recorded(voice: np.ndarray, take: Take, rng: np.random.Generator) -> np.ndarray:
    """Silence around the voice, the clip's level, and a quiet background."""
    before, after = (round(SAMPLE_RATE * pause) for pause in take.pause)
    samples = np.pad(voice, (before, after)) / np.sqrt(np.mean(voice**2)) * 10 ** (take.gain / 20)
    samples = samples + 10 ** (take.noise / 20) * rng.normal(size=len(samples))
    return samples * min(1.0, 0.98 / np.abs(samples).max())


def _entry(take: Take, words: list[Word]) -> dict:
    """What the manifest says of a clip."""
    band = (take.low, take.high) if isinstance(take, BandTake) else ()
    return {
        "name": take.name,
        "speaker": take.speaker.name,
        "emotion": take.emotion,
        "sentence": take.sentence,
        "words": [[word.text, word.start, word.end] for word in words],
        "cue": take.cue,
        "decoy": take.decoy,
        "regions": [] if take.cue is None else [[words[take.cue].start, words[take.cue].end, "voice", *band]],
        "drawn": {
            "speaker": _rounded(asdict(take.speaker)),
            "cue": None if take.cue is None else _rounded(asdict(take.prosodies[take.cue])),
            "decoy": None if take.decoy is None else _rounded(asdict(take.prosodies[take.decoy])),
            "gain": round(take.gain, 4),
            "noise": round(take.noise, 4),
        },
    }


def _rounded(values: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}


def _clip(entry: dict, folder: Path) -> Clip:
    words: list[list] = entry["words"]
    cue, decoy = (words[entry[which]] if entry[which] is not None else (None, None, None) for which in ("cue", "decoy"))
    return Clip(
        name=entry["name"],
        audio=_audio(folder, entry["name"]),
        speaker=entry["speaker"],
        emotion=entry["emotion"],
        sentence=entry["sentence"],
        regions=tuple(Region(*region) for region in entry["regions"]),
        details={
            "cue_word": cue[0],
            "decoy_word": decoy[0],
            "decoy_start": decoy[1],
            "decoy_end": decoy[2],
            "words": tuple(tuple(word) for word in words),
        },
    )


def _audio(folder: Path, name: str) -> Path:
    return folder / "clips" / f"{name}.flac"
