"""What can be trained: each method's network, and the recipe that it is trained by on each kind of corpus.

The chapters and the studies train with the same ones: a reader's own run is one more of the study's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from sertut.corpora import MADE, NAMES, Corpus
from sertut.corpora.own import table_of
from sertut.errors import SertutError, must_be_known, unknown
from sertut.models import POOLINGS, TRUNKS, AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead
from sertut.signals import FEATURES
from sertut.study.flaws import FLAWS
from sertut.study.starts import OnSegments, transfer_network
from sertut.video import FACE_FEATURES

DISTORTED = dict(stretch=0.15, gain=0.2, time_mask=16)
FACES = dict(face="hog_relative", similar=True)
# Two dev speakers are too few to choose an epoch by, so the last one is kept, averaged over some hundred steps.
LAST = dict(average=0.99, keep="last")
# Real speakers differ in more than the emotion, so networks of many heads read them relative to the clip.
RELATIVE = dict(feature="log_mel_relative_level")

# Found on dev speakers of RAVDESS (book/tried.csv): what helps most is that no clip is cut, and none padded.
EAR = dict(feature="log_mel_long", similar=True, whole=True, keep="last", balanced=True, weight_decay=0.02)
OTHERS = dict(stretch=0.2, gain=0.3, frequency_mask=8, time_mask=20, voices=0.6, average=0.995)

RECIPES: Mapping[str, Mapping[str, Mapping]] = {
    "recurrent": {
        "made": dict(epochs=20),
        "recorded": dict(epochs=20, **DISTORTED),
        "spliced": dict(epochs=12, **DISTORTED),
    },
    "convolutional": {
        "made": dict(epochs=18, similar=True),
        "recorded": dict(epochs=20, similar=True, **LAST, **DISTORTED),
        "spliced": dict(epochs=12, similar=True, stretch=0.15, gain=0.2),
    },
    "heads": {
        "made": dict(epochs=16, similar=True, feature="log_mel_level"),
        "recorded": dict(epochs=24, similar=True, **LAST, **DISTORTED, **RELATIVE),
        "spliced": dict(epochs=12, similar=True, **DISTORTED, **RELATIVE),
    },
    "audiovisual": {
        "made": dict(epochs=12, **FACES),
        "recorded": dict(epochs=20, **FACES, **LAST),
    },
    "one front": {
        "made": dict(epochs=20, average=0.99, **EAR),
        "recorded": dict(epochs=60, **EAR, **OTHERS),
        "spliced": dict(epochs=30, **EAR, **OTHERS),
    },
    "transfer": {
        "made": dict(epochs=8, learning_rate=1e-3),
        "recorded": dict(epochs=8, learning_rate=1e-3, **DISTORTED),
        "spliced": dict(epochs=8, learning_rate=1e-3, **DISTORTED),
    },
}
"""Family of networks -> kind of corpus -> options of :func:`sertut.fit`."""

HARDER: Mapping[str, Mapping] = {
    "planted-band": dict(epochs=30),
    "planted-blend": dict(epochs=24),
    "planted-decoy": dict(epochs=20, learning_rate=5e-3),
}
"""Made corpora whose cue is hard to learn -> what changes in the recipe (book/tried.csv)."""

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Shares of the training speakers that a study of transfer tries."""


@dataclass(frozen=True)
class Method:
    """A way to make and train a network, or to fit a peer that has none.

    family: a key of :data:`RECIPES`, or "peer". arguments: of the family's network, or of
    :func:`sertut.study.peers.fit_peer`. feature: what it reads, if not what its recipe says. start: where the weights
    of its trunk come from ("random", "photographs", "imagenet"; see :mod:`sertut.study.starts`). share: of the training
    speakers, their clips repeated until there are as many.
    """

    family: str
    arguments: Mapping = field(default_factory=dict)
    feature: str | None = None
    start: str = "random"
    share: float = 1.0

    @property
    def recipes(self) -> str:
        """The key of :data:`RECIPES`: what hears through the one front is trained by one recipe."""
        return "one front" if "front" in self.arguments or self.arguments.get("trunk") == "front" else self.family


SYNCHRONY = dict(synchrony=1.0)
LAG_SYNCHRONY = dict(fusion="one lag", synchrony=1.0)
STARTS = (("small", "random"), ("small", "photographs"), ("squeezenet", "random"), ("squeezenet", "imagenet"))

WIDTH = 16
"""W of the front in the studies of real voices."""
EAR_LSTM = dict(n_hidden=48, front=WIDTH)
EAR_HEADS = dict(n_hidden=96, front=WIDTH)

METHODS: Mapping[str, Method] = {
    **{pooling: Method("recurrent", dict(pooling=pooling)) for pooling in POOLINGS},
    **{trunk: Method("convolutional", dict(trunk=trunk)) for trunk in TRUNKS},
    **{f"{trunk}-mean": Method("convolutional", dict(trunk=trunk, pooling="mean")) for trunk in TRUNKS},
    "small-mean-segments": Method("convolutional", dict(trunk="small", pooling="mean", segments=1.0)),
    **{f"fine-lambda-{x:g}": Method("convolutional", dict(trunk="fine", scale=x)) for x in (0.1, 1.0, 3.0)},
    "front": Method("heads", dict(n_blocks=0)),  # the mean of its convolutions, no attention
    "plain": Method("heads"),
    "+FA": Method("heads", dict(focus="learned")),
    "+CA": Method("heads", dict(calibrate=True)),
    "+FA+CA": Method("heads", dict(focus="learned", calibrate=True)),
    "+loudest": Method("heads", dict(focus="loudest")),
    "plain-mfcc": Method("heads", feature="mfcc_level"),
    "+FA+CA-mfcc": Method("heads", dict(focus="learned", calibrate=True), feature="mfcc_level"),
    "ear-mean": Method("recurrent", dict(pooling="mean", **EAR_LSTM)),
    "ear-max": Method("recurrent", dict(pooling="max", **EAR_LSTM)),
    "ear-attention": Method("recurrent", EAR_LSTM),
    **{flaw: Method("recurrent", EAR_LSTM) for flaw in FLAWS},
    "ear-heads": Method("heads", EAR_HEADS, "log_mel_long_level"),
    "ear-heads+FA": Method("heads", dict(focus="learned", **EAR_HEADS), "log_mel_long_level"),
    "ear-heads+FA+CA": Method("heads", dict(focus="learned", calibrate=True, **EAR_HEADS), "log_mel_long_level"),
    "ear-cells": Method("convolutional", dict(trunk="front", width=WIDTH, scale=1.0)),
    "ear-cells-mean": Method("convolutional", dict(trunk="front", width=WIDTH, pooling="mean")),
    "ear-perception": Method("audiovisual", dict(streams="voice", **EAR_LSTM)),
    "ear-one-embedding": Method("audiovisual", dict(streams="voice", pooling="one embedding", **EAR_LSTM)),
    "voice": Method("audiovisual", dict(streams="voice", pooling="attention")),
    "face": Method("audiovisual", dict(streams="face", pooling="attention")),
    "nearest": Method("audiovisual", dict(fusion="nearest", pooling="attention")),
    "align": Method("audiovisual", dict(pooling="attention", score="additive")),
    "align+lag": Method("audiovisual", dict(pooling="attention", fusion="one lag")),
    "align+sync": Method("audiovisual", dict(pooling="attention", **SYNCHRONY)),
    "align+lag+sync": Method("audiovisual", dict(pooling="attention", **LAG_SYNCHRONY)),
    "fused-mean": Method("audiovisual", dict(pooling="mean", **LAG_SYNCHRONY)),
    "perception": Method("audiovisual", dict(pooling="perception", **LAG_SYNCHRONY)),
    "one-embedding": Method("audiovisual", dict(pooling="one embedding", **LAG_SYNCHRONY)),
    "face-mean": Method("audiovisual", dict(streams="face", pooling="mean")),
    "voice-mixture": Method("audiovisual", dict(streams="voice", pooling="mixture")),
    "face-mixture": Method("audiovisual", dict(streams="face", pooling="mixture")),
    **{
        f"{trunk}-{start}, {share:.0%}": Method("transfer", dict(trunk=trunk), start=start, share=share)
        for trunk, start in STARTS
        for share in SHARES
    },
    "most-frequent": Method("peer", dict(hears="nothing", deciding="most frequent")),
    "statistics": Method("peer", dict(hears="log_mel", deciding="logistic")),
    "egemaps": Method("peer", dict(hears="egemaps", deciding="svm")),
}
"""Name -> method. A trunk with attention goes by the trunk's name; a start by its trunk, its weights, and the share."""

PEERS = tuple(name for name, method in METHODS.items() if method.family == "peer")
"""The methods without a network."""


def recipe(corpus: str, method: str = "attention") -> dict:
    """Training options of a method on a corpus: ``sertut.fit(model, fold, seed=0, **recipe("planted", "fine"))``.

    They depend on the method's family and on the kind of corpus: made by sertut, recorded, or spliced from recordings.
    A peer has none.

    Raises:
        SertutError: unknown corpus or method; a network that sees is asked to learn from a corpus without faces.
    """
    plan, kind = find_method(method), kind_of(corpus)
    if plan.family == "peer":
        return {}
    if kind not in RECIPES[plan.recipes]:
        raise SertutError(f"'{method}' looks at faces, and '{corpus}' has none; choose a corpus with videos.")
    options = {**RECIPES[plan.recipes][kind], **HARDER.get(corpus, {})}
    if "segments" in plan.arguments:  # a second of clips of 2 to 3 s: so it hears as much in all
        options["epochs"] = 5 * options["epochs"] // 2
    return options | ({"feature": plan.feature} if plan.feature else {})


def kind_of(corpus: str) -> str:
    """Where the speech of a corpus comes from: "made" by sertut, "spliced" from recordings, or "recorded".

    A table of the reader's, by its path or its name, is recorded.
    """
    if corpus not in NAMES and not table_of(corpus):
        raise unknown("corpus", corpus, NAMES)
    return "made" if corpus in MADE else "spliced" if corpus.startswith("spliced-") else "recorded"


def find_method(name: str) -> Method:
    """The method behind a name; an unknown one is an error that names the nearest."""
    must_be_known("method", name, METHODS)
    return METHODS[name]


def build(
    method: str, corpus: Corpus, feature: str | None = None, seed: int = 0, weights: Path | str | None = None
) -> nn.Module:
    """The untrained network behind a method's name.

    Args:
        feature: what it will read, if not what its recipe says.
        seed, weights: of a trunk that has seen photographs; see :func:`~sertut.study.starts.transfer_network`.

    Raises:
        SertutError: the method is unknown or has no network, or its weights cannot be had.
    """
    plan = find_method(method)
    if plan.family == "peer":
        raise SertutError(f"'{method}' has no network; fit it with sertut.study.fit_peer(fold, **arguments).")
    n_classes = len(corpus.emotions)
    if plan.family == "recurrent":
        return AttentiveLSTM(FEATURES[feature or "log_mel"].n_columns, n_classes, **plan.arguments)
    if plan.family == "convolutional":
        network = OnSegments if "segments" in plan.arguments else FullyConvolutional
        return network(n_classes, **plan.arguments)
    if plan.family == "heads":
        with_level = FEATURES[feature or recipe(corpus.name, method)["feature"]].n_columns
        width: dict = dict(n_hidden=96) if kind_of(corpus.name) == "recorded" else {}
        return MultiHead(with_level - 1, n_classes, **{**width, **plan.arguments})  # the level is no feature
    if plan.family == "audiovisual":
        n_voice, n_face = FEATURES[feature or "log_mel"].n_columns, FACE_FEATURES["hog_relative"][1]
        return AudioVisual(n_voice, n_face, n_classes, **plan.arguments)
    return transfer_network(n_classes, plan.arguments["trunk"], plan.start, seed, weights)
