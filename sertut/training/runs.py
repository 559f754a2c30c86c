"""A finished training: kept in a folder, and loaded again without running any code that came with it."""

from __future__ import annotations

import copy
import dataclasses
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from sertut import models
from sertut.corpora import Corpus
from sertut.errors import SertutError
from sertut.models.base import architecture
from sertut.signals import Normalizer
from sertut.tensors import read_tensors, write_tensors
from sertut.training.data import Examples, examples
from sertut.training.recipe import Recipe, make_recipe, pick_device

FILE = "run.safetensors"
"""What :meth:`Run.save` writes into its folder."""


@dataclass(frozen=True)
class Run:
    """One training, finished.

    model: with the weights of the best epoch on dev, in eval mode. normalizer: fitted on train, and so is
    face_normalizer, if the model sees. history: one dict an epoch (loss, dev_uar). initial: the model's weights before
    training. seconds: duration of training. precision: what was computed in, "float32" or "bfloat16".
    reused: it was trained earlier, and loaded.
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
    precision: str = "float32"
    reused: bool = False

    @property
    def n_parameters(self) -> int:
        """Trained numbers in the model."""
        return sum(p.numel() for p in self.model.parameters())

    @property
    def origin(self) -> str:
        """Where the weights come from, in words."""
        how = "loaded: the same was trained before, in" if self.reused else "trained now,"
        return f"{how} {self.seconds:.0f} s, {self.precision}"

    def examples(self, corpus: Corpus) -> Examples:
        """The clips of `corpus` as this model reads them."""
        return examples(corpus, self.recipe.feature, self.recipe.face).normalized(self.normalizer, self.face_normalizer)

    def on_cpu(self) -> nn.Module:
        """A copy of the model on the CPU, to take apart by hand; the run's own stays where it is."""
        return copy.deepcopy(self.model).cpu()

    def untrained(self) -> Run:
        """The same network before its first step: the control of every claim about trained attention."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.initial)
        return dataclasses.replace(self, model=model.eval(), history=[], best_epoch=-1, seconds=0.0)

    def save(self, folder: Path | str) -> None:
        """Write all of it into ``folder/run.safetensors``; :func:`load_run` reads it."""
        faces = vars(self.face_normalizer) if self.face_normalizer else {}
        parts = {"model": self.model.state_dict(), "initial": self.initial, "normalizer": vars(self.normalizer)}
        network, given = type(self.model), vars(self.model).get("arguments", {"": self.model})
        about = {
            "network": f"{network.__module__}.{network.__qualname__}",
            # None where what builds it is the reader's own code
            "arguments": None if any(isinstance(one, nn.Module) for one in given.values()) else given,
            "architecture": architecture(self.model),
            "emotions": self.emotions,
            "recipe": dataclasses.asdict(self.recipe),
            **{name: getattr(self, name) for name in ("seed", "history", "best_epoch", "seconds", "precision")},
            "device": str(self.device),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in ("sertut", "torch")},
        }
        write_tensors(Path(folder) / FILE, {**parts, "face_normalizer": faces}, about)


def load_run(folder: Path | str, device: str = "auto", model: nn.Module | None = None) -> Run:
    """What :meth:`Run.save` wrote into `folder`, to be evaluated on `device`.

    Args:
        model: a network like the one that was trained, where its class is not one of :mod:`sertut.models`: the file
            holds numbers and names, no code. Its weights are replaced.

    Raises:
        SertutError: there is no run, it is damaged, its class is unknown, or `model` is another network.
    """
    path, where = Path(folder) / FILE, pick_device(device)
    parts, about = read_tensors(path)
    model = _built(path, about) if model is None else copy.deepcopy(model)
    if architecture(model) != about["architecture"]:
        raise SertutError(f"{path} holds a network '{about['network']}', built otherwise; pass model= as trained.")
    model.load_state_dict(parts["model"])
    return Run(
        model.to(where).eval(),
        Normalizer(**parts["normalizer"]),
        tuple(about["emotions"]),
        make_recipe(**about["recipe"]),
        initial={name: parts["initial"][name] for name in model.state_dict()},
        device=where,
        face_normalizer=Normalizer(**parts["face_normalizer"]) if "face_normalizer" in parts else None,
        reused=True,
        **{name: about[name] for name in ("seed", "history", "best_epoch", "seconds", "precision")},
    )


def _built(path: Path, about: dict) -> nn.Module:
    """A new network of the class that is named, which must be one of :mod:`sertut.models`: nothing else is called."""
    module, _, name = about["network"].rpartition(".")
    known = getattr(models, name, None) if module.startswith("sertut.models.") else None
    if not (isinstance(known, type) and issubclass(known, models.Network)) or about["arguments"] is None:
        raise SertutError(
            f"{path} holds a network of the class '{about['network']}', which is not one of sertut's or has parts that"
            " are not; build it and pass it: load_run(folder, model=...)."
        )
    return known(**about["arguments"])
