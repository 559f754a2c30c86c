"""AFEW, the film clips of the EmotiW challenges of 2016 to 2018: 7 emotions, 773 training and 383 validation clips.

Layout ``Train_AFEW/Angry/000046280.avi``, ``Val_AFEW/...``: the folder is the label, the nine digits number the clip.
One number may stand in two folders for two clips, so a clip's name here holds all three: ``train-Angry-000046280``.

**Nobody knows who speaks.** Neither actor nor film is named, so it cannot be checked whether train, dev and test share
a speaker; a film may have clips on both sides. Each clip therefore counts as its own speaker (``Corpus.untold`` says
so): an interval that resamples speakers resamples clips here, and is too narrow. Nor is it written what is said.
"""

from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus
from sertut.corpora.reading import Source
from sertut.errors import CorpusError

ABOUT = About(
    title="Acted Facial Expressions in the Wild, clips from films, as in the EmotiW challenges",
    license="by signed agreement with the organizers: academic use, no redistribution, no frames in print",
    citation="A. Dhall et al., Collecting large, richly annotated facial-expression databases from movies, IEEE"
    " MultiMedia 19(3): 34-41, 2012, doi 10.1109/MMUL.2012.26",
    url="https://cs.anu.edu.au/few/AFEW.html",
)
HOW_TO_GET = (
    "ask its organizers for it (https://cs.anu.edu.au/few/AFEW.html, a signed agreement; sertut never downloads it)"
    " and unpack Train_AFEW and Val_AFEW there"
)
EMOTIONS = {
    "Angry": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happy": "happiness",
    "Neutral": "neutral",
    "Sad": "sadness",
    "Surprise": "surprise",
}
SPLITS = {"train": "Train_AFEW", "val": "Val_AFEW"}
ALIGNED = "AlignedFaces_LBPTOP_Points"  # the organizers' own faces and features lie beside the classes; not read here
DEV_EVERY = 5  # every fifth training clip of a class, in the order of their numbers, is dev
SOURCE = Source(
    name="afew",
    about=ABOUT,
    emotions=EMOTIONS,
    names=r"\d{9}",
    example="an AFEW name such as 000046280.avi",
    expected={"clips": 773 + 383},
)


def read(root: Path) -> Corpus:
    """Read the official layout; sound and picture of a clip come from the same file.

    :meth:`Corpus.folds` gives one fold: the published validation clips are test (the labels of the published test
    clips are not public), and a fifth of the published training clips is dev; ``details["split"]`` is the published
    one.

    Args:
        root: folder that holds ``Train_AFEW`` and ``Val_AFEW``.

    Raises:
        CorpusError: a split or class folder is missing or empty, there are folders or names that do not belong.
    """
    clips: list[Clip] = []
    dev: set[str] = set()
    for split in SPLITS:
        for folder in _class_folders(root, split):
            files = {f"{split}-{folder.name}-{path.stem}": path for path in SOURCE.files(folder, (".avi",))}
            clips += (
                Clip(name, path, name, EMOTIONS[folder.name], name, video=path, details={"split": split})
                for name, path in files.items()
            )
            if split == "train":
                dev |= set([*files][::DEV_EVERY])
    test = {clip.speaker for clip in clips if clip.details["split"] == "val"}
    return SOURCE.corpus(clips, published_folds=((frozenset(test), frozenset(dev)),), untold=("speakers", "sentences"))


def _class_folders(root: Path, split: str) -> list[Path]:
    """The seven folders of a split, sorted; nothing else may lie beside them."""
    above = root / SPLITS[split]
    if not above.is_dir():
        raise CorpusError(f"the folder {root} holds no {above.name}; AFEW comes as {' and '.join(SPLITS.values())}.")
    visible = [path for path in above.iterdir() if not path.name.startswith((".", ALIGNED))]
    if strange := sorted(path.name for path in visible if path.name not in EMOTIONS):
        raise CorpusError(f"{above / strange[0]} is none of the classes {', '.join(EMOTIONS)}; move it elsewhere.")
    if missing := sorted(set(EMOTIONS) - {path.name for path in visible}):
        raise CorpusError(f"{above} holds no folder {missing[0]}; unpack the archive again.")
    return sorted(visible)
