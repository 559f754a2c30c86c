"""AFEW: the folders of the challenge, on tiny films of the tests' own."""

import numpy as np
import pytest

from sertut.corpora import afew
from sertut.corpora.afew import EMOTIONS
from sertut.errors import CorpusError
from sertut.video import write_video
from tests.conftest import tone

pytestmark = pytest.mark.filterwarnings("ignore:afew is incomplete")


@pytest.fixture
def films(tmp_path):
    """Six training and two validation clips a class; one number is used in two folders, as it is in the real corpus."""
    number = 0
    for split, clips in (("Train_AFEW", 6), ("Val_AFEW", 2)):
        for folder in EMOTIONS:
            (tmp_path / split / folder).mkdir(parents=True)
            for i in range(clips):
                number += 1
                frames = np.full((3, 8, 8), number, dtype=np.uint8)
                name = "005153760" if (split, folder, i) in SHARED else f"{number * 1234:09d}"
                write_video(tmp_path / split / folder / f"{name}.avi", frames, tone(0.12, 100 + 7 * number))
    faces = tmp_path / "Train_AFEW" / "AlignedFaces_LBPTOP_Points" / "Faces" / "000046280"
    faces.mkdir(parents=True)
    (faces / "000.jpg").write_bytes(b"x")
    (tmp_path / "Val_AFEW" / "AlignedFaces_LBPTOP_Points_Val").mkdir()
    (tmp_path / "Val_AFEW" / ".DS_Store").touch()
    (tmp_path / "Test_vid_Distribute").mkdir()  # without labels
    return tmp_path


SHARED = {("Train_AFEW", "Disgust", 0), ("Val_AFEW", "Surprise", 0)}


def test_the_folder_is_the_label(films):
    with pytest.warns(UserWarning, match="afew is incomplete: 56 of 1156 clips found"):
        corpus = afew.read(films)
    counts = {split: corpus.table().query("split == @split").emotion.value_counts() for split in ("train", "val")}
    assert counts["train"].to_dict() == dict.fromkeys(EMOTIONS.values(), 6)
    assert counts["val"].to_dict() == dict.fromkeys(EMOTIONS.values(), 2)
    by_name = {clip.name: clip for clip in corpus}
    assert by_name["train-Disgust-005153760"].emotion == "disgust"
    assert by_name["val-Surprise-005153760"].emotion == "surprise"
    assert corpus[0].audio == corpus[0].video


def test_folds_are_the_published_split_with_dev_from_train(films, cache):
    corpus = afew.read(films)
    with pytest.warns(UserWarning, match=r"does not tell who speaks: .* cannot be checked"):
        (fold,) = corpus.folds()
    assert {clip.details["split"] for clip in fold.test} == {"val"} and len(fold.test) == 14
    assert {clip.details["split"] for part in (fold.train, fold.dev) for clip in part} == {"train"}
    for emotion in EMOTIONS.values():  # the first and the sixth of six
        assert sum(clip.emotion == emotion for clip in fold.dev) == 2
    assert not {clip.name for clip in fold.train} & {clip.name for clip in fold.dev}
    assert "speakers unknown, sentences unknown" in corpus.describe()
    with pytest.warns(UserWarning, match="does not tell"):
        assert corpus.folds(seed=1)[0].dev.speakers == fold.dev.speakers  # published, not drawn


def test_a_film_under_two_names_is_found_across_the_split(films, cache):
    """No speaker can be checked, but one recording on two sides still can."""
    (copied, *_), (covered, *_) = (sorted((films / split / "Sad").iterdir()) for split in ("Train_AFEW", "Val_AFEW"))
    covered.write_bytes(copied.read_bytes())
    with pytest.warns(UserWarning, match="does not tell"), pytest.raises(CorpusError, match="on two sides"):
        afew.read(films).folds()


def test_strange_folders_and_names(films):
    (films / "Train_AFEW" / "Bored").mkdir()
    with pytest.raises(CorpusError, match=r"Bored is none of the classes Angry, .*move it elsewhere"):
        afew.read(films)
    (films / "Train_AFEW" / "Bored").rmdir()
    for path in (films / "Val_AFEW" / "Fear").iterdir():
        path.unlink()
    with pytest.raises(CorpusError, match=r"Fear holds no \.avi"):
        afew.read(films)
    (films / "Val_AFEW" / "Fear").rename(films / "Val_AFEW" / ".Fear")
    with pytest.raises(CorpusError, match=r"Val_AFEW holds no folder Fear"):
        afew.read(films)
    (films / "Val_AFEW").rename(films / "Validation")
    with pytest.raises(CorpusError, match="holds no Val_AFEW"):
        afew.read(films)
