"""Folds other than those of :meth:`Corpus.folds`: cut wrong, to show the damage, or with fewer training speakers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sertut.corpora.corpus import Corpus, Fold
from sertut.errors import CorpusError


def random_fold(corpus: Corpus, seed: int = 0) -> Fold:
    """A split by clip, not by speaker, 70 : 10 : 20, as much published code does: **wrong on purpose**, for chapter 1.

    Its leaks are kept in ``fold.leaks``; nothing outside that chapter should use it.
    """
    order = np.random.default_rng(seed).permutation(len(corpus))
    n_test, n_dev = round(0.2 * len(corpus)), round(0.1 * len(corpus))
    parts = np.split(order, [n_test, n_test + n_dev])
    test, dev, train = (corpus.keeping(corpus[i] for i in sorted(part.tolist())) for part in parts)
    return Fold(train, dev, test, "random split", allow_leaks=True)


def share_of_speakers(fold: Fold, share: float, seed: int = 0) -> Fold:
    """The same fold with only a share of its training speakers, at least one; dev and test stay as they are.

    For one seed the shares are nested: who is in the 10 % is also in the 25 %.

    Raises:
        CorpusError: the share is not above 0 and at most 1, or an emotion is lost with the speakers.
    """
    if not 0 < share <= 1:
        raise CorpusError(f"a share of the training speakers lies above 0 and is at most 1; you asked for {share}.")
    speakers = np.array(fold.train.speakers)
    np.random.default_rng(seed).shuffle(speakers)
    kept = speakers[: max(1, round(share * len(speakers)))]
    train = fold.train.of_speakers(kept.tolist())
    if lost := {clip.emotion for clip in fold.train} - {clip.emotion for clip in train}:
        raise CorpusError(
            f"{share:.0%} of the training speakers of '{fold.train.name}', {fold.name}, leave no clip of"
            f" {', '.join(sorted(lost))}; ask for a larger share."
        )
    return replace(fold, train=train, name=f"{fold.name}, {len(kept)} of {len(speakers)} training speakers")


def repeated(corpus: Corpus, n: int) -> Corpus:
    """`n` clips: each one of the corpus equally often, up to one, under a name of its own.

    So an epoch over few speakers has as many steps as one over many.
    """
    picked = [corpus[i * len(corpus) // n] for i in range(n)]
    return corpus.keeping(replace(clip, name=f"{clip.name}, copy {i}") for i, clip in enumerate(picked))
