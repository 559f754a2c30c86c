"""A network trained as those that need one length are: on segments, each with the label of its whole clip."""

from __future__ import annotations

import dataclasses

import torch

from sertut.evidence.length import frames
from sertut.models import FullyConvolutional, Output
from sertut.signals import Batch


class OnSegments(FullyConvolutional):
    """A fully convolutional network that in training hears one segment of each clip, from another place every time.

    The segment has the label of the clip, also where it holds nothing of the emotion. In testing the network hears what
    it is given: whole clips, or segments (:func:`sertut.evidence.length.in_segments`).

    Args:
        n_classes: number of emotions.
        segments: seconds; a clip that is shorter is heard whole.
        arguments: of :class:`~sertut.models.convolutional.FullyConvolutional`.
    """

    def __init__(self, n_classes: int, segments: float, **arguments) -> None:
        super().__init__(n_classes, **arguments)
        self.n = frames(segments)

    def forward(self, batch: Batch) -> Output:
        """As :meth:`sertut.models.convolutional.FullyConvolutional.forward`."""
        return super().forward(random_segments(batch, self.n) if self.training else batch)


def random_segments(batch: Batch, n: int) -> Batch:
    """`n` frames of each clip, from a random place; a clip that has no more is left as it is."""
    room = (batch.lengths - n).clamp(min=0)  # (B,)
    start = (torch.rand(len(room), device=room.device) * (room + 1)).long()
    steps = start[:, None] + torch.arange(min(n, batch.mask.shape[1]), device=room.device)  # (B, n)
    clip = torch.arange(len(room), device=room.device)[:, None]
    return dataclasses.replace(batch, features=batch.features[clip, steps], mask=batch.mask[clip, steps])
