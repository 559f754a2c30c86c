"""What is compared with what: a study is a grid of method x fold x seed on one corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sertut.errors import must_be_known
from sertut.study.flaws import FLAWS
from sertut.study.methods import PEERS, SHARES, find_method, recipe

CHOOSING_SHARE = 0.5
"""The share of the training speakers that a learning rate is chosen with, by seed 0."""


@dataclass(frozen=True)
class Training:
    """One cell of the grid. seed: None for a peer, which draws nothing. options: of :func:`sertut.fit`."""

    corpus: str
    method: str
    fold: int
    seed: int | None
    options: Mapping = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Protocol:
    """A study: the question it answers, and its grid.

    methods: names of :data:`METHODS`. folds: how many, the first ones. rates: learning rates to choose from, in each
    fold on its own dev speakers, for each start by itself; () where the recipe's own is used. peers: methods without a
    network, which run once in each fold. fewer: method -> its seeds, where no more are there yet; with fewer than three
    a difference is shown and carries no claim. corpus: told by the name of each of :data:`PROTOCOLS`.
    """

    question: str
    methods: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    folds: int = 5
    rates: tuple[float, ...] = ()
    peers: tuple[str, ...] = ()
    fewer: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    corpus: str = "planted"

    def candidates(self) -> list[Training]:
        """What the learning rates are chosen by; some are cells of the grid at the same time."""
        return [
            self._training(method, fold, 0, {"learning_rate": rate})
            for fold in range(self.folds)
            for method in self.methods
            if find_method(method).share == CHOOSING_SHARE
            for rate in self.rates
        ]

    def trainings(self, chosen: Mapping[tuple[int, str], Mapping] = MappingProxyType({})) -> list[Training]:
        """All cells of the grid, peers first, then seeds outermost, so that an interrupted study has whole seeds.

        chosen: (fold, start) -> what was chosen for it, where there are :attr:`rates`.
        """
        runs = [(None, self.peers), *((seed, self.methods) for seed in self.seeds)]
        return [
            self._training(method, fold, seed, chosen.get((fold, start_of(method)), {}))
            for seed, methods in runs
            for fold in range(self.folds)
            for method in methods
            if seed in self.fewer.get(method, (seed,))
        ]

    def _training(self, method: str, fold: int, seed: int | None, chosen: Mapping) -> Training:
        return Training(self.corpus, method, fold, seed, {**recipe(self.corpus, method), **chosen})


def start_of(method: str) -> str:
    """The name of a method without its share of the speakers."""
    return method.split(", ")[0]


def _over_shares(*starts: str) -> tuple[str, ...]:
    return tuple(f"{start}, {share:.0%}" for start in starts for share in SHARES)


KNOWN_REGION = "The same with real voices, the region known by construction"
LOUDEST = "The same where the emotional word is the loudest"
WHOLE = "What does a network lose that learns from segments, each with the label of its whole clip?"
IN_GERMAN = "The same in German, one speaker tested at a time"
EARS = ("ear-mean", "ear-attention", "ear-heads", "ear-cells", "ear-perception")
RATES = (3e-4, 1e-3, 3e-3)
THREE = (0, 1, 2)
"""Seeds that are enough where the speakers of all folds stand behind a difference."""

_PLANS = {
    "regions-planted": Protocol(
        "Does attention beat the other poolings, and does it find the planted region?",
        ("last", "mean", "max", "attention", "mixture"),
        THREE,
    ),
    "regions-planted-loud": Protocol(LOUDEST, ("mean", "attention"), THREE),
    "regions-spliced-ravdess": Protocol(KNOWN_REGION, ("mean", "attention"), THREE),
    "regions-ravdess": Protocol(
        "Does attention beat mean pooling on real acted speech, with separate speakers?",
        ("mean", "attention"),
    ),
    "spectrogram-planted": Protocol(
        "Which patch of the spectrogram matters, how fine can the map be, and what does lambda do?",
        ("fine-mean", "fine", "fine-lambda-3", "small-mean", "small"),
        THREE,
    ),
    "spectrogram-planted-band": Protocol("The same where the cue is heard below or above 2 kHz only", ("fine",), THREE),
    "spectrogram-spliced-ravdess": Protocol(KNOWN_REGION, ("fine-mean", "fine"), folds=1),
    "spectrogram-ravdess": Protocol(
        "How good is a fully convolutional network on real acted speech, and does attention help it?",
        ("small-mean", "small"),
    ),
    "segments-planted": Protocol(WHOLE, ("small-mean", "small-mean-segments"), THREE),
    "segments-ravdess": Protocol(WHOLE, ("small-mean", "small-mean-segments"), THREE),
    "transfer-ravdess": Protocol(
        "Does a network that has seen photographs recognize emotions better, and from how many speakers?",
        _over_shares("squeezenet-random", "squeezenet-imagenet"),
        folds=1,
        rates=RATES,
    ),
    "transfer-planted": Protocol(
        "The same with the planted corpus, where only the photographs of the libraries are used",
        _over_shares("small-random", "small-photographs"),
        folds=1,
        rates=RATES,
    ),
    "heads-planted": Protocol(
        "Do many heads look where it is loud, what do focus and calibration change, and does it help?",
        ("front", "plain", "+FA", "+CA", "+FA+CA", "+loudest", "plain-mfcc", "+FA+CA-mfcc"),
        THREE,
    ),
    "heads-planted-loud": Protocol(LOUDEST, ("plain", "+FA", "+FA+CA", "+loudest"), THREE),
    "heads-spliced-ravdess": Protocol(KNOWN_REGION, ("plain", "+FA", "+CA", "+FA+CA"), folds=1),
    "heads-ravdess": Protocol("The same on real acted speech", ("plain", "+FA", "+CA", "+FA+CA")),
    "faces-planted": Protocol(
        "Does attention find the region in the face, is it where the voice's is, are mixtures read as such?",
        ("voice", "face", "face-mean", "voice-mixture", "face-mixture"),
        THREE,
    ),
    "streams-planted": Protocol(
        "Is the offset between voice and face found, and what does perception attention add?",
        ("nearest", "align", "align+lag+sync", "fused-mean", "perception", "one-embedding"),
        folds=1,
    ),
    "streams-planted-blend": Protocol(
        "Does each emotion's question find its own moment, when clips with two emotions are what it learns from?",
        ("one-embedding", "perception"),
        THREE,
    ),
    "streams-planted-decoy": Protocol(
        "The same where only alignment tells which of two expressions is the true one",
        ("voice", "face", "nearest", "align", "align+lag", "align+sync", "align+lag+sync"),
        THREE,
    ),
    "voices-ravdess": Protocol(
        "What do the four families differ in on real voices, when all hear through one front?", EARS, THREE
    ),
    "voices-spliced-ravdess": Protocol(KNOWN_REGION, EARS, THREE, fewer=dict.fromkeys(EARS[2:4], (0,))),
    "voices-emodb": Protocol(IN_GERMAN, EARS, THREE, folds=10),
    "flaws-ravdess": Protocol(
        "How much does each flaw of a protocol add to the score of the attentive network behind the front?",
        FLAWS,
        THREE,
    ),
    "peers-ravdess": Protocol("What do classifiers without a network get?", peers=PEERS),
    "peers-spliced-ravdess": Protocol("The same on spliced voices", peers=PEERS),
    "peers-emodb": Protocol(IN_GERMAN, folds=10, peers=PEERS),
}
PROTOCOLS: Mapping[str, Protocol] = {
    name: replace(plan, corpus=name.partition("-")[2]) for name, plan in _PLANS.items()
}
"""Name of each study, whose corpus is what stands behind its first hyphen -> its protocol."""


def protocol(name: str) -> Protocol:
    """The protocol behind a study's name; an unknown one is an error that names the nearest."""
    must_be_known("study", name, PROTOCOLS)
    return PROTOCOLS[name]
