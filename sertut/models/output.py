"""What every model returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from sertut.attention.maps import AttentionMap


@dataclass(frozen=True)
class Output:
    """logits: (B, C), unnormalized scores of the C emotions. maps: attention maps by name, if the model has any.

    auxiliary: in training, a loss of the model's own that needs no labels, to be added to that of the labels.
    """

    logits: torch.Tensor
    maps: Mapping[str, AttentionMap] = field(default_factory=dict)
    auxiliary: torch.Tensor | None = None
