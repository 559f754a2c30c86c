"""Small gray pictures side by side, and how smooth the filters of a first layer are."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from sertut.show.picture import Picture, canvas, listed, numbers


def pixels(images: Mapping[str, torch.Tensor], *, columns: int = 4) -> Picture:
    """One gray picture (height, width) a name, each from its own darkest to its own brightest pixel."""
    rows = -(-len(images) // columns)
    with canvas(rows, columns, height=1.9 * rows) as (figure, axes):
        figure.set_layout_engine("compressed")  # or the names of square pictures would leave the figure
        for axis in axes.ravel():
            axis.set_axis_off()
        for axis, (name, image) in zip(axes.ravel(), images.items(), strict=False):
            axis.imshow(numbers(image), cmap="gray")
            axis.set_title(name, fontsize=11, loc="center")
    return Picture(figure, f"{len(images)} gray pictures: {listed(list(images))}.")


def smoothness(block: torch.Tensor) -> float:
    """Mean correlation of a weight with its neighbors above and beside it, over filters (D, h, w): 0 for noise."""
    centered = block - block.mean(dim=(1, 2), keepdim=True)
    power = centered.square().mean(dim=(1, 2)).clamp(min=1e-12)
    down = (centered[:, 1:] * centered[:, :-1]).mean(dim=(1, 2)) / power
    across = (centered[:, :, 1:] * centered[:, :, :-1]).mean(dim=(1, 2)) / power
    return float((down + across).mean() / 2)
