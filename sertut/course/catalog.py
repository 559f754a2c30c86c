"""Which chapters there are, and what may be passed to them."""

import ast
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from sertut.errors import SertutError, must_be_known, unknown

PAGES = Environment(loader=PackageLoader("sertut", "course"), autoescape=True, undefined=StrictUndefined)
PAGES.trim_blocks = PAGES.lstrip_blocks = True
"""The templates of the pages that this room writes."""


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
            message = f"{self.path} is not a notebook of format 4; restore it from the repository."
            raise SertutError(message) from problem

    @property
    def minutes(self) -> int:
        """How long it runs, as its first cell says, "**running** about 3 minutes"; 0 where that says nothing."""
        said = re.search(r"\*\*running\*\* about (\d+) minute", "".join(map(source, self.cells()[:1])))
        return int(said[1]) if said else 0

    def parameters(self) -> dict[str, object]:
        """Name and default of everything that the cell tagged ``parameters`` sets.

        Raises:
            SertutError: there is no such cell, it holds something other than literals, or papermill is missing.
        """
        require("papermill")
        from papermill import inspect_notebook  # comes with sertut[book] only

        try:
            found = inspect_notebook(self.path)
            if not found:
                raise ValueError("no parameters")
            return {name: ast.literal_eval(entry["default"]) for name, entry in found.items()}
        except (SyntaxError, ValueError) as problem:
            message = f"{self.path.name} needs one cell tagged 'parameters' that holds nothing but 'name = literal'."
            raise SertutError(message) from problem

    def check(self, parameters: Mapping[str, object]) -> None:
        """Refuse a parameter that the chapter does not have, or a value of another type than the default's.

        papermill itself only logs the first and lets the second fail somewhere below.
        """
        defaults = self.parameters()
        for name, value in parameters.items():
            must_be_known(f"parameter of {self.name}", name, defaults)
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
    return "".join(cell["source"])


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
    known = {chapter.name: chapter for chapter in chapters(root)}
    wanted = Path(name).name.removesuffix(".ipynb")
    for full, chapter in known.items():
        number, _, title = full.partition("-")
        if wanted in (full, title) or (wanted.isdecimal() and wanted.zfill(2) == number):
            return chapter
    raise unknown("chapter", name, known if wanted[:1].isdecimal() else [full.partition("-")[2] for full in known])


def require(*packages: str) -> None:
    """Refuse to go on without packages that only running chapters and building the book needs."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise SertutError(f"{package} is not installed; run `make setup`, or pip install 'sertut[book]'.")
