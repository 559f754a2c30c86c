"""Ways to a better number that is not true: each spoils one thing of a training, so that its worth can be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from sertut.corpora import Corpus, Fold, load_features
from sertut.evidence import Tally
from sertut.models import Output
from sertut.signals import Batch, Normalizer
from sertut.study.leak import random_like

FLAWS = ("random split", "statistics over all", "epoch chosen on test")
"""Methods of :data:`~sertut.study.methods.METHODS`: the attentive network behind the front, each with one flaw."""


class Restated(nn.Module):
    """A network that reads features normalized by other statistics than those they come with.

    features (B, T, F), normalized by `given` -> by `wanted` -> the network.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, network: nn.Module, given: Normalizer, wanted: Normalizer) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scale", given.std / wanted.std)  # (F,)
        self.register_buffer("shift", (given.mean - wanted.mean) / wanted.std)  # (F,)

    def forward(self, batch: Batch) -> Output:
        """As the network's own; padding stays 0."""
        features = (batch.features * self.scale + self.shift) * batch.mask.unsqueeze(-1)
        return self.network(replace(batch, features=features))


def spoil(
    flaw: str, model: nn.Module, corpus: Corpus, index: int, seed: int, options: Mapping
) -> tuple[nn.Module, Fold, dict]:
    """The network, the fold and the options of a training with one of :data:`FLAWS`.

    "random split": clips are dealt to parts of the same sizes as those of the folds, whoever speaks; another deal for
    each seed. "statistics over all": features are normalized with the mean and deviation of all clips, those of the
    test speakers too. "epoch chosen on test": the epoch with the highest UAR on the test speakers is kept.

    Args:
        corpus: of all clips. index: of the fold, counted from 0.
    """
    fold, options = corpus.folds()[index], dict(options)
    if flaw == "random split":
        return model, random_like(corpus, corpus.folds(), seed)[index], options
    if flaw == "statistics over all":
        some, every = (
            Normalizer.fit(load_features(part, options["feature"], progress=False)) for part in (fold.train, corpus)
        )
        return Restated(model, some, every), fold, options
    return model, replace(fold, dev=fold.test, allow_leaks=True), {**options, "keep": "best"}


def over_partitions(results: Sequence[Mapping]) -> Tally:
    """The decisions of a study's trainings, all folds of a seed together: folds cut at random test a speaker often.

    Args:
        results: as :meth:`sertut.study.Study.cell` gives them; every clip is tested once in each seed.
    """
    speakers = sorted({name for result in results for name in result["report"]["speakers"]})
    emotions = results[0]["report"]["emotions"]
    seeds = sorted({result["seed"] for result in results})
    table = np.zeros((len(seeds), len(speakers), len(emotions), len(emotions)), dtype=int)
    for result in results:
        report = result["report"]
        for name, confusion in zip(report["speakers"], report["methods"]["model"]["uar"], strict=True):
            table[seeds.index(result["seed"]), speakers.index(name)] += np.array(confusion)  # (C, C)
    return Tally(tuple(speakers), {"model": {"uar": table}}, {"uar": "uar"}, tuple(seeds), tuple(emotions))
