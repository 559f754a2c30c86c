"""Corpora, folds and leaks: on tones with planted faults, and on the real recordings."""

import dataclasses
import shutil

import pytest

from sertut.corpora import Fold, emodb, find_leaks, load, random_fold, ravdess
from sertut.errors import CorpusError, LeakError, SertutError
from sertut.signals import read_audio, write_audio
from tests.conftest import tone


def test_folds_have_disjoint_speakers_and_test_everyone_once(tones):
    folds = tones.folds(n=3)
    for fold in folds:
        parts = [set(part.speakers) for part in fold.parts.values()]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert set.union(*parts) == set(tones.speakers)
    assert sorted(speaker for fold in folds for speaker in fold.test.speakers) == sorted(tones.speakers)
    assert [f.test.speakers for f in tones.folds(n=3)] == [f.test.speakers for f in folds]
    assert [f.test.speakers for f in tones.folds(n=3, seed=1)] != [f.test.speakers for f in folds]


def test_overlapping_speakers_raise(tones):
    with pytest.raises(LeakError, match="speaker 0"):
        Fold(train=tones, dev=tones.of_speakers(["speaker 1"]), test=tones.of_speakers(["speaker 0"]))


def test_too_few_speakers_for_folds(tones):
    with pytest.raises(CorpusError, match="2 speakers"):
        tones.of_speakers(["speaker 0", "speaker 1"]).folds()


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


def test_shared_sentences_are_said_but_allowed(tones):
    fold = tones.folds(n=3)[0]
    assert fold.leaks.sentences == ("take 0", "take 1", "take 2", "take 3")
    assert not fold.leaks.speakers


def test_random_fold_shares_speakers_and_says_so(tones):
    fold = random_fold(tones, seed=0)
    assert fold.leaks.speakers
    assert sum(len(part) for part in fold.parts.values()) == len(tones)


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


def test_a_sound_corpus_has_no_problems(tones):
    assert tones.validate() == []


def test_describe_and_table(tones):
    text = tones.describe()
    assert "48 clips" in text and "6 speakers" in text and "known in 24 clips" in text and "license" in text
    table = tones.table()
    assert len(table) == 48 and table.region_start.notna().sum() == 24


def test_a_corpus_checks_its_own_clips(tones):
    with pytest.raises(CorpusError, match="rage"):
        tones.keeping([dataclasses.replace(tones[0], emotion="rage")])
    with pytest.raises(CorpusError, match="two clips named"):
        tones.keeping([tones[0], tones[0]])
    with pytest.raises(CorpusError, match="holds no clip"):
        tones.keeping([])


def test_unknown_corpus_suggests_the_nearest():
    with pytest.raises(SertutError, match="did you mean 'ravdess'"):
        load("ravdes")


def test_missing_and_empty_corpus_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=r"zenodo\.org/records/1188976"):
        load("ravdess")
    (tmp_path / "emodb").mkdir()
    with pytest.raises(CorpusError, match=r"holds no \.wav"):
        load("emodb")
    with pytest.raises(CorpusError, match=r"zenodo\.org"):
        load("spliced-ravdess")


def test_ravdess_names(tmp_path):
    folder = tmp_path / "Actor_12"
    folder.mkdir()
    write_audio(folder / "03-01-06-01-02-01-12.wav", tone(0.5))
    with pytest.warns(UserWarning, match="1 of 1440 clips, 1 of 24 speakers"):
        clip = ravdess.read(tmp_path)[0]
    assert (clip.speaker, clip.emotion, clip.sentence) == ("actor 12", "fear", "Dogs are sitting by the door")
    assert clip.details == {"intensity": "normal", "repetition": 1, "sex": "female"}
    write_audio(folder / "03-02-06-01-02-01-12.wav", tone(0.5))  # a song
    with pytest.raises(CorpusError, match="03-02-06-01-02-01-12"):
        ravdess.read(tmp_path)


def test_emodb_names(tmp_path):
    write_audio(tmp_path / "03a01Fa.wav", tone(0.5))
    with pytest.warns(UserWarning, match="incomplete"):
        clip = emodb.read(tmp_path)[0]
    assert (clip.speaker, clip.emotion) == ("speaker 03", "happiness")  # F is Freude, not fear
    write_audio(tmp_path / "03a01Xa.wav", tone(0.5))
    with pytest.raises(CorpusError, match="03a01Xa"):
        emodb.read(tmp_path)


def test_ravdess_whole(recorded):
    corpus = ravdess.read(recorded("ravdess"))
    assert len(corpus) == 1439 and len(corpus.dropped) == 1 and len(corpus.speakers) == 24
    folds = corpus.folds()
    assert [len(fold.test) for fold in folds] == [300, 299, 300, 300, 240]
    assert all(len(fold.dev) in (119, 120) for fold in folds)
    assert folds[0].test.speakers == ("actor 02", "actor 05", "actor 14", "actor 15", "actor 16")


def test_the_leak_checker_finds_the_recording_ravdess_published_twice(recorded):
    corpus = ravdess.read(recorded("ravdess"), known_faults="keep").of_speakers(["actor 07"])
    pair = {"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"}
    leaks = find_leaks({"all": corpus})
    assert [{name for _, name in group} for group in leaks.duplicates] == [pair]
    split = {"train": [c for c in corpus if c.name == min(pair)], "test": [c for c in corpus if c.name == max(pair)]}
    assert len(find_leaks(split).crossing) == 1


def test_published_folds_that_cannot_be_used_are_said(tones):
    wanting = dataclasses.replace(tones, published_folds=((frozenset({"speaker 9"}), frozenset({"speaker 0"})),))
    with pytest.warns(UserWarning, match="published folds of 'tones' need speakers that are missing"):
        assert len(wanting.folds(n=3)) == 3


def test_emodb_part(recorded):
    with pytest.warns(UserWarning, match="339 of 535 clips"):
        corpus = load("emodb", root=recorded("emodb"))
    assert len(corpus.folds()) == 10
    assert corpus.table().emotion.value_counts().to_dict() == {
        "anger": 127,
        "neutral": 79,
        "happiness": 71,
        "sadness": 62,
    }
