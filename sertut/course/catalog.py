"""Which chapters there are, and what may be passed to them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sertut.errors import SertutError, unknown


@dataclass(frozen=True)
class Chapter:
    """One notebook of the book, e.g. ``04-regions-of-interest``."""

    path: Path

    @property
    def name(self) -> str:
        """File name without the suffix."""
        return self.path.stem

    def cells(self) -> list[dict]:
        """The cells as nbformat 4 stores them.

        Raises:
            SertutError: the file is not a notebook.
        """
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        except (ValueError, KeyError, TypeError) as problem:
            raise SertutError(
                f"{self.path} is not a notebook of format 4; restore it from the repository."
            ) from problem

    def parameters(self) -> dict[str, object]:
        """Name and default of everything that the cell tagged ``parameters`` sets.

        Raises:
            SertutError: there is not exactly one such cell, or it holds something other than literals.
        """
        tagged = [source(cell) for cell in self.cells() if "parameters" in tags(cell)]
        if len(tagged) != 1:
            raise SertutError(f"{self.path.name} has {len(tagged)} cells tagged 'parameters'; it needs exactly one.")
        try:
            return dict(_assignment(statement) for statement in ast.parse(tagged[0]).body)
        except (SyntaxError, ValueError) as problem:
            raise SertutError(
                f"{self.path.name}: the cell tagged 'parameters' may only hold 'name = literal'."
            ) from problem

    def check(self, parameters: Mapping[str, object]) -> None:
        """Refuse a parameter that the chapter does not have, or a value of another type than the default's.

        papermill itself only logs the first and lets the second fail somewhere below.
        """
        defaults = self.parameters()
        for name, value in parameters.items():
            if name not in defaults:
                raise unknown(f"parameter of {self.name}", name, defaults)
            default = defaults[name]
            takes = (int, float) if isinstance(default, float) else type(default)
            fits = isinstance(value, takes) and isinstance(value, bool) == isinstance(default, bool)
            if default is not None and value is not None and not fits:
                raise SertutError(
                    f"parameter '{name}' of {self.name} must be of type {type(default).__name__}, like {default!r};"
                    f" {value!r} is not."
                )


def tags(cell: Mapping) -> list[str]:
    """Tags of a notebook cell."""
    return list(cell.get("metadata", {}).get("tags", ()))


def source(cell: Mapping) -> str:
    """Text of a notebook cell (stored as one string or as lines)."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def repository() -> Path:
    """The checkout that holds ``notebooks/`` and ``book/``: around the current folder, else around the library.

    Raises:
        SertutError: there is none, because only the library was installed.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "notebooks").is_dir() and (folder / "book").is_dir():
            return folder
    raise SertutError(
        f"no notebooks/ and book/ in {here} or above it: the chapters are not part of the installed package;"
        " clone the repository and run this inside it."
    )


def chapters(root: Path | None = None) -> list[Chapter]:
    """All chapters in reading order."""
    folder = (root or repository()) / "notebooks"
    found = [Chapter(path) for path in sorted(folder.glob("*.ipynb"))]
    if not found:
        raise SertutError(f"{folder} holds no chapter (*.ipynb); restore it from the repository.")
    return found


def find(name: str, root: Path | None = None) -> Chapter:
    """A chapter by number or name: ``4``, ``04``, ``regions-of-interest`` and the full name are the same.

    Raises:
        SertutError: there is no such chapter; the nearest name is suggested.
    """
    known = chapters(root)
    wanted = Path(name).name.removesuffix(".ipynb")
    for chapter in known:
        number, _, title = chapter.name.partition("-")
        if wanted in (chapter.name, title) or (
            wanted.isdecimal() and number.isdecimal() and int(wanted) == int(number)
        ):
            return chapter
    titles = [chapter.name.partition("-")[2] for chapter in known]
    if wanted[:1].isdecimal():
        titles = [chapter.name for chapter in known]
    raise unknown("chapter", name, titles)


def _assignment(statement: ast.stmt) -> tuple[str, object]:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target: ast.expr = statement.target
        value: ast.expr = statement.value
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    else:
        raise ValueError("not an assignment")
    if not isinstance(target, ast.Name):
        raise ValueError("not a plain name")
    return target.id, ast.literal_eval(value)
