"""A repository with two very small chapters, so that the runner and the builder can be tested in seconds."""

import csv
import json
import shutil
import sys
from pathlib import Path
from zlib import crc32

import pytest

from sertut.cli import main
from sertut.corpora import Corpus

ROOT = Path(__file__).resolve().parents[2]

FIGURE = """
import matplotlib.pyplot as plt
from IPython.display import Markdown, display
figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([1, 2])
plt.close(figure)
display(figure, metadata={"image/png": {"alt": "A rising line."}})
"""

PYTHON = crc32(sys.executable.encode())  # not the path itself: the book refuses a page with a path of this machine
END = f"""
from zlib import crc32

from sertut.course.pages import claims_page
from sertut.course.results import write_results
from sertut.evidence import Claim
from sertut.evidence.intervals import Interval
claim = Claim("T1", "two is more | than one", "nobody", "measured", "none", Interval(1.0, 0.5, 1.5), "", 5)
here = dict(threads=int(os.environ["OMP_NUM_THREADS"]), same_python=int(crc32(sys.executable.encode()) == {PYTHON}))
found = write_results(
    chapter=CHAPTER, parameters=dict(seed=seed), metrics=dict(seed=seed, **here), claims=[claim], started=started
)
Markdown(claims_page([found]))
"""


def call(*words: str) -> int:
    """Run a command of sertut; its exit code."""
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return end.value.code


def cell(text: str, *tags: str, kind: str = "code", caption: str = "") -> dict:
    """One notebook cell."""
    extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
    metadata: dict = {"tags": list(tags)} if tags else {}
    metadata |= {"mystnb": {"figure": {"caption": caption}}} if caption else {}
    return {"cell_type": kind, "id": f"c{abs(hash(text)):x}"[:12], "metadata": metadata, "source": text, **extra}


def write_notebook(path: Path, *cells: dict) -> None:
    """A notebook of format 4.5."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=1))


SEED = cell("seed = 0", "parameters")
RESULTS = cell(  # as write_results leaves them, in a tenth of the time
    "import json\nfound = dict(chapter='quick', corpus='none', seed=seed, device='cpu', seconds=0, versions={})\n"
    "json.dump(found | dict(metrics={}, claims=[], bands=[]), open('results.json', 'w'))"
)


def write_table(path: Path, corpus: Corpus) -> Path:
    """A table of one's own: what a corpus says of each clip, but for the regions."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "speaker", "emotion", "sentence"))
        writer.writerows((str(clip.audio), clip.speaker, clip.emotion, clip.sentence) for clip in corpus)
    return path


def write_chapter(path: Path) -> None:
    """A chapter with everything that the book's machinery meets."""
    text = f"# {path.stem}\n\nWith a formula, $\\alpha_t = 1$, and\n\n$$\\sum_t \\alpha_t = 1$$"
    write_notebook(
        path,
        cell(text, kind="markdown"),
        cell(f"import os, sys, time\nstarted = time.time()\nCHAPTER = {path.stem!r}"),
        cell('seed = 0\nepochs = 3  # passes\nrate = 0.5\nname = "x"', "parameters"),
        cell(FIGURE, caption="A line that rises."),
        cell("print(f'\\r {5 * 10}%|####', file=sys.stderr)\n1 + 1", "solution"),
        cell(END),
    )


def write_repository(root: Path) -> None:
    """The chapters 01-one and 02-two, and a book around them."""
    for folder in ("notebooks", "book"):
        (root / folder).mkdir()
    write_chapter(root / "notebooks" / "01-one.ipynb")
    write_notebook(root / "notebooks" / "02-two.ipynb", cell("# Two", kind="markdown"), SEED, RESULTS)
    shutil.copy(ROOT / "book" / "_config.yml", root / "book")
    for folder in ("_static", "_templates"):
        shutil.copytree(ROOT / "book" / folder, root / "book" / folder)
    entry = "@book{a, title={T}, author={A, B}, year={2000}, publisher={P}}\n"
    (root / "book" / "references.bib").write_text(entry)
    (root / "book" / "intro.md").write_text("# Intro\n\nA start.\n\n<!-- claims -->\n")
    (root / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nparts:\n  - caption: I\n    chapters:\n"
        "      - file: notebooks/01-one\n      - file: notebooks/02-two\n"
    )
