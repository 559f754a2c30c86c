"""How much of a score comes from the split? The same classifier under two protocols that differ in nothing else.

The classifier is plain, so that hundreds of fits take seconds: two numbers for each feature of a clip (mean and
standard deviation over its frames), scaled with statistics of train, then logistic regression or the nearest neighbor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sertut.corpora import Corpus, Fold, load_features
from sertut.errors import SertutError, must_be_known
from sertut.evidence import Tally
from sertut.evidence.intervals import confusions_by_speaker

CLASSIFIERS = {"linear": LogisticRegression(C=0.1, max_iter=500), "neighbor": KNeighborsClassifier(1)}
"""Logistic regression, and the class of the most similar training clip: a learner that only remembers."""

GAIN_DB = 3.0
"""How much louder the copies of :func:`compare_copies` are."""


def clip_statistics(corpus: Corpus, feature: str = "log_mel", percentiles: Sequence[float] = ()) -> np.ndarray:
    """Mean and standard deviation over the frames of each clip, then P percentiles, shape (N, (2 + P) F).

    Args:
        feature: "log_mel", "mfcc", or "level" (F = 1): the power of all mel bands together, dB.
    """
    rows: Iterable[torch.Tensor] = load_features(corpus, "log_mel" if feature == "level" else feature, progress=False)
    if feature == "level":
        rows = (10 * torch.log10((10 ** (row / 10)).sum(dim=1, keepdim=True)) for row in rows)
    points = torch.tensor(percentiles) / 100
    tables = ([row.mean(dim=0), row.std(dim=0), *(row.quantile(points, dim=0) if percentiles else ())] for row in rows)
    return np.stack([torch.cat(table).numpy() for table in tables])


def random_like(corpus: Corpus, folds: Sequence[Fold], seed: int) -> list[Fold]:
    """A partition by clip, **wrong on purpose**, with parts of the same sizes as those of `folds`.

    Each clip is in the test part of one fold, as with `folds`; only who speaks on both sides differs.
    """
    generator = np.random.default_rng(seed)
    order, at, result = generator.permutation(len(corpus)), 0, []
    for fold in folds:
        test = order[at : at + len(fold.test)]
        at += len(fold.test)
        rest = generator.permutation(np.setdiff1d(order, test))
        train, dev = rest[: len(fold.train)], rest[len(fold.train) : len(fold.train) + len(fold.dev)]
        pick = lambda indices: corpus.keeping(corpus[i] for i in np.sort(indices))  # noqa: E731
        result.append(Fold(pick(train), pick(dev), pick(test), name=f"random {fold.name}", allow_leaks=True))
    return result


def cross_validate(corpus: Corpus, table: np.ndarray, folds: Sequence[Fold], classifier: str = "linear") -> np.ndarray:
    """Fit on each fold's train, decide on its test; class indices (N,), -1 for clips that no fold tests.

    Args:
        table: one row a clip of `corpus`, shape (N, columns).
        classifier: one of :data:`CLASSIFIERS`.
    """
    row = {clip.name: i for i, clip in enumerate(corpus)}
    labels = np.array([corpus.label(clip) for clip in corpus])
    predicted = np.full(len(corpus), -1)
    for fold in folds:
        train, test = ([row[clip.name] for clip in part] for part in (fold.train, fold.test))
        predicted[test] = build_classifier(classifier).fit(table[train], labels[train]).predict(table[test])
    return predicted


def build_classifier(name: str) -> Pipeline:
    """An unfitted classifier; its scaler is part of it, so that it can only learn from train."""
    must_be_known("classifier", name, CLASSIFIERS)
    return make_pipeline(StandardScaler(), clone(CLASSIFIERS[name]))


def compare(
    corpus: Corpus, protocols: Mapping[str, tuple[np.ndarray, Sequence[Sequence[Fold]]]], classifier: str = "linear"
) -> Tally:
    """A classifier under several protocols, each of which tests every clip of `corpus` once in each of its partitions.

    Args:
        protocols: name -> its table of features (N, columns), and K partitions of the corpus into folds.

    Returns:
        protocol -> "uar" -> confusion matrices (K, S, C', C') of the C' classes that occur; a partition is its "seed".

    Raises:
        SertutError: a partition leaves a clip untested.
    """
    labels, who = np.array([corpus.label(clip) for clip in corpus]), [clip.speaker for clip in corpus]
    here, compact = np.unique(labels, return_inverse=True)
    tables = {}
    for protocol, (features, partitions) in protocols.items():
        confusions = []
        for folds in partitions:
            predicted = cross_validate(corpus, features, folds, classifier)
            if untested := int((predicted < 0).sum()):
                raise SertutError(
                    f"'{protocol}' never tests {untested} clips of {corpus.name}; let its folds cover all."
                )
            called = np.searchsorted(here, predicted)  # a class that does not occur is never called
            confusions.append(confusions_by_speaker(compact, called, who, len(here))[0])
        tables[protocol] = {"uar": np.stack(confusions)}
    seeds = tuple(range(len(confusions)))
    return Tally(corpus.speakers, tables, {"uar": "uar"}, seeds, tuple(corpus.emotions[i] for i in here))


def compare_splits(corpus: Corpus, partitions: int = 5) -> dict[str, Tally]:
    """A "random split" against a "speaker split" with equally many training and test clips, `partitions` times.

    Returns:
        classifier -> its scores under both protocols.
    """
    features, by_speaker = clip_statistics(corpus), regrouped(corpus, partitions)
    at_random = [random_like(corpus, folds, seed) for seed, folds in enumerate(by_speaker)]
    protocols = {"random split": (features, at_random), "speaker split": (features, by_speaker)}
    return {classifier: compare(corpus, protocols, classifier) for classifier in CLASSIFIERS}


def compare_features(
    corpus: Corpus, features: Sequence[str] = ("log_mel", "mfcc", "level"), partitions: int = 5
) -> Tally:
    """The features against one another, on speaker splits, with the linear classifier."""
    cuts = regrouped(corpus, partitions)
    return compare(corpus, {feature: (clip_statistics(corpus, feature), cuts) for feature in features})


def compare_copies(corpus: Corpus, partitions: int = 5, n: int = 5) -> Tally:
    """What happens when recordings are multiplied before the split: "copies split" against "copies together".

    Every clip gets a copy that is 3 dB louder (in log-mel, 3 is added to each number). Either all 2 N are dealt at
    random into `n` groups, or each recording goes to one group with its copy. Speakers are on both sides either way.
    The classifier is the nearest neighbor.
    """
    table = clip_statistics(corpus)
    louder = table.copy()
    louder[:, : table.shape[1] // 2] += GAIN_DB  # the means; a standard deviation does not move
    both = np.concatenate([table, louder])  # (2 N, columns)
    twice = corpus.keeping([*corpus, *(replace(clip, name=f"{clip.name}, louder") for clip in corpus)])
    cuts: dict[str, list[list[Fold]]] = {"copies split": [], "copies together": []}
    for seed in range(partitions):
        generator = np.random.default_rng(seed)
        cuts["copies split"].append(_dealt(twice, generator.permutation(2 * len(corpus)) % n, n))
        cuts["copies together"].append(_dealt(twice, np.tile(generator.permutation(len(corpus)) % n, 2), n))
    return compare(twice, {name: (both, partitions) for name, partitions in cuts.items()}, "neighbor")


def regrouped(corpus: Corpus, partitions: int) -> list[list[Fold]]:
    """So many partitions into folds by speaker, seeded; published folds, of which there is one set, are not used."""
    return [replace(corpus, published_folds=()).folds(seed=seed) for seed in range(partitions)]


def _dealt(corpus: Corpus, groups: np.ndarray, n: int) -> list[Fold]:
    """Folds of which each tests one group of clips; nothing is chosen on dev here."""
    parts = [corpus.keeping(c for c, g in zip(corpus, groups, strict=True) if g == group) for group in range(n)]
    rests = [corpus.keeping(c for c, g in zip(corpus, groups, strict=True) if g != group) for group in range(n)]
    return [Fold(rest, part, part, allow_leaks=True) for rest, part in zip(rests, parts, strict=True)]
