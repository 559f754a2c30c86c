"""Is what the book says so on another machine? One more training of each kind, held against the reference trainings.

The reference has several seeds of each method. Here every method is trained once more on the first fold, with a seed
that no reference has, so it is a repetition and not a copy. What is compared, score by score and difference by
difference, is whether it falls where one more training must fall (:func:`sertut.study.bands.prediction_band`).
"""

import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
import torch

from sertut.course.catalog import PAGES, repository
from sertut.course.results import versions
from sertut.errors import SertutError
from sertut.evidence import Claim, Tally
from sertut.files import data_folder, write
from sertut.progress import progress_bar
from sertut.study import PROTOCOLS, Study, Training, load_study, recipe
from sertut.study.bands import prediction_band
from sertut.study.grid import load_inputs, result_path, train_one
from sertut.study.methods import kind_of
from sertut.study.references import BOOK_RESULTS

SEED, FOLD = 1000, 0
"""Of each training here; no reference has this seed."""

ERROR = 0.01
"""How often an honest training falls outside of an interval; the page says how many that makes for all its checks."""

NOISY = 0.25
"""Half of an interval's width, in points of the score, above which nothing could fall outside, so nothing is tested."""

LOOKS = (
    ("regions", "D2", "attention", "Attention finds the region"),
    ("faces", "D2", "face", "Attention finds the region in the face"),
    ("spectrogram", "Z2", "fine", "Attention over cells finds the region in time"),
    ("streams", "C2", "perception", "Perception attention finds the emotional moments"),
)
RIVALS = {
    "energy": "the loud places do",
    "motion": "motion does",
    "untrained network": "an untrained network does",
    "uniform": "uniform attention does",
}
CLAIMS = (
    # part of the book, id, one side, the other, score, in words; a side is a method, or "method: map" for a map's score
    *(
        (part, id, f"{method}: attention", f"{method}: {rival}", "auroc", f"{words} better than {does}")
        for part, id, method, words in LOOKS
        for rival, does in RIVALS.items()
    ),
    ("regions", "B3", "mean", "last", "uar", "Mean pooling beats the last state"),
    ("regions", "B4", "mean", "max", "uar", "Mean pooling beats max pooling"),
    ("regions", "D5", "attention", "mean", "uar", "Attention beats mean pooling"),
    ("regions", "D5", "attention", "max", "uar", "Attention beats max pooling"),
    ("regions", "D5", "attention", "last", "uar", "Attention beats the last state"),
    ("regions", "D6", "mixture", "attention", "uar", "The mixture variant costs less than .02"),
    ("faces", "D5", "face", "face-mean", "uar", "In the face, attention beats mean pooling"),
    ("spectrogram", "Z-attention", "fine", "fine-mean", "uar", "Attention over fine cells beats mean pooling"),
    ("spectrogram", "Z-attention", "small", "small-mean", "uar", "Attention over coarse cells beats mean pooling"),
    ("spectrogram", "Z-lambda", "fine-lambda-3", "fine", "uar", "Lambda 3 beats the default"),
    ("heads", "K1", "plain: uniform", "plain: attention", "hit", "Plain heads miss the loudest step, beyond chance"),
    ("heads", "K1", "plain: untrained network", "plain: attention", "rank", "Training leads heads away from the level"),
    ("heads", "K2", "+FA", "plain", "hit", "Focus aligns heads with the loudest step"),
    ("heads", "K2", "+FA", "plain", "rank", "Focus aligns heads with the level"),
    ("heads", "K2-right", "+FA", "plain", "auroc", "Focus makes attention right"),
    ("heads", "K2-helps", "+FA", "plain", "uar", "Focus helps to recognize"),
    ("heads", "K2-loudest", "+loudest", "plain", "hit", "A window on the loudest step aligns heads with it"),
    ("heads", "K2-helps", "+loudest", "plain", "uar", "A window on the loudest step helps to recognize"),
    ("heads", "K4", "+FA+CA", "plain", "uar", "Focus and calibration together beat plain heads"),
    ("heads", "K4", "+FA+CA", "front", "uar", "Focus and calibration together beat no attention"),
    ("streams", "C1", "align", "nearest", "uar", "Soft alignment beats nearest time"),
    ("streams", "C1", "align+lag+sync", "nearest", "uar", "Alignment with lag and synchrony loss beats nearest time"),
    ("streams", "C5", "align+lag+sync", "voice", "uar", "Voice and face beat the voice"),
    ("streams", "C5", "align+lag+sync", "face", "uar", "Voice and face beat the face"),
    ("streams", "C2", "perception", "fused-mean", "uar", "Perception attention beats mean pooling"),
    ("streams", "C3", "perception", "one-embedding", "uar", "Seven embeddings recognize better than one"),
    ("streams", "C3", "perception", "one-embedding", "auroc", "Seven embeddings look better than one"),
    ("voices", "D5", "ear-attention", "ear-mean", "uar", "Behind one front, attention beats mean pooling"),
    ("voices", "V1", "ear-heads", "ear-attention", "uar", "Behind one front, many heads beat one"),
    ("voices", "V2", "ear-cells", "ear-attention", "uar", "Behind one front, cells beat moments"),
    ("voices", "V3", "ear-perception", "ear-attention", "uar", "Behind one front, a question for each emotion helps"),
)
"""Claims of the book that are differences of scores of whole trainings. Those about deletion, shifts, mixtures, other
lengths or the weights of gates rest on more than that, and are not among them."""

MARGIN = {"D6": -0.02}  # what an effect must exceed, where that is not 0


@dataclass(frozen=True)
class Check:
    """A number of the book that is made anew: a score of one side, or by how much it is above that of the other."""

    study: Study
    id: str
    statement: str
    one: str
    other: str | None
    score: str

    @property
    def methods(self) -> tuple[str, ...]:
        """What must be trained for it."""
        return tuple(dict.fromkeys(side.split(": ")[0] for side in (self.one, self.other) if side))

    def of_each_seed(self, trained: Mapping[str, Tally]) -> np.ndarray:
        """The number, one a seed, from the scores of each method."""

        def of(side: str) -> np.ndarray:
            method, _, drawn = side.partition(": ")
            return trained[method].of_each_seed(self.score, drawn or None)

        return of(self.one) - (of(self.other) if self.other else 0.0)

    def on_all_folds(self) -> Claim | None:
        """The claim as the book has it, over all folds and seeds; None for a plain score."""
        if not self.other:
            return None
        (method, _, drawn), (rival, _, against) = self.one.partition(": "), self.other.partition(": ")
        ours = self.study.pooled(method)
        if method == rival:
            effect = ours.difference(drawn, against, self.score)
        else:
            effect = ours.against(self.study.pooled(rival), self.score)
        corpus, seeds = self.study.results[0]["corpus"], len(ours.seeds)
        threshold = MARGIN.get(self.id, 0.0)
        return Claim(self.id, self.statement, "", "measured", corpus, effect, self.score, seeds, threshold)


@dataclass(frozen=True)
class Finding:
    """What came of a check. outcome: one of :data:`OUTCOMES`. why: in words, where nothing was compared."""

    check: Check
    outcome: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


OUTCOMES = ("reproduced", "not reproduced", "not testable", "not tried")


def counted(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings have each outcome."""
    return {outcome: sum(found.outcome == outcome for found in findings) for outcome in OUTCOMES}


def checks_of(study: Study) -> list[Check]:
    """All checks that a study's kept results allow: the scores of each method, and the claims about them."""
    part, trained = study.name.split("-")[0], _fold(study, FOLD, [name for _, name in study.cells])

    def kept(side: str, score: str) -> bool:
        method, _, drawn = side.partition(": ")
        return method in trained and (score == "uar" or (drawn or "attention") in trained[method].scored(score))

    rows = [
        *(("", f"UAR of {name}", name, None, "uar") for name in trained),
        *(("", f"AUROC of the map of {name}", f"{name}: attention", None, "auroc") for name in trained),
        *((id, words, one, other, score) for about, id, one, other, score, words in CLAIMS if about == part),
    ]
    checks = [Check(study, *row) for row in rows if all(kept(side, row[-1]) for side in row[2:4] if side)]
    # Where one side has fewer seeds so far, nothing is claimed of the difference.
    return [check for check in checks if len({trained[method].seeds for method in check.methods}) == 1]


def _fold(study: Study, fold: int, methods: Sequence[str]) -> dict[str, Tally]:
    """Method -> its reference trainings on one fold."""
    cells = {name: [result for result in study.cell(name) if result["fold"] == fold] for name in methods}
    return {name: Tally.pooled([r["report"] for r in rows], [r["seed"] for r in rows]) for name, rows in cells.items()}


def judge(check: Check, trained: Mapping[str, Tally], why: Mapping[str, str]) -> Finding:
    """Hold one more training of each method against the reference.

    The test: a prediction interval for one more training on the fold, from the reference seeds of this fold, with the
    spread between seeds pooled over all folds; it holds an honest training with probability 1 - :data:`ERROR`. There is
    no test where the reference has fewer than four degrees of freedom, or half of the interval is wider than
    :data:`NOISY`.

    Args:
        trained: method -> the scores of the new training. why: of a method that is not among them.
    """
    if missing := [method for method in check.methods if method not in trained]:
        return Finding(check, "not tried", why=why[missing[0]])
    theirs = {fold: _fold(check.study, fold, check.methods) for fold in check.study.folds}
    if odd := [m for m in check.methods if trained[m].speakers != theirs[FOLD][m].speakers]:
        return Finding(check, "not tried", why=f"{odd[0]} was tested on other speakers than in the reference")
    reference = {fold: check.of_each_seed(tallies).tolist() for fold, tallies in theirs.items()}
    (value,) = check.of_each_seed(trained)
    kind = "difference" if check.other else check.score
    band = prediction_band(reference, FOLD, kind, ERROR, noisy=NOISY / (2 if kind == "difference" else 1))
    if band is None:
        return Finding(check, "not testable", value, why="the reference seeds are too few, or differ too much")
    low, high = band
    return Finding(check, "reproduced" if low <= value <= high else "not reproduced", value, low, high)


def reproduce(minutes: float | None, workers: int = 2, root: Path | None = None) -> tuple[Path, list[Finding]]:
    """Train what fits into the time, compare, and write ``_build/reproduction.html``.

    Corpora that sertut makes come first, then recorded ones that are on this machine. A training is started if by the
    seconds that it took for the reference, times how much longer this machine has taken so far, it ends in time. What
    was trained by an earlier call, with the same code, recordings and versions, is used; so a second call goes on.

    Args:
        minutes: None for all.
        workers: trainings at a time, each on one thread.

    Returns:
        the page, and what it says.

    Raises:
        SertutError: there is no checkout, since the reference is not part of the installed package.
    """
    root = root or repository()
    clock, here = Clock(minutes), machine(root)
    findings = []
    for study in kept_studies():
        trained, why = _train(study, clock, workers)
        findings += [judge(check, trained, why) for check in checks_of(study)]
    page = root / "_build" / "reproduction.html"
    write(page, html(findings, minutes, clock.passed, here))
    return page, findings


def kept_studies() -> list[Study]:
    """The references of networks that were trained with several seeds on unspoiled folds; made corpora first."""
    plans = [name for name, plan in PROTOCOLS.items() if plan.methods and not name.startswith("flaws")]
    found = [load_study(name) for name in plans if (BOOK_RESULTS / f"{name}.json").is_file()]
    return sorted(found, key=lambda study: kind_of(PROTOCOLS[study.name].corpus) != "made")


class Clock:
    """How much time is left, and how much slower than the machine of the reference this one is."""

    def __init__(self, minutes: float | None) -> None:
        self.started, self.limit = time.monotonic(), np.inf if minutes is None else 60 * minutes
        self.ratios: list[float] = []

    @property
    def passed(self) -> float:
        return time.monotonic() - self.started

    def fits(self, seconds: float) -> bool:
        """Whether something that took the reference `seconds` ends in time, if it starts now."""
        return self.passed + seconds * (np.median(self.ratios) if self.ratios else 1.0) <= self.limit


def _train(study: Study, clock: Clock, workers: int) -> tuple[dict[str, Tally], dict[str, str]]:
    """Method -> scores of its new training, as far as there is one; method -> why it is not there."""
    plan, late = PROTOCOLS[study.name], "the time was over"
    cost = {name: float(np.median([r["seconds"] for r in results])) for (_, name), results in study.cells.items()}
    why = dict.fromkeys(cost, late)
    earlier = any((data_folder() / "study" / study.name).glob(f"*-fold{FOLD}-seed{SEED}-*.json"))
    if not earlier and not clock.fits(min(cost.values())):
        return {}, why  # looking for results would make the corpus first
    try:
        trainings = {name: Training(plan.corpus, name, FOLD, SEED, _options(study, name)) for name in cost}
        paths = {name: result_path(study.name, training) for name, training in trainings.items()}
        wanted = [name for name, path in paths.items() if not path.is_file()]
        if wanted and clock.fits(min(cost[name] for name in wanted)):
            load_inputs([trainings[name] for name in wanted])
    except SertutError as problem:
        return {}, dict.fromkeys(cost, str(problem))

    def in_time() -> Iterator:
        for name in wanted:
            if clock.fits(cost[name]):
                yield joblib.delayed(_once)(trainings[name], paths[name], cost[name])

    # One is drawn from the iterator whenever a worker is free, so the clock is asked when a training would start.
    jobs = joblib.Parallel(workers, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)(in_time())
    for name, ratio, wrong in progress_bar(jobs, total=len(wanted), desc=study.name):
        clock.ratios += [] if wrong else [ratio]
        why[name] = wrong
    read = {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}
    return {name: Tally.pooled([result["report"]], [SEED]) for name, result in read.items()}, why


def _options(study: Study, method: str) -> dict:
    """The present recipe; where the reference chose a learning rate on dev speakers, that one."""
    plan = PROTOCOLS[study.name]
    chosen = {"learning_rate": study.cell(method)[0]["options"]["learning_rate"]} if plan.rates else {}
    return {**recipe(plan.corpus, method), **chosen}


def _once(training: Training, path: Path, cost: float) -> tuple[str, float, str]:
    """In the process that trains: keep the result. Returns the method, how much longer it took, what went wrong."""
    begun = time.monotonic()
    try:
        write(path, json.dumps(train_one(training)))
    except SertutError as problem:
        return training.method, np.nan, str(problem)
    return training.method, (time.monotonic() - begun) / cost, ""


def html(findings: Sequence[Finding], minutes: float | None, seconds: float, here: Mapping[str, str]) -> str:
    """The page: what was reproduced, what was not, what was not tried; how it was tested, and on which machine."""
    return PAGES.get_template("reproduction.html").render(
        findings=findings,
        counts=counted(findings),
        minutes="all" if minutes is None else f"{minutes:g}",
        seconds=seconds,
        machine=here,
        versions=versions(),
        seed=SEED,
        fold=FOLD + 1,
        noisy=NOISY,
        error=ERROR,
    )


def machine(root: Path) -> dict[str, str]:
    """What the page says of this machine and of the code: name -> value."""
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
    git = subprocess.run(describe, cwd=root, capture_output=True, text=True, check=False)
    info = Path("/proc/cpuinfo")  # on Linux
    named = re.search("model name.*: (.*)", info.read_text()) if info.is_file() else None
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "code": git.stdout.strip() or "not in a repository",
        "system": platform.platform(),
        "processor": f"{named[1] if named else platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "GPU": ", ".join(gpus) or "none",
    }
