"""Corpora of emotional speech: recorded ones, and ones whose emotional regions are known."""

from __future__ import annotations

import importlib
from pathlib import Path

from sertut.corpora import afew, cremad, emodb, iemocap, ravdess, ravdess_video, spliced
from sertut.corpora.cache import clip_level, load_faces, load_features, load_voices, read_clip
from sertut.corpora.clip import Clip, Region
from sertut.corpora.corpus import About, Corpus, Fold, Leaks, Problem, find_leaks, random_fold
from sertut.corpora.trimmed import trim_silence
from sertut.errors import CorpusError, must_be_known
from sertut.files import corpora_folder

RECORDED = {
    "ravdess": ravdess,
    "emodb": emodb,
    "ravdess-video": ravdess_video,
    "cremad": cremad,
    "afew": afew,
    "iemocap": iemocap,
}
"""Corpora that the user brings: name -> module with ``read(root)``, ``ABOUT`` and ``HOW_TO_GET``."""

MADE = ("planted", "planted-loud", "planted-band", "planted-blend", "planted-decoy")
"""Corpora that :mod:`sertut.planted` makes; that room is imported by name, when one of them is asked for."""

SPLICED = ("ravdess", "emodb", "cremad")
"""Recorded corpora that can be spliced: every clip is one acted sentence, and its speaker is known."""

NAMES = (*MADE, *RECORDED, *(f"spliced-{name}" for name in SPLICED))
"""All that :func:`load` takes."""


def folder_of(name: str) -> Path:
    """Where a recorded corpus is looked for: ``$SERTUT_DATA/ravdess_video`` for "ravdess-video"."""
    return corpora_folder() / name.replace("-", "_")


def load(name: str, root: Path | str | None = None, *, trim: bool = True, **options) -> Corpus:
    """Load a corpus by name: ``load("planted")``, ``load("ravdess", root="~/corpora")``, ``load("spliced-ravdess")``.

    Args:
        name: one of :data:`NAMES`; :func:`sertut.corpora.own.load`, which is ``sertut.load``, takes tables too.
        root: folder of a recorded corpus; by default ``$SERTUT_DATA/<name>``, or ``data/<name>`` of a checkout
            (with ``_`` for ``-``).
        trim: cut the silence before and after the speech of recorded corpora (once, into copies of sertut's own);
            clips that have a video are left as they are.
        options: passed on to the corpus, e.g. ``known_faults="keep"`` for RAVDESS.

    Raises:
        SertutError: the name is unknown (the nearest one is suggested).
        CorpusError: the recordings are not there; the message says how to get them.
    """
    must_be_known("corpus", name, NAMES)
    if name in MADE:
        return importlib.import_module("sertut.planted").load(name, **options)
    if name.startswith("spliced-"):
        return spliced.splice(load(name.removeprefix("spliced-"), root, trim=False), **options)
    folder = Path(root).expanduser() if root else folder_of(name)
    if not folder.is_dir():
        raise CorpusError(f"{name} is not in {folder}: {RECORDED[name].HOW_TO_GET}, or pass root= or set SERTUT_DATA.")
    corpus = RECORDED[name].read(folder, **options)
    return trim_silence(corpus) if trim else corpus
