"""How much of a score comes from the split? The same classifier under two protocols that differ in nothing else.

The classifier is plain, so that hundreds of fits take seconds: two numbers for each feature of a clip (mean and
standard deviation over its frames), scaled with statistics of train, then logistic regression or the nearest neighbor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sertut.corpora import RECORDED, Corpus, Fold, load, load_features
from sertut.errors import unknown
from sertut.evidence.intervals import Interval, bootstrap_speakers, confusions_by_speaker, paired_difference
from sertut.files import corpora_folder
from sertut.training.metrics import uar

CLASSIFIERS = ("linear", "neighbor")
"""Logistic regression, and the class of the most similar training clip: a learner that only remembers."""

GAIN_DB = 3.0
"""How much louder the copies of :func:`compare_copies` are."""


@dataclass(frozen=True)
class Comparison:
    """Scores of protocols on the same clips.

    tables: protocol -> confusion matrices (K, S, C, C) of K partitions and S speakers; each clip was tested once in
    each partition. C counts the classes that occur in the corpus.
    """

    corpus: str
    tables: Mapping[str, np.ndarray]

    @property
    def chance(self) -> float:
        """UAR of guessing."""
        return 1 / next(iter(self.tables.values())).shape[-1]

    @property
    def partitions(self) -> int:
        """How many times the whole corpus was cut into folds."""
        return len(next(iter(self.tables.values())))

    def scores(self, protocol: str) -> list[float]:
        """UAR over all clips, one number a partition."""
        return uar(self._table(protocol).sum(axis=1)).tolist()

    def uar(self, protocol: str) -> Interval:
        """UAR with an interval that resamples speakers and partitions."""
        return bootstrap_speakers(uar, self._table(protocol))

    def difference(self, protocol: str, other: str) -> Interval:
        """UAR of `protocol` minus that of `other`, paired over speakers."""
        return paired_difference(uar, self._table(protocol), self._table(other))

    def _table(self, protocol: str) -> np.ndarray:
        if protocol not in self.tables:
            raise unknown("protocol", protocol, self.tables)
        return self.tables[protocol]


def clip_statistics(corpus: Corpus, feature: str = "log_mel") -> np.ndarray:
    """Mean and standard deviation over the frames of each clip, shape (N, 2 F).

    Args:
        feature: "log_mel", "mfcc", or "level" (F = 1): the power of all mel bands together, dB.
    """
    rows: Iterable[torch.Tensor] = load_features(corpus, "log_mel" if feature == "level" else feature, progress=False)
    if feature == "level":
        rows = (10 * torch.log10((10 ** (row / 10)).sum(dim=1, keepdim=True)) for row in rows)
    return np.stack([torch.cat([row.mean(dim=0), row.std(dim=0)]).numpy() for row in rows])


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
    if name == "linear":
        return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    if name == "neighbor":
        return make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    raise unknown("classifier", name, CLASSIFIERS)


def compare_splits(
    corpus: Corpus, partitions: int = 5, classifiers: Sequence[str] = CLASSIFIERS, feature: str = "log_mel"
) -> dict[str, Comparison]:
    """A "random split" against a "speaker split" with equally many training and test clips, `partitions` times.

    Partition k groups the speakers anew (published folds, of which there is only one set, are not used).

    Returns:
        classifier -> its scores under both protocols.
    """
    table, regrouped = clip_statistics(corpus, feature), replace(corpus, published_folds=())
    cuts: dict[str, list[list[Fold]]] = {"random split": [], "speaker split": []}
    for seed in range(partitions):
        by_speaker = regrouped.folds(seed=seed)
        cuts["speaker split"].append(by_speaker)
        cuts["random split"].append(random_like(corpus, by_speaker, seed))
    return {
        classifier: Comparison(
            corpus.name,
            {
                protocol: np.stack([_tables(corpus, cross_validate(corpus, table, folds, classifier)) for folds in cut])
                for protocol, cut in cuts.items()
            },
        )
        for classifier in classifiers
    }


def compare_features(
    corpus: Corpus, features: Sequence[str] = ("log_mel", "mfcc", "level"), partitions: int = 5
) -> Comparison:
    """The features against one another, on speaker splits, with the linear classifier."""
    statistics = {feature: clip_statistics(corpus, feature) for feature in features}
    cuts = [replace(corpus, published_folds=()).folds(seed=seed) for seed in range(partitions)]
    return Comparison(
        corpus.name,
        {
            feature: np.stack([_tables(corpus, cross_validate(corpus, table, folds)) for folds in cuts])
            for feature, table in statistics.items()
        },
    )


def compare_copies(corpus: Corpus, partitions: int = 5, classifier: str = "neighbor", n: int = 5) -> Comparison:
    """What happens when recordings are multiplied before the split: "copies split" against "copies together".

    Every clip gets a copy that is 3 dB louder (in log-mel, 3 is added to each number). Either all 2 N are dealt at
    random into `n` groups, or each recording goes to one group with its copy. Speakers are on both sides either way.
    """
    table = clip_statistics(corpus)
    louder = table.copy()
    louder[:, : table.shape[1] // 2] += GAIN_DB  # the means; a standard deviation does not move
    both = np.concatenate([table, louder])  # (2 N, columns)
    doubled = [*corpus, *(replace(clip, name=f"{clip.name}, louder") for clip in corpus)]
    twice = replace(corpus, clips=tuple(doubled), published_folds=())
    found: dict[str, list[np.ndarray]] = {"copies split": [], "copies together": []}
    for seed in range(partitions):
        generator = np.random.default_rng(seed)
        for name, groups in (
            ("copies split", generator.permutation(2 * len(corpus)) % n),
            ("copies together", np.tile(generator.permutation(len(corpus)) % n, 2)),
        ):
            folds = [_fold(twice, groups == group) for group in range(n)]
            found[name].append(_tables(twice, cross_validate(twice, both, folds, classifier)))
    return Comparison(corpus.name, {name: np.stack(tables) for name, tables in found.items()})


def _fold(corpus: Corpus, in_test: np.ndarray) -> Fold:
    train, test = (
        corpus.keeping(clip for clip, t in zip(corpus, in_test, strict=True) if t == wanted) for wanted in (False, True)
    )
    return Fold(train, test, test, allow_leaks=True)  # nothing is chosen on dev here


def _tables(corpus: Corpus, predicted: np.ndarray) -> np.ndarray:
    """Confusion matrices of the speakers, (S, C, C), of the classes that occur."""
    labels = np.array([corpus.label(clip) for clip in corpus])
    here, compact = np.unique(labels, return_inverse=True)
    called = np.searchsorted(here, predicted)  # a class that does not occur is never called
    return confusions_by_speaker(compact, called, [clip.speaker for clip in corpus], len(here))[0]


def exhibit(corpus: Corpus, recorded: str = "ravdess") -> Corpus:
    """Where to look for the leak: real voices if there are any, i.e. `corpus` itself or else `recorded`.

    A corpus that sertut made (planted, or spliced from recordings) is returned where `recorded` is not on this machine.

    Raises:
        CorpusError: `recorded` is there, but something is wrong with it.
    """
    there = (corpora_folder() / recorded).is_dir()
    return load(recorded) if there and corpus.name not in RECORDED else corpus
