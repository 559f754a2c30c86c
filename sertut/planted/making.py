"""Making a planted corpus: its clips on all cores, file by file, so that an interrupted making can go on."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import joblib
import numpy as np
import soundfile
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sertut.corpora import About
from sertut.errors import CorpusError
from sertut.files import writing
from sertut.planted.band import BandTake, speak_in_band
from sertut.planted.blend import BlendTake
from sertut.planted.filming import described, film
from sertut.planted.script import Take
from sertut.planted.staging import Part, stage
from sertut.planted.vocoder import FRAME, Tracks, analyze, resynthesize, timing
from sertut.planted.voices import Word, speak
from sertut.progress import progress_bar
from sertut.signals import SAMPLE_RATE, write_audio


def audio_of(folder: Path, name: str) -> Path:
    """The sound of a clip."""
    return folder / "clips" / f"{name}.flac"


def video_of(folder: Path, name: str) -> Path:
    """The face of a clip."""
    return folder / f"{name}.avi"


def read_manifest(folder: Path, file_of: Callable[[Path, str], Path]) -> list[dict] | None:
    """What was made, or None if the making has not come to its end or files were lost since."""
    try:
        entries = json.loads((folder / "manifest.json").read_text())["clips"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return entries if all(file_of(folder, entry["name"]).is_file() for entry in entries) else None


def make(
    takes: Sequence[Take],
    parts: Sequence[Part] | None,
    folder: Path,
    faces: Path | None,
    about: About,
    *,
    title: str,
    progress: bool,
) -> None:
    """Make all clips that are not there yet, on all cores; then write the manifests, the sign that all is done.

    Args:
        parts: what each take's face does; None for a corpus without faces.
        folder, faces: where sound and faces are kept; `faces` is None for a corpus without them.
        title: what the progress bar says.

    Raises:
        CorpusError: the speech engine does not work, or the system stopped a worker.
        SertutError: a folder cannot be written.
    """
    played: Sequence[Part | None] = parts or [None] * len(takes)
    scenes = list(zip(takes, played, strict=True))
    key = lambda scene: (scene[0].speaker.voice, scene[0].sentence)  # noqa: E731 - takes that share one analysis
    groups = [list(group) for _, group in itertools.groupby(sorted(scenes, key=key), key=key)]
    jobs = (joblib.delayed(_render)(group, folder, faces) for group in groups)
    made: dict[str, tuple[dict, dict | None]] = {}
    with progress_bar(total=len(takes), desc=title, unit="clip", disable=not progress) as bar:
        try:
            for pairs in joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(jobs):
                made.update((entry["name"], (entry, filmed)) for entry, filmed in pairs)
                bar.update(len(pairs))
        except TerminatedWorkerError as problem:
            raise CorpusError(
                f"{title}: the system stopped a worker process (out of memory?); run again to go on where it stopped."
            ) from problem
    _write_manifest(folder, about, [made[take.name][0] for take in takes])
    if faces:
        _write_manifest(faces, about, [made[take.name][1] for take in takes])


def _write_manifest(folder: Path, about: About, entries: Sequence[dict | None]) -> None:
    with writing(folder / "manifest.json") as temporary:
        rows = ",\n".join(json.dumps(entry) for entry in entries)  # one line a clip, to be read by humans too
        temporary.write_text(f'{{"about": {json.dumps(asdict(about))},\n"clips": [\n{rows}\n]}}\n')


def _render(scenes: list[tuple[Take, Part | None]], folder: Path, faces: Path | None) -> list[tuple[dict, dict | None]]:
    """Make the clips of one voice and one sentence; what exists already is only described."""
    first, _ = scenes[0]
    sentence = _Sentence(first.sentence, first.speaker.voice)
    entries: list[tuple[dict, dict | None]] = []
    for drawn, part in scenes:
        settled = drawn.settled(sentence.words)
        take, words = settled.of_clip(sentence.heard(settled))
        audio, video = audio_of(folder, take.name), video_of(faces, take.name) if faces else None
        missing = [path for path in (audio, video) if path and not path.is_file()]
        speech = sentence.speech(settled) if missing else np.empty(0)
        if audio in missing:
            with writing(audio) as temporary:
                write_audio(temporary, take.cut(speech))
        filmed = None
        if part and video:
            seconds = soundfile.info(audio).duration
            scene = stage(part, take, words, seconds)
            filmed = described(take.name, part, scene)
            if video in missing:
                film(part, scene, speech, take.start, seconds, video)
        entries.append((_entry(take, words), filmed))
    return entries


class _Sentence:
    """A sentence in one of the engine's voices, to be spoken again in many ways."""

    def __init__(self, text: str, voice: str) -> None:
        self.utterance = speak(text, voice)
        self.words = self.utterance.words
        self.n_frames = int(len(self.utterance.samples) / self.utterance.rate / FRAME) + 1

    @functools.cached_property
    def tracks(self) -> Tracks:
        """Analyzed only if something is to be spoken."""
        return analyze(self.utterance)

    def heard(self, take: Take) -> list[Word]:
        """When each word is heard in the new version, seconds, the silence before it included."""
        heard = timing(self.n_frames, self.words, take.prosodies, take.speaker.tempo)
        times = lambda t: round(take.pause[0] + float(np.interp(t / FRAME, np.arange(self.n_frames), heard)), 3)  # noqa: E731
        return [Word(word.text, times(word.start), times(word.end)) for word in self.words]

    def speech(self, take: Take) -> np.ndarray:
        """The new version, silence around it, at the clip's level, on a quiet background; (n_samples,), 16 kHz."""
        rng = np.random.default_rng(take.seed)
        if isinstance(take, BandTake):
            voice = speak_in_band(self.tracks, self.words, take)
        else:
            voice = resynthesize(self.tracks, self.words, take.prosodies, take.speaker, rng)
        before, after = (round(SAMPLE_RATE * pause) for pause in take.pause)
        samples = np.pad(voice, (before, after)) / np.sqrt(np.mean(voice**2)) * 10 ** (take.gain / 20)
        samples = samples + 10 ** (take.noise / 20) * rng.normal(size=len(samples))
        return samples * min(1.0, 0.98 / np.abs(samples).max())


def _entry(take: Take, words: list[Word]) -> dict:
    """What the manifest says of a clip's sound."""
    band = (take.low, take.high) if isinstance(take, BandTake) else ()
    entry = {
        "name": take.name,
        "speaker": take.speaker.name,
        "emotion": take.emotion,
        "sentence": take.sentence,
        "words": [[word.text, word.start, word.end] for word in words],
        "cue": take.cue,
        "decoy": take.decoy,
        "regions": [[words[i].start, words[i].end, "voice", *band] for _, i in take.cues],
        "drawn": {
            "speaker": _rounded(asdict(take.speaker)),
            "cue": None if take.cue is None else _rounded(asdict(take.prosodies[take.cue])),
            "decoy": None if take.decoy is None else _rounded(asdict(take.prosodies[take.decoy])),
            "gain": round(take.gain, 4),
            "noise": round(take.noise, 4),
        },
    }
    if isinstance(take, BlendTake):
        entry["cues"] = [[emotion, words[i].start, words[i].end] for emotion, i in take.cues]
    return entry


def _rounded(values: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
