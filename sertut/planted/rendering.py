"""Plans into files: clips are made on all cores, file by file, so that an interrupted making can go on."""

import functools
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import joblib
import numpy as np
import soundfile
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sertut.corpora import About
from sertut.errors import CorpusError
from sertut.files import writing
from sertut.planted.expressions import render_face
from sertut.planted.plans import FacePlan, Plan, Timeline
from sertut.planted.vocoder import FRAME, Tracks, analyze, word_spans
from sertut.planted.voices import Word, speak
from sertut.progress import progress_bar
from sertut.signals import SAMPLE_RATE, level_db, write_audio
from sertut.video import write_video

AUDIO, VIDEO = "clips/{}.flac", "{}.avi"
"""The name of a clip -> its file, in the folder of the sounds or in that of the faces."""


def read_manifest(folder: Path, file: str) -> list[dict] | None:
    """What was made, or None if the making has not come to its end or files were lost since."""
    try:
        entries = json.loads((folder / "manifest.json").read_text())["clips"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return entries if all((folder / file.format(entry["name"])).is_file() for entry in entries) else None


def render_all(
    plans: Sequence[Plan], faces: Sequence[FacePlan], folders: Sequence[Path], about: About, progress: str | None
) -> None:
    """Make all clips that are not there yet, on all cores; then write the manifests, the sign that all is done.

    Several processes may do so at once: each file appears whole, and all of them write the same bytes.

    Args:
        faces: what each clip's face does; none for a corpus without faces.
        folders: of the sounds, and of the faces where there are any.
        progress: title of the progress bar, None for no bar.

    Raises:
        CorpusError: the speech engine does not work, or the system stopped a worker.
        SertutError: a folder cannot be written.
    """
    clips = list(itertools.zip_longest(plans, faces))
    key = lambda clip: (clip[0].speaker.voice, clip[0].sentence)  # noqa: E731 - clips that share one analysis
    groups = [list(group) for _, group in itertools.groupby(sorted(clips, key=key), key=key)]
    jobs = (joblib.delayed(render_sentence)(group, *folders) for group in groups)
    made: dict[str, list[dict]] = {}  # name -> one entry for each manifest
    with progress_bar(total=len(clips), desc=progress, unit="clip", disable=not progress) as bar:
        try:
            for entries in joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(jobs):
                made |= {entry[0]["name"]: entry for entry in entries}
                bar.update(len(entries))
        except TerminatedWorkerError as problem:
            what = f"{folders[0]}: the system stopped a worker process (out of memory?)"
            raise CorpusError(f"{what}; run again to go on where it stopped.") from problem
    for folder, entries in zip(folders, zip(*(made[plan.name] for plan in plans), strict=True), strict=True):
        with writing(folder / "manifest.json") as temporary:
            rows = ",\n".join(json.dumps(entry) for entry in entries)  # one line a clip, to be read by humans too
            temporary.write_text(f'{{"about": {json.dumps(asdict(about))},\n"clips": [\n{rows}\n]}}\n')


def render_sentence(
    clips: Sequence[tuple[Plan, FacePlan | None]], folder: Path, face_folder: Path | None = None
) -> list[list[dict]]:
    """Make the clips of one voice and one sentence; what exists already is only described, for each manifest."""
    sentence = SpokenSentence(clips[0][0].sentence, clips[0][0].speaker.voice)
    described = []
    for drawn, face in clips:
        whole = drawn.resolved(sentence.words)
        plan, words = whole.within_clip(sentence.heard(whole))
        audio = folder / AUDIO.format(plan.name)
        video = face_folder / VIDEO.format(plan.name) if face_folder else None
        missing = [path for path in (audio, video) if path and not path.is_file()]
        speech = sentence.speech(whole) if missing else np.empty(0)
        if audio in missing:
            with writing(audio) as temporary:
                write_audio(temporary, plan.cut(speech))
        entries = [_sound_entry(plan, words)]
        if face and video:
            seconds = soundfile.info(audio).duration
            timeline = plan.timeline(face, words, seconds)
            entries.append(_face_entry(plan, face, timeline))
            if video in missing:
                shown = [*timeline.expressions, *([timeline.misleading] if timeline.misleading else [])]
                # Pictures count their time from the start of the clip, the level from the start of the speech.
                offset, rng = timeline.offset - plan.start, np.random.default_rng(face.seed)
                write_video(video, render_face(face.look, level_db(speech).numpy(), seconds, offset, shown, rng))
        described.append(entries)
    return described


class SpokenSentence:
    """A sentence in one of the engine's voices, to be spoken again in many ways."""

    def __init__(self, text: str, voice: str) -> None:
        self.utterance = speak(text, voice)
        self.words = self.utterance.words
        self.n_frames = int(len(self.utterance.samples) / self.utterance.rate / FRAME) + 1

    @functools.cached_property
    def tracks(self) -> Tracks:
        """Analyzed only if something is to be spoken."""
        return analyze(self.utterance)

    def heard(self, plan: Plan) -> list[Word]:
        """When each word is heard in the new version, seconds, the silence before it included."""
        spans = word_spans(self.n_frames, self.words, plan.prosodies, plan.speaker.tempo)  # (n_words, 2)
        times = [[round(plan.pause[0] + float(t), 3) for t in span] for span in spans]
        return [Word(word.text, *span) for word, span in zip(self.words, times, strict=True)]

    def speech(self, plan: Plan) -> np.ndarray:
        """The new version, silence around it, at the clip's level, on a quiet background; (n_samples,), 16 kHz."""
        rng = np.random.default_rng(plan.seed)
        voice = plan.voice(self.tracks, self.words, rng)
        before, after = (round(SAMPLE_RATE * pause) for pause in plan.pause)
        samples = np.pad(voice, (before, after)) / np.sqrt(np.mean(voice**2)) * 10 ** (plan.gain / 20)
        samples = samples + 10 ** (plan.noise / 20) * rng.normal(size=len(samples))
        return samples * min(1.0, 0.98 / np.abs(samples).max())


def _sound_entry(plan: Plan, words: list[Word]) -> dict:
    """What the manifest says of a clip's sound."""
    cues = [[emotion, words[i].start, words[i].end] for emotion, i in plan.cues]
    entry = {
        "name": plan.name,
        "speaker": plan.speaker.name,
        "emotion": plan.emotion,
        "sentence": plan.sentence,
        "words": [[word.text, word.start, word.end] for word in words],
        "cue": plan.cue,
        "decoy": plan.decoy,
        "regions": [[start, end, "voice", *plan.band] for _, start, end in cues],
        "drawn": {
            "speaker": _rounded(asdict(plan.speaker)),
            "cue": None if plan.cue is None else _rounded(asdict(plan.prosodies[plan.cue])),
            "decoy": None if plan.decoy is None else _rounded(asdict(plan.prosodies[plan.decoy])),
            "gain": round(plan.gain, 4),
            "noise": round(plan.noise, 4),
        },
    }
    return entry | ({"cues": cues} if len(cues) > 1 else {})


def _face_entry(plan: Plan, face: FacePlan, timeline: Timeline) -> dict:
    """What the manifest says of a clip's face; an expression is [emotion, start, end], in seconds."""
    span = lambda shown: [shown.emotion, shown.start, shown.end]  # noqa: E731
    return {
        "name": plan.name,
        "offset": timeline.offset,
        "faces": [span(expression) for expression in timeline.expressions],
        "decoy": span(timeline.misleading) if timeline.misleading else None,
        "strength": round(face.strength, 4),
    }


def _rounded(values: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
