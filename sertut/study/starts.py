"""Networks that learn from parts of clips, from few speakers, and from a trunk that has seen photographs."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sertut.corpora import Fold
from sertut.errors import CorpusError
from sertut.evidence.length import frames
from sertut.models import FullyConvolutional, Output
from sertut.signals import Batch
from sertut.study.imageweights import PIXEL_STD, chosen_weights, load_image_weights
from sertut.study.photographs import Pretrained, pretrain_on_photographs


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
    """A share of the training speakers, at least one, their clips repeated until there are as many as there were.

    So an epoch over few speakers has as many steps as one over many; each clip comes equally often, up to one, under a
    name of its own. For one seed the shares are nested: who is in the 10 % is also in the 25 %. Dev and test stay.

    Raises:
        CorpusError: the share is not above 0 and at most 1, or an emotion is lost with the speakers.
    """
    if not 0 < share <= 1:
        raise CorpusError(f"a share of the training speakers lies above 0 and is at most 1; you asked for {share}.")
    speakers, n = np.array(fold.train.speakers), len(fold.train)
    np.random.default_rng(seed).shuffle(speakers)
    kept = speakers[: max(1, round(share * len(speakers)))]
    few = fold.train.of_speakers(kept.tolist())
    if lost := {clip.emotion for clip in fold.train} - {clip.emotion for clip in few}:
        raise CorpusError(
            f"{share:.0%} of the training speakers of '{fold.train.name}', {fold.name}, leave no clip of"
            f" {', '.join(sorted(lost))}; ask for a larger share."
        )
    picked = [few[i * len(few) // n] for i in range(n)]
    train = few.keeping(dataclasses.replace(clip, name=f"{clip.name}, copy {i}") for i, clip in enumerate(picked))
    name = f"{fold.name}, {len(kept)} of {len(speakers)} training speakers"
    return dataclasses.replace(fold, train=train, name=name)
