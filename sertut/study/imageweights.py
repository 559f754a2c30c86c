"""Weights that a network has learned from photographs, put into the trunk of one that listens.

A spectrogram has one channel where a photograph has three: :class:`~sertut.models.FullyConvolutional` repeats it, so
that each color's filters see the same picture. The values differ too: log-mel features are normalized to mean 0 and
standard deviation 1, and so are the pixels that torchvision's networks have learned from, but other collections leave
pixels between 0 and 255. Then the first layer must be told, or it would see next to no contrast: it reads
``w (pixel - mean) = (w s) z`` where z has unit variance and s is the pixels' standard deviation.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sertut.errors import SertutError
from sertut.models.convolutional import FullyConvolutional

PIXEL_STD = 255 * 0.226
"""Standard deviation of ImageNet's pixels on the scale 0 to 255; torchvision divides its own by .229, .224, .225."""

UNREADABLE = (SafetensorError, pickle.UnpicklingError, zipfile.BadZipFile)

FILE = "squeezenet1_0_imagenet.npz"
"""What :func:`chosen_weights` looks for in a folder."""


def load_image_weights(
    model: FullyConvolutional, path: Path | str | None = None, input_std: float = 1.0
) -> FullyConvolutional:
    """Put SqueezeNet's weights, learned from photographs, into ``model.trunk``; return the model.

    It is marked as pretrained: :func:`sertut.fit` then draws the attention and the classifier by its seed, but not the
    trunk.

    Args:
        model: with the trunk "squeezenet".
        path: a .npz, .safetensors or .pth file with the names of torchvision's state dict (``features.0.weight``, ...;
            what does not start with ``features.`` is not needed). None: torchvision's own ImageNet weights, downloaded
            once and checked by their hash.
        input_std: standard deviation of the pixels behind the weights; the first layer's are multiplied by it. 1 for
            torchvision's, :data:`PIXEL_STD` for weights that expect 0 to 255.

    Raises:
        SertutError: another trunk; no download; a file that is missing, unreadable, or does not fit the trunk.
    """
    if model.name != "squeezenet":
        raise SertutError(f"there are no weights from photographs for the trunk '{model.name}'; choose 'squeezenet'.")
    state, source = (_download(), "torchvision's squeezenet1_0") if path is None else (_read(Path(path)), str(path))
    trunk = model.trunk.state_dict()
    found = {name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")}
    _check(found, trunk, source)
    first = next(name for name in trunk if name.endswith("weight"))
    model.trunk.load_state_dict(found | {first: found[first] * input_std})
    model.pretrained = True
    return model


def chosen_weights() -> Path | None:
    """The file that the environment variable SERTUT_WEIGHTS names, itself or by its folder; None if it is not set.

    Raises:
        SertutError: it is set, but there is no such file.
    """
    chosen = os.environ.get("SERTUT_WEIGHTS")
    if not chosen:
        return None
    path = Path(chosen).expanduser()
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise SertutError(
            f"SERTUT_WEIGHTS names {path}, which does not exist; set it to a file, or to the folder of {FILE}."
        )
    return path


def _check(found: dict[str, torch.Tensor], trunk: dict[str, torch.Tensor], source: str) -> None:
    """All layers there, all of the right shape, all numbers finite."""
    for layer in sorted(trunk.keys() | found.keys()):
        shape, wanted = (tuple(state[layer].shape) if layer in state else "no" for state in (found, trunk))
        if shape != wanted:
            raise SertutError(
                f"{source}: features.{layer} has {shape} numbers where the trunk has {wanted}; pass weights of"
                " torchvision's squeezenet1_0."
            )
        if not bool(torch.isfinite(found[layer]).all()):
            raise SertutError(f"{source}: features.{layer} holds numbers that are not finite; fetch the file again.")


def _download() -> dict[str, torch.Tensor]:
    from torchvision.models import SqueezeNet1_0_Weights  # late, because torchvision takes seconds to import

    weights = SqueezeNet1_0_Weights.DEFAULT
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as problem:  # no network, or a file cut short
        raise SertutError(
            f"{weights.url} could not be downloaded ({problem}); fetch it on another machine and pass path=, or set"
            " SERTUT_WEIGHTS to the file."
        ) from problem


def _read(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise SertutError(f"the weights {path} do not exist; pass the path of a .npz, .safetensors or .pth file.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix in (".pth", ".pt"):
            return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (*UNREADABLE, OSError, ValueError, RuntimeError, EOFError) as problem:
        raise SertutError(f"the weights {path} cannot be read ({problem}); fetch the file again.") from problem
    raise SertutError(f"the weights {path} end in '{path.suffix}'; pass a .npz, .safetensors or .pth file.")
