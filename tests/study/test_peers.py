"""Peers without a network: fitted on train alone, one setting chosen on dev alone, and scored as networks are."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from sertut.corpora import Clip, Corpus, Fold
from sertut.corpora.ravdess import ABOUT
from sertut.errors import SertutError
from sertut.study import fit_peer, peers

EMOTIONS = ("neutral", "anger", "sadness")
LINEAR = [deciding for deciding in peers.DECIDING if deciding != "most frequent"]


@pytest.fixture
def fold() -> Fold:
    """6 training speakers, 2 each for dev and test; 12 clips a speaker, of which half are neutral."""
    said = list(enumerate(("neutral", "anger", "neutral", "sadness") * 3))
    clips = [Clip(f"{who}-{i}", Path("unused"), who, feels, "one") for who in "abcdefghij" for i, feels in said]
    corpus = Corpus("invented", tuple(clips), EMOTIONS, ABOUT)
    return Fold(*(corpus.of_speakers(part) for part in ("abcdef", "gh", "ij")), allow_leaks=True)


@pytest.fixture
def rows(fold, monkeypatch) -> dict[str, np.ndarray]:
    """What is heard of each clip, a row that tests may change: a column a class, far apart, and a loud one of noise."""
    generator = np.random.default_rng(0)
    heard = {}
    for clip in (clip for part in fold.parts.values() for clip in part):
        noise = generator.normal(size=4) * (0.1, 0.1, 0.1, 50)
        heard[clip.name] = np.append(3.0 * np.eye(3)[fold.train.label(clip)], 0.0) + noise
    monkeypatch.setattr(peers, "hear", lambda corpus, hears: np.stack([heard[clip.name] for clip in corpus]))
    return heard


@pytest.mark.parametrize("deciding", LINEAR)
def test_what_is_separable_is_learned_and_scored_on_new_speakers(fold, rows, deciding):
    found = fit_peer(fold, "log_mel", deciding)
    tally = found.decide(fold.test)
    assert tally.uar.estimate == tally.wa.estimate == found.tried[found.strength] == 1.0
    assert found.n_parameters == 3 * (4 + 1)
    assert tally.speakers == fold.test.speakers == ("i", "j") and tally.emotions == EMOTIONS
    assert not set(tally.speakers) & {*fold.train.speakers, *fold.dev.speakers}
    assert tally.sums("model", "uar").sum() == len(fold.test) and tally.seeds == (None,)


def test_the_most_frequent_class_gets_chance(fold):
    tally = fit_peer(fold, "nothing", "most frequent").decide(fold.test)
    assert tally.uar.estimate == pytest.approx(tally.chance) == pytest.approx(1 / 3)
    assert tally.wa.estimate == 0.5  # the share of neutral


def spoil(rows, corpus):
    for clip in corpus:
        rows[clip.name] = rows[clip.name] * 1e3 - 7


def numbers(peer):
    scaler, last = peer.classifier
    return np.concatenate([scaler.mean_, scaler.scale_, last.coef_.ravel(), last.intercept_])


@pytest.mark.parametrize("deciding", LINEAR)
def test_test_clips_change_nothing_and_dev_clips_only_the_choice(fold, rows, deciding, monkeypatch):
    before = fit_peer(fold, "log_mel", deciding)
    np.testing.assert_array_equal(before.classifier[0].mean_, np.mean([rows[c.name] for c in fold.train], axis=0))
    spoil(rows, fold.test)
    after = fit_peer(fold, "log_mel", deciding)
    assert after.tried == before.tried and (numbers(after) == numbers(before)).all()
    monkeypatch.setattr(peers, "STRENGTHS", (before.strength,))
    spoil(rows, fold.dev)
    assert (numbers(fit_peer(fold, "log_mel", deciding)) == numbers(before)).all()
    spoil(rows, fold.train)
    assert (numbers(fit_peer(fold, "log_mel", deciding)) != numbers(before)).any()


class Column:
    """Says what stands in the column number `strength`."""

    def __init__(self, strength):
        self.column = int(strength)

    def fit(self, table, labels):
        return self

    def predict(self, table):
        return table[:, self.column].astype(int)


@pytest.mark.parametrize(("right", "chosen"), [((1,), 1.0), ((2, 3), 2.0), ((), 0.0)])
def test_the_strength_is_the_best_on_dev_and_the_smallest_of_equals(fold, rows, right, chosen, monkeypatch):
    """On dev the columns `right` tell the class; on train and test the others do."""
    monkeypatch.setattr(peers, "STRENGTHS", (0.0, 1.0, 2.0, 3.0))
    monkeypatch.setattr(peers, "build_peer", lambda deciding, strength: Column(strength))
    for part in fold.parts.values():
        for clip in part:
            told = [(column in right) == (part is fold.dev) for column in range(4)]
            rows[clip.name] = np.where(told, part.label(clip), (part.label(clip) + 1) % 3)
    found = fit_peer(fold, "log_mel", "svm")
    assert found.strength == chosen and found.tried == {float(c): float(c in right) for c in range(4)}


@pytest.mark.parametrize("deciding", LINEAR)
def test_classes_count_the_same_however_many_clips_they_have(deciding):
    """Nine of ten clips are of one class, the classes overlap: the border still lies half-way."""
    labels = np.arange(4000) % 10 == 0
    table = (labels + np.random.default_rng(0).normal(size=4000))[:, None]
    called = peers.build_peer(deciding, 1.0).fit(table, labels).predict(table)
    border = (table[called].min() + table[~called].max()) / 2
    assert border == pytest.approx(0.5, abs=0.1)


def test_egemaps_are_88_numbers_kept_on_disk(tones, cache):
    pytest.importorskip("opensmile", reason="needs sertut[peers]")
    low, high = (next(clip for clip in tones if clip.emotion == emotion) for emotion in ("low", "high"))
    table = peers.hear(tones.keeping([low, high]), "egemaps")
    assert table.shape == (2, 88) and np.isfinite(table).all() and (table[0] != table[1]).any()
    files = sorted((cache / "cache" / "features").glob("egemaps-*/*.npy"))
    assert len(files) == 2
    for path in files:
        np.save(path, np.full(88, 7.0))
    assert (peers.hear(tones.keeping([low, high]), "egemaps") == 7).all()  # read, not computed again


def test_what_is_missing_or_unknown_is_one_sentence(fold, monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(peers, "version", missing)
    for hears, deciding, said in (
        ("egemaps", "svm", r"opensmile, which is not installed; run pip install 'sertut\[peers\]'"),
        ("egemap", "svm", "did you mean 'egemaps'"),
        ("nothing", "svmm", "did you mean 'svm'"),
    ):
        with pytest.raises(SertutError, match=said):
            fit_peer(fold, hears, deciding)
