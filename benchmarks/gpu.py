"""What a GPU gives here: `python benchmarks/gpu.py`. Ten minutes at most, one JSON; measured, never asserted.

It needs the package, its dependencies and a CUDA build of torch, and nothing else: the planted corpus is made if it is
not there (a minute or two), and where it cannot be made, tables of noise with a cue in them stand in, and the result
says so. For each of the four families:

* agreement: the same steps of training on CPU and GPU, from the same weights and with the same distortions. Nothing is
  dropped out, because the two devices draw differently. The logits before training and the losses of the steps must
  lie within :data:`BOUNDS`, else `agrees` is false and so is the exit.
* speed: steps a second by the family's own recipe, the share of loading and distorting, how often a step waits for the
  device, and the largest memory of the device.
* precision: a short training in float32 and in bfloat16; by how much losses and UAR on the dev speakers differ.
* busy: how busy the device is with one training and with eight seeds at once, a process each. "Busy" is nvidia-smi's
  word: the share of the time in which something ran, however small.

Written after every piece, so that what was measured before an interruption is there. What the time does not allow is
listed under `skipped`, what went wrong under `failed`. Without a GPU, `--device cpu` rehearses all of it in small.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout that is not installed will do
import sertut
from sertut.files import writing
from sertut.models import redraw
from sertut.signals import FEATURES, Normalizer
from sertut.study import build, recipe
from sertut.training import pick_device
from sertut.training.data import Examples, examples, fit_face_normalizer
from sertut.training.fitting import _one_epoch, _uar_on
from sertut.training.recipe import Recipe, make_recipe
from sertut.video import FACE_FEATURES

FAMILIES = {
    "AttentiveLSTM": "ear-attention",
    "FullyConvolutional": "ear-cells",
    "MultiHead": "ear-heads+FA+CA",
    "AudioVisual": "perception",
}
"""Family -> the method of :mod:`sertut.study` that stands for it."""
DISTORTED, UNSEEN = dict(gain=0.3, frequency_mask=8, time_mask=20), dict(stretch=0.2, voices=0.6)
"""What happens to recorded clips in training, and what else where no faces are seen; made corpora go without."""
EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
BOUNDS = {"logits": 1e-4, "losses": 1e-3}
"""Largest differences between two devices. Losses may differ more, because a step divides small gradients by their own
size. On one CPU, ten steps in float32 and in float64 were at most .00002 apart."""


@dataclass(frozen=True)
class Settings:
    """How much is measured. clips: of noise, where there is no corpus. seconds: of each measurement of speed."""

    device: str = "cuda"
    corpus: str = "planted"
    minutes: float = 10.0
    clips: int = 480
    steps: int = 10
    epochs: int = 8
    seconds: float = 5.0
    seeds: int = 8


REHEARSAL = Settings("cpu", "noise", clips=48, steps=2, epochs=1, seconds=0.1, seeds=2)


@dataclass(frozen=True)
class Task:
    """One family, and what it learns from: an untrained network, its recipe, tables of training and of dev clips."""

    model: nn.Module
    recipe: Recipe
    train: Examples
    dev: Examples

    def part(self, n: int) -> Examples:
        """Training clips from one end of the corpus to the other, `n` of them."""
        chosen = torch.linspace(0, len(self.train) - 1, min(n, len(self.train))).long()
        tables = (self.train.rows, self.train.faces, self.train.voices)
        rows, faces, voices = (part and [part[i] for i in chosen] for part in tables)
        return Examples(rows or [], self.train.labels[chosen], faces, voices)


def task(family: str, settings: Settings) -> Task:
    """The family's own recipe on the planted corpus, and all distortions."""
    method = FAMILIES[family]
    options = recipe("planted", method) | DISTORTED
    how = make_recipe(**options, **({} if options.get("face") else UNSEEN))
    if settings.corpus == "noise":
        train, dev = noise(how, settings.clips, seed=0), noise(how, settings.clips // 4, seed=1)
    else:
        fold = sertut.load(settings.corpus).folds()[0]
        train = examples(fold.train, how.feature, how.face, how.voices > 0)
        dev = examples(fold.dev, how.feature, how.face)
    fitted = Normalizer.fit(train.rows), fit_face_normalizer(train.faces) if train.faces is not None else None
    torch.manual_seed(0)
    model = build(method, SimpleNamespace(name="planted", emotions=EMOTIONS))  # type: ignore[arg-type]
    redraw(model)
    return Task(model, how, train.normalized(*fitted), dev.normalized(*fitted))


def noise(how: Recipe, n: int, seed: int) -> Examples:
    """Tables of one to three seconds; for a third of a second some columns are raised, which ones is the label."""
    generator = torch.Generator().manual_seed(seed)
    labels, rows, faces = torch.arange(n) % len(EMOTIONS), [], []
    for label, length in zip(labels.tolist(), torch.randint(100, 300, (n,), generator=generator).tolist(), strict=True):
        rows.append(torch.randn(length, FEATURES[how.feature].n_columns, generator=generator))
        rows[-1][length // 3 : length // 3 + 33, 5 * label : 5 * label + 5] += 2.0
        faces.append(torch.randn(length // 4, FACE_FEATURES["hog_relative"][1] + 1, generator=generator))
        faces[-1][:, -1] = 1.0
    voices = [torch.stack([row, 0.9 * row]) for row in rows] if how.voices else None
    return Examples(rows, labels, faces if how.face else None, voices)


def undisturbed(model: nn.Module) -> nn.Module:
    """The network without anything that is drawn at random while it trains."""
    for module in model.modules():
        for name in ("p", "dropout", "missing"):  # of nn.Dropout, of attention weights, of whole streams
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return model


def trace(work: Task, steps: int, device: torch.device) -> dict[str, list]:
    """What a network says of a batch before it is trained, and its loss in each step; one batch an epoch."""
    part, how = work.part(work.recipe.batch_size).to(device), replace(work.recipe, epochs=steps, learning_rate=3e-4)
    model = undisturbed(copy.deepcopy(work.model)).to(device)
    with torch.no_grad():
        logits = model.eval()(part.batch(range(len(part))).to(device)).logits.tolist()
    return {"logits": logits, "losses": list(training(model, part, how, device, steps))}


def training(
    model: nn.Module, part: Examples, how: Recipe, device: torch.device, n: int = 1_000_000, seed: int = 0
) -> Iterator[float]:
    """Train `model` for `n` epochs as sertut.fit does; the loss of each as soon as it is over."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    average = get_ema_multi_avg_fn(how.average)
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True) if how.average else None
    for number in range(n):
        torch.manual_seed(1_000_003 * seed + number)
        yield _one_epoch(model, part, optimizer, how, seed, number % how.epochs, device, averaged)


def compared(here: Mapping[str, list], there: Mapping[str, list]) -> dict:
    """Largest differences of two traces, the losses themselves, and whether the differences are within the bounds."""
    found = {name: (torch.tensor(here[name]) - torch.tensor(there[name])).abs().max().item() for name in BOUNDS}
    agrees = all(found[name] <= bound for name, bound in BOUNDS.items())  # NaN agrees with nothing
    return {
        "agrees": agrees,
        "bounds": BOUNDS,
        **{f"largest_difference_of_{name}": value for name, value in found.items()},
        "losses_on_cpu": here["losses"],
        "losses_on_device": there["losses"],
    }


def agreement(family: str, settings: Settings) -> dict:
    """The same training on CPU and device."""
    work = task(family, settings)
    here, there = (trace(work, settings.steps, pick_device(name)) for name in ("cpu", settings.device))
    return compared(here, there)


def speed(family: str, settings: Settings, device: str) -> dict:
    """Steps a second, and what they consist of."""
    work, where = task(family, settings), pick_device(device)
    part, how = work.part(4 * work.recipe.batch_size).to(where), work.recipe
    model = copy.deepcopy(work.model).to(where)
    steps = math.ceil(len(part) / how.batch_size)
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats(where)
    losses = training(model, part, how, where)
    next(losses)  # not counted: much is made once
    with waiting(where) as waits:
        next(losses)
    seconds, loading, n = 0.0, 0.0, 0
    while not n or seconds < settings.seconds:
        started = time.perf_counter()
        for batch in part.shuffled(how, torch.Generator().manual_seed(n)):
            batch.to(where)
        finish(where)
        between = time.perf_counter()
        next(losses)
        finish(where)
        loading, seconds, n = loading + between - started, seconds + time.perf_counter() - between, n + 1
    return {
        "device": str(where),
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "batch_size": how.batch_size,
        "steps_a_second": n * steps / seconds,
        "clips_a_second": n * len(part) / seconds,
        "loading_share": loading / seconds,
        "waits_a_step": len(waits) / steps if where.type == "cuda" else None,
        "peak_mib": torch.cuda.max_memory_allocated(where) / 2**20 if where.type == "cuda" else None,
    }


def finish(device: torch.device) -> None:
    """Wait until the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextlib.contextmanager
def waiting(device: torch.device) -> Iterator[list]:
    """The warnings of all operations for which the device was waited for."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("warn")
        try:
            yield seen
        finally:
            if device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")


def precision(family: str, settings: Settings) -> dict:
    """A short training in float32 and in bfloat16, from one seed."""
    work, where = task(family, settings), pick_device(settings.device)
    train, dev = work.train.to(where), work.dev.to(where)
    losses, uars, seconds = {}, {}, {}
    for name in ("float32", "bfloat16"):
        how = replace(work.recipe, epochs=settings.epochs, precision=name)
        model, started = copy.deepcopy(work.model).to(where), time.perf_counter()
        losses[name] = list(training(model, train, how, where, settings.epochs))
        uars[name] = _uar_on(model, dev, len(EMOTIONS), where)
        seconds[name] = time.perf_counter() - started
    return {
        "epochs": settings.epochs,
        "losses": losses,
        "uar": uars,
        "seconds": seconds,
        "loss_difference": losses["bfloat16"][-1] - losses["float32"][-1],
        "uar_difference": uars["bfloat16"] - uars["float32"],
    }


def busy(family: str, settings: Settings, seeds: int) -> dict:
    """Trainings at the same time, a process each, on one thread each: what they do together, and the device."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        torch.save(asdict(settings), Path(folder) / "settings")
        command = [sys.executable, __file__, "--one", f"{folder}/settings", family]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        workers = [stack.enter_context(subprocess.Popen([*command, str(i)], **pipes)) for i in range(seeds)]  # type: ignore[call-overload]
        try:
            for worker in workers:
                if worker.stdout.readline().strip() != "ready":
                    raise RuntimeError("a training of several at a time ended before it began")
            with watched(settings) as device:
                for worker in workers:
                    worker.stdin.write("go\n")
                    worker.stdin.flush()
                found = [json.loads(worker.stdout.readline()) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
    together = {"trainings": seeds, "steps_a_second": sum(one["steps"] / one["seconds"] for one in found)}
    return together | device | {"peak_mib_a_training": max((one["peak_mib"] or 0.0 for one in found), default=0.0)}


def one_of_several(family: str, settings: Settings, seed: int) -> None:
    """What a process of :func:`busy` does: warm up, wait for the others, train for some seconds, tell."""
    torch.set_num_threads(1)
    work, where = task(family, settings), pick_device(settings.device)
    part = work.train.to(where)
    losses = training(work.model.to(where), part, work.recipe, where, seed=seed)
    next(losses)
    print("ready", flush=True)
    sys.stdin.readline()
    steps, started = 0, time.perf_counter()
    while not steps or time.perf_counter() - started < 3 * settings.seconds:
        next(losses)
        steps += math.ceil(len(part) / work.recipe.batch_size)
    peak = torch.cuda.max_memory_reserved(where) / 2**20 if where.type == "cuda" else None
    print(json.dumps({"steps": steps, "seconds": time.perf_counter() - started, "peak_mib": peak}), flush=True)


@contextlib.contextmanager
def watched(settings: Settings) -> Iterator[dict]:
    """How busy the device is in the meantime, in percent, by nvidia-smi; None where it cannot be asked."""
    found: dict = {"busy_percent": None, "samples": 0}
    asked = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
    index = pick_device(settings.device).index or 0
    watcher = None
    if settings.device != "cpu":
        with contextlib.suppress(OSError):
            watcher = subprocess.Popen(
                ["nvidia-smi", "-i", str(index), *asked],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
    try:
        yield found
    finally:
        if watcher:
            watcher.terminate()
            numbers = [int(line) for line in watcher.communicate()[0].split() if line.isdigit()]
            if numbers:
                found.update(busy_percent=sum(numbers) / len(numbers), samples=len(numbers))
        elif settings.device != "cpu":
            with contextlib.suppress(Exception):  # asks NVML, by a package that need not be there
                found.update(busy_percent=torch.cuda.utilization(index), samples=1)


def about(settings: Settings) -> dict:
    """Where and with what it was measured."""
    where = pick_device(settings.device)
    gpu = where.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(where) if gpu else "cpu",
        "bfloat16": bool(torch.cuda.is_bf16_supported()) if gpu else True,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "settings": asdict(settings),
    }


def prepared(settings: Settings) -> tuple[Settings, dict]:
    """Make the corpus and its features now; noise takes its place where that fails, and the reason is told."""
    started, why = time.perf_counter(), None
    try:
        for family in FAMILIES:
            task(family, settings)
    except Exception as problem:
        if settings.corpus == "noise":
            raise
        settings, why = replace(settings, corpus="noise"), f"{type(problem).__name__}: {problem}"
    return settings, {"corpus": settings.corpus, "why": why, "seconds": time.perf_counter() - started}


def pieces(settings: Settings) -> Iterator[tuple[str, str, float, Callable[[], dict]]]:
    """Part, name, seconds that it may take, and what measures it; what matters most comes first."""
    device = settings.device
    for family in FAMILIES:
        yield "agreement", family, 20, lambda f=family: agreement(f, settings)
    for family in FAMILIES:
        yield "speed", family, 15, lambda f=family: speed(f, settings, device)
    for seeds in (1, settings.seeds):
        yield "busy", f"{seeds} at a time", 60, lambda n=seeds: busy("FullyConvolutional", settings, n)
    for family in FAMILIES:
        yield "precision", family, 40, lambda f=family: precision(f, settings)
    for family in FAMILIES:
        yield "speed on the CPU", family, 15, lambda f=family: speed(f, settings, "cpu")


def measured(settings: Settings, out: Path) -> dict:
    """All of it, within the time; `out` is written anew after every piece."""
    started = time.monotonic()
    result: dict = {"about": about(settings), "skipped": [], "failed": {}, "finished": False}

    def keep() -> None:
        result["seconds"] = time.monotonic() - started
        with writing(out) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n")

    keep()
    settings, result["tables"] = prepared(settings)
    for part, name, seconds, work in pieces(settings):
        if time.monotonic() - started + seconds > 60 * settings.minutes:
            result["skipped"].append(f"{part}, {name}")
            continue
        print(f"{time.monotonic() - started:4.0f} s  {part}, {name}", flush=True)
        try:
            result.setdefault(part, {})[name] = work()
        except Exception as problem:  # what fails in one family must not cost the others
            result["failed"][f"{part}, {name}"] = f"{type(problem).__name__}: {problem}"
        keep()
    result["finished"] = True
    keep()
    return result


def good(result: Mapping) -> bool:
    """Nothing failed, and CPU and device agree."""
    return not result["failed"] and all(found["agrees"] for found in result.get("agreement", {}).values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, ...; cpu rehearses it in small")
    parser.add_argument("--minutes", type=float, default=10.0, help="what takes longer is skipped")
    parser.add_argument("--out", type=Path, help="benchmarks/gpu.json; of a rehearsal, a file among the temporary ones")
    parser.add_argument("--one", nargs=3, metavar=("SETTINGS", "FAMILY", "SEED"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        kept, family, seed = chosen.one
        one_of_several(family, Settings(**torch.load(kept, weights_only=True)), int(seed))
    else:
        if chosen.device.startswith("cuda") and not torch.cuda.is_available():
            sys.exit("there is no CUDA device here; rehearse with --device cpu.")
        plan = REHEARSAL if chosen.device == "cpu" else Settings(chosen.device)
        beside = Path(tempfile.gettempdir()) / "gpu-rehearsal.json" if plan is REHEARSAL else None
        out = chosen.out or beside or Path(__file__).with_suffix(".json")
        found = measured(replace(plan, minutes=chosen.minutes), out)
        print(f"{out}: skipped {found['skipped'] or 'nothing'}, failed {list(found['failed']) or 'nothing'}")
        sys.exit(not good(found))
