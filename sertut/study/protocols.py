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
from sertut.models import POOLINGS, AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead
from sertut.models.trunks import TRUNKS
from sertut.signals import FEATURES
from sertut.video import FACE_FEATURES

RECIPES: Mapping[str, Mapping] = {
    "planted": dict(epochs=20),
    "planted-loud": dict(epochs=20),
    "ravdess": dict(epochs=20, stretch=0.15, gain=0.2, time_mask=16),
    "emodb": dict(epochs=20, stretch=0.15, gain=0.2, time_mask=16),
    "spliced-ravdess": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16),
    "spliced-emodb": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16),
}
"""Corpus -> options of :func:`sertut.fit` for the recurrent network."""

FAST = dict(similar=True)
LAST = dict(average=0.99, keep="last")
RECORDED = dict(**LAST, stretch=0.15, gain=0.2, time_mask=16)
# Two dev speakers are too few to choose an epoch by, so the last one is kept, averaged over some hundred steps.

CONVOLUTIONAL_RECIPES: Mapping[str, Mapping] = {
    "planted": dict(epochs=18, **FAST),
    "planted-loud": dict(epochs=18, **FAST),
    "planted-band": dict(epochs=30, **FAST),
    "ravdess": dict(epochs=20, **FAST, **RECORDED),
    "emodb": dict(epochs=20, **FAST, **RECORDED),
    "spliced-ravdess": dict(epochs=12, stretch=0.15, gain=0.2, **FAST),
    "spliced-emodb": dict(epochs=12, stretch=0.15, gain=0.2, **FAST),
}
"""The same for the fully convolutional networks."""

VOICES = dict(feature="log_mel_relative_level")  # real speakers differ in more than the emotion
HEADS_RECIPES: Mapping[str, Mapping] = {
    "planted": dict(epochs=16, feature="log_mel_level", **FAST),
    "planted-loud": dict(epochs=16, feature="log_mel_level", **FAST),
    "planted-band": dict(epochs=30, feature="log_mel_level", **FAST),
    "ravdess": dict(epochs=24, **FAST, **RECORDED, **VOICES),
    "emodb": dict(epochs=24, **FAST, **RECORDED, **VOICES),
    "spliced-ravdess": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16, **FAST, **VOICES),
    "spliced-emodb": dict(epochs=12, stretch=0.15, gain=0.2, time_mask=16, **FAST, **VOICES),
}
"""The same for many heads."""

FACES = dict(face="hog_relative", similar=True)
AUDIOVISUAL_RECIPES: Mapping[str, Mapping] = {
    "planted": dict(epochs=12, **FACES),
    "planted-blend": dict(epochs=12, **FACES),
    "planted-decoy": dict(epochs=20, **FACES),
    "ravdess-video": dict(epochs=20, **FACES, **LAST),
    "cremad": dict(epochs=20, **FACES, **LAST),
    "afew": dict(epochs=20, **FACES, **LAST),
}
"""The same for voice and face."""

CONVOLUTIONAL: Mapping[str, Mapping] = {
    **{trunk: dict(trunk=trunk) for trunk in TRUNKS},
    **{f"{trunk}-mean": dict(trunk=trunk, pooling="mean") for trunk in TRUNKS},
    **{f"fine-lambda-{scale:g}": dict(trunk="fine", scale=scale) for scale in (0.1, 1.0, 3.0)},
}
"""Method -> arguments of :class:`~sertut.models.FullyConvolutional`; each trunk with attention goes by its own name."""

HEADS: Mapping[str, Mapping] = {
    "front": dict(n_blocks=0),
    "plain": dict(),
    "+FA": dict(focus="learned"),
    "+CA": dict(calibrate=True),
    "+FA+CA": dict(focus="learned", calibrate=True),
    "+loudest": dict(focus="loudest"),
    "plain-mfcc": dict(),
    "+FA+CA-mfcc": dict(focus="learned", calibrate=True),
}
"""Method -> arguments of :class:`~sertut.models.MultiHead`; "front" is the mean of its convolutions, no attention."""

LAG = dict(fusion="one lag")
SYNCHRONY = dict(synchrony=1.0)
AUDIOVISUAL: Mapping[str, Mapping] = {
    "voice": dict(streams="voice", pooling="attention"),
    "face": dict(streams="face", pooling="attention"),
    "nearest": dict(fusion="nearest", pooling="attention"),
    "align": dict(pooling="attention", score="additive"),
    "align+lag": dict(pooling="attention", **LAG),
    "align+sync": dict(pooling="attention", **SYNCHRONY),
    "align+lag+sync": dict(pooling="attention", **LAG, **SYNCHRONY),
    "fused-mean": dict(pooling="mean", **LAG, **SYNCHRONY),
    "perception": dict(pooling="perception", **LAG, **SYNCHRONY),
    "one-embedding": dict(pooling="one embedding", **LAG, **SYNCHRONY),
    "face-mean": dict(streams="face", pooling="mean"),
    "voice-mixture": dict(streams="voice", pooling="mixture"),
    "face-mixture": dict(streams="face", pooling="mixture"),
}
"""Method -> arguments of :class:`~sertut.models.AudioVisual`."""

WIDTHS: Mapping[str, Mapping] = {"ravdess": dict(n_hidden=96), "emodb": dict(n_hidden=96)}
"""Corpus -> what differs there from the standard sizes of :class:`~sertut.models.MultiHead`."""

METHODS = (*POOLINGS, *CONVOLUTIONAL, *HEADS, *AUDIOVISUAL)
"""All methods: poolings of :class:`~sertut.models.AttentiveLSTM`, convolutional ones, many heads, two streams."""

FAMILIES = ((CONVOLUTIONAL, CONVOLUTIONAL_RECIPES), (HEADS, HEADS_RECIPES), (AUDIOVISUAL, AUDIOVISUAL_RECIPES))


def recipe(corpus: str, method: str = "attention") -> dict:
    """Training options of a method on a corpus: ``sertut.fit(model, fold, seed=0, **recipe("planted", "fine"))``."""
    recipes = next((recipes for methods, recipes in FAMILIES if method in methods), RECIPES)
    if corpus not in recipes:
        raise unknown("corpus", corpus, recipes)
    return dict(recipes[corpus]) | ({"feature": "mfcc_level"} if method.endswith("-mfcc") else {})


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
            Training(corpus, method, fold, seed, recipe(corpus, method))
            for seed in self.seeds
            for corpus in self.corpora
            for fold in range(self.folds)
            for method in self.methods
        ]


def build(method: str, corpus: Corpus, feature: str | None = None) -> nn.Module:
    """The untrained network behind a method's name.

    Args:
        feature: what it will read, if not what its recipe says.

    Raises:
        SertutError: the method is unknown.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if method in CONVOLUTIONAL:
        return FullyConvolutional(len(corpus.emotions), **CONVOLUTIONAL[method])
    if method in HEADS:
        n_features = FEATURES[feature or recipe(corpus.name, method)["feature"]][1] - 1
        arguments: dict = {**WIDTHS.get(corpus.name, {}), **HEADS[method]}
        return MultiHead(n_features, len(corpus.emotions), **arguments)
    if method in AUDIOVISUAL:
        n_voice, n_face = FEATURES[feature or "log_mel"][1], FACE_FEATURES["hog_relative"][1]
        return AudioVisual(n_voice, n_face, len(corpus.emotions), **AUDIOVISUAL[method])
    return AttentiveLSTM(FEATURES[feature or "log_mel"][1], len(corpus.emotions), pooling=method)


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
    "spectrogram-planted": Protocol(
        question="Which patch of the spectrogram matters, how fine can the map be, and what does lambda do?",
        corpora=("planted",),
        methods=("fine-mean", "fine", "fine-lambda-3", "small-mean", "small"),
        folds=2,
    ),
    "spectrogram-planted-band": Protocol(
        question="The same where the cue is heard below or above 2 kHz only",
        corpora=("planted-band",),
        methods=("fine",),
        folds=1,
    ),
    "spectrogram-spliced-ravdess": Protocol(
        question="The same with real voices, the region known by construction",
        corpora=("spliced-ravdess",),
        methods=("fine-mean", "fine"),
        folds=1,
    ),
    "spectrogram-ravdess": Protocol(
        question="How good is a fully convolutional network on real acted speech, and does attention help it?",
        corpora=("ravdess",),
        methods=("small-mean", "small"),
    ),
    "heads-planted": Protocol(
        question="Do many heads look where it is loud, what do focus and calibration change, and does it help?",
        corpora=("planted",),
        methods=("front", "plain", "+FA", "+CA", "+FA+CA", "+loudest", "plain-mfcc", "+FA+CA-mfcc"),
        folds=2,
    ),
    "heads-planted-loud": Protocol(
        question="The same where the emotional word is the loudest",
        corpora=("planted-loud",),
        methods=("plain", "+FA", "+FA+CA", "+loudest"),
        folds=2,
    ),
    "heads-spliced-ravdess": Protocol(
        question="The same with real voices, the region known by construction",
        corpora=("spliced-ravdess",),
        methods=("plain", "+FA", "+CA", "+FA+CA"),
        folds=1,
    ),
    "faces-planted": Protocol(
        question="Does attention find the region in the face, is it where the voice's is, are mixtures read as such?",
        corpora=("planted",),
        methods=("voice", "face", "face-mean", "voice-mixture", "face-mixture"),
        folds=1,
    ),
    "streams-planted": Protocol(
        question="Is the offset between voice and face found, and what does perception attention add?",
        corpora=("planted",),
        methods=("nearest", "align", "align+lag+sync", "fused-mean", "perception", "one-embedding"),
        folds=1,
    ),
    "streams-planted-decoy": Protocol(
        question="The same where only alignment tells which of two expressions is the true one",
        corpora=("planted-decoy",),
        methods=("voice", "face", "nearest", "align", "align+lag", "align+sync", "align+lag+sync"),
        folds=1,
    ),
    "heads-ravdess": Protocol(
        question="The same on real acted speech",
        corpora=("ravdess",),
        methods=("plain", "+FA", "+CA", "+FA+CA"),
    ),
}
"""Name of each study -> its protocol."""


def protocol(name: str) -> Protocol:
    """The protocol behind a study's name; an unknown one is an error that names the nearest."""
    if name not in PROTOCOLS:
        raise unknown("study", name, PROTOCOLS)
    return PROTOCOLS[name]
