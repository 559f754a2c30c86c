"""CREMA-D: official names on tones, each known fault, placeholders of Git LFS, and the real tables of votes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sertut.corpora import cremad, load
from sertut.corpora.cremad import EMOTIONS, KNOWN_FAULTS
from sertut.errors import CorpusError
from sertut.signals import write_audio
from tests.conftest import tone

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n"
HEAD = '"","A","D","F","H","N","S","fileName","numResponses"\n'


pytestmark = pytest.mark.filterwarnings("ignore:cremad is incomplete")


def make(root, *names):
    """Tones under official names, each of its own pitch."""
    (root / "AudioWAV").mkdir(exist_ok=True)
    for i, name in enumerate(names):
        write_audio(root / "AudioWAV" / f"{name}.wav", tone(0.1, 100 + 7 * i))
    return root


def test_known_faults_are_left_out_with_the_reason_or_found_when_kept(tmp_path, cache):
    make(tmp_path, "1001_DFA_ANG_XX", *KNOWN_FAULTS)
    (tmp_path / "AudioMP3").mkdir()
    (tmp_path / "AudioMP3" / "1001_DFA_ANG_XX.mp3").touch()  # no second clip
    with pytest.warns(UserWarning, match="8 of 7442 clips"):  # those left out are there
        corpus = cremad.read(tmp_path)
    assert [clip.name for clip in corpus] == ["1001_DFA_ANG_XX"]
    assert {problem.file for problem in corpus.dropped} == set(KNOWN_FAULTS) and len(KNOWN_FAULTS) == 7
    assert "has no sound" in corpus.describe() and "anger and fear" in corpus.describe()
    assert {p.file for p in corpus.validate()} == {"cremad"}  # only that it is not complete
    folder = tmp_path / "AudioWAV"
    (folder / "1006_TIE_NEU_XX.wav").write_bytes((folder / "1006_TIE_HAP_XX.wav").read_bytes())
    write_audio(folder / "1076_MTI_SAD_XX.wav", np.zeros(1600))
    kept = cremad.read(tmp_path, known_faults="keep")
    found = {p.file: p.what for p in kept.validate()}
    assert "1006_TIE_NEU_XX" in found["1006_TIE_HAP_XX"] and "silent" in found["1076_MTI_SAD_XX"] and len(kept) == 8


def test_placeholders_of_git_lfs_are_explained(tmp_path):
    make(tmp_path, "1001_DFA_ANG_XX")
    (tmp_path / "AudioWAV" / "1002_DFA_ANG_XX.wav").write_bytes(POINTER)
    with pytest.raises(CorpusError, match=r'1002_DFA_ANG_XX\.wav.*1 of 2 files.*git lfs pull --include="AudioWAV'):
        cremad.read(tmp_path)


def test_videos_and_that_their_sound_is_not_trimmed(tmp_path, cache):
    make(tmp_path, "1001_DFA_ANG_XX", "1002_DFA_ANG_XX", "1003_DFA_ANG_XX", "1064_IEO_DIS_MD")
    flash = tmp_path / "VideoFlash"
    flash.mkdir()
    (flash / "1001_DFA_ANG_XX.flv").write_bytes(b"FLV" + bytes(2000))
    (flash / "1002_DFA_ANG_XX.flv").write_bytes(POINTER)
    (flash / "1064_IEO_DIS_MD.flv").write_bytes(b"FLV" + bytes(2000))
    with pytest.warns(UserWarning) as said:
        corpus = cremad.read(tmp_path)
    text = "\n".join(str(warning.message) for warning in said)
    assert "1 of 4 clips have no video" in text and 'git lfs pull --include="VideoFlash/**"' in text
    assert [clip.video for clip in corpus] == [flash / "1001_DFA_ANG_XX.flv", None, None, None]
    assert "1064_IEO_DIS_MD.flv: its video lasts a minute" in "\n".join(map(str, corpus.dropped))
    assert corpus.found()["clips"] == 4  # a missing video is not a missing clip
    assert all(clip.audio.suffix == ".flac" for clip in load("cremad", root=tmp_path, video=False))
    with pytest.warns(UserWarning, match="have no video"):
        seen, heard, *_ = load("cremad", root=tmp_path)
    assert seen.audio.parent == tmp_path / "AudioWAV" and heard.audio.suffix == ".flac"


def test_tables_join_the_clips(tmp_path):
    make(tmp_path, "1001_DFA_ANG_XX")
    (tmp_path / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
    )
    (tmp_path / "processedResults").mkdir()
    (tmp_path / "processedResults" / "tabulatedVotes.csv").write_text(
        HEAD + '"100005",6,2,0,0,1,0,"1001_DFA_ANG_XX",9\n"200005",5,2,0,0,3,0,"1001_DFA_ANG_XX",10\n'
    )
    details = cremad.read(tmp_path)[0].details
    told = dict(age=51, sex="male", race="Caucasian", ethnicity="Not Hispanic")
    assert {name: details[name] for name in told} == told
    assert details["votes"]["voice"] == dict(anger=6, disgust=2, fear=0, happiness=0, neutral=1, sadness=0)
    assert details["votes"]["face"]["neutral"] == 3 and "both" not in details["votes"]
    make(tmp_path, "1002_DFA_ANG_XX")
    with pytest.raises(CorpusError, match=r"VideoDemographics\.csv has no row for actor 1002"):
        cremad.read(tmp_path)
    (tmp_path / "VideoDemographics.csv").unlink()
    with pytest.raises(CorpusError, match=r"tabulatedVotes\.csv has no votes on 1002_DFA_ANG_XX"):
        cremad.read(tmp_path)


def test_a_hand_made_table_of_votes(tmp_path):
    """A tie has no majority; the first digit of the key tells what was shown."""
    (tmp_path / "tabulatedVotes.csv").write_text(
        HEAD + '"100001",3,0,0,3,1,0,"1001_IEO_HAP_LO",7\n"307442",0,0,0,9,1,0,"1001_IEO_HAP_LO",10\n'
    )
    votes = cremad.read_votes(tmp_path)
    assert votes.columns.tolist() == ["name", "stream", "intended", "majority", *EMOTIONS.values()]
    assert votes.stream.tolist() == ["voice", "both"] and votes.majority.tolist() == ["tie", "happiness"]
    assert votes.anger.tolist() == [3, 0] and votes.happiness.tolist() == [3, 9]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read as a table"),
        ('"",A,D\n1,2,3\n', "has no column fileName"),
        (HEAD + '"400001",3,0,0,3,1,0,"1001_IEO_HAP_LO",7\n', "begins with 4"),
        (HEAD + '"100001",few,0,0,3,1,0,"1001_IEO_HAP_LO",7\n', "not whole numbers"),
        (HEAD + '"100001",3,0,0,3,1,0,"1001-IEO",7\n', "1001-IEO is not a CREMA-D name"),
        (HEAD + 2 * '"100001",3,0,0,3,1,0,"1001_IEO_HAP_LO",7\n', "two rows for 1001_IEO_HAP_LO"),
    ],
)
def test_broken_tables_of_votes(tmp_path, content, says):
    (tmp_path / "tabulatedVotes.csv").write_text(content)
    with pytest.raises(CorpusError, match=f"tabulatedVotes.csv.*{says}"):
        cremad.read_votes(tmp_path)


def test_the_real_votes(recorded):
    """The published facts: 212000 votes; the majority names the intended emotion in 41.64, 66.26, 72.21 % of clips."""
    root = recorded("cremad")
    votes = cremad.read_votes(root)
    emotions = list(EMOTIONS.values())
    assert len(votes) == 3 * 7442 and votes.name.nunique() == 7442
    total = votes[emotions].sum(axis=1)
    assert total.sum() == 212_000 and total.between(4, 12).all()
    agreement = (votes[emotions].max(axis=1) / total).groupby(votes.stream).mean()
    assert agreement.round(3).to_dict() == {"voice": 0.637, "face": 0.701, "both": 0.726}
    right = (100 * (votes.majority == votes.intended)).groupby(votes.stream).mean()
    assert right.round(2).to_dict() == {"voice": 41.64, "face": 66.26, "both": 72.21}
    assert (votes.majority == "tie").groupby(votes.stream).sum().to_dict() == {"voice": 644, "face": 470, "both": 420}
    once = votes[votes.stream == "voice"]
    assert once.intended.value_counts().to_dict() == {**dict.fromkeys(emotions, 1271), "neutral": 1087}
    assert set(KNOWN_FAULTS) < set(once.name)
    actors = once.name.str[:4].astype(int)  # the names fill the published folds
    assert [int(actors.between(*block).sum()) for block in cremad.BLOCKS] == [1463, 1470, 1476, 1476, 1557]
    # The authors' own table of winners, ties joined by ':', against ours from the counts.
    summary = pd.read_csv(root / "summaryTable.csv", index_col=0).set_index("FileName")
    for stream, column in {"voice": "VoiceVote", "face": "FaceVote", "both": "MultiModalVote"}.items():
        ours = votes[votes.stream == stream].set_index("name").majority
        theirs = summary[column].map(lambda letters: "tie" if ":" in letters else cremad.VOTES[letters])
        assert ours.sort_index().equals(theirs.sort_index().rename("majority")), stream


def test_all_official_names(recorded):
    """Under the 7442 names the counts are the published ones, and 7435 clips are left without the known faults."""
    names = cremad.read_votes(recorded("cremad")).name.unique()
    codes = pd.DataFrame([cremad.SOURCE.codes(name, name) for name in names])
    assert codes.level.value_counts().to_dict() == {"XX": 6077, "LO": 455, "MD": 455, "HI": 455}
    assert codes.sentence.value_counts()[["IEO", "DFA", "TIE", "WSI"]].tolist() == [1456, 546, 545, 540]
    (clip,) = cremad.read(recorded("cremad"))
    assert (clip.details["sex"], clip.details["age"]) == ("male", 51)
    assert max(clip.details["votes"]["both"], key=clip.details["votes"]["both"].get) == clip.emotion == "anger"
    kept, dropped = cremad.SOURCE.without_faults([Path(name) for name in names], "drop")
    assert (len(kept), len(dropped), codes.actor.nunique()) == (7435, 7, 91)
