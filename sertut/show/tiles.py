"""Small pictures side by side: gray photographs, and the filters of a first layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sertut.show.picture import Picture, canvas, listed, numbers
from sertut.show.style import WIDTH


def pixels(images: Mapping[str, torch.Tensor], *, columns: int = 4) -> Picture:
    """One gray picture (height, width) a name, each from its own darkest to its own brightest pixel."""
    alt = f"{len(images)} gray pictures: {listed(list(images))}."
    return _sheet({name: numbers(image) for name, image in images.items()}, columns, 1.9, alt, cmap="gray")


def filters(layers: Mapping[str, torch.Tensor]) -> Picture:
    """All filters of each layer as a block of tiles, time to the right and frequency upward.

    Each tile is scaled by its own largest weight: blue is negative, red positive. The filters for several colors are
    added up, which is what they do to a spectrogram that is repeated in each.

    Args:
        layers: name -> weights (C, colors, height, width).
    """
    blocks = {name: weights.detach().cpu().float().sum(dim=1) for name, weights in layers.items()}  # (C, h, w)
    smooth = {name: f"{round(smoothness(block), 2) + 0:.2f}" for name, block in blocks.items()}  # + 0: never -0.00
    sheets = {f"{name},\nsmoothness {smooth[name]}": tiled(block) for name, block in blocks.items()}
    parts = [f"{name}: {len(block)} filters, smoothness {smooth[name]}" for name, block in blocks.items()]
    alt = f"Filters of the first layer as small pictures: time to the right, frequency upward. {listed(parts)}."
    alt += " Noise has a smoothness near 0, stripes and edges one near 1."
    looks = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1, "origin": "lower", "interpolation": "nearest"}
    side = WIDTH / len(sheets) * max(len(sheet) / sheet.shape[1] for sheet in sheets.values())
    drawn = _sheet(sheets, len(sheets), 0.8 + side, alt, **looks)
    drawn.figure.supxlabel("time →, frequency ↑; blue: negative weights, red: positive", fontsize=11)
    return drawn


def smoothness(block: torch.Tensor) -> float:
    """Mean correlation of a weight with its neighbors above and beside it, over filters (C, h, w): 0 for noise."""
    centered = block - block.mean(dim=(1, 2), keepdim=True)
    power = centered.square().mean(dim=(1, 2)).clamp(min=1e-12)
    down = (centered[:, 1:] * centered[:, :-1]).mean(dim=(1, 2)) / power
    across = (centered[:, :, 1:] * centered[:, :, :-1]).mean(dim=(1, 2)) / power
    return float((down + across).mean() / 2)


def tiled(block: torch.Tensor) -> np.ndarray:
    """Filters (C, h, w) side by side in about a square, each divided by its largest weight, with white between them."""
    from torchvision.utils import make_grid  # slow to import, and every picture would wait for it

    scaled = block / block.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    upright = make_grid(scaled.flip(1)[:, None], nrow=math.ceil(math.sqrt(len(block))), padding=1)[0]
    return upright.flip(0).numpy()  # the first filter stands on top of a sheet whose rows go upward


def _sheet(images: Mapping[str, np.ndarray], columns: int, height: float, alt: str, **looks: Any) -> Picture:
    """Pictures with their names above them; height: inches of a row."""
    rows = -(-len(images) // columns)
    with canvas(rows, columns, height=height * rows) as (figure, axes):
        figure.set_layout_engine("compressed")  # or the names of square pictures would leave the figure
        for axis in axes.ravel():
            axis.set_axis_off()
        for axis, (name, image) in zip(axes.ravel(), images.items(), strict=False):
            axis.imshow(image, **looks)
            axis.set_title(name, fontsize=11, loc="center")
    return Picture(figure, alt)
