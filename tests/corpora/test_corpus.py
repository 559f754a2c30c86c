"""Corpora, folds and leaks, on tones with planted faults."""

import dataclasses
import shutil

import pytest

from sertut.corpora import Fold, find_leaks, random_fold
from sertut.errors import CorpusError, LeakError
from sertut.signals import read_audio, write_audio


def test_folds_have_disjoint_speakers_and_test_everyone_once(tones):
    folds = tones.folds(n=3)
    for fold in folds:
        parts = [set(part.speakers) for part in fold.parts.values()]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert set.union(*parts) == set(tones.speakers)
    assert sorted(speaker for fold in folds for speaker in fold.test.speakers) == sorted(tones.speakers)
    assert [f.dev.speakers for f in folds] == [f.test.speakers for f in (*folds[1:], folds[0])]
    assert [f.test.speakers for f in tones.folds(n=3)] == [f.test.speakers for f in folds]
    assert [f.test.speakers for f in tones.folds(n=3, seed=1)] != [f.test.speakers for f in folds]


def test_a_recording_under_two_names_raises_across_parts(tones, tmp_path):
    """The copy is in another container and belongs to another speaker: only its samples give it away."""
    original = tones.of_speakers(["speaker 0"])[0]
    copy = tmp_path / "copy.flac"
    write_audio(copy, read_audio(original.audio))
    stranger = dataclasses.replace(original, name="copy", audio=copy, speaker="speaker 5")
    leaks = find_leaks({"train": [original], "test": [stranger]})
    assert leaks.crossing == ((("train", original.name), ("test", "copy")),)
    with pytest.raises(LeakError, match="same recording is on two sides"):
        leaks.refuse("here")
    samples = read_audio(original.audio)
    samples[100] += 1 / 32768  # one step of 16 bits makes it another recording
    write_audio(copy, samples)
    assert not find_leaks({"train": [original], "test": [stranger]}).duplicates


def test_shared_sentences_are_allowed_and_speakers_in_a_random_fold_and_both_are_said(tones):
    strict, fold = tones.folds(n=3)[0], random_fold(tones, seed=0)
    assert strict.leaks.sentences == ("take 0", "take 1", "take 2", "take 3") and not strict.leaks.speakers
    assert fold.leaks.speakers and sum(len(part) for part in fold.parts.values()) == len(tones)


def test_validate_lists_every_kind_of_problem(tones, tmp_path):
    clips = list(tones)
    clips[0].audio.write_bytes(b"")
    shutil.copy(clips[1].audio, clips[2].audio)
    clips[3].audio.unlink()
    corpus = dataclasses.replace(tones, expected={"clips": 50, "speakers": 6})
    found = {problem.file: problem.what for problem in corpus.validate()}
    assert "empty file" in found[clips[0].name]
    assert clips[2].name in found[clips[1].name]
    assert "does not exist" in found[clips[3].name]
    assert "48 of 50 clips" in found["tones"]
    assert len(found) == 4


def test_describe_and_table(tones):
    text = tones.describe()
    assert "48 clips" in text and "6 speakers" in text and "known in 24 clips" in text and "license" in text
    table = tones.table()
    assert len(table) == 48 and table.region_start.notna().sum() == 24


def test_a_corpus_checks_its_own_clips_and_a_fold_its_speakers(tones):
    one, two = (tones.of_speakers([f"speaker {i}"]) for i in (0, 1))
    with pytest.raises(LeakError, match="speaker 0"):
        Fold(train=tones, dev=two, test=one)
    for clips, said in (
        ([dataclasses.replace(tones[0], emotion="rage")], "rage"),
        ([tones[0], tones[0]], "two clips named"),
        ([], "holds no clip"),
    ):
        with pytest.raises(CorpusError, match=said):
            tones.keeping(clips)
    with pytest.raises(CorpusError, match="2 speakers"):
        tones.keeping([*one, *two]).folds()


def test_published_folds_are_used_or_it_is_said_that_they_cannot_be(tones):
    one, two, nobody = (frozenset({f"speaker {n}"}) for n in (1, 2, 9))
    (fold,) = dataclasses.replace(tones, published_folds=((one, two),)).folds()
    assert (fold.test.speakers, fold.dev.speakers) == (("speaker 1",), ("speaker 2",))
    assert fold.train.speakers == ("speaker 0", "speaker 3", "speaker 4", "speaker 5")
    wanting = dataclasses.replace(tones, published_folds=((nobody, one),))
    with pytest.warns(UserWarning, match="published folds of 'tones' need speakers that are missing"):
        assert len(wanting.folds(n=3)) == 3
