"""How much of what a cell could see does it use? The effective receptive field, measured on real clips.

The receptive field says which frames a cell *can* depend on. Few paths through the layers lead to its edges and many to
its middle, so the middle moves the cell most. Source: Luo, Li, Urtasun, Zemel, "Understanding the effective receptive
field in deep convolutional neural networks", NIPS 2016, arXiv 1701.04128.
"""

from collections.abc import Sequence

import numpy as np
import torch

from sertut.errors import SertutError
from sertut.models import FullyConvolutional
from sertut.signals import HOP_SECONDS, Batch


def influence(model: FullyConvolutional, features: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """How much each frame of a clip moves the middle column of cells.

    Args:
        features: (T, F), normalized, one clip. The model should be in eval mode.

    Returns:
        seconds (T,) from the middle of the column to each frame; influence (T,): the absolute gradient of the column's
        sum, added up over frequency, of which all frames together have 1.

    Raises:
        SertutError: no frame moves the column (all of its units are off).
    """
    row = features[None].clone().requires_grad_()
    batch = Batch(row, torch.ones(row.shape[:2], dtype=torch.bool), torch.zeros(1, dtype=torch.long))
    cells, _ = model.encode(batch)  # (1, C, F', T')
    column = cells.shape[-1] // 2
    (gradient,) = torch.autograd.grad(cells[..., column].sum(), row)
    moved = gradient[0].abs().sum(dim=1).double().numpy()  # (T,)
    if moved.sum() == 0:
        raise SertutError("no frame of this clip moves the middle cells: all of their units are off; try another clip.")
    center = model.time.first + column * model.time.stride
    return HOP_SECONDS * (np.arange(len(moved)) - center), moved / moved.sum()


def effective_field(model: FullyConvolutional, clips: Sequence[torch.Tensor], share: float = 0.9) -> float:
    """Seconds around a cell's middle that hold `share` of the influence on it, mean over `clips`, (T, F) each.

    At most the receptive field, ``model.clock().field``.
    """
    widths = []
    for features in clips:
        seconds, moved = influence(model, features)
        order = np.argsort(np.abs(seconds), kind="stable")  # from the middle outward
        held = np.cumsum(moved[order])
        widths.append(2 * abs(seconds[order][np.searchsorted(held, share - 1e-9)]) + HOP_SECONDS)
    return float(np.mean(widths))
