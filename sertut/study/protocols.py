"""What is compared with what: a study is a grid of corpus x method x fold x seed.

The recipes stand here, and the chapters train with the same ones: a reader's own run is one more of the study's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from sertut.corpora import Corpus
from sertut.errors import unknown
from sertut.models import POOLINGS, AttentiveLSTM
from sertut.signals import FEATURES

RECIPES: Mapping[str, Mapping] = {
    "planted": dict(epochs=20),
    "planted-loud": dict(epochs=20),
    "ravdess": dict(epochs=20, stretch=0.15, gain=0.2, time_mask=16),
    "emodb": dict(epochs=20, stretch=0.15, gain=0.2, time_mask=16),
    "spliced-ravdess": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16),
    "spliced-emodb": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16),
}
"""Corpus -> options of :func:`sertut.fit`."""


def recipe(corpus: str) -> dict:
    """Training options for a corpus: ``sertut.fit(model, fold, seed=0, **recipe("planted"))``."""
    if corpus not in RECIPES:
        raise unknown("corpus", corpus, RECIPES)
    return dict(RECIPES[corpus])


@dataclass(frozen=True)
class Training:
    """One cell of the grid; everything that its result depends on, the code aside."""

    corpus: str
    method: str
    fold: int
    seed: int
    options: Mapping = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """Name of its result file; changes with the options."""
        digest = hashlib.sha256(json.dumps(dict(self.options), sort_keys=True).encode()).hexdigest()[:6]
        return f"{self.corpus}-{self.method}-fold{self.fold}-seed{self.seed}-{digest}"


@dataclass(frozen=True)
class Protocol:
    """A study: the question it answers, and its grid. methods: names of :data:`METHODS`."""

    question: str
    corpora: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    folds: int = 5

    def trainings(self) -> list[Training]:
        """All cells of the grid, seeds outermost, so that an interrupted study has whole seeds."""
        return [
            Training(corpus, method, fold, seed, recipe(corpus))
            for seed in self.seeds
            for corpus in self.corpora
            for fold in range(self.folds)
            for method in self.methods
        ]


def build(method: str, corpus: Corpus, feature: str = "log_mel") -> nn.Module:
    """The untrained network behind a method's name.

    Raises:
        SertutError: the method is unknown.
    """
    if method not in POOLINGS:
        raise unknown("method", method, POOLINGS)
    return AttentiveLSTM(FEATURES[feature][1], len(corpus.emotions), pooling=method)


PROTOCOLS: Mapping[str, Protocol] = {
    "regions-planted": Protocol(
        question="Does attention beat the other poolings, and does it find the planted region?",
        corpora=("planted",),
        methods=("last", "mean", "max", "attention", "mixture"),
        folds=3,
    ),
    "regions-planted-loud": Protocol(
        question="The same where the emotional word is the loudest",
        corpora=("planted-loud",),
        methods=("mean", "attention"),
        folds=3,
    ),
    "regions-spliced-ravdess": Protocol(
        question="The same with real voices, the region known by construction",
        corpora=("spliced-ravdess",),
        methods=("mean", "attention"),
        folds=3,
    ),
    "regions-ravdess": Protocol(
        question="Does attention beat mean pooling on real acted speech, with separate speakers?",
        corpora=("ravdess",),
        methods=("mean", "attention"),
    ),
}
"""Name of each study -> its protocol."""


def protocol(name: str) -> Protocol:
    """The protocol behind a study's name; an unknown one is an error that names the nearest."""
    if name not in PROTOCOLS:
        raise unknown("study", name, PROTOCOLS)
    return PROTOCOLS[name]
