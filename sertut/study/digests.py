"""What the result of a training depends on, in short digests: when one changes, the result is out of date."""

from __future__ import annotations

import functools
from importlib.metadata import version

from sertut.corpora import Corpus
from sertut.corpora.cache import content_hash
from sertut.files import code_of
from sertut.study.flaws import FLAWS
from sertut.study.methods import METHODS, PEERS, kind_of
from sertut.study.peers import opensmile_version
from sertut.study.protocols import Training
from sertut.tensors import digest

HERE = tuple(f"study/{name}.py" for name in ("grid", "starts", "photographs", "imageweights"))
CODE = ("signals", "video", "corpora", "attention", "models", "training", "evidence", *HERE)
"""Rooms and files whose code every result depends on."""


def training_digests(training: Training, corpus: Corpus) -> dict[str, str]:
    """Digests of all that a result depends on: the recordings, the method, its options, the code, and packages."""
    return {
        **peer_versions(training.method),
        "corpus": corpus_digest(corpus),
        "torch": version("torch"),
        **plan_digests(training.corpus, training.method),
        "options": digest(dict(training.options)),
    }


def plan_digests(corpus: str, method: str) -> dict[str, str]:
    """The digests that can be known without the recordings: of the method and of the code."""
    code = {"code": code_digest(kind_of(corpus) == "made")}
    if method in PEERS:
        code["peers"] = digest(code_of("study/peers.py", "study/leak.py"))
    if method in FLAWS:
        code["flaws"] = digest(code_of("study/flaws.py", "study/leak.py"))
    return {"method": digest(repr(METHODS.get(method))), **code}


def peer_versions(method: str) -> dict[str, str]:
    """Packages that a peer's result depends on, torch aside; none where there is a network.

    Raises:
        SertutError: one is not installed.
    """
    if method not in PEERS:
        return {}
    heard = {"opensmile": opensmile_version()} if METHODS[method].arguments["hears"] == "egemaps" else {}
    return {"scikit-learn": version("scikit-learn"), **heard}


def corpus_digest(corpus: Corpus) -> str:
    """Digest of names, speakers, labels, regions, and of the bytes of all recordings; not of where they lie."""
    rows = [
        [clip.name, clip.speaker, clip.emotion, clip.regions, clip.details]
        + [content_hash(path) for path in (clip.audio, clip.video) if path]
        for clip in corpus
    ]
    folds = [[sorted(test), sorted(dev)] for test, dev in corpus.published_folds]
    return digest(repr([corpus.name, corpus.emotions, folds, rows]))


@functools.cache
def code_digest(made: bool) -> str:
    """Digest of the code that trains and evaluates, and where sertut `made` the corpus, of what made it."""
    return digest(code_of(*CODE, *(["planted"] if made else [])))
