"""Tensors in files, without pickle, and digests by which files and tensors are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sertut.errors import SertutError
from sertut.files import writing

Parts = dict[str, dict[str, torch.Tensor]]
"""Name of a part, e.g. "model" -> its tensors by name."""


def write_tensors(path: Path | str, parts: Mapping[str, Mapping[str, torch.Tensor]], about: Mapping) -> None:
    """Write all parts into one safetensors file, whole or not at all, and `about`, which must be JSON."""
    tensors = {f"{part}/{name}": value for part, named in parts.items() for name, value in named.items()}
    with writing(path) as temporary:
        save_file(
            {name: value.contiguous() for name, value in tensors.items()}, temporary, {"about": json.dumps(about)}
        )


def read_tensors(path: Path | str) -> tuple[Parts, dict]:
    """Parts, on the CPU, and what was said about them; a part without tensors is missing.

    Raises:
        SertutError: the file is missing, damaged, or not ours.
    """
    parts: Parts = {}
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            for name in file.keys():  # noqa: SIM118 - not a dict
                part, _, rest = name.partition("/")
                parts.setdefault(part, {})[rest] = file.get_tensor(name)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as problem:
        raise SertutError(f"{path} cannot be read ({problem}); delete it and train again.") from problem
    return parts, about


def digest(value: object) -> str:
    """Sixteen hexadecimal digits that change with `value`, which must be JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def digest_of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """The same of named tensors: their names, shapes and bits."""
    found = hashlib.sha256()
    for name, value in tensors.items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]
