"""A transfer that needs no download: a trunk learns from the photographs that scikit-learn and matplotlib bring along.

Nobody has to label them. A patch is cut out at random and turned by 0, 90, 180 or 270 degrees, and the network has to
say by how much: it can only know from the edges, textures and shapes in it. Few pictures are enough for the first
layers.

Sources: Gidaris, Singh, Komodakis, ICLR 2018, arXiv 1803.07728 (rotation as a task); Asano, Rupprecht, Vedaldi, ICLR
2020, arXiv 1904.13132 (a single picture teaches the early layers).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sertut.attention.spectrogram import mean_over_cells
from sertut.models import FullyConvolutional, redraw
from sertut.progress import progress_bar
from sertut.signals import Batch

SIDE = 64  # pixels of a patch, and as many as there are mel bands
TURNS = 4  # quarter turns to tell apart
HELD_OUT = 0.25  # width of the stripe in the middle of each photograph, on which the task is tested


@dataclass(frozen=True)
class Pretrained:
    """What :func:`pretrain_on_photographs` gives.

    model: a copy, marked as pretrained, so that :func:`sertut.fit` keeps its trunk. accuracy: share of turns recognized
    on patches from the held-out part of the photographs, of which there were `n`; guessing gets `chance`.
    photographs: what it has seen. history: the loss of each step.
    """

    model: FullyConvolutional
    accuracy: float
    n: int
    photographs: tuple[str, ...]
    history: list[float] = field(repr=False)
    seconds: float
    chance: float = 1 / TURNS


def sample_photographs() -> Mapping[str, torch.Tensor]:
    """Name -> gray photograph (height, width), pixels 0 to 1: scikit-learn's two, and matplotlib's if it is there."""
    import matplotlib.image
    from matplotlib import cbook
    from sklearn.datasets import load_sample_image

    found = {name: load_sample_image(name) for name in ("china.jpg", "flower.jpg")}
    hopper = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    if Path(hopper).is_file():  # some builds of matplotlib leave it out
        found["grace_hopper.jpg"] = matplotlib.image.imread(hopper)
    return {name: torch.from_numpy(np.asarray(image) / 255.0).float().mean(dim=2) for name, image in found.items()}


def split(image: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Left and right part, to learn from, and the stripe between them, to be tested on."""
    width = image.shape[1]
    left, right = round(width * (1 - HELD_OUT) / 2), round(width * (1 + HELD_OUT) / 2)
    return [image[:, :left], image[:, right:]], [image[:, left:right]]


def sizes(image: torch.Tensor) -> list[torch.Tensor]:
    """The image in smaller and smaller copies, by a third of an octave each, down to the size of a patch."""
    steps = int(3 * math.log2(min(image.shape) / SIDE))
    shapes = [[round(n / 2 ** (k / 3)) for n in image.shape] for k in range(steps + 1)]
    return [
        nn.functional.interpolate(image[None, None], shape, mode="bilinear", antialias=True)[0, 0] for shape in shapes
    ]


def patches(
    images: Sequence[Sequence[torch.Tensor]], n: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random patches, each turned by a random number of quarter turns.

    Image, size, place, mirroring and contrast are drawn anew for each.

    Args:
        images: each in several sizes, see :func:`sizes`.

    Returns:
        patches (n, 64, 64), mean 0 and standard deviation about 1, like log-mel features; turns (n,), 0 to 3.
    """
    turns = torch.randint(TURNS, (n,), generator=generator)
    draws = torch.rand(n, 6, generator=generator).tolist()
    cut = [torch.rot90(_patch(images, draw), int(k)) for draw, k in zip(draws, turns, strict=True)]
    return torch.stack(cut), turns


def _patch(copies: Sequence[Sequence[torch.Tensor]], draw: Sequence[float]) -> torch.Tensor:
    """One patch, by six numbers from 0 to 1."""
    which, size, top, left, mirror, contrast = draw
    levels = copies[int(which * len(copies))]
    image = levels[int(size * len(levels))]
    row, column = int(top * (image.shape[0] - SIDE + 1)), int(left * (image.shape[1] - SIDE + 1))
    patch = image[row : row + SIDE, column : column + SIDE]
    patch = (patch - patch.mean()) / patch.std().clamp(min=0.05)  # an empty sky stays nearly empty
    return (0.5 + contrast) * (patch.flip(1) if mirror < 0.5 else patch)


def pretrain_on_photographs(
    model: FullyConvolutional, seed: int = 0, steps: int = 400, batch_size: int = 64, progress: bool = True
) -> Pretrained:
    """Teach the trunk of a copy of `model` to tell how a patch of a photograph is turned.

    A patch goes in as a spectrogram does, its columns as frames; the cells that come out are averaged, and a linear
    layer decides. That layer is thrown away afterwards. The same seed gives the same weights.

    Raises:
        SertutError: the trunk needs larger patches than there are.
    """
    started = time.time()
    pictures = sample_photographs()
    known = [sizes(part) for image in pictures.values() for part in split(image)[0]]
    unseen = [sizes(part) for image in pictures.values() for part in split(image)[1]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = copy.deepcopy(model).cpu()
        redraw(model)
        decide = nn.Linear(model.classify.in_features, TURNS)
        generator = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.AdamW([*model.trunk.parameters(), *decide.parameters()], weight_decay=1e-2)
        rise_and_fall = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps, pct_start=0.1, cycle_momentum=False)
        history = []
        model.train()
        for _ in progress_bar(range(steps), desc="photographs", disable=not progress):
            pixels, turns = patches(known, batch_size, generator)
            loss = nn.functional.cross_entropy(decide(_averaged(model, pixels)), turns)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rise_and_fall.step()
            history.append(loss.item())
    model.eval()
    model.pretrained = True
    with torch.no_grad():
        pixels, turns = patches(unseen, 1024, torch.Generator().manual_seed(seed))
        right = decide(_averaged(model, pixels)).argmax(dim=1) == turns
    return Pretrained(model, float(right.float().mean()), len(right), tuple(pictures), history, time.time() - started)


def _averaged(model: FullyConvolutional, pixels: torch.Tensor) -> torch.Tensor:
    """Mean of the trunk's cells, (B, C), of patches (B, side, side) whose rows are bands, from low to high."""
    features = pixels.flip(1).transpose(1, 2)  # (B, T, F): the top of a spectrogram is its last band
    batch = Batch(
        features, torch.ones(features.shape[:2], dtype=torch.bool), torch.zeros(len(pixels), dtype=torch.long)
    )
    return mean_over_cells(*model.encode(batch))
