"""Peers without a network: what a linear classifier gets from numbers that describe a whole clip, on the same folds.

A network that reads every frame should beat them. Each peer hears a table of one row a clip, and its one setting, the
strength C of a linear classifier, is chosen on the dev speakers of its fold:

    hears       columns                                                                        source
    log_mel     of each of 64 bands mean, standard deviation, and the 10, 50, 90 % points      sertut.signals
    egemaps     88 functionals of pitch, loudness, voice quality, spectrum and tempo           opensmile, eGeMAPSv02
    nothing     none                                                                           always the frequent class

Source: Eyben et al., IEEE Transactions on Affective Computing 7(2):190-202 (2016), doi 10.1109/TAFFC.2015.2457417.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sertut.corpora import Corpus, Fold
from sertut.corpora.cache import of_samples
from sertut.errors import AudioError, SertutError, must_be_known, unknown
from sertut.evidence import Tally
from sertut.evidence.intervals import confusions_by_speaker
from sertut.signals import SAMPLE_RATE
from sertut.study.leak import clip_statistics
from sertut.training.metrics import confusion, uar

PERCENTILES = (10, 50, 90)
"""Points of the distribution of each band over the frames of a clip."""

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""What C is chosen from; the smaller, the simpler the classifier."""

HEARD = ("log_mel", "egemaps", "nothing")
DECIDING: Mapping[str, Callable] = {
    "logistic": lambda C: LogisticRegression(C=C, class_weight="balanced", max_iter=2000),
    "svm": lambda C: LinearSVC(C=C, class_weight="balanced", dual=False),  # this solver draws nothing at random
    "most frequent": lambda C: DummyClassifier(strategy="most_frequent"),
}
"""How a peer decides -> its classifier of a strength C."""


@dataclass(frozen=True)
class Peer:
    """A classifier that was fitted on the training speakers of a fold.

    hears: one of :data:`HEARD`. classifier: its standardization is part of it. strength: the C that was chosen, 0 where
    there is none. tried: C -> UAR on dev. seconds: of fitting and choosing, without the features.
    """

    hears: str
    classifier: Pipeline
    strength: float
    tried: Mapping[float, float]
    seconds: float

    @property
    def n_parameters(self) -> int:
        """Fitted numbers of the classifier; those of the standardization are not counted."""
        return sum(np.size(getattr(self.classifier[-1], name, ())) for name in ("coef_", "intercept_"))

    def decide(self, corpus: Corpus) -> Tally:
        """Decisions on every clip, in the form of :attr:`sertut.evidence.Report.decisions`.

        They depend on no seed, and say so: the one "seed" is None.
        """
        labels, who = [corpus.label(clip) for clip in corpus], [clip.speaker for clip in corpus]
        predicted = self.classifier.predict(hear(corpus, self.hears))
        table, names = confusions_by_speaker(labels, predicted, who, len(corpus.emotions))
        return Tally(names, {"model": {"uar": table[None]}}, {"uar": "uar"}, (None,), corpus.emotions)


def fit_peer(fold: Fold, hears: str, deciding: str) -> Peer:
    """Fit one classifier for each C on train, keep the one with the highest UAR on dev; the smallest C of equals.

    Classes have equal weights, as in UAR. There is no chance in it: the same fold gives the same classifier.

    Args:
        hears: one of :data:`HEARD`. deciding: one of :data:`DECIDING`.

    Raises:
        SertutError: unknown names; opensmile is needed and not installed; a clip is too short for it.
    """
    train, dev = hear(fold.train, hears), hear(fold.dev, hears)
    labels, truth = ([part.label(clip) for clip in part] for part in (fold.train, fold.dev))
    started = time.perf_counter()
    strengths = (0.0,) if deciding == "most frequent" else STRENGTHS
    fitted = {C: build_peer(deciding, C).fit(train, labels) for C in strengths}
    tried = {C: float(uar(confusion(truth, one.predict(dev), len(fold.emotions)))) for C, one in fitted.items()}
    best = max(strengths, key=tried.__getitem__)
    return Peer(hears, fitted[best], best, tried, time.perf_counter() - started)


def build_peer(deciding: str, strength: float) -> Pipeline:
    """An unfitted classifier; its standardization is part of it, so that it can only learn from train."""
    must_be_known("classifier", deciding, DECIDING)
    return make_pipeline(StandardScaler(), DECIDING[deciding](strength))


def hear(corpus: Corpus, hears: str) -> np.ndarray:
    """One row a clip, (N, columns), by statistics of that clip alone; see :data:`HEARD`."""
    if hears == "log_mel":
        return clip_statistics(corpus, "log_mel", PERCENTILES)
    if hears == "egemaps":
        return egemaps(corpus)
    if hears == "nothing":
        return np.zeros((len(corpus), 1))
    raise unknown("table of features", hears, HEARD)


def egemaps(corpus: Corpus) -> np.ndarray:
    """The 88 functionals of eGeMAPSv02 of each clip, shape (N, 88); computed once, kept on disk.

    Raises:
        SertutError: opensmile is not installed; a clip is too short.
    """
    kind = f"egemaps-{opensmile_version()}"
    import opensmile  # an extra, and slow to import

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)

    def functionals(samples: np.ndarray) -> torch.Tensor:
        row = torch.tensor(smile.process_signal(samples, SAMPLE_RATE).to_numpy()[0])
        if not row.isfinite().all():
            raise AudioError("the clip is too short for eGeMAPS; leave it out, or record it again.")
        return row

    return torch.stack(of_samples(corpus, functionals, kind, "eGeMAPS functionals")).numpy()


def opensmile_version() -> str:
    """The installed version: what is kept on disk depends on it.

    Raises:
        SertutError: it is not installed.
    """
    try:
        return version("opensmile")
    except PackageNotFoundError as missing:
        remedy = "pip install 'sertut[peers]' (free for research and teaching only)"
        raise SertutError(f"eGeMAPS needs opensmile, which is not installed; run {remedy}.") from missing
