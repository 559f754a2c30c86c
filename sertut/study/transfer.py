"""Does a network that has seen photographs learn spectrograms better, and from how many speakers?

A grid of start x share of the training speakers x seed x fold. Two networks, each with two starts that differ in
nothing but the weights of the trunk. All shares get the same number of steps, so that few speakers do not also mean
little training. The learning rate of each start was chosen on dev of a fold that the grid does not use.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import torch

from sertut.corpora import Corpus, load, load_features
from sertut.errors import SertutError, unknown
from sertut.evidence import Pooled, evaluate
from sertut.evidence.intervals import Interval
from sertut.files import writing
from sertut.study.grid import record, results_folder, run_jobs
from sertut.study.protocols import Training
from sertut.study.reference import BOOK_RESULTS, Study
from sertut.study.reference import _rounded as rounded
from sertut.study.starts import build_start, few_speakers
from sertut.training import fit

SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Transfer:
    """A study of transfer. options: of :func:`sertut.fit`, beside the learning rate.

    rates: learning rates that each start may choose from, on dev of fold `chooser`, from `choosing_share` of its
    training speakers, with seed 0. folds: those of the grid, `chooser` not among them.
    """

    question: str
    corpus: str
    starts: tuple[str, ...]
    options: Mapping
    folds: tuple[int, ...] = (0,)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    chooser: int = 2
    choosing_share: float = 0.5

    def candidates(self) -> list[Training]:
        """What the learning rates are chosen by."""
        method = _method("{}", self.choosing_share)
        return [
            Training(self.corpus, method.format(start), self.chooser, 0, {**self.options, "learning_rate": rate})
            for start in self.starts
            for rate in self.rates
        ]

    def trainings(self, rates: Mapping[str, float]) -> list[Training]:
        """The grid, with the learning rate of each start; seeds outermost."""
        return [
            Training(self.corpus, _method(start, share), fold, seed, {**self.options, "learning_rate": rates[start]})
            for seed in self.seeds
            for fold in self.folds
            for start in self.starts
            for share in SHARES
        ]


TRANSFERS: Mapping[str, Transfer] = {
    "transfer-ravdess": Transfer(
        question="Does a network that has seen photographs recognize emotions better, and from how many speakers?",
        corpus="ravdess",
        starts=("squeezenet-random", "squeezenet-imagenet"),
        options=dict(epochs=8, stretch=0.15, gain=0.2, time_mask=16, precision="bfloat16"),
    ),
    "transfer-planted": Transfer(
        question="The same with the planted corpus, where only the photographs of the libraries are used",
        corpus="planted",
        starts=("small-random", "small-photographs"),
        options=dict(epochs=8),
    ),
}
"""Name of each study of transfer -> its protocol."""


def transfer_recipe(corpus: str, start: str) -> dict:
    """What :func:`sertut.fit` is called with: as the reference was, or, where there is none, much the same."""
    study = transfer_reference(corpus)
    if study is not None and start in study.starts:
        return study.options(start)
    plan = TRANSFERS.get(f"transfer-{corpus}", TRANSFERS["transfer-planted"])
    return {**plan.options, "learning_rate": 1e-3}


def transfer(name: str) -> Transfer:
    """The protocol behind a name; an unknown one is an error that names the nearest."""
    if name not in TRANSFERS:
        raise unknown("study of transfer", name, TRANSFERS)
    return TRANSFERS[name]


def run_transfer(name: str, workers: int | None = None, device: str = "auto") -> list[Path]:
    """Run what is missing: first the candidates for the learning rates, then the grid; the grid's result files.

    workers: trainings at a time; by default one for each CPU core, each on one thread.
    """
    plan = transfer(name)
    load_features(_corpus(plan.corpus))  # once here, instead of in every worker
    _run_missing(name, plan.candidates(), workers, device)
    return _run_missing(name, plan.trainings(chosen_rates(name)), workers, device)


def _run_missing(name: str, trainings: list[Training], workers: int | None, device: str) -> list[Path]:
    folder = results_folder(name)
    missing = [training for training in trainings if not _path(folder, training).is_file()]
    jobs = (joblib.delayed(train_one)(training, folder, device) for training in missing)
    run_jobs(jobs, name, len(trainings), len(missing), workers)
    return [_path(folder, training) for training in trainings]


def train_one(training: Training, folder: Path, device: str = "auto") -> dict:
    """Train and test one cell of the grid; write its result into `folder`."""
    torch.set_num_threads(1)
    corpus, (start, share) = _corpus(training.corpus), _start_and_share(training.method)
    fold = few_speakers(corpus.folds()[training.fold], share, training.seed)
    model = build_start(start, corpus, training.seed)
    run = fit(model, fold, seed=training.seed, device=device, progress=False, **training.options)
    result = record(training, run, evaluate(run, fold.test))
    result |= {"speakers": len(fold.train.speakers), "dev_curve": [epoch["dev_uar"] for epoch in run.history]}
    with writing(_path(folder, training)) as temporary:
        temporary.write_text(json.dumps(result))
    return result


def chosen_rates(name: str) -> dict[str, float]:
    """Start -> the learning rate with the highest UAR on dev among its candidates; the smallest of equals.

    Raises:
        SertutError: the candidates have not been run.
    """
    best: dict[str, tuple[float, float]] = {}
    for result in _read_all(name, transfer(name).candidates()):
        start, rate = _start_and_share(result["method"])[0], result["options"]["learning_rate"]
        best[start] = max(best.get(start, (-1.0, 0.0)), (result["dev_uar"], -rate))
    return {start: -rate for start, (_, rate) in best.items()}


class TransferStudy(Study):
    """The results of a study of transfer; its methods are named "start, share"."""

    def at(self, start: str, share: float) -> Pooled:
        """All seeds and folds of one start and share of the training speakers."""
        return self.pooled(_method(start, share))

    def gain(self, start: str, other: str, share: float) -> Interval:
        """UAR of one start minus that of another, paired over speakers and seeds."""
        return self.at(start, share).difference(self.at(other, share))

    def curves(self, start: str, share: float) -> np.ndarray:
        """UAR on dev after each epoch, (trainings, epochs)."""
        return np.array([result["dev_curve"] for result in self.cell(_method(start, share), None)])

    @property
    def starts(self) -> tuple[str, ...]:
        """Starts that were run."""
        return tuple(dict.fromkeys(_start_and_share(method)[0] for _, method in self.cells))

    def options(self, start: str) -> dict:
        """What :func:`sertut.fit` was called with."""
        return dict(self.cell(_method(start, 1.0), None)[0]["options"])

    def speakers(self, share: float) -> int:
        """How many training speakers a share was."""
        return self.cell(_method(self.starts[0], share), None)[0]["speakers"]


def report_transfer(name: str, folder: Path | None = None) -> TransferStudy:
    """Collect a finished study into ``<folder>/<name>.json``, the candidates for the learning rates with it.

    Raises:
        SertutError: trainings are missing.
    """
    plan = transfer(name)
    candidates = [
        {"method": r["method"], "learning_rate": r["options"]["learning_rate"], "dev_uar": round(r["dev_uar"], 5)}
        for r in _read_all(name, plan.candidates())
    ]
    results = [rounded(result) for result in _read_all(name, plan.trainings(chosen_rates(name)))]
    lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in results)
    head = f'{{"question": {json.dumps(plan.question)}, "candidates": {json.dumps(candidates)}, "results": [\n'
    with writing((folder or BOOK_RESULTS) / f"{name}.json") as temporary:
        temporary.write_text(f"{head}{lines}\n]}}\n")
    study = transfer_reference(plan.corpus, folder)
    assert study is not None
    return study


def transfer_reference(corpus: str, folder: Path | None = None) -> TransferStudy | None:
    """The reference results for `corpus`; None where there are none."""
    path = (folder or BOOK_RESULTS) / f"transfer-{corpus}.json"
    if not path.is_file():
        return None
    content = json.loads(path.read_text())
    return TransferStudy(path.stem, content["question"], content["results"])


def _read_all(name: str, trainings: list[Training]) -> list[dict]:
    paths = [_path(results_folder(name), training) for training in trainings]
    if missing := [path for path in paths if not path.is_file()]:
        raise SertutError(
            f"{len(missing)} of {len(paths)} trainings of '{name}' have not been run; run `sertut study run {name}`."
        )
    return [json.loads(path.read_text()) for path in paths]


def _path(folder: Path, training: Training) -> Path:
    return folder / f"{training.key.replace(', ', '-').replace('%', '')}.json"


def _method(start: str, share: float) -> str:
    return f"{start}, {share:.0%}"


def _start_and_share(method: str) -> tuple[str, float]:
    start, share = method.split(", ")
    return start, float(share.rstrip("%")) / 100


@functools.cache
def _corpus(name: str) -> Corpus:
    return load(name)
