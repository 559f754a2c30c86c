"""Small gray pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import look


def pixels(images: Mapping[str, torch.Tensor], *, columns: int = 4, title: str = "") -> Picture:
    """One gray picture (height, width) a name, each from its own darkest to its own brightest pixel."""
    rows = -(-len(images) // columns)
    with look():
        figure, axes = canvas(rows, columns, height=1.9 * rows + (0.3 if title else 0))
        for axis in axes.ravel():
            axis.set_axis_off()
        for axis, (name, image) in zip(axes.ravel(), images.items(), strict=False):
            axis.imshow(image.detach().cpu().numpy(), cmap="gray")
            axis.set_title(name, fontsize=11, loc="center")
        if title:
            figure.suptitle(title)
    return Picture(figure, f"{len(images)} gray pictures: {listed(list(images))}.")
