"""Running a study: many trainings in parallel, each result written at once, so that it can be interrupted and resumed.

A training is a pure function of its :class:`~sertut.study.protocols.Training`, and joblib runs it: on this machine by
default, elsewhere by any backend that joblib knows (``joblib.parallel_config(backend="dask")``).
"""

from __future__ import annotations

import functools
import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import joblib
import torch

from sertut.corpora import Corpus, Fold, load, load_faces, load_features
from sertut.evidence import Report, compare_streams, deletion, evaluate, mixture_error, shift_test, true_shares
from sertut.evidence.length import at_lengths, in_segments, joined
from sertut.files import data_folder, writing
from sertut.models import AudioVisual, FullyConvolutional
from sertut.progress import progress_bar
from sertut.study.protocols import AUDIOVISUAL, CONVOLUTIONAL, HEADS, Training, build, protocol, recipe
from sertut.training import Run, fit, predict

SECONDS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Durations at which a fully convolutional network is tested."""

JOINED = (1, 2, 4)
"""Numbers of clips joined, at which it is tested."""


def run_study(name: str, workers: int | None = None, device: str = "auto") -> list[Path]:
    """Run what is missing of a study; return the result file of every training.

    Args:
        name: one of :data:`~sertut.study.protocols.PROTOCOLS`.
        workers: trainings at a time; by default one for each CPU core, each on one thread.
        device: passed on to :func:`sertut.fit`.
    """
    folder = results_folder(name)
    trainings = protocol(name).trainings()
    missing = [training for training in trainings if not (folder / f"{training.key}.json").is_file()]
    for corpus in {training.corpus for training in missing}:  # once here, instead of in every worker
        load_features(_corpus(corpus))
    for corpus, face in {(training.corpus, training.options.get("face")) for training in missing}:
        if face:
            load_faces(_corpus(corpus), face)
    jobs = (joblib.delayed(train_one)(training, folder, device) for training in missing)
    run_jobs(jobs, name, len(trainings), len(missing), workers)
    return [folder / f"{training.key}.json" for training in trainings]


def run_jobs(jobs: Iterable, name: str, total: int, missing: int, workers: int | None) -> None:
    """Run the `missing` ones of `total` trainings, so many at a time, with a progress bar."""
    results = joblib.Parallel(n_jobs=workers or os.cpu_count(), return_as="generator_unordered")(jobs)
    for _ in progress_bar(results, total=total, initial=total - missing, desc=name):
        pass


def results_folder(name: str) -> Path:
    """Where the single results of a study are kept until :func:`~sertut.study.reference.report_study` collects them."""
    return data_folder() / "study" / name


def train_one(training: Training, folder: Path, device: str = "auto") -> dict:
    """Train and test one cell of the grid; write ``<key>.json`` into `folder`."""
    torch.set_num_threads(1)
    corpus = _corpus(training.corpus)
    fold = corpus.folds()[training.fold]
    run = fit(
        build(training.method, corpus), fold, seed=training.seed, device=device, progress=False, **training.options
    )
    report = evaluate(run, fold.test)
    result = record(training, run, report)
    if training.method in CONVOLUTIONAL and "lambda" not in training.method:
        result |= _any_length(run, fold.test)
    if training.method in HEADS:
        result["deletion"] = deletion(run, fold.test).to_json()
    if training.method in AUDIOVISUAL:
        result |= _two_streams(training, run, report, fold)
    with writing(folder / f"{training.key}.json") as temporary:
        temporary.write_text(json.dumps(result))
    return result


def record(training: Training, run: Run, report: Report) -> dict:
    """What the result file of a training holds."""
    return {
        "corpus": training.corpus,
        "method": training.method,
        "fold": training.fold,
        "seed": training.seed,
        "options": dict(training.options),
        "parameters": run.n_parameters,
        "best_epoch": run.best_epoch,
        "dev_uar": max(epoch["dev_uar"] for epoch in run.history),
        "seconds": round(run.seconds, 1),
        "device": str(run.device),
        "machine": f"{platform.machine()}, torch {version('torch')}",
        "report": report.tally.to_json(),
    }


def _any_length(run: Run, test: Corpus) -> dict:
    """Decisions on parts of the test clips, on their segments, and on several joined: chapter 6."""
    assert isinstance(run.model, FullyConvolutional)
    seconds = [s for s in SECONDS if s > run.model.shortest_seconds]
    return {
        "middle": at_lengths(run, test, seconds).to_json(),
        "segments": in_segments(run, test, seconds).to_json(),
        "joined": joined(run, test, JOINED).to_json(),
    }


def _two_streams(training: Training, run: Run, report: Report, fold: Fold) -> dict:
    """What chapters 5 and 12 ask of networks that hear and see."""
    assert isinstance(run.model, AudioVisual)
    found: dict = {}
    if run.model.streams == "both" and run.model.fusion != "nearest":
        found["shifts"] = shift_test(run, fold.test).to_json()
    elif run.model.streams != "both" and training.corpus == "planted":
        blend = _corpus("planted-blend").folds()[training.fold].test  # the same speakers, two emotions a clip
        probabilities, truth = predict(run, blend).probabilities.numpy(), true_shares(blend.clips, blend.emotions)
        found["mixture"] = mixture_error(probabilities, truth, [clip.speaker for clip in blend]).to_json()
    if training.method == "face":  # compared with the voice of the same seed, a network made anew
        listener = fit(
            build("voice", fold.train),
            fold,
            seed=training.seed,
            device=str(run.device),
            progress=False,
            **recipe(training.corpus, "voice"),
        )
        heard = evaluate(listener, fold.test, baselines=False)
        found["streams"] = compare_streams(heard, report).to_json()
    return found


@functools.cache
def _corpus(name: str) -> Corpus:
    return load(name)
