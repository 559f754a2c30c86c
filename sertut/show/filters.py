"""The filters of a first layer: the only weights of a network that are pictures themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import look


def filters(layers: Mapping[str, torch.Tensor], *, title: str = "") -> Picture:
    """All filters of each layer as a block of tiles, time to the right and frequency upward.

    Each tile is scaled by its own largest weight: blue is negative, red positive. The filters for several colors are
    added up, which is what they do to a spectrogram that is repeated in each.

    Args:
        layers: name -> weights (C, colors, height, width).
    """
    blocks = {name: weights.detach().cpu().float().sum(dim=1) for name, weights in layers.items()}  # (C, h, w)
    with look():
        figure, axes = canvas(1, len(blocks), height=4.2)
        for axis, (name, block) in zip(axes[0], blocks.items(), strict=True):
            axis.imshow(tiles(block), cmap="RdBu_r", vmin=-1, vmax=1, origin="lower", interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.set_title(f"{name}\nsmoothness {smoothness(block):.2f}", fontsize=11)
            for side in axis.spines.values():
                side.set_visible(False)
        axes[0, 0].set(xlabel="time →", ylabel="frequency →")
        if title:
            figure.suptitle(title)
    parts = [f"{name}: {len(block)} filters, smoothness {smoothness(block):.2f}" for name, block in blocks.items()]
    text = "Filters of the first layer as small pictures. "
    return Picture(figure, text + listed(parts) + ". Noise has a smoothness near 0, stripes and edges one near 1.")


def smoothness(block: torch.Tensor) -> float:
    """Mean correlation of a weight with its neighbors above and beside it, over filters (C, h, w): 0 for noise."""
    centered = block - block.mean(dim=(1, 2), keepdim=True)
    power = centered.square().mean(dim=(1, 2)).clamp(min=1e-12)
    down = (centered[:, 1:] * centered[:, :-1]).mean(dim=(1, 2)) / power
    across = (centered[:, :, 1:] * centered[:, :, :-1]).mean(dim=(1, 2)) / power
    return float((down + across).mean() / 2)


def tiles(block: torch.Tensor) -> np.ndarray:
    """Filters (C, h, w) side by side in about a square, each divided by its largest weight, with white between them."""
    count, height, width = block.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1))
    for i, one in enumerate(block / block.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)):
        top, left = (rows - 1 - i // columns) * (height + 1), (i % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = one.numpy()
    return sheet
