"""What all readers of recorded corpora promise: official names, faults, folds; on tiny trees in the official layout."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from sertut.corpora import RECORDED, SPLICED, afew, emodb, find_leaks, load, ravdess, ravdess_video
from sertut.errors import CorpusError, SertutError
from sertut.signals import SAMPLE_RATE, read_audio, write_audio
from sertut.video import read_video, write_video
from tests.conftest import tone

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*is incomplete", "ignore:.*does not tell", "ignore:the published folds"
)


def touch(root: Path, *names: str) -> Path:
    """Empty files under official names: reading a corpus opens none of them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


NAMES = {
    "ravdess": (
        "Actor_12/03-01-06-01-02-01-12.wav",
        ("03-01-06-01-02-01-12", "actor 12", "fear", "Dogs are sitting by the door"),
        {"intensity": "normal", "repetition": 1, "sex": "female"},
    ),
    "ravdess-video": (
        "Actor_03/01-01-05-02-01-02-03.mp4",
        ("01-01-05-02-01-02-03", "actor 03", "anger", "Kids are talking by the door"),
        {"intensity": "strong", "repetition": 2, "sex": "male"},
    ),
    "emodb": (
        "wav/03a01Fa.wav",
        ("03a01Fa", "speaker 03", "happiness", "Der Lappen liegt auf dem Eisschrank."),  # F is Freude, not fear
        {"version": "a"},
    ),
    "cremad": (
        "AudioWAV/1091_IEO_SAD_LO.wav",
        ("1091_IEO_SAD_LO", "actor 1091", "sadness", "It's eleven o'clock"),
        {"level": "low", "code": "IEO"},
    ),
    "afew": (
        "Val_AFEW/Fear/005153760.avi",
        ("val-Fear-005153760", "val-Fear-005153760", "fear", "val-Fear-005153760"),
        {"split": "val"},
    ),
}
"""Corpus -> a file, what its name tells (name, speaker, emotion, sentence), and the details."""


def official(root: Path, name: str) -> Path:
    """A tree that can be read, and holds the file of :data:`NAMES`."""
    splits = afew.SPLITS.values() if name == "afew" else ()
    touch(root, *(f"{split}/{emotion}/{i:09d}.avi" for split in splits for i, emotion in enumerate(afew.EMOTIONS)))
    return touch(root, NAMES[name][0])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_who_feels_what_and_says_what(tmp_path, name):
    file, said, details = NAMES[name]
    touch(official(tmp_path, name), str(Path(file).with_name(f"._{Path(file).name}")))  # a hidden one beside it
    clip = next(clip for clip in RECORDED[name].read(tmp_path) if clip.name == said[0])
    assert (clip.name, clip.speaker, clip.emotion, clip.sentence) == said
    assert dict(clip.details) == details and clip.audio == tmp_path / file
    assert clip.video == (clip.audio if clip.audio.suffix in (".mp4", ".avi") else None)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("ravdess", "03-02-06-01-02-01-12"),  # a song
        ("ravdess-video", "01-02-03-01-01-01-01"),
        ("ravdess-video", "03-01-03-01-01-01-01"),  # sound only
        ("ravdess-video", "01-01-09-01-01-01-01"),  # there are eight emotions
        ("ravdess-video", "01-01-03-01-01-01-25"),  # there are 24 actors
        ("emodb", "03a01Xa"),
        *(("cremad", stem) for stem in ("1001_dfa_ang_xx", "1001_DFA_SUR_XX", "1001_ABC_ANG_XX", "2001_DFA_ANG_XX")),
        ("afew", "cat"),
    ],
)
def test_other_names_are_refused(tmp_path, name, stem):
    strange = str(Path(NAMES[name][0]).with_stem(stem))
    with pytest.raises(CorpusError, match=rf"{stem}\.\w+ is not an? .* name such as .*; move it elsewhere"):
        RECORDED[name].read(touch(official(tmp_path, name), strange))


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("ravdess", r"zenodo\.org/records/1188976"),
        ("ravdess-video", r"Video_Speech_Actor_01\.zip"),
        ("emodb", r"emodb\.bilderbar\.info"),
        ("cremad", "Git LFS"),
        ("iemocap", r"Data_Release_Form_IEMOCAP\.pdf"),
        ("afew", "signed agreement; sertut never downloads it"),
        ("spliced-ravdess", r"zenodo\.org"),
    ],
)
def test_a_missing_corpus_says_how_to_get_it_and_an_empty_one_what_it_lacks(tmp_path, monkeypatch, name, remedy):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=remedy):
        load(name)
    (tmp_path / name.removeprefix("spliced-").replace("-", "_")).mkdir()
    with pytest.raises(CorpusError, match=r"holds no|does not exist"):
        load(name)


@pytest.mark.parametrize("name", ["ravdess", "cremad"])
def test_a_misspelled_option_is_named(tmp_path, name):
    with pytest.raises(SertutError, match="known_faults 'kepe': did you mean 'keep'"):
        RECORDED[name].read(official(tmp_path, name), known_faults="kepe")


SPOKEN = {
    "ravdess": ["03-01-05-01-01-01-01", *(f"03-01-01-01-{code}-01" for code in ("01-01", "01-02", "02-01"))],
    "emodb": ["03a01Wa", "03a01Nc", "03a02Nc", "03a04Na"],
    "cremad": ["1001_DFA_ANG_XX", "1001_DFA_NEU_XX", "1001_IEO_NEU_XX", "1001_TIE_NEU_XX"],
    "iemocap": [f"Ses01F_impro01_{turn}" for turn in ("F000", "F001", "M000", "M001")],
}
"""One emotional and three neutral clips of one speaker, so that they can be spliced."""


def speak(root: Path, name: str) -> Path:
    """A corpus of tones in the official layout, each of its own pitch."""
    folder = root / {"cremad": "AudioWAV", "iemocap": "Session1/sentences/wav"}.get(name, "")
    folder.mkdir(parents=True, exist_ok=True)
    if name in ("afew", "ravdess-video"):
        official(root, name)
        for i, path in enumerate([*root.rglob("*.avi"), *root.rglob("*.mp4")]):
            write_video(path, np.full((3, 8, 8), 8 * i, dtype=np.uint8), samples=tone(0.12, 100 + 7 * i))
        return root
    for i, stem in enumerate(SPOKEN[name]):
        write_audio(folder / f"{stem}.wav", tone(0.2, 100 + 7 * i))
    if name == "iemocap":
        labels = touch(root, "Session1/dialog/EmoEvaluation/x") / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
        labels.write_text("".join(f"[1.0 - 2.0]\t{stem}\tneu\t[2.5, 3.0, 4.6]\n" for stem in SPOKEN[name]))
    return root


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_corpus_loads_and_is_sound_but_for_its_size(tmp_path, cache, name):
    with pytest.warns(UserWarning, match=rf"{name} is incomplete: \d+ of \d+ clips"):
        corpus = load(name, root=speak(tmp_path, name))
    assert all((p.file == name and "clips" in p.what) or "speakers" in p.what for p in corpus.validate())
    assert RECORDED[name].ABOUT.license in corpus.describe() and RECORDED[name].ABOUT.citation in corpus.describe()
    for clip in corpus:  # silence is cut where there is no video
        assert (clip.audio.suffix == ".flac") == (clip.video is None)


@pytest.mark.parametrize("name", SPLICED)
def test_every_corpus_of_single_sentences_can_be_spliced(tmp_path, cache, name):
    corpus = load(f"spliced-{name}", root=speak(tmp_path, name))
    assert [(clip.emotion, len(clip.regions)) for clip in corpus] == [("anger", 1), ("neutral", 0)]
    assert all(len(read_audio(clip.audio)) > 2.5 * 0.2 * SAMPLE_RATE for clip in corpus)


@pytest.mark.parametrize(
    ("name", "files", "n_speakers", "sizes"),
    [
        ("ravdess", [f"03-01-01-01-01-01-{n:02d}.wav" for n in range(1, 25)], 24, [5, 5, 5, 5, 4]),
        ("ravdess-video", [f"01-01-01-01-01-01-{n:02d}.mp4" for n in range(1, 25)], 24, [5, 5, 5, 5, 4]),
        ("emodb", [f"{speaker}a01Wa.wav" for speaker in emodb.SPEAKERS], 10, [1] * 10),
        ("cremad", [f"AudioWAV/{n}_DFA_ANG_XX.wav" for n in range(1001, 1092)], 91, [18, 18, 18, 18, 19]),
    ],
)
def test_published_folds_test_every_speaker_once(tmp_path, name, files, n_speakers, sizes):
    corpus = RECORDED[name].read(touch(tmp_path, *files))
    tests, devs = zip(*corpus.published_folds, strict=True)
    assert [len(test) for test in tests] == sizes and len(corpus.speakers) == n_speakers
    assert frozenset.union(*tests) == frozenset.union(*tests, *devs) == set(corpus.speakers)
    assert not any(test & dev for test, dev in corpus.published_folds)
    if name in ("emodb", "cremad"):
        assert all(dev == test for dev, test in zip(devs, tests[1:] + tests[:1], strict=True))


def test_codes_and_folds_of_ravdess_are_the_published_ones():
    """The codes as its authors list them, doi 10.5281/zenodo.1188976."""
    official = ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"]
    assert {f"{code:02d}": emotion for code, emotion in enumerate(official, start=1)} == ravdess.EMOTIONS
    test, dev = ravdess.SOURCE.folds[0]
    assert test == {f"actor {n}" for n in ("02", "05", "14", "15", "16")} and dev == {"actor 03", "actor 06"}
    assert ravdess_video.SOURCE.folds == ravdess.SOURCE.folds


def test_silent_doubles_are_counted_but_are_no_clips(tmp_path):
    touch(tmp_path, "01-01-01-01-01-01-01.mp4", "02-01-01-01-01-01-01.mp4", "02-01-02-01-01-01-01.mp4")
    corpus = ravdess_video.read(tmp_path)
    assert [str(problem) for problem in corpus.dropped] == ["02-*.mp4: 2 files are silent doubles of those with sound"]
    assert corpus.found()["clips"] == len(corpus) == 1
    (tmp_path / "01-01-01-01-01-01-01.mp4").unlink()
    with pytest.raises(CorpusError, match=r"only silent doubles .*fetch those with sound"):
        ravdess_video.read(tmp_path)


def test_the_whole_ravdess(recorded):
    """Complete but for the recording that was published twice, which the leak checker finds by its samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus = ravdess.read(recorded("ravdess"))
    assert len(corpus) == 1439 and len(corpus.speakers) == 24
    assert [problem.file for problem in corpus.dropped] == ["03-01-03-01-02-02-07"]
    assert [len(corpus.of_speakers(test)) for test, _ in corpus.published_folds] == [300, 299, 300, 300, 240]
    kept = ravdess.read(recorded("ravdess"), known_faults="keep").of_speakers(["actor 07"])
    pair = {"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"}
    assert [{name for _, name in group} for group in find_leaks({"all": kept}).duplicates] == [pair]
    split = {name: [clip for clip in kept if clip.name == name] for name in pair}
    assert len(find_leaks(split).crossing) == 1


def test_sound_and_pictures_of_a_real_recording_are_equally_long_and_not_trimmed(recorded, cache):
    (clip,) = load("ravdess-video", root=recorded("ravdess_video"))
    assert (clip.speaker, clip.emotion, clip.sentence) == ("actor 01", "neutral", "Kids are talking by the door")
    samples, video = read_audio(clip.audio), read_video(clip.video, longest=64)
    assert len(samples) / SAMPLE_RATE == pytest.approx(3.303, abs=0.05)  # AAC is padded
    assert len(video) * video.period == pytest.approx(3.303, abs=0.05)


def test_the_part_of_emodb_that_is_there(recorded):
    with pytest.warns(UserWarning, match="emodb is incomplete: 339 of 535 clips found"):
        counts = emodb.read(recorded("emodb")).table().emotion.value_counts()
    assert counts.to_dict() == {"anger": 127, "neutral": 79, "happiness": 71, "sadness": 62}
