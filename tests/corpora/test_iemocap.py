"""IEMOCAP: the release's layout on tones; who speaks, which turns count, what labels and recordings must agree on."""

from pathlib import Path

import pytest

from sertut.corpora import iemocap
from sertut.errors import CorpusError, SertutError
from sertut.signals import write_audio
from tests.conftest import tone

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
LISTENERS = "C-E2:\tNeutral;\t()\nC-F1:\tNeutral;\t(curious)\nA-E3:\tval 3; act 2; dom  2;\t()\n\n"
# In each session: an improvised dialog whose markers the woman wears, a scripted one whose markers the man wears.
TURNS = {
    "F_impro05a": {"F000": "neu", "M000": "hap", "F001": "exc", "M001": "ang", "F002": "xxx", "M002": "fru"},
    "M_script01_1b": {"F000": "sad", "M000": "exc", "M001": "dis"},
}


pytestmark = pytest.mark.filterwarnings("ignore:iemocap is incomplete")


@pytest.fixture
def release(tmp_path) -> Path:
    """Five sessions of nine turns in the official layout, with the hidden files that copies of it hold."""
    pitch = 100
    for session in range(1, 6):
        folder = tmp_path / f"Session{session}"
        labels, texts = folder / "dialog" / "EmoEvaluation", folder / "dialog" / "transcriptions"
        for path in (labels / "Categorical", texts):
            path.mkdir(parents=True)
        (labels / "Categorical" / "Ses01F_impro05a_e2_cat.txt").write_text("Ses01F_impro05a_F000 :Neutral; ()\n")
        for tail, turns in TURNS.items():
            dialog = f"Ses0{session}{tail}"
            wavs = folder / "sentences" / "wav" / dialog
            wavs.mkdir(parents=True)
            (wavs / f"._{dialog}_F000.wav").write_bytes(b"\x00\x05\x16\x07")
            (labels / f"._{dialog}.txt").write_bytes(b"\x00\x05\x16\x07[")
            summary, said = HEADER, ""
            for number, (turn, code) in enumerate(turns.items()):
                name, start = f"{dialog}_{turn}", 6.2901 + number
                summary += f"[{start:.4f} - {start + 0.5:.4f}]\t{name}\t{code}\t[2.5000, 3.0000, 4.6667]\n" + LISTENERS
                words = "Entschuldigung?" if "script" in tail else f"caf\xe9 no {session}\x85 {turn}"
                said += f"{name} [{start:08.4f}-{start + 0.5:08.4f}]: {words}\n"
                write_audio(wavs / f"{name}.wav", tone(0.2, pitch := pitch + 5))
            (labels / f"{dialog}.txt").write_bytes(summary.encode("latin-1"))
            (texts / f"{dialog}.txt").write_bytes((said + "M: [BREATHING]\n").encode("latin-1"))
    return tmp_path


def found(corpus) -> dict[str, str]:
    """Emotion of each turn of the first session, which the letters of the dialog and of the turn name."""
    first = [clip for clip in corpus if clip.name.startswith("Ses01")]
    return {f"{clip.name[5]} {clip.name.split('_')[-1]}": clip.emotion for clip in first}


def test_four_classes_of_improvised_turns_are_the_default(release):
    corpus = iemocap.read(release)
    assert corpus.emotions == ("anger", "happiness", "neutral", "sadness") and len(corpus) == 5 * 4
    excited = {"F F001": "happiness"}
    assert found(corpus) == {"F F000": "neutral", "F M000": "happiness", "F M001": "anger"} | excited
    left_out = {"scripted": 15, "no majority": 5, "frustration": 5}
    assert {str(problem) for problem in corpus.dropped} == {
        f"{k}: {n} turns, not asked for" for k, n in left_out.items()
    }
    assert corpus.found() == {"clips": 45, "speakers": 10}
    with pytest.warns(UserWarning, match=r"incomplete: 45 of 10039 clips found"):
        iemocap.read(release)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"part": "scripted"}, {"M F000": "sadness", "M M000": "happiness"}),
        ({"excitement": "drop"}, {"F F000": "neutral", "F M000": "happiness", "F M001": "anger"}),
        ({"excitement": "keep", "emotions": ["happiness"]}, {"F M000": "happiness", "F F001": "excitement"}),
        ({"part": "all", "emotions": ("disgust", "frustration")}, {"F M002": "frustration", "M M001": "disgust"}),
    ],
)
def test_which_turns_count(release, options, expected):
    corpus = iemocap.read(release, **options)
    assert found(corpus) == expected
    assert corpus.found()["clips"] == 45  # what is left out is counted
    assert set(expected.values()) <= set(corpus.emotions)
    assert ("excitement" in corpus.emotions) == (options.get("excitement") == "keep")


def test_unknown_options(tmp_path):
    for option, value, says in (
        ("part", "improvized", "unknown part 'improvized': did you mean 'improvised'"),
        ("excitement", "merged", "did you mean 'merge'"),
        ("emotions", ["excitement"], "unknown emotion 'excitement'"),  # excitement="keep" is the way
    ):
        with pytest.raises(SertutError, match=says):
            iemocap.read(tmp_path, **{option: value})


def test_details_and_words(release):
    clip = iemocap.read(release)[1]
    assert clip.name == "Ses01F_impro05a_M000" and clip.sentence == "café no 1\x85 M000"
    said = dict(part="improvised", category="happiness", start=7.2901, end=7.7901)
    assert dict(clip.details) == said | dict(valence=2.5, activation=3.0, dominance=4.6667)
    for path in release.glob("Session*/dialog/transcriptions/*.txt"):
        path.unlink()
    corpus = iemocap.read(release)
    assert corpus[1].sentence == corpus[1].name and "sentences unknown" in corpus.describe()


def test_the_speaker_is_the_last_letter_and_folds_test_one_pair_of_actors(release, cache):
    corpus = iemocap.read(release, part="all")
    speakers = {clip.name: clip.speaker for clip in corpus}  # the first letter is who wears the markers
    assert speakers["Ses01F_impro05a_M000"] == "Ses01 M" and speakers["Ses01M_script01_1b_F000"] == "Ses01 F"
    assert corpus.speakers == tuple(f"Ses0{n} {sex}" for n in range(1, 6) for sex in "FM")
    folds = corpus.folds()
    pairs = [(fold.test.speakers[0][4], fold.dev.speakers[0][4]) for fold in folds]
    assert pairs == [("4", "5"), ("3", "4"), ("2", "3"), ("1", "2"), ("5", "1")]
    assert all([len(part.speakers) for part in fold.parts.values()] == [6, 2, 2] for fold in folds)
    assert folds[0].leaks.sentences == ("Entschuldigung?",)  # the scripted words are on all sides


def test_labels_and_recordings_that_disagree_are_said(release, cache):
    wavs = release / "Session2" / "sentences" / "wav" / "Ses02F_impro05a"
    (wavs / "Ses02F_impro05a_F000.wav").rename(wavs / "Ses02F_impro05a_F099.wav")
    corpus = iemocap.read(release)
    said = [str(problem) for problem in corpus.dropped]
    assert "Session2: 1 labels without a recording, e.g. Ses02F_impro05a_F000" in said
    assert "Session2: 1 recordings without a label, e.g. Ses02F_impro05a_F099" in said
    assert corpus.found()["clips"] == 44
    assert [p.what for p in corpus.validate()] == ["has 44 of 10039 clips"]
    assert "Session2: 1 labels without" in corpus.describe()


@pytest.mark.parametrize(
    "label",
    [
        "Ses01F_impro05a_F777\tjoy\t[2.5, 2.5, 2.5]",  # no such category
        "Ses01F_impro06_F000\tneu\t[2.5, 2.5, 2.5]",  # another dialog
        "Ses01F_impro05a_X000\tneu\t[2.5, 2.5, 2.5]",  # no such speaker
        "Ses01F_impro05a_F000\tneu\t[2.5, 2.5, 2.5]",  # twice
        "Ses01F_impro05a_F777\tneu",  # cut
    ],
)
def test_a_strange_line_of_labels_is_named(release, label):
    line = f"[6.2901 - 8.2357]\t{label}"
    path = release / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro05a.txt"
    path.write_text(path.read_text() + line + "\n")
    number = path.read_text().count("\n")
    with pytest.raises(CorpusError, match=rf"Ses01F_impro05a\.txt, line {number}, .*unpack the release again"):
        iemocap.read(release)


def test_what_is_strange_or_missing_is_named(release):
    strange = release / "Session1" / "sentences" / "wav" / "Ses01F_impro05a" / "one.wav"
    strange.touch()
    with pytest.raises(CorpusError, match=r"one\.wav is not an IEMOCAP name"):
        iemocap.read(release)
    strange.unlink()
    for path in (release / "Session3" / "dialog" / "EmoEvaluation").glob("Ses*.txt"):
        path.unlink()
    with pytest.raises(CorpusError, match=r"EmoEvaluation holds no label file"):
        iemocap.read(release)
    with pytest.raises(CorpusError, match=r"holds no Session1; .*IEMOCAP_full_release"):
        iemocap.read(release / "Session1")
