"""The library's pages in the book: how much there is to read, in which order, and what each room offers.

An extension of Sphinx, by name in book/_config.yml. It replaces two kinds of marks in a page; the descriptions of names
are then made from their docstrings by Sphinx's own autodoc.
"""

import ast
import dataclasses
import inspect
import itertools
import re
import textwrap
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from sertut.files import LIBRARY

STUDENT = ("signals", "attention", "models", "training")
"""The rooms that a student reads: their pages show every file, those of other rooms only what the room offers."""

READING_MARK, NAMES_MARK = "<!-- reading order -->", re.compile(r"<!-- names of (\S+) -->")


def fill_library(text: str) -> str:
    """A page of the book with its marks replaced: the reading order, and the names of a room."""
    return NAMES_MARK.sub(lambda mark: names_of(mark[1]), text).replace(READING_MARK, reading_order())


def setup(app) -> dict[str, bool]:
    """What Sphinx calls: fill the marks of a page; make signatures and docstrings ready, these before Napoleon does."""

    def fill(app, page: str, text: list[str]) -> None:
        text[0] = fill_library(text[0])

    def prepare(app, what: str, name: str, thing: Any, options: object, lines: list[str]) -> None:
        fields = [field.name for field in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else []
        lines[:] = prepare_docstring("\n".join(lines), fields).splitlines()

    def shorten(app, what: str, name: str, thing: Any, options: object, signature: str | None, returns: str) -> tuple:
        named = re.sub(r"<function (\w+)[^>]*>", r"\1", signature or "")  # a default, as a call would write it
        return named.replace("<factory>", "..."), returns

    app.connect("source-read", fill)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-process-docstring", prepare, priority=100)
    return {"parallel_read_safe": True}


def prepare_docstring(text: str, fields: Sequence[str] = ()) -> str:
    """What is written for readers of code, for Sphinx: a star stays a star; each field, argument, equation has a line.

    Args:
        fields: those of a dataclass.
    """
    if names := "|".join(fields):
        text = re.sub(rf"(?m)(?:^|(?<=\. ))((?:{names})(?:, (?:{names}))*): ", r"\n\n**\1**: ", text)
    text = re.sub(r"(?<=[\s(])\*(?=\w+[,)])", r"\\*", text)  # (B, *axes)
    text = re.sub(r"(?<=Args:\n)(?: {4,}\S.*\n?)+", _one_a_line, text)
    return re.sub(r"(?<=\.\. math::\n)(?:\n? {4,}.*)+", _equations, text)


def _one_a_line(arguments: re.Match) -> str:
    """``x: (B, T). y: (B,).`` as two lines; a size alone, ``n: H.``, must not start a list from A to H."""
    return re.sub(r"(?<=: )([A-Z])\.(?=\s|$)", r"\1", re.sub(r"(?<=\.) (?=[a-z_]+: )", "\n    ", arguments[0]))


def _equations(block: re.Match) -> str:
    """Equations that stand side by side, one below the other: a page is narrower than a line of code."""
    found = [" ".join(part.split()) for part in block[0].split(r"\qquad")]
    return block[0] if len(found) == 1 else " \\\\\n".join(f"    & {part}" for part in found) + "\n"


def reading_order() -> str:
    """Markdown: a row each file of the student's rooms, with its lines, after the files that it imports from."""
    rows, total = ["::::{container} reading-order", "| file | lines | what is in it |", "|---|--:|---|"], 0
    for room in STUDENT:
        files = _in_order(room)
        lines = sum(_lines(path) for path in files)
        rows.append(
            f"| **[{room}](reference/{room}.md)** | **{lines}** | **{_says(LIBRARY / room / '__init__.py')}** |"
        )
        rows += [f"| {_source(path, '..', f'`{path.name}`')} | {_lines(path)} | {_says(path)} |" for path in files]
        total += lines
    return "\n".join([*rows, f"| all four | {total} | |", "::::"])


def names_of(package: str) -> str:
    """Directives for Sphinx: a table of the names that `package` offers, then each with its docstring, file by file.

    Args:
        package: "sertut", or a room such as "sertut.attention".
    """
    room = package.removeprefix("sertut").lstrip(".")
    entrance = LIBRARY / room / "__init__.py"
    offered = _offered(entrance)
    things = [f"   ~{package}.{name}" for names in offered.values() for name in names if not name.isupper()]
    parts = [_rst(".. autosummary::", "   :nosignatures:", "", *things)]
    for path in [entrance, *_in_order(room)] if room else ():
        module = _module(path)
        inside = [name for name in _defined(path) if name not in offered.get(module, ()) and room in STUDENT]
        entries = [_entry(package, name, path) for name in offered.pop(module, ())]
        entries += [_entry(module, name, path) for name in inside]
        if entries and path != entrance:
            source = _source(path, "../..", f"read its {_lines(path)} lines")
            parts.append(f"## {path.name}\n\n{_says(path)} {source}")
        parts += entries
    parts += [_entry(package, name, entrance) for names in offered.values() for name in names]  # of other rooms
    return "\n\n".join(parts)


def _entry(package: str, name: str, path: Path) -> str:
    """What documents one name; the field's way of writing names says what it is."""
    if name.isupper():
        node, after = _defined(path)[name]
        value = ast.unparse(node.value) if isinstance(node, ast.Assign | ast.AnnAssign) and node.value else ""
        comment = path.read_text(encoding="utf-8").splitlines()[(node.end_lineno or 1) - 1].partition("  # ")[2]
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            comment = inspect.cleandoc(str(after.value.value))
        shown = [f"   :value: {value}"] if len(value) < 90 else []
        return _rst(f".. py:data:: {name}", f"   :module: {package}", *shown, "", textwrap.indent(comment, "   "))
    kind = "autoclass" if name[0].isupper() else "autofunction"
    return _rst(f".. {kind}:: {package}.{name}", *(["   :members:"] if kind == "autoclass" else []))


def _offered(entrance: Path) -> dict[str, list[str]]:
    """Module -> the names that a package offers from there: what it imports from its own files, and what it defines."""
    package, found = _module(entrance), {}
    for node in ast.walk(_tree(entrance)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{package}."):
            found[str(node.module)] = [alias.name for alias in node.names]
    return {package: list(_defined(entrance)), **found}


def _defined(path: Path) -> dict[str, tuple[ast.stmt, ast.stmt]]:
    """Public functions, classes and constants of a file, as they follow one another, each with what stands below it."""
    found: dict[str, tuple[ast.stmt, ast.stmt]] = {}
    for node, after in itertools.pairwise([*_tree(path).body, ast.Pass()]):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node, after
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = ast.walk(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            names = [target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()]
            found |= dict.fromkeys(names, (node, after))
    return {name: pair for name, pair in found.items() if not name.startswith("_")}


def _in_order(room: str) -> list[Path]:
    """Files of a room, each after those that it imports from."""
    files = {_module(path): path for path in sorted((LIBRARY / room).glob("*.py")) if path.stem != "__init__"}
    needs = TopologicalSorter(dict.fromkeys(files, ()))
    for module, path in files.items():
        imports = [node.module for node in _tree(path).body if isinstance(node, ast.ImportFrom)]
        needs.add(module, *sorted(files.keys() & imports))
    return [files[module] for module in needs.static_order()]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _says(path: Path) -> str:
    """First paragraph of a file's docstring, whose roles are Sphinx's, in Markdown."""
    first = str(ast.get_docstring(_tree(path))).partition("\n\n")[0].replace("\n", " ")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _source(path: Path, up: str, text: str) -> str:
    """A link to the page with the source, which Sphinx makes; Markdown's own would look for it among the pages."""
    return f'<a href="{up}/_modules/{_module(path).replace(".", "/")}.html">{text}</a>'


def _rst(*lines: str) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```"])
