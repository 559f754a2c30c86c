"""AFEW: the folders of the challenge, on tiny films of the tests' own."""

import numpy as np
import pytest

from sertut.corpora import afew
from sertut.corpora.afew import EMOTIONS
from sertut.errors import CorpusError
from sertut.video import write_video
from tests.conftest import tone
from tests.corpora.test_readers import touch

pytestmark = pytest.mark.filterwarnings("ignore:afew is incomplete")
SHARED = {("Train_AFEW", "Disgust", 0), ("Val_AFEW", "Surprise", 0)}


@pytest.fixture
def films(tmp_path):
    """Six training and two validation clips a class; one number is used in two folders, as it is in the real corpus."""
    clips = [("Train_AFEW", folder, i) for folder in EMOTIONS for i in range(6)]
    clips += [("Val_AFEW", folder, i) for folder in EMOTIONS for i in range(2)]
    for number, clip in enumerate(clips, start=1):
        name = "005153760" if clip in SHARED else f"{number * 1234:09d}"
        folder = tmp_path.joinpath(*clip[:2])
        folder.mkdir(parents=True, exist_ok=True)
        write_video(folder / f"{name}.avi", np.full((3, 8, 8), number, dtype=np.uint8), tone(0.12, 100 + 7 * number))
    # What else lies there: the organizers' own faces, hidden files, and clips without labels.
    others = ("Train_AFEW/AlignedFaces_LBPTOP_Points/Faces/000046280/000.jpg", "Test_vid_Distribute/000046280.avi")
    return touch(tmp_path, *others, "Val_AFEW/AlignedFaces_LBPTOP_Points_Val/000.jpg", "Val_AFEW/.DS_Store")


def test_the_folder_is_the_label(films):
    with pytest.warns(UserWarning, match="afew is incomplete: 56 of 1156 clips found"):
        corpus = afew.read(films)
    counts = corpus.table().groupby("split").emotion.value_counts()
    assert all(
        counts[split].to_dict() == dict.fromkeys(EMOTIONS.values(), n) for split, n in (("train", 6), ("val", 2))
    )
    emotions = {clip.name: clip.emotion for clip in corpus if "005153760" in clip.name}
    assert emotions == {"train-Disgust-005153760": "disgust", "val-Surprise-005153760": "surprise"}


def test_folds_are_the_published_split_with_dev_from_train(films, cache):
    corpus = afew.read(films)
    with pytest.warns(UserWarning, match=r"does not tell who speaks: .* cannot be checked"):
        (fold,) = corpus.folds()
    assert {clip.details["split"] for clip in fold.test} == {"val"} and len(fold.test) == 14
    assert {clip.details["split"] for part in (fold.train, fold.dev) for clip in part} == {"train"}
    for emotion in EMOTIONS.values():
        first, *middle, last = (clip for clip in corpus if clip.name.startswith("train") and clip.emotion == emotion)
        assert {first, last} <= {*fold.dev} and {*middle} <= {*fold.train}  # the first and the sixth of six
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
