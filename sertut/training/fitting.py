"""Training one model on one fold: everything that is fitted comes from train, everything that is chosen from dev."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
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
from sertut.models.base import architecture
from sertut.progress import progress_bar
from sertut.signals import Normalizer
from sertut.tensors import digest, digest_of_tensors, read_tensors, write_tensors
from sertut.training.data import Examples, examples, fit_face_normalizer
from sertut.training.metrics import confusion, uar
from sertut.training.recipe import Recipe, make_recipe, pick_device
from sertut.training.runs import FILE, Run, load_run


def fit(
    model: nn.Module,
    fold: Fold,
    *,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    checkpoint: Path | str | None = None,
    **recipe,
) -> Run:
    """Train a copy of `model` on ``fold.train``; keep the epoch with the best UAR on ``fold.dev``.

    The test part is not touched. The same seed on the same machine gives the same weights, bit for bit; on CUDA up to
    the order of its additions.

    Args:
        model: takes a Batch, returns an Output. It is copied, not changed.
        seed: draws the weights, the order of the clips and their distortions.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        checkpoint: file to continue from if it exists; written after each epoch. Resuming changes no bit of the result.
        recipe: fields of :class:`~sertut.training.recipe.Recipe`.

    Raises:
        SertutError: unknown option or device; the checkpoint belongs to another training; the loss is no longer finite.
    """
    return _Training(model, fold, seed, pick_device(device), progress, make_recipe(**recipe)).run(checkpoint)


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
    training = _Training(model, fold, seed, where, progress, make_recipe(**recipe))
    if not {type(part).__module__.split(".")[0] for part in model.modules()} <= {"sertut", "torch", "torchvision"}:
        return training.run()
    cuda = where.type == "cuda"
    surroundings = {
        "code": code_of("signals", "attention", "models", "training"),
        "versions": [torch.__version__, numpy.__version__],
        "threads": torch.get_num_threads(),
        "device": where.type,
        "processor": torch.cuda.get_device_name(where) if cuda else torch.backends.cpu.get_cpu_capability(),
    }
    folder = data_folder() / "runs" / digest([training.identity, surroundings])
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if (folder / FILE).is_file():
            return load_run(folder, device, training.model)
        run = training.run(folder / "checkpoint.safetensors")
        run.save(folder)
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return run


class _Training:
    """One training on its way.

    identity: which training it is, a digest for each thing that it depends on. state: the numbers that change from
    epoch to epoch. best: weights of the best epoch.
    """

    def __init__(
        self, model: nn.Module, fold: Fold, seed: int, device: torch.device, progress: bool, recipe: Recipe
    ) -> None:
        self.seed, self.device, self.recipe, self.emotions = seed, device, recipe, fold.emotions
        train = examples(fold.train, recipe.feature, recipe.face, recipe.voices > 0, progress)
        dev = examples(fold.dev, recipe.feature, recipe.face, progress=progress)
        self.progress, self.normalizer = progress, Normalizer.fit(train.rows)
        self.face_normalizer = fit_face_normalizer(train.faces) if train.faces is not None else None
        fitted = (self.normalizer, self.face_normalizer)
        self.train, self.dev = (part.normalized(*fitted).to(device) for part in (train, dev))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = copy.deepcopy(model).cpu()
            redraw(model)
        self.initial = {name: value.clone() for name, value in model.state_dict().items()}
        clips = [[[clip.name, clip.speaker, clip.emotion] for clip in part] for part in (fold.train, fold.dev)]
        identity = {
            "corpus": [fold.train.name, fold.emotions],
            "clips": [clips, train.digest, dev.digest],
            "seed": seed,
            "recipe": dataclasses.asdict(recipe),
            "network": [architecture(model), digest_of_tensors(self.initial)],
        }
        self.identity = {what: digest(value) for what, value in identity.items()}
        self.model = model.to(device)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, foreach=True
        )
        average = get_ema_multi_avg_fn(recipe.average)  # an average of the weights, where it is asked for
        self.averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True) if recipe.average else None
        self.tested = self.averaged.module if self.averaged else model
        self.best = copy.deepcopy(self.tested.state_dict())
        self.state: dict = dict(epoch=0, best_uar=-1.0, best_epoch=0, seconds=0.0, history=[])

    def run(self, checkpoint: Path | str | None = None) -> Run:
        """Train to the end, from the checkpoint if it is there."""
        recipe, state = self.recipe, self.state
        if checkpoint and Path(checkpoint).is_file():
            self.resume(Path(checkpoint))
        bar = progress_bar(total=recipe.epochs, initial=state["epoch"], desc="training", disable=not self.progress)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            while state["epoch"] < recipe.epochs:
                self.epoch()
                bar.update()
                bar.set_postfix({name: f"{state['history'][-1][name]:.2f}" for name in ("loss", "dev_uar")})
                if checkpoint:
                    self.store(Path(checkpoint))
        bar.close()
        self.model.load_state_dict(self.best)
        names = ("normalizer", "emotions", "recipe", "seed", "initial", "device", "face_normalizer")
        fixed = {name: getattr(self, name) for name in names}
        reached = {name: state[name] for name in ("history", "best_epoch", "seconds")}
        return Run(self.model.eval(), **fixed, **reached, precision=recipe.precision_on(self.device))

    def epoch(self) -> None:
        """One pass over train, then the UAR on dev; the weights are kept if they are the best, or the last wanted."""
        state, epoch, started = self.state, self.state["epoch"], time.perf_counter()
        # Every epoch draws from a seed of its own, so that resuming needs no memory of the random state.
        torch.manual_seed(1_000_003 * self.seed + epoch)
        loss = _one_epoch(
            self.model, self.train, self.optimizer, self.recipe, self.seed, epoch, self.device, self.averaged
        )
        dev_uar = _uar_on(self.tested, self.dev, len(self.emotions), self.device)
        state["history"].append({"epoch": epoch, "loss": loss, "dev_uar": dev_uar})
        if self.recipe.keep == "last" or dev_uar >= state["best_uar"]:
            # Of equals the later one, which has trained longer at a lower rate.
            state["best_epoch"] = epoch
            self.best = {name: value.clone() for name, value in self.tested.state_dict().items()}
        state["best_uar"] = max(state["best_uar"], dev_uar)
        state["epoch"] += 1
        state["seconds"] += time.perf_counter() - started

    def store(self, path: Path) -> None:
        """Write all that the next epoch depends on."""
        moments = self.optimizer.state_dict()["state"]
        parts = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged else {},
            "optimizer": {f"{index}/{name}": value for index, one in moments.items() for name, value in one.items()},
            "best": self.best,
        }
        write_tensors(path, parts, {"identity": self.identity, "state": self.state})

    def resume(self, path: Path) -> None:
        """Put everything back to where :meth:`store` left it."""
        parts, about = read_tensors(path)
        if other := [what for what, value in self.identity.items() if about["identity"].get(what) != value]:
            raise SertutError(
                f"the checkpoint {path} belongs to another training, with other {', other '.join(other)}; delete it or"
                " name another file."
            )
        self.model.load_state_dict(parts["model"])
        if self.averaged:
            self.averaged.load_state_dict(parts["averaged"])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in parts["optimizer"].items():
            index, key = name.split("/")
            moments.setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.best = {name: value.to(self.device) for name, value in parts["best"].items()}
        self.state.update(about["state"])


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
    """One pass over the training clips; the mean loss, for which the device is asked once, at the end.

    A :class:`SertutError` if the loss of a step was not finite.
    """
    model.train()
    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    steps = math.ceil(len(train) / recipe.batch_size)
    coarse = recipe.precision_on(device) == "bfloat16"
    losses, sizes, weights = [], [], None
    for step, batch in enumerate(train.shuffled(recipe, generator)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _warmup_then_cosine((epoch + step / steps) / recipe.epochs)
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=coarse):
            output = model(batch)
        logits = output.logits.to(torch.promote_types(output.logits.dtype, torch.float32))
        if recipe.balanced and not step:
            weights = class_weights(train.labels, logits.shape[1]).to(logits)
        loss = cross_entropy(logits, batch.labels, weights, label_smoothing=recipe.label_smoothing)
        if output.auxiliary is not None:
            loss = loss + output.auxiliary.to(loss.dtype)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimizer.step()
        if averaged:
            averaged.update_parameters(model)
        losses.append(loss.detach())
        sizes.append(len(batch))
    total = sum(loss * size for loss, size in zip(torch.stack(losses).tolist(), sizes, strict=True))
    if not math.isfinite(total):
        raise SertutError(f"the loss is no longer a finite number in epoch {epoch}; lower learning_rate.")
    return total / len(train)


def class_weights(labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Weights (C,) under which each class that is among `labels` (N,) has the same say, 1 on average over the clips."""
    counts = torch.bincount(labels, minlength=n_classes)
    return torch.where(counts > 0, len(labels) / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def _warmup_then_cosine(progress: float) -> float:
    """Factor on the learning rate after a share `progress` of all steps; it rises over the first tenth of them."""
    if progress < 0.1:
        return max(progress, 1e-3) / 0.1
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


@torch.no_grad()
def _uar_on(model: nn.Module, part: Examples, n_classes: int, device: torch.device) -> float:
    model.eval()
    predicted = torch.empty(len(part), dtype=torch.long)
    for indices, batch in part.in_order(64):
        predicted[indices] = model(batch.to(device)).logits.argmax(dim=1).cpu()
    return float(uar(confusion(part.labels.numpy(), predicted.numpy(), n_classes)))
