"""Training one model on one fold: everything that is fitted comes from train, everything that is chosen from dev."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from filelock import FileLock
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sertut.corpora import Fold
from sertut.errors import SertutError
from sertut.files import code_of, data_folder
from sertut.models import redraw
from sertut.progress import progress_bar
from sertut.signals import Normalizer
from sertut.training.data import Examples, examples, fit_face_normalizer
from sertut.training.device import pick_device
from sertut.training.metrics import confusion, uar
from sertut.training.recipe import Recipe, make_recipe
from sertut.training.runs import FILE, Run, load_run
from sertut.training.storage import architecture, digest, digest_of_tensors, read_tensors, write_tensors


def fit(
    model: nn.Module,
    fold: Fold,
    *,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    checkpoint: Path | str | None = None,
    reinitialize: bool = True,
    **recipe,
) -> Run:
    """Train a copy of `model` on ``fold.train``; keep the epoch with the best UAR on ``fold.dev``.

    The test part is not touched. The same seed on the same machine gives the same weights, bit for bit; on CUDA up to
    the order of its additions.

    Args:
        model: takes a Batch, returns an Output. It is copied, not changed.
        seed: draws the weights (unless `reinitialize` is False, for weights that come from elsewhere), the order of the
            clips and their distortions.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        checkpoint: file to continue from if it exists; written after each epoch. Resuming changes no bit of the result.
        recipe: fields of :class:`~sertut.training.recipe.Recipe`.

    Raises:
        SertutError: unknown option or device; the checkpoint belongs to another training; the loss is no longer finite.
    """
    training = _prepared(model, fold, seed, pick_device(device), progress, reinitialize, make_recipe(**recipe))
    return training.run(progress, checkpoint)


def fit_once(
    model: nn.Module, fold: Fold, *, seed: int = 0, device: str = "auto", progress: bool = True, **recipe
) -> Run:
    """:func:`fit`, unless the same was trained before: then that run, kept in ``data/runs``, with ``reused=True``.

    The same means: the same clips and features, labels, recipe, seed, network and first weights, by the same code and
    versions, with as many threads on the same kind of processor. Who asks while another process trains it, waits. A
    training that was interrupted goes on where it was. A network with a class of your own is trained each time, because
    nobody can tell whether its code is still the same.

    Arguments and errors as in :func:`fit`.
    """
    where = pick_device(device)
    training = _prepared(model, fold, seed, where, progress, True, make_recipe(**recipe))
    if not {type(part).__module__.split(".")[0] for part in model.modules()} <= {"sertut", "torch", "torchvision"}:
        return training.run(progress)
    folder = data_folder() / "runs" / digest([training.identity, _surroundings(where)])
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if (folder / FILE).is_file():
            return load_run(folder, device, training.model)
        run = training.run(progress, checkpoint=folder / "checkpoint.safetensors")
        run.save(folder)
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return run


@dataclass
class _Training:
    """All that a training starts from. identity: says which training it is, as JSON."""

    model: nn.Module
    train: Examples
    dev: Examples
    normalizer: Normalizer
    face_normalizer: Normalizer | None
    emotions: tuple[str, ...]
    recipe: Recipe
    seed: int
    device: torch.device
    identity: dict

    def run(self, progress: bool, checkpoint: Path | str | None = None) -> Run:
        """Train to the end, from the checkpoint if it is there."""
        recipe, seed = self.recipe, self.seed
        initial = {name: value.clone() for name, value in self.model.state_dict().items()}
        model = self.model.to(self.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        averaged = _averaged(model, recipe.average)
        tested = averaged.module if averaged else model
        state = _State(best=copy.deepcopy(tested.state_dict()))
        if checkpoint and Path(checkpoint).is_file():
            _resume(Path(checkpoint), self.identity, model, averaged, optimizer, state)
        bar = progress_bar(total=recipe.epochs, initial=state.epoch, desc="training", disable=not progress)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            while state.epoch < recipe.epochs and state.epoch - state.gained <= recipe.patience:
                started = time.perf_counter()
                # Every epoch draws from a seed of its own, so that resuming needs no memory of the random state.
                torch.manual_seed(1_000_003 * seed + state.epoch)
                loss = _one_epoch(model, self.train, optimizer, recipe, seed, state.epoch, self.device, averaged)
                dev_uar = _uar_on(tested, self.dev, len(self.emotions), self.device)
                state.take(loss, dev_uar, tested, recipe.keep, time.perf_counter() - started)
                bar.update()
                bar.set_postfix(loss=f"{loss:.2f}", dev_uar=f"{dev_uar:.2f}")
                if checkpoint:
                    _store(Path(checkpoint), self.identity, model, averaged, optimizer, state)
        bar.close()
        model.load_state_dict(state.best)
        return Run(
            model.eval(),
            self.normalizer,
            self.emotions,
            recipe,
            seed,
            state.history,
            state.best_epoch,
            initial,
            state.seconds,
            self.device,
            self.face_normalizer,
            recipe.precision_on(self.device),
        )


def _prepared(
    model: nn.Module, fold: Fold, seed: int, device: torch.device, progress: bool, reinitialize: bool, recipe: Recipe
) -> _Training:
    """Load the clips, fit the statistics on train, draw the weights."""
    train, dev = (examples(part, recipe.feature, None, progress, recipe.face) for part in (fold.train, fold.dev))
    normalizer = Normalizer.fit(train.rows)
    face_normalizer = fit_face_normalizer(train.faces) if train.faces is not None else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = copy.deepcopy(model).cpu()
        if reinitialize:
            redraw(model)
    identity = {
        "corpus": fold.train.name,
        "clips": [[[clip.name, clip.speaker, clip.emotion] for clip in part] for part in (fold.train, fold.dev)],
        "features": [train.digest, dev.digest],
        "emotions": fold.emotions,
        "seed": seed,
        "recipe": dataclasses.asdict(recipe),
        "network": architecture(model),
        "first weights": digest_of_tensors(model.state_dict()),
    }
    identity = {what: digest(value) for what, value in identity.items()}
    train, dev = (part.normalized(normalizer, face_normalizer) for part in (train, dev))
    return _Training(model, train, dev, normalizer, face_normalizer, fold.emotions, recipe, seed, device, identity)


def _surroundings(device: torch.device) -> dict:
    """What moves the last digits of a training, or more: code, versions, threads, kind of processor."""
    return {
        "code": digest(code_of("signals", "attention", "models", "training")),
        "versions": [torch.__version__, numpy.__version__],
        "threads": torch.get_num_threads(),
        "processor": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else torch.backends.cpu.get_cpu_capability(),
        "device": device.type,
    }


@dataclass
class _State:
    """What changes from epoch to epoch."""

    best: dict[str, torch.Tensor]
    epoch: int = 0
    best_uar: float = -1.0
    best_epoch: int = 0
    gained: int = 0  # last epoch with a better UAR on dev than all before
    seconds: float = 0.0
    history: list[dict] = dataclasses.field(default_factory=list)

    def take(self, loss: float, dev_uar: float, model: nn.Module, keep: str, seconds: float) -> None:
        """An epoch is over: note it, and keep its weights if they are the best so far, or the last are wanted."""
        self.history.append({"epoch": self.epoch, "loss": loss, "dev_uar": dev_uar})
        if dev_uar > self.best_uar:
            self.gained = self.epoch
        if keep == "last" or dev_uar >= self.best_uar:  # of equals the later one, which trained longer at a lower rate
            self.best_epoch = self.epoch
            self.best = {name: value.clone() for name, value in model.state_dict().items()}
        self.best_uar = max(self.best_uar, dev_uar)
        self.epoch += 1
        self.seconds += seconds


def _store(
    path: Path,
    identity: dict,
    model: nn.Module,
    averaged: AveragedModel | None,
    optimizer: torch.optim.Optimizer,
    state: _State,
) -> None:
    """Write all that the next epoch depends on."""
    moments = optimizer.state_dict()["state"]
    parts = {
        "model": model.state_dict(),
        "averaged": averaged.state_dict() if averaged else {},
        "optimizer": {f"{index}/{name}": value for index, one in moments.items() for name, value in one.items()},
        "best": state.best,
    }
    numbers = {name: value for name, value in vars(state).items() if name != "best"}
    write_tensors(path, parts, {"identity": identity, "state": numbers})


def _resume(
    path: Path,
    identity: dict,
    model: nn.Module,
    averaged: AveragedModel | None,
    optimizer: torch.optim.Optimizer,
    state: _State,
) -> None:
    """Put everything back to where :func:`_store` left it."""
    parts, about = read_tensors(path)
    if other := [what for what, value in identity.items() if about["identity"].get(what) != value]:
        raise SertutError(
            f"the checkpoint {path} belongs to another training, with other {', other '.join(other)}; delete it or name"
            " another file."
        )
    model.load_state_dict(parts["model"])
    if averaged:
        averaged.load_state_dict(parts["averaged"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in parts["optimizer"].items():
        index, key = name.split("/")
        moments.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    device = next(model.parameters()).device
    vars(state).update(about["state"], best={name: value.to(device) for name, value in parts["best"].items()})


def _one_epoch(
    model: nn.Module,
    train: Examples,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    seed: int,
    epoch: int,
    device: torch.device,
    averaged: AveragedModel | None,
) -> float:
    """One pass over the training clips; the mean loss."""
    model.train()
    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    steps = math.ceil(len(train) / recipe.batch_size)
    coarse = recipe.precision_on(device) == "bfloat16"
    total = 0.0
    for step, batch in enumerate(train.shuffled(recipe.batch_size, generator, recipe.augment, recipe.similar)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _warmup_then_cosine((epoch + step / steps) / recipe.epochs)
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=coarse):
            output = model(batch)
        logits = output.logits.to(torch.promote_types(output.logits.dtype, torch.float32))
        loss = cross_entropy(logits, batch.labels, label_smoothing=recipe.label_smoothing)
        if output.auxiliary is not None:
            loss = loss + output.auxiliary.to(loss.dtype)
        if not torch.isfinite(loss):
            raise SertutError(f"the loss is no longer a finite number in epoch {epoch}; lower learning_rate.")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimizer.step()
        if averaged:
            averaged.update_parameters(model)
        total += loss.item() * len(batch)
    return total / len(train)


def _warmup_then_cosine(progress: float, warmup: float = 0.1) -> float:
    """Factor on the learning rate after a share `progress` of all steps."""
    if progress < warmup:
        return max(progress, 1e-3) / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def _averaged(model: nn.Module, decay: float) -> AveragedModel | None:
    """A copy of `model` that follows its weights slowly; None without a decay."""
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True) if decay else None


@torch.no_grad()
def _uar_on(model: nn.Module, part: Examples, n_classes: int, device: torch.device) -> float:
    model.eval()
    predicted = torch.empty(len(part), dtype=torch.long)
    for indices, batch in part.in_order(64):
        predicted[indices] = model(batch.to(device)).logits.argmax(dim=1).cpu()
    return float(uar(confusion(part.labels.numpy(), predicted.numpy(), n_classes)))
