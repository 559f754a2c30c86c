"""AFEW, the film clips of the EmotiW challenges of 2016 to 2018: 7 emotions, 773 training and 383 validation clips.

Layout ``Train_AFEW/Angry/000046280.avi``, ``Val_AFEW/...``: the folder is the label, the nine digits number the clip.
One number may stand in two folders for two clips, so a clip's name here holds all three: ``train-Angry-000046280``.

**Nobody knows who speaks.** Neither actor nor film is named, so it cannot be checked whether train, dev and test share
a speaker; a film may have clips on both sides. Each clip therefore counts as its own speaker (``Corpus.untold`` says
so): an interval that resamples speakers resamples clips here, and is too narrow. Nor is it written what is said.
"""

from __future__ import annotations

import re
from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, audio_files, warn_if_incomplete
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
NAME = re.compile(r"^\d{9}$")
DEV_EVERY = 5  # every fifth training clip of a class, in the order of their numbers, is dev


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
    dev: list[str] = []
    for split in SPLITS:
        for folder in _class_folders(root, split):
            found = [_clip(path, split) for path in audio_files(folder, (".avi",))]
            clips += found
            if split == "train":
                dev += [clip.speaker for clip in found[::DEV_EVERY]]
    test = [clip.speaker for clip in clips if clip.details["split"] == "val"]
    return warn_if_incomplete(
        Corpus(
            name="afew",
            clips=tuple(clips),
            emotions=tuple(EMOTIONS.values()),
            about=ABOUT,
            published_folds=((frozenset(test), frozenset(dev)),),
            expected={"clips": 773 + 383},
            untold=("speakers", "sentences"),
        )
    )


def _clip(path: Path, split: str) -> Clip:
    if not NAME.match(path.stem):
        raise CorpusError(f"{path} is not an AFEW name such as 000046280.avi; move it elsewhere.")
    name = f"{split}-{path.parent.name}-{path.stem}"
    return Clip(name, path, name, EMOTIONS[path.parent.name], name, video=path, details={"split": split})


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
