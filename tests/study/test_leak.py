"""The comparison of splits: a corpus whose emotions can only be known through the speaker shows the whole leak."""

from dataclasses import replace

import numpy as np
import pytest

from sertut.corpora import Clip, Corpus, Fold, load_features
from sertut.corpora.ravdess import ABOUT
from sertut.errors import SertutError
from sertut.signals import write_audio
from sertut.study import leak, peers

EMOTIONS = ("neutral", "anger", "sadness")
SPEAKERS = "abcdefghij"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    """10 speakers, 2 of 3 emotions, 6 clips each; the sound is noise, the features come from elsewhere."""
    folder = tmp_path_factory.mktemp("leak")
    clips = [Clip(f"clip {i}", folder / f"{i}.flac", SPEAKERS[i // 12], EMOTIONS[i % 2], "one") for i in range(120)]
    for i, clip in enumerate(clips):
        write_audio(clip.audio, 0.1 * np.random.default_rng(i).standard_normal(800))
    return Corpus("invented", tuple(clips), EMOTIONS, ABOUT)


@pytest.fixture
def known_by_speaker(corpus, monkeypatch) -> np.ndarray:
    """Features (N, 20): each speaker has a column of his own, and how it moves with anger differs from all others'."""
    table = np.zeros((len(corpus), 20))
    for i, clip in enumerate(corpus):
        who = SPEAKERS.index(clip.speaker)
        table[i, who] = 3.0
        table[i, 10 + who] = 4.0 * (corpus.label(clip) - 0.5)
    table += 0.05 * np.random.default_rng(0).standard_normal(table.shape)
    monkeypatch.setattr(leak, "clip_statistics", lambda corpus, feature="log_mel": table)
    return table


def test_a_random_partition_has_the_sizes_of_the_one_by_speaker(corpus):
    folds = corpus.folds()
    wrong = leak.random_like(corpus, folds, seed=3)
    for ours, theirs in zip(wrong, folds, strict=True):
        assert [len(part) for part in ours.parts.values()] == [len(part) for part in theirs.parts.values()]
        assert not {c.name for c in ours.train} & ({c.name for c in ours.test} | {c.name for c in ours.dev})
        assert ours.leaks.speakers and not theirs.leaks.speakers
    assert sorted(c.name for fold in wrong for c in fold.test) == sorted(c.name for c in corpus)
    again = leak.random_like(corpus, folds, seed=3)
    assert [f.test for f in again] == [f.test for f in wrong] != [f.test for f in leak.random_like(corpus, folds, 4)]


@pytest.mark.parametrize("classifier", leak.CLASSIFIERS)
def test_what_only_the_speaker_gives_away_is_lost_on_new_speakers(corpus, known_by_speaker, classifier):
    found = leak.compare_splits(corpus, partitions=2)[classifier]
    assert found.chance == 0.5  # two of the three emotions occur
    assert found.seeds == (0, 1) and found.emotions == ("neutral", "anger")
    assert found.interval("random split", "uar").estimate > 0.95
    assert found.interval("speaker split", "uar").estimate < 0.75
    assert found.difference("random split", "speaker split", "uar").low > 0.2


def test_a_clip_that_was_never_tested_is_no_decision(corpus, known_by_speaker):
    """It would be called class 0, and count as right wherever that is its class."""
    folds = corpus.folds()[:-1]
    untested = len(corpus) - sum(len(fold.test) for fold in folds)
    with pytest.raises(SertutError, match=f"'some' never tests {untested} clips of invented"):
        leak.compare(corpus, {"some": (known_by_speaker, [folds])})


def test_a_copy_on_the_other_side_is_recognized(corpus, monkeypatch):
    noise = np.random.default_rng(1).standard_normal((len(corpus), 20)) * 30  # nothing to learn
    monkeypatch.setattr(leak, "clip_statistics", lambda corpus, feature="log_mel": noise)
    found = leak.compare_copies(corpus, partitions=2)
    assert found.interval("copies split", "uar").estimate > 0.8
    assert 0.3 < found.interval("copies together", "uar").estimate < 0.7
    assert found.sums("copies split", "uar").sum() == 2 * 2 * len(corpus)


def test_the_scaler_sees_train_only(corpus):
    table = np.random.default_rng(2).standard_normal((len(corpus), 4))
    half = corpus.keeping(corpus.clips[:60]), corpus.keeping(corpus.clips[60:])
    fold = Fold(half[0], half[1], half[1], allow_leaks=True)
    decided = leak.cross_validate(corpus, table, [fold])
    with pytest.raises(SertutError, match="did you mean 'linear'"):
        leak.cross_validate(corpus, table, [fold], "liner")
    spoiled = table.copy()
    spoiled[60:90] *= 1e6  # other test clips change nothing for the last 30
    assert (decided[:60] == -1).all()
    assert (leak.cross_validate(corpus, spoiled, [fold])[90:] == decided[90:]).all()


def test_statistics_are_those_of_the_features(corpus):
    small = corpus.keeping(corpus.clips[:2])
    assert leak.clip_statistics(small, "mfcc").shape == (2, 2 * 40)
    frames = load_features(small)[0].numpy()
    wanted = [frames.mean(axis=0), frames.std(axis=0, ddof=1), *np.percentile(frames, (10, 50, 90), axis=0)]
    np.testing.assert_allclose(peers.hear(small, "log_mel")[0], np.concatenate(wanted), rtol=1e-4)
    level = 10 * np.log10((10 ** (frames / 10)).sum(axis=1))
    np.testing.assert_allclose(leak.clip_statistics(small, "level")[0, 0], level.mean(), rtol=1e-5)


def test_published_folds_are_one_partition_only(corpus):
    published = replace(corpus, published_folds=((frozenset("ab"), frozenset("cd")),))
    first, second = leak.regrouped(published, 2)
    assert len(first) == len(second) == 5 and [f.test.speakers for f in first] != [f.test.speakers for f in second]


def test_features_are_compared_on_speaker_splits(corpus):
    found = leak.compare_features(replace(corpus, name="noise"), ("log_mel", "level"), partitions=2)
    assert tuple(found.tables) == ("log_mel", "level")
    assert abs(found.interval("level", "uar").estimate - found.chance) < 0.2
