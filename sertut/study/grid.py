"""One cell of a study's grid: a training, its result, where that is kept, and what it depends on.

A result is a pure function of its :class:`~sertut.study.protocols.Training`, but for what the training cost; when one
of the digests of what it depends on changes, it is out of date. :mod:`sertut.study.running` says where and when it is
trained.
"""

from __future__ import annotations

import functools
import json
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import joblib
import torch

from sertut.corpora import Corpus, Fold, load, load_faces, load_features, load_voices
from sertut.corpora.cache import content_hash
from sertut.errors import SertutError
from sertut.evidence import (
    Report,
    Tally,
    calibrate,
    compare_streams,
    deletion,
    evaluate,
    gate_use,
    judge_confidence,
    judge_courses,
    mixture_error,
    own_preference,
    read_moments,
    shift_test,
    true_shares,
)
from sertut.evidence.length import at_lengths, in_segments, joined
from sertut.evidence.sums import AT
from sertut.files import code_of, data_folder
from sertut.models import AudioVisual, FullyConvolutional
from sertut.study.flaws import FLAWS, spoil
from sertut.study.methods import METHODS, PEERS, Method, build, find_method, kind_of, recipe
from sertut.study.peers import fit_peer, hear, opensmile_version
from sertut.study.protocols import Training, start_of
from sertut.study.starts import few_speakers
from sertut.tensors import digest
from sertut.training import Run, fit, pick_device, predict

SECONDS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Durations at which a fully convolutional network is tested."""

JOINED = (1, 2, 4)
"""Numbers of clips joined, at which it is tested."""

CLIPS = 32
"""About how many clips the real-time factor is measured on."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

FAMILIES = ("ear-attention", "ear-heads", "ear-cells", "ear-perception")
"""One network of each family, behind one front."""

HERE = tuple(f"study/{name}.py" for name in ("grid", "starts", "photographs", "imageweights"))
CODE = ("signals", "video", "corpora", "attention", "models", "training", "evidence", *HERE)
"""Rooms and files whose code every result depends on."""


def result_path(name: str, training: Training) -> Path:
    """Where the result of a training is kept until :func:`~sertut.study.references.report_study` collects it."""
    cell = f"{training.corpus}-{training.method}-fold{training.fold}-seed{training.seed}"
    key = joblib.hash(digests_here(training))[:10]
    return data_folder() / "study" / name / f"{re.sub('[ ,%]+', '-', cell)}-{key}.json"


def digests_here(training: Training) -> dict[str, str]:
    """Digests of all that a result depends on: the recordings, the method, its options, the code, and packages.

    Raises:
        SertutError: a package that a peer needs is not installed.
    """
    packages = ["torch", "scikit-learn"] if training.method in PEERS else ["torch"]
    heard = find_method(training.method).arguments.get("hears")
    return {
        **{package: version(package) for package in packages},
        **({"opensmile": opensmile_version()} if heard == "egemaps" else {}),
        "corpus": corpus_digest(_corpus(training.corpus)),
        **plan_digests(training.corpus, training.method),
        "options": digest(dict(training.options)),
    }


def plan_digests(corpus: str, method: str) -> dict[str, str]:
    """The digests that can be known without the recordings: of the method and of the code."""
    code = {"code": code_digest(kind_of(corpus) == "made")}
    if method in PEERS:
        code["peers"] = digest(code_of("study/peers.py", "study/leak.py"))
    if method in FLAWS:
        code["flaws"] = digest(code_of("study/flaws.py", "study/leak.py"))
    return {"method": digest(repr(METHODS.get(method))), **code}


def corpus_digest(corpus: Corpus) -> str:
    """Digest of names, speakers, labels, regions, and of the bytes of all recordings; not of where they lie."""
    rows = [
        [clip.name, clip.speaker, clip.emotion, clip.regions, clip.details]
        + [content_hash(path) for path in (clip.audio, clip.video) if path]
        for clip in corpus
    ]
    folds = [[sorted(test), sorted(dev)] for test, dev in corpus.published_folds]
    return digest(repr([corpus.name, corpus.emotions, folds, rows]))


@functools.cache
def code_digest(made: bool) -> str:
    """Digest of the code that trains and evaluates, and where sertut `made` the corpus, of what made it."""
    return digest(code_of(*CODE, *(["planted"] if made else [])))


def load_inputs(trainings: Sequence[Training]) -> None:
    """Compute the features that trainings need, once, before many processes ask for them."""
    heard = {(t.corpus, t.options.get("feature", "log_mel"), t.options.get("voices", 0.0) > 0) for t in trainings}
    for corpus, feature, voices in heard:
        load_features(_corpus(corpus), feature)
        if voices:
            load_voices(_corpus(corpus), feature)
    for corpus, face in {(training.corpus, training.options.get("face")) for training in trainings}:
        if face:
            load_faces(_corpus(corpus), face)
    for corpus, method in {(training.corpus, training.method) for training in trainings if training.method in PEERS}:
        hear(_corpus(corpus), find_method(method).arguments["hears"])


def finished(name: str, trainings: Sequence[Training]) -> list[dict]:
    """The results of trainings.

    Raises:
        SertutError: some are missing; the message says how many and how to run them.
    """
    paths = [result_path(name, training) for training in trainings]
    if missing := [path for path in paths if not path.is_file()]:
        raise SertutError(
            f"{len(missing)} of {len(paths)} trainings of '{name}' have not been run; run `sertut study run {name}`."
        )
    return [json.loads(path.read_text()) for path in paths]


def chosen_rates(candidates: Sequence[Mapping]) -> dict[tuple[int, str], dict]:
    """(fold, start) -> the learning rate with the highest UAR on that fold's dev speakers; the smallest of equals."""
    best: dict[tuple[int, str], dict] = {}
    for result in sorted(candidates, key=lambda r: (r["dev_uar"], -r["options"]["learning_rate"])):
        best[result["fold"], start_of(result["method"])] = {"learning_rate": result["options"]["learning_rate"]}
    return best


def train_one(training: Training, device: str = "auto") -> dict:
    """Train and test one cell of the grid, a network or a peer, on one thread; its result, which JSON can hold."""
    torch.set_num_threads(1)
    corpus, method = _corpus(training.corpus), find_method(training.method)
    fold = corpus.folds()[training.fold]
    found = _peer(method, fold) if training.seed is None else _network(training, training.seed, fold, device)
    return {
        "corpus": training.corpus,
        "method": training.method,
        "fold": training.fold,
        "seed": training.seed,
        "options": dict(training.options),
        "digests": digests_here(training),
        "machine": f"{platform.machine()}, torch {version('torch')}",
        **found,
    }


def _peer(method: Method, fold: Fold) -> dict:
    """What is kept of a peer; "tried" is each C with its UAR on dev."""
    peer = fit_peer(fold, **method.arguments)
    return {
        "speakers": len(fold.train.speakers),
        "parameters": peer.n_parameters,
        "C": peer.strength,
        "tried": list(peer.tried.items()),
        "dev_uar": peer.tried[peer.strength],
        "seconds": round(peer.seconds, 1),
        "device": "cpu",
        "precision": "float64",
        "report": peer.decide(fold.test).to_json(),
    }


def _network(training: Training, seed: int, fold: Fold, device: str) -> dict:
    """What is kept of a network."""
    method = find_method(training.method)
    if method.share < 1:
        fold = few_speakers(fold, method.share, seed)
    model, options = build(training.method, fold.train, seed=seed), training.options
    if training.method in FLAWS:
        model, fold, options = spoil(training.method, model, _corpus(training.corpus), training.fold, seed, options)
    peak = watch_memory(pick_device(device))
    run = fit(model, fold, seed=seed, device=device, progress=False, **options)
    memory = peak()
    report = evaluate(run, fold.test)
    result = {
        "speakers": len(fold.train.speakers),
        "parameters": run.n_parameters,
        "best_epoch": run.best_epoch,
        "dev_uar": max(epoch["dev_uar"] for epoch in run.history),
        "dev_curve": [epoch["dev_uar"] for epoch in run.history],
        "seconds": round(run.seconds, 1),
        "memory": memory,
        "real_time_factor": real_time_factor(run, fold.test),
        "device": str(run.device),
        "precision": run.precision,
        "report": report.tally.to_json(),
    }
    if method.recipes == "convolutional" and "scale" not in method.arguments:
        result |= _any_length(run, fold.test)
    if method.recipes == "heads":
        result["deletion"] = _falls(deletion(run, fold.test))
        if "calibrate" in method.arguments:
            result["gates"] = gate_use(run, fold).to_json()
    if training.method == "attention":
        result["deletion"] = _falls(deletion(run, fold.test, shares=(0.1,)))
    if training.method == "attention" or (
        training.method in FAMILIES and (training.corpus, training.seed) == ("ravdess", 0)
    ):
        dev = predict(run, fold.dev)
        result["confidence"] = judge_confidence(calibrate(dev.logits, dev.labels), report.predictions).to_json()
    if method.recipes == "audiovisual":
        result |= _two_streams(training, run, report, fold)
    return result


def watch_memory(device: torch.device) -> Callable[[], float | None]:
    """Start to watch; what is returned tells the most memory held since, in MiB; None where the system does not tell.

    On CUDA it is what PyTorch's tensors held on the device. Elsewhere it is the memory of the whole process, with
    Python, PyTorch and what an earlier training left behind; only Linux can start its high-water mark anew.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return lambda: torch.cuda.max_memory_allocated(device) / 2**20

    def process_peak() -> float | None:
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
        return int(found[1]) / 1024 if found else None

    try:
        CLEAR.write_text("5")
    except OSError:
        return lambda: None
    return process_peak


@torch.no_grad()
def real_time_factor(run: Run, corpus: Corpus) -> float:
    """Seconds of computation for a second of speech, on the run's device: one clip at a time, as it would be heard.

    From features to decision, with the way to the device and back; computing the features is not in it. The median of
    some :data:`CLIPS` clips, evenly taken.
    """
    part = run.examples(corpus.keeping(corpus.clips[:: max(1, len(corpus) // CLIPS)]))
    run.model.eval()
    factors = []
    for _, batch in part.in_order(1):
        started = time.perf_counter()
        run.model(batch.to(run.device)).logits.cpu()  # waits for the device
        factors.append((time.perf_counter() - started) / (batch.features.shape[1] * batch.hop))
    return statistics.median(factors)


def _falls(removed: Tally) -> dict:
    """How far the probability falls. The decisions on what is left take most of the room, and no page shows them."""
    found = removed.to_json()
    falls = {
        way: {name: sums for name, sums in held.items() if not name.startswith(f"uar{AT}")}
        for way, held in found["methods"].items()
    }
    return found | {"methods": falls}


def _any_length(run: Run, test: Corpus) -> dict:
    """Decisions on parts of the test clips, on their segments, and on several joined."""
    assert isinstance(run.model, FullyConvolutional)
    seconds = [s for s in SECONDS if s > run.model.shortest_seconds]
    return {
        "middle": at_lengths(run, test, seconds).to_json(),
        "segments": in_segments(run, test, seconds).to_json(),
        "joined": joined(run, test, JOINED).to_json(),
    }


def _two_streams(training: Training, run: Run, report: Report, fold: Fold) -> dict:
    """What is asked of networks that hear and see."""
    assert isinstance(run.model, AudioVisual)
    found: dict = {}
    if run.model.streams == "both" and run.model.fusion != "nearest":
        found["shifts"] = shift_test(run, fold.test).to_json()
    elif run.model.streams != "both" and training.corpus == "planted":
        blend = _blend(training.fold)
        said, truth, who = predict(run, blend), true_shares(blend.clips, blend.emotions), [c.speaker for c in blend]
        found["mixture"] = mixture_error(said.probabilities.numpy(), truth, who).to_json()
        if maps := said.maps[0]:
            moments, clock = read_moments(run, blend), maps["attention"].clocks["time"]
            courses = judge_courses(blend.clips, blend.emotions, moments, clock, run.model.streams)
            added = [weights @ shares for shares, weights in moments]
            found |= {"course": courses.to_json(), "moments": mixture_error(added, truth, who).to_json()}
    if training.method == "perception" and training.corpus in ("planted", "planted-blend"):
        asked = report.predictions if training.corpus == "planted-blend" else predict(run, _blend(training.fold))
        found["preference"] = own_preference(asked).to_json()
    if training.method == "face":  # compared with the voice of the same seed, a network made anew
        options = recipe(training.corpus, "voice") | {"epochs": training.options["epochs"]}
        voice = build("voice", fold.train)
        listener = fit(voice, fold, seed=run.seed, device=str(run.device), progress=False, **options)
        heard = evaluate(listener, fold.test, baselines=False)
        found["streams"] = compare_streams(heard, report).to_json()
    return found


def _blend(fold: int) -> Corpus:
    """The same test speakers as in `planted`, with two emotions a clip."""
    return _corpus("planted-blend").folds()[fold].test


@functools.cache
def _corpus(name: str) -> Corpus:
    return load(name)
