"""A repository with two very small chapters, so that the runner and the builder can be tested in seconds."""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FIGURE = """
import matplotlib.pyplot as plt
from IPython.display import display
figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([1, 2])
plt.close(figure)
display(figure, metadata={"image/png": {"alt": "A rising line."}})
"""
CLAIM = dict(  # as a chapter hands it to write_results
    id="T1", statement="two is more | than one", source="nobody", grade="measured", corpus="none", effect=1.0, low=0.5,
    high=1.5, unit="", verdict="holds", seeds=5,
)  # fmt: skip


def cell(text: str, *tags: str, kind: str = "code") -> dict:
    """One notebook cell."""
    extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": kind, "id": f"c{abs(hash(text)):x}"[:12], "metadata": metadata, "source": text, **extra}


def write_notebook(path: Path, cells: list[dict]) -> None:
    """A notebook of format 4.5."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=1))


def tiny_chapter(path: Path, *more: str) -> None:
    """A chapter with everything that the book's machinery meets; `more` are further code cells."""
    write_notebook(
        path,
        [
            cell(
                f"# {path.stem}\n\nWith a formula, $\\alpha_t = 1$, and\n\n$$\\sum_t \\alpha_t = 1$$", kind="markdown"
            ),
            cell("import time\nstarted = time.time()\nimport os, sys"),
            cell('seed = 0\nepochs = 3\nrate = 0.5\nname = "x"', "parameters"),
            cell(FIGURE),
            cell("print(f'\\r {5 * 10}%|####', file=sys.stderr)\n1 + 1", "solution"),
            *(cell(text) for text in more),
            cell(
                "from sertut.course.results import write_results\n"
                f"_ = write_results(chapter={path.stem!r}, parameters=dict(seed=seed, epochs=epochs),"
                f" metrics=dict(seed=seed, threads=int(os.environ['OMP_NUM_THREADS'])), claims=[{CLAIM!r}],"
                " started=started)"
            ),
        ],
    )


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root of a repository with the chapters 01-one and 02-two; the current folder."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    tiny_chapter(tmp_path / "notebooks" / "01-one.ipynb")
    tiny_chapter(tmp_path / "notebooks" / "02-two.ipynb")
    shutil.copy(ROOT / "book" / "_config.yml", tmp_path / "book")
    (tmp_path / "book" / "references.bib").write_text(
        "@book{a, title={T}, author={A, B}, year={2000}, publisher={P}}\n"
    )
    (tmp_path / "book" / "intro.md").write_text("# Intro\n\nA start.\n\n<!-- claims -->\n")
    (tmp_path / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nparts:\n  - caption: I\n    chapters:\n"
        "      - file: notebooks/01-one\n      - file: notebooks/02-two\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(name="cell")
def _cell():
    return cell


@pytest.fixture(name="write_notebook")
def _write_notebook():
    return write_notebook


@pytest.fixture(name="tiny_chapter")
def _tiny_chapter():
    return tiny_chapter
