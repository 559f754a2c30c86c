"""A share of the training speakers: nested, seeded, dev and test untouched."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest

from sertut.corpora.folds import repeated, share_of_speakers
from sertut.errors import CorpusError


@pytest.fixture
def fold(tones):
    return tones.folds(n=6)[0]  # 4 training speakers


def test_shares_are_nested_and_at_least_one_speaker(fold):
    parts = [share_of_speakers(fold, share, seed=1) for share in (0.01, 0.25, 0.5, 0.75, 1.0)]
    speakers = [set(part.train.speakers) for part in parts]
    assert [len(names) for names in speakers] == [1, 1, 2, 3, 4]
    assert all(few <= many for few, many in itertools.pairwise(speakers))
    assert parts[2].name == f"{fold.name}, 2 of 4 training speakers"
    assert [clip for clip in fold.train if clip.speaker in speakers[2]] == list(parts[2].train)


def test_dev_and_test_stay(fold):
    part = share_of_speakers(fold, 0.25)
    assert part.dev == fold.dev and part.test == fold.test


def test_the_seed_decides(fold):
    chosen = {share_of_speakers(fold, 0.25, seed).train.speakers for seed in range(12)}
    assert len(chosen) > 1
    assert share_of_speakers(fold, 0.25, 5).train == share_of_speakers(fold, 0.25, 5).train


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_impossible_shares(fold, share):
    with pytest.raises(CorpusError, match=f"you asked for {share}"):
        share_of_speakers(fold, share)


def test_a_lost_emotion_is_named(fold):
    only = fold.train.speakers[0]
    train = fold.train.keeping(clip for clip in fold.train if clip.speaker == only or clip.emotion == "low")
    lopsided = replace(fold, train=train)
    seed = next(s for s in range(20) if only not in share_of_speakers(fold, 0.5, s).train.speakers)
    with pytest.raises(CorpusError, match="leave no clip of high"):
        share_of_speakers(lopsided, 0.5, seed)


def test_repeated_clips_are_equally_frequent_and_no_leak(fold):
    few = share_of_speakers(fold, 0.5).train  # 16 clips
    many = repeated(few, 40)
    assert len(many) == 40 and set(Counter(clip.audio for clip in many).values()) == {2, 3}
    assert {clip.audio for clip in many} == {clip.audio for clip in few}
    replace(fold, train=many)  # would raise on a leak
