"""Checkpoints without pickle: tensors and a little JSON in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from sertut.errors import SertutError
from sertut.files import writing


def save_checkpoint(
    path: Path | str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    identity: Mapping,
    state: Mapping,
    averaged: nn.Module | None = None,
) -> None:
    """Write all that the next epoch depends on.

    identity: what a resumed training must agree with. state: numbers, and the tensors of the best epoch under "best".
    averaged: the running average of the model, if there is one.
    """
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in state["best"].items()}
    if averaged is not None:
        tensors |= {f"averaged/{name}": value for name, value in averaged.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": value for name, value in moments.items()}
    numbers = {name: value for name, value in state.items() if name != "best"}
    metadata = {"identity": json.dumps(dict(identity), sort_keys=True), "state": json.dumps(numbers)}
    with writing(path) as temporary:
        save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata)


def load_checkpoint(
    path: Path | str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    identity: Mapping,
    averaged: nn.Module | None = None,
) -> dict:
    """Put `model`, `optimizer` and `averaged` back to where :func:`save_checkpoint` left them; return the state.

    Raises:
        SertutError: the file is damaged, or belongs to another training.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as problem:
        raise SertutError(f"the checkpoint {path} cannot be read ({problem}); delete it to start again.") from problem
    if metadata["identity"] != json.dumps(dict(identity), sort_keys=True):
        raise SertutError(f"the checkpoint {path} belongs to another training; delete it or name another file.")

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    model.load_state_dict(part("model/"))
    if averaged is not None:
        averaged.load_state_dict(part("averaged/"))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in part("optimizer/").items():
        index, key = name.split("/")
        moments.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    device = next(model.parameters()).device
    return {**json.loads(metadata["state"]), "best": {k: v.to(device) for k, v in part("best/").items()}}
