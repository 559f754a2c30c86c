"""A file of the reader's own: what each family of networks hears in it, when, and how sure; one page holds it all.

The reader's sound stays in memory and in that page; nothing of it is kept in the data folder.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from sertut.corpora import MADE, RECORDED, Clip, Corpus, Fold, folder_of
from sertut.corpora.own import load
from sertut.corpora.trimmed import trim
from sertut.course.catalog import PAGES
from sertut.errors import AudioError
from sertut.evidence import Example, calibrate, evaluate, judge_confidence
from sertut.evidence.confidence import KEPT, Calibration
from sertut.evidence.intervals import mean
from sertut.files import code_of, data_folder, write
from sertut.progress import progress_bar
from sertut.show.playback import player
from sertut.show.recognition import reliability as draw_reliability
from sertut.show.weights import describe_peak
from sertut.signals import SAMPLE_RATE, Batch, feature, level_db, log_mel, pad, read_audio
from sertut.signals.features import WINDOW
from sertut.tensors import digest
from sertut.training import Run, fit_once, load_run, predict
from sertut.training.runs import FILE

FAMILIES = {
    "ear-attention": "Attentive LSTM",
    "ear-heads": "Many heads",
    "ear-cells": "Convolutions over time and frequency",
    "ear-perception": "Perception attention, from the voice",
}
"""Methods of :data:`sertut.study.methods.METHODS`, one a family, all behind the one front -> what to call them."""

SHORTEST, PART, LONGEST = 0.3, 15.0, 120.0
"""Seconds: less is no speech; more is heard in equal parts; more is refused."""

CODE = ("signals", "attention", "models", "training", "study/methods.py", "evidence/confidence.py")
"""What decides how a network is trained and calibrated."""


@dataclass(frozen=True)
class Listener:
    """A trained network with what is known of how far to believe it.

    method: a key of :data:`FAMILIES`. tested: on speakers that neither trained nor calibrated it: "uar", "ece_raw" and
    "ece" (before and after calibration) with intervals in words, "refused" (share of its right answers that the
    threshold turns into "none of these"), "passed" (share of its wrong answers that it lets through), and "corpus",
    "title", "clips", "speakers" (of train, dev, test). drawing: the reliability diagram, PNG; alt: in words.
    """

    method: str
    run: Run
    calibration: Calibration
    tested: Mapping
    drawing: bytes
    alt: str

    @classmethod
    def of(cls, method: str, run: Run, fold: Fold) -> Listener:
        """Calibrate a run on the dev speakers of its fold and test it on the test speakers."""
        dev, report = predict(run, fold.dev), evaluate(run, fold.test, baselines=False)
        calibration = calibrate(dev.logits, dev.labels)
        judged = judge_confidence(calibration, report.predictions)
        names = judged.scored("calibration")
        raw, ece = (judged.interval(name, "calibration") for name in names)
        picture = draw_reliability({name: judged.sums(name, "calibration").sum(axis=(0, 1)) for name in names})
        tested = {"corpus": fold.train.name, "title": fold.train.about.title, "seconds": run.seconds}
        tested |= {"clips": [len(part) for part in fold.parts.values()]}
        tested |= {"speakers": [len(part.speakers) for part in fold.parts.values()]}
        tested |= {"uar": str(report.uar), "ece_raw": str(raw), "ece": str(ece)}
        right, wrong = (judged.sums(f"{which} answers", "refused").sum(axis=(0, 1)) for which in ("right", "wrong"))
        shares = {"refused": mean(right), "passed": 1 - mean(wrong)}  # NaN where there are none
        tested |= {name: float(np.nan_to_num(share)) for name, share in shares.items()}
        return cls(method, run, calibration, tested, picture.png, picture.alt)

    def save(self, folder: Path) -> None:
        """Write it; the run comes last, so that where a run is, the rest is, too."""
        about = {"calibration": asdict(self.calibration), "tested": self.tested, "alt": self.alt}
        write(folder / "reliability.png", self.drawing)
        write(folder / "calibration.json", json.dumps(about))
        self.run.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Listener:
        """What :meth:`save` wrote, on the CPU, where a few seconds of sound are heard fastest."""
        about = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        drawing, run = (folder / "reliability.png").read_bytes(), load_run(folder, "cpu")
        return cls(folder.name, run, Calibration(**about["calibration"]), about["tested"], drawing, about["alt"])

    @torch.no_grad()
    def hear(self, samples: np.ndarray, name: str = "a recording") -> Heard:
        """What it hears in samples (n,), 16 kHz."""
        features, mask = pad([self.run.normalizer(feature(self.run.recipe.feature)(samples))])
        output = self.run.model(Batch(features, mask, torch.zeros(1, dtype=torch.long)).to(self.run.device))
        probabilities = self.calibration.probabilities(output.logits[0].float().cpu())
        map_, emotions = output.maps["attention"].alone(0), self.run.emotions
        clip = Clip(name, Path(name), name, "of unknown emotion", "")
        sound = (samples, level_db(samples), log_mel(samples))
        example = Example(clip, emotions, *sound, map_, probabilities, emotions[int(probabilities.argmax())])
        return Heard(self, example)


@dataclass(frozen=True)
class Heard:
    """What one network hears in one recording; `example` can be drawn and played like every other."""

    listener: Listener
    example: Example

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Emotions and their calibrated probabilities, the most probable first."""
        pairs = zip(self.example.emotions, self.example.probabilities.tolist(), strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])

    @property
    def fits(self) -> bool:
        """Whether the most probable emotion reaches the threshold; else "none of these"."""
        return self.ranked[0][1] >= self.listener.calibration.threshold

    def __str__(self) -> str:
        (emotion, sure), least = self.ranked[0], self.listener.calibration.threshold
        if self.fits:
            return f"{emotion}, {sure:.0%} sure"
        return f"none of these (most like {emotion}, {sure:.0%}, but less than {least:.0%} is no answer)"


def explain(paths: Sequence[Path | str], page: Path | str, corpus: str = "") -> Path:
    """Write one page that says, of each file, what each family hears, when, and how sure; with a player.

    Args:
        corpus: which the networks were trained on; by default a recorded one that is found here, else "planted".

    Raises:
        AudioError, VideoError: a file cannot be used; nothing was trained and written then.
        SertutError: the corpus is unknown or missing.
    """
    voices = {str(path): read_voice(path) for path in paths}
    families, files = listeners(corpus or default_corpus()), []
    for path, samples in voices.items():
        parts = np.array_split(samples, math.ceil(len(samples) / SAMPLE_RATE / PART))
        name, start, found = Path(path).name, 0.0, []
        for part in parts:
            end = start + len(part) / SAMPLE_RATE
            title = name if len(parts) == 1 else f"{name}, {start:.1f} to {end:.1f} s"
            found.append((title, [_shown(listener.hear(part, title)) for listener in families]))
            start = end
        files.append((name, found))
    text = PAGES.get_template("explained.html").render(
        files=files,
        families=[(FAMILIES[one.method], one, base64.b64encode(one.drawing).decode()) for one in families],
        tested=families[0].tested,
        kept=KEPT,
    )
    write(page, text)
    return Path(page)


def read_voice(path: Path | str) -> np.ndarray:
    """The speech in a sound or video file: 16 kHz mono, silence cut at both ends as in the recorded corpora, (n,).

    Raises:
        AudioError: the file cannot be used, or its speech is too short or too long; one sentence says why.
    """
    samples = read_audio(path)
    samples = trim(samples) if len(samples) >= WINDOW else samples
    seconds = len(samples) / SAMPLE_RATE
    if seconds < SHORTEST:
        raise AudioError(f"{path} holds {seconds:.2f} s of sound; speak for at least {SHORTEST:g} s.")
    if seconds > LONGEST:
        raise AudioError(f"{path} lasts {seconds:.0f} s; cut out at most {LONGEST:.0f} s that are to be explained.")
    return samples


def default_corpus() -> str:
    """The first recorded corpus that is found on this machine, else "planted"."""
    return next((name for name in RECORDED if folder_of(name).is_dir()), "planted")


def listeners(corpus: str, methods: Iterable[str] = FAMILIES) -> list[Listener]:
    """One trained and calibrated network of each family; trained when they are first asked for, then kept.

    They are kept under the names, sizes and times of the corpus's files (of a made corpus, the code and engines that
    make it) and the code that trains, so that no recording has to be read again.

    Raises:
        SertutError: the corpus is unknown, missing or has too few speakers.
    """
    made = corpus in MADE
    found = ((clip, clip.audio.stat()) for clip in (() if made else load(corpus, trim=False)))
    files = sorted((clip.name, clip.emotion, clip.speaker, at.st_size, at.st_mtime_ns) for clip, at in found)
    engines = [version(package) for package in ("espeakng-loader", "pyworld") if made]
    code = code_of(*CODE, *["planted"] * made)
    folder = data_folder() / "listeners" / digest([corpus, files, engines, code, torch.__version__])
    methods = list(methods)
    if missing := [method for method in methods if not (folder / method / FILE).is_file()]:
        whole = load(corpus)
        for method in (bar := progress_bar(missing, desc=f"learning from {whole.name}, once")):
            bar.set_postfix_str(FAMILIES[method])
            train(method, whole).save(folder / method)
    return [Listener.load(folder / method) for method in methods]


def train(method: str, corpus: Corpus) -> Listener:
    """A network of one family, trained by its recipe on the corpus's first fold, calibrated on its dev speakers."""
    from sertut.study.methods import build, recipe  # slow to import, and needed only once

    fold = corpus.folds()[0]
    return Listener.of(method, fit_once(build(method, fold.train), fold, **recipe(corpus.name, method)), fold)


def _shown(heard: Heard) -> tuple:
    """What the template prints of it: family, whether it fits, the answer, all probabilities, when, and the player."""
    name, peak = FAMILIES[heard.listener.method], describe_peak(heard.example)
    title = f"{name}: {heard}"
    shown = player(heard.example, title=title, alt=f"{title}; {peak} of {heard.example.clip.name}")
    return name, heard.fits, str(heard), heard.ranked, peak, shown.html
