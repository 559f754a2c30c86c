"""What the result of a training depends on, in short digests: when one changes, the result is out of date."""

from __future__ import annotations

import ast
import functools
from importlib.metadata import version
from pathlib import Path

from sertut.corpora import Corpus
from sertut.corpora.cache import content_hash
from sertut.study.methods import METHODS, kind_of
from sertut.study.protocols import Training
from sertut.training.storage import digest

LIBRARY = Path(__file__).resolve().parents[1]

CODE = ("signals", "video", "corpora", "attention", "models", "training", "evidence")
"""Rooms whose code every result depends on, beside how this room trains; `planted` where sertut made the corpus."""

HERE = ("grid.py", "starts.py", "photographs.py", "imageweights.py")


def training_digests(training: Training, corpus: Corpus) -> dict[str, str]:
    """Digests of all that a result depends on: the recordings, the method, its options, the code, and torch."""
    return {
        "corpus": corpus_digest(corpus),
        "torch": version("torch"),
        **plan_digests(training.corpus, training.method),
        "options": digest(dict(training.options)),
    }


def plan_digests(corpus: str, method: str) -> dict[str, str]:
    """The digests that can be known without the recordings: of the method and of the code."""
    return {"method": digest(repr(METHODS.get(method))), "code": code_digest(kind_of(corpus) == "made")}


def corpus_digest(corpus: Corpus) -> str:
    """Digest of names, speakers, labels, regions, and of the bytes of all recordings; not of where they lie."""
    rows = [
        [clip.name, clip.speaker, clip.emotion, clip.regions, clip.details]
        + [content_hash(path) for path in (clip.audio, clip.video) if path]
        for clip in corpus
    ]
    folds = [[sorted(test), sorted(dev)] for test, dev in corpus.published_folds]
    return digest(repr([corpus.name, corpus.emotions, folds, rows]))


@functools.cache
def code_digest(made: bool, library: Path = LIBRARY) -> str:
    """Digest of the code that trains and evaluates; comments, docstrings and empty lines do not count.

    made: whether sertut made the corpus, by code that counts then.
    """
    files = [path for room in (*CODE, *(["planted"] if made else [])) for path in sorted((library / room).glob("*.py"))]
    files += [library / "study" / name for name in HERE]
    return digest([(path.relative_to(library).as_posix(), _statements(path.read_text("utf-8"))) for path in files])


def _statements(source: str) -> str:
    """The lines of a file that do something."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)  # type: ignore[operator]
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
