"""Training one model on one fold: everything that is fitted comes from train, everything that is chosen from dev."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sertut.corpora import Corpus, Fold
from sertut.errors import SertutError, unknown
from sertut.progress import progress_bar
from sertut.signals import FEATURES, Normalizer
from sertut.training.augment import Augment
from sertut.training.checkpoint import load_checkpoint, save_checkpoint
from sertut.training.data import Examples, examples, fit_face_normalizer
from sertut.training.device import pick_device
from sertut.training.metrics import confusion, uar
from sertut.video import FACE_FEATURES


@dataclass(frozen=True)
class Recipe:
    """How to train. The learning rate rises over the first tenth of the steps, then falls along a cosine to 0.

    keep: which epoch's weights the run keeps: "best" on dev, or the "last" (where dev is too small to choose by).
    average: decay of a running average of the weights; where it is not 0, the average is tested and kept.
    similar: batches of clips of similar length, cut to the shortest: no padding.
    precision: "float32"; "bfloat16"; "auto", bfloat16 on a CUDA device that has it; or "fast", also on a CPU that
    multiplies matrices of it (AMX).
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    clip_norm: float = 1.0  # longest gradient
    patience: int = 30  # epochs without a better UAR on dev before training stops
    keep: str = "best"
    average: float = 0.0
    similar: bool = False
    precision: str = "auto"
    feature: str = "log_mel"
    face: str = ""  # feature of the face, e.g. "hog"; "" for networks that only hear
    shift: int = 0  # see Augment for these
    stretch: float = 0.0
    gain: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0

    @property
    def augment(self) -> Augment:
        """The distortions of the training clips."""
        return Augment(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Augment)})


@dataclass(frozen=True)
class Run:
    """One training, finished.

    model: with the weights of the best epoch on dev, in eval mode. normalizer: fitted on train, and so is
    face_normalizer, if the model sees. history: one dict an
    epoch (loss, dev_uar, learning_rate). initial: the model's weights before training. seconds: duration of training.
    """

    model: nn.Module
    normalizer: Normalizer
    emotions: tuple[str, ...]
    recipe: Recipe
    seed: int
    history: list[dict]
    best_epoch: int
    initial: dict[str, torch.Tensor]
    seconds: float
    device: torch.device
    face_normalizer: Normalizer | None = None

    @property
    def feature(self) -> str:
        """Name of the feature the model reads."""
        return self.recipe.feature

    @property
    def n_parameters(self) -> int:
        """Trained numbers in the model."""
        return sum(p.numel() for p in self.model.parameters())

    def examples(self, corpus: Corpus) -> Examples:
        """The clips of `corpus` as this model reads them."""
        return examples(corpus, self.feature, self.normalizer, False, self.recipe.face, self.face_normalizer)

    def on_cpu(self) -> nn.Module:
        """A copy of the model on the CPU, to take apart by hand; the run's own stays where it is."""
        return copy.deepcopy(self.model).cpu()

    def untrained(self) -> Run:
        """The same network before its first step: the control of every claim about trained attention."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.initial)
        return dataclasses.replace(self, model=model.eval(), history=[], best_epoch=-1, seconds=0.0)


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

    The test part is not touched. The same seed on the same machine gives the same weights, bit for bit; on CUDA, where
    bfloat16 autocast is used when the GPU has it, up to the order of its additions.

    Args:
        model: takes a Batch, returns an Output. It is copied, not changed.
        seed: draws the weights (unless `reinitialize` is False, for weights that come from elsewhere), the order of the
            clips and their distortions.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        checkpoint: file to continue from if it exists; written after each epoch. Resuming changes no bit of the result.
        recipe: fields of :class:`Recipe`.

    Raises:
        SertutError: unknown option or device; the checkpoint belongs to another training; the loss is no longer finite.
    """
    settings = make_recipe(**recipe)
    where = pick_device(device)
    raw = examples(fold.train, settings.feature, None, progress, settings.face)
    normalizer = Normalizer.fit(raw.rows)
    face_normalizer = fit_face_normalizer(raw.faces) if raw.faces is not None else None
    train = examples(fold.train, settings.feature, normalizer, False, settings.face, face_normalizer)
    dev = examples(fold.dev, settings.feature, normalizer, progress, settings.face, face_normalizer)

    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(seed)
        model = copy.deepcopy(model)
        if reinitialize:
            redraw(model)
        initial = {name: value.clone() for name, value in model.state_dict().items()}
        model.to(where)
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        identity = {"seed": seed, "recipe": repr(settings), "clips": len(train), "model": type(model).__name__}
        averaged = _averaged(model, settings.average)
        tested = averaged.module if averaged else model
        state = _State(best=copy.deepcopy(tested.state_dict()))
        if checkpoint and Path(checkpoint).is_file():
            state.__dict__.update(load_checkpoint(checkpoint, model, optimizer, identity, averaged))

        bar = progress_bar(total=settings.epochs, initial=state.epoch, desc="training", disable=not progress)
        while state.epoch < settings.epochs and state.epoch - state.gained <= settings.patience:
            started = time.perf_counter()
            # Every epoch draws from a seed of its own, so that resuming needs no memory of the random state.
            torch.manual_seed(1_000_003 * seed + state.epoch)
            loss = _one_epoch(model, train, optimizer, settings, seed, state.epoch, where, averaged)
            dev_uar = _uar_on(tested, dev, len(fold.emotions), where)
            state.history.append({"epoch": state.epoch, "loss": loss, "dev_uar": dev_uar})
            if dev_uar > state.best_uar:
                state.gained = state.epoch
            if settings.keep == "last" or dev_uar >= state.best_uar:
                # Of equals the later one, which has trained longer at a lower rate.
                state.best_epoch = state.epoch
                state.best = {name: value.clone() for name, value in tested.state_dict().items()}
            state.best_uar = max(state.best_uar, dev_uar)
            state.epoch += 1
            state.seconds += time.perf_counter() - started
            bar.update()
            bar.set_postfix(loss=f"{loss:.2f}", dev_uar=f"{dev_uar:.2f}")
            if checkpoint:
                save_checkpoint(checkpoint, model, optimizer, identity, vars(state), averaged)
        bar.close()

    model.load_state_dict(state.best)
    return Run(
        model.eval(),
        normalizer,
        fold.emotions,
        settings,
        seed,
        state.history,
        state.best_epoch,
        initial,
        state.seconds,
        where,
        face_normalizer,
    )


def make_recipe(**options) -> Recipe:
    """A :class:`Recipe`; a misspelled option is an error that names the nearest one, an unknown feature too."""
    names = [field.name for field in dataclasses.fields(Recipe)]
    for name in options:
        if name not in names:
            raise unknown("option of fit", name, names)
    recipe = Recipe(**options)
    if recipe.feature not in FEATURES:
        raise unknown("feature", recipe.feature, FEATURES)
    if recipe.face not in ("", *FACE_FEATURES):
        raise unknown("feature of the face", recipe.face, FACE_FEATURES)
    if recipe.face and recipe.stretch:
        raise SertutError("stretch would move the voice against the face; leave it out where faces are seen.")
    for name, known in (("keep", ("best", "last")), ("precision", ("auto", "fast", "float32", "bfloat16"))):
        if getattr(recipe, name) not in known:
            raise unknown(f"value of {name}", getattr(recipe, name), known)
    return recipe


def redraw(module: nn.Module) -> None:
    """Draw all weights of `module` anew from torch's current random state.

    A module with ``reset_parameters`` does it itself, for all that it holds.

    Raises:
        SertutError: a module holds parameters of its own but has no ``reset_parameters``.
    """
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    if next(module.parameters(recurse=False), None) is not None:
        raise SertutError(f"{type(module).__name__} has parameters but no reset_parameters(); add one.")
    for child in module.children():
        redraw(child)


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
    total = 0.0
    for step, batch in enumerate(train.shuffled(recipe.batch_size, generator, recipe.augment, recipe.similar)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _warmup_then_cosine((epoch + step / steps) / recipe.epochs)
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=_use_bfloat16(device, recipe.precision)):
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


def _use_bfloat16(device: torch.device, precision: str) -> bool:
    if precision in ("auto", "fast") and device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if precision == "fast" and device.type == "cpu":
        return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())  # no public name for it yet
    return precision == "bfloat16"


@torch.no_grad()
def _uar_on(model: nn.Module, part: Examples, n_classes: int, device: torch.device) -> float:
    model.eval()
    predicted = torch.empty(len(part), dtype=torch.long)
    for indices, batch in part.in_order(64):
        predicted[indices] = model(batch.to(device)).logits.argmax(dim=1).cpu()
    return float(uar(confusion(part.labels.numpy(), predicted.numpy(), n_classes)))
