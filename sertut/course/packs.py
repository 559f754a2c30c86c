"""What a teacher hands out: the chapters without solutions, or with all that a course needs; made from the chapters.

Both kinds are small repositories that run by themselves. Their exercises carry the metadata of nbgrader_, so that its
commands work on them as they are.

.. _nbgrader: https://nbgrader.readthedocs.io
"""

import ast
import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from sertut.course.catalog import PAGES, Chapter, chapters, find, repository, source, tags
from sertut.course.exercises import JUDGES
from sertut.course.results import read_results
from sertut.errors import SertutError
from sertut.files import write, writing

STUB = "...  # your code here"
TEST = """from sertut.course import check

feedback = check("{id}", {name})
assert feedback, feedback
print(feedback)"""
CHECK = re.compile(r"""check\(\s*["'](\d+\.\d+)["'],\s*(\w+)\s*\)""")
"""The call in a cell tagged ``check``: id of the exercise, and what the answer is called."""

FOLDED = re.compile(r"\n*<details>\s*<summary>(What is wrong|A discussion).*?</details>", re.DOTALL)
"""Answers that stand in the text: of *find the fault*, and the discussion of an open question."""

NEEDED = ("LICENSE", "LICENSE-text.md", "pyproject.toml", "constraints.txt", "sertut", "book/results")
"""Of the repository, what a chapter needs to run anywhere; besides tables beside the results, and linked pages."""

README = """# Where emotion lives: {what}

Made by `sertut course pack`. Install once, with the network: `pip install -c constraints.txt -e '.[book]' jupyterlab`.
Then `jupyter lab notebooks` works without it. The corpus of the chapters is made on first use, in about a minute.

{how}

`slides/` has the figures of the chapters that were run where this pack was made. The space bar goes to the next one.
"""
STUDENTS = """Each exercise has a cell for your code and a cell that checks it. A check that fails says why. Run a
chapter from the top to its first open exercise, answer it, run its check, and go on."""
TEACHERS = """`notebooks/` holds the chapters with all solutions and discussions, `timing.csv` how long each takes, and
`book/for-teachers.md` syllabi, questions for the discussion, and projects with a rubric. `source/` is for nbgrader
(`pip install nbgrader`): in this folder, `nbgrader generate_assignment NAME` makes the version for students,
`nbgrader autograde NAME` and `nbgrader generate_feedback NAME` mark what lies in `submitted/STUDENT/NAME/`. NAME is the
name of a folder in `source/`. Without nbgrader, `sertut course grade FOLDER` marks a folder of notebooks."""
SETTINGS = (
    f'c = get_config()\nc.ClearSolutions.code_stub = {{"python": "{STUB}"}}\nc.ExecutePreprocessor.timeout = 1800\n'
)


def must_be_new(folder: Path) -> None:
    """Refuse a folder that holds something, or a file of that name.

    Raises:
        SertutError: it does.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise SertutError(f"{folder} is there and not empty; name a new folder, or remove that one first.")


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder` that becomes `folder` at the end, or is removed where something fails.

    Raises:
        SertutError: `folder` is there and holds something.
    """
    folder = folder.expanduser().absolute()
    must_be_new(folder)
    with writing(folder) as temporary:
        temporary.mkdir()
        yield temporary


def write_pack(
    folder: Path, names: Sequence[str] = (), *, teachers: bool = False, root: Path | None = None
) -> list[str]:
    """Write a pack for students or for teachers; return the chapters that have no slides, since they were not run here.

    Args:
        names: numbers or names of chapters; all of them if none is named.

    Raises:
        SertutError: `folder` is not empty, a chapter is unknown, or a solution does not have the form of one.
    """
    root, unseen = root or repository(), []
    chosen = list(dict.fromkeys(find(name, root) for name in names)) if names else chapters(root)
    with new_folder(folder) as pack:
        _copy_needed(root, pack, ["for-teachers.md"] if teachers else [])
        for chapter in chosen:
            whole = json.loads(chapter.path.read_text(encoding="utf-8"))
            asked = whole | {"cells": marked(chapter, solved=teachers)}
            write(pack / "notebooks" / chapter.path.name, _text(whole if teachers else asked))
            if teachers:
                write(pack / "source" / chapter.name / chapter.path.name, _text(asked))
            executed = Chapter(root / "_build" / "chapters" / chapter.name / chapter.path.name)
            if executed.path.is_file():
                write(pack / "slides" / f"{chapter.name}.html", slides(executed))
            else:
                unseen.append(chapter.name)
        if teachers:
            timing(chosen, root).to_csv(pack / "timing.csv", index=False)
            write(pack / "nbgrader_config.py", SETTINGS)
        what, how = ("for teachers", TEACHERS) if teachers else ("exercises", STUDENTS)
        write(pack / "README.md", README.format(what=what, how=how))
    return unseen


def marked(chapter: Chapter, solved: bool) -> list[dict]:
    """The cells of a chapter with nbgrader's metadata; one cell an exercise, with its solution between marks, or blank.

    Raises:
        SertutError: an exercise lacks its solution, or the solution is more than the function asked for.
    """
    whole, cells = chapter.cells(), []
    solved_by = {call[1]: cell for cell in whole if "solution" in tags(cell) and (call := CHECK.search(source(cell)))}
    for cell in whole:
        text = source(cell)
        if "exercise" in tags(cell):
            exercise = cell
        elif "check" in tags(cell) and (call := CHECK.search(text)):
            id, grade_id = call[1], call[1].replace(".", "-")
            try:
                name = JUDGES[id].__name__
                answer = without_answer(source(solved_by[id]), name)[solved]
            except (KeyError, StopIteration, SyntaxError) as problem:
                message = f"{chapter.path}: exercise {id} needs a solution that defines its function and nothing else."
                raise SertutError(message) from problem
            cells.append(_with(exercise, answer, {"grade_id": f"exercise-{grade_id}", "solution": True}))
            test = {"grade_id": f"check-{grade_id}", "grade": True, "locked": True, "points": 1}
            cells.append(_with(cell, TEST.format(id=id, name=name), test))
        elif "solution" not in tags(cell):
            cells.append(cell | {"source": FOLDED.sub("", text)})
    return cells


def without_answer(solution: str, name: str) -> tuple[str, str]:
    """The cell for students, and the one that nbgrader makes it from: head and docstring of the solution's function.

    Raises:
        StopIteration: the solution defines something other than `name`.
    """
    statements = [node for node in ast.parse(solution).body if not isinstance(node, ast.Expr)]
    function = next(node for node in statements if isinstance(node, ast.FunctionDef) and [node] == statements)
    if function.name != name:
        raise StopIteration
    lines = solution.splitlines()
    first = function.body[0]
    after = first.end_lineno if ast.get_docstring(function) else first.lineno - 1
    head, body = lines[function.lineno - 1 : after], lines[after : function.end_lineno]
    begin, end = "    ### BEGIN SOLUTION", "    ### END SOLUTION"
    return "\n".join([*head, "    " + STUB]), "\n".join([*head, begin, *body, end])


def timing(chosen: Sequence[Chapter], root: Path) -> pd.DataFrame:
    """How long each chapter takes: to read, by its words; to run, as measured where this repository has run it."""
    rows = []
    for chapter in chosen:
        done = root / "_build" / "chapters" / chapter.name / "results.json"
        words = sum(len(source(cell).split()) for cell in chapter.cells() if cell["cell_type"] == "markdown")
        seconds = read_results(done)["seconds"] if done.is_file() else None
        exercises = sum("check" in tags(cell) for cell in chapter.cells())
        rows.append((chapter.name, round(words / 200), exercises, seconds))
    return pd.DataFrame(rows, columns=["chapter", "minutes to read", "exercises", "seconds to run, as measured here"])


def slides(executed: Chapter) -> str:
    """HTML: each figure of a chapter that was run fills a screen, under the heading it stands under; no script."""
    figures, heading = [], executed.name
    for cell in executed.cells():
        if cell["cell_type"] == "markdown":
            heading = (re.findall(r"^#{1,5} (.+)$", source(cell), re.MULTILINE) or [heading])[-1]
        for output in cell.get("outputs", ()):
            if picture := "".join(output.get("data", {}).get("image/png", "")).replace("\n", ""):
                figures.append((heading, picture, output["metadata"].get("image/png", {}).get("alt", "")))
    return PAGES.get_template("slides.html").render(title=executed.name, figures=figures)


def _with(cell: dict, text: str, about: dict) -> dict:
    """A cell with another text, of which nbgrader knows what it is."""
    usual = {"schema_version": 3, "cell_type": "code"} | dict.fromkeys(("grade", "solution", "locked", "task"), False)
    return cell | {"metadata": cell["metadata"] | {"nbgrader": usual | about}, "source": text}


def _copy_needed(root: Path, pack: Path, pages: Sequence[str]) -> None:
    """What a chapter needs to run, and the pages that chapters link to."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "notebooks").glob("*.ipynb")]
    linked = {*pages, *(page for text in texts for page in re.findall(r"\.\./book/([\w-]+\.md)", text))}
    beside = [path for path in (root / "book").iterdir() if path.suffix in (".json", ".csv") or path.name in linked]
    for path in [*(root / name for name in NEEDED), root / "data" / "README.md", *beside]:
        to = pack / path.relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.is_file():
            shutil.copy(path, to)


def _text(notebook: dict) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
