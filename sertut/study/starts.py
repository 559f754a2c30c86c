"""Where a network's trunk starts from, drawn at random or learned from photographs, and from how many speakers."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import torch
from torch import nn

from sertut.corpora import Fold
from sertut.corpora.folds import repeated, share_of_speakers
from sertut.models import FullyConvolutional, Output
from sertut.signals import Batch
from sertut.study.imageweights import PIXEL_STD, chosen_weights, load_image_weights
from sertut.study.photographs import Pretrained, pretrain_on_photographs
from sertut.study.segments import random_segments


class RandomCrops(nn.Module):
    """A large network made affordable: coarser time, and short crops to train on.

    It reads averages of two neighboring frames, so that its cells last twice as long; and while it is trained it hears
    `crop` of them, from a random place in each clip (64 are 1.3 s). It is tested on whole clips: any length will do.
    """

    def __init__(self, network: FullyConvolutional, crop: int = 64) -> None:
        super().__init__()
        self.network = network
        self.crop = crop

    def forward(self, batch: Batch) -> Output:
        """As the network's own; a last frame without a neighbor is left out."""
        n = batch.features.shape[1] // 2
        features = batch.features[:, : 2 * n].unflatten(1, (n, 2)).mean(dim=2)  # (B, T/2, F)
        coarse = dataclasses.replace(batch, features=features, mask=batch.mask[:, 1 : 2 * n : 2], hop=2 * batch.hop)
        return self.network(random_segments(coarse, self.crop) if self.training else coarse)


def transfer_network(
    n_classes: int, trunk: str, start: str, seed: int = 0, weights: Path | str | None = None
) -> nn.Module:
    """A fully convolutional network whose trunk has seen photographs, or has not.

    Args:
        trunk: "small" or "squeezenet"; the latter is wrapped into :class:`RandomCrops`.
        start: "random"; "photographs", those that come with the libraries (:mod:`sertut.study.photographs`); or
            "imagenet" (:mod:`sertut.study.imageweights`).
        seed: of the training on photographs.
        weights: file with SqueezeNet's weights for pixels from 0 to 255; by default the one that SERTUT_WEIGHTS names,
            else torchvision's.

    Raises:
        SertutError: weights that cannot be had.
    """
    model = _network(n_classes, trunk)
    if start == "photographs":
        model.trunk.load_state_dict(pretrained_trunk(trunk, seed).model.trunk.state_dict())
        model.pretrained = True
    elif start == "imagenet":
        path = weights or chosen_weights()
        load_image_weights(model, path, input_std=PIXEL_STD if path else 1.0)
    return RandomCrops(model) if trunk == "squeezenet" else model


@functools.cache
def pretrained_trunk(trunk: str, seed: int) -> Pretrained:
    """A network whose trunk has learned from photographs; trained once a process and seed."""
    return pretrain_on_photographs(_network(2, trunk), seed=seed)


def _network(n_classes: int, trunk: str) -> FullyConvolutional:
    """With its weights in the order in memory that CPUs like: the same numbers in half the time."""
    network = FullyConvolutional(n_classes, trunk)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def few_speakers(fold: Fold, share: float, seed: int) -> Fold:
    """A share of the training speakers, their clips repeated until there are as many as there were."""
    part = share_of_speakers(fold, share, seed)
    return dataclasses.replace(part, train=repeated(part.train, len(fold.train)))
