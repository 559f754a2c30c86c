"""pyproject.toml, constraints.txt and environment.yml say the same; the library imports what it declares."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(*extras: str) -> list[Requirement]:
    wanted = list(PROJECT["dependencies"])
    for extra in extras:
        wanted += PROJECT["optional-dependencies"][extra]
    return [Requirement(text) for text in wanted]


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    found = dict(line.split("==") for line in lines)
    assert len(found) == len(lines), "a package is pinned twice"
    return {canonicalize_name(name): pin for name, pin in found.items()}


EXTRAS = ("book", "dev", "cluster", "peers", "quantus", "tables", "grading")


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=str)
def test_every_range_has_a_pin_inside(requirement):
    name = canonicalize_name(requirement.name)
    assert name in pins(), f"{name} has no pin in constraints.txt"
    assert requirement.specifier.contains(pins()[name])


@pytest.mark.parametrize("requirement", requirements("book", "dev", "cluster"), ids=str)
def test_the_environment_holds_the_pinned_versions(requirement):
    assert version(requirement.name).split("+")[0] == pins()[canonicalize_name(requirement.name)]


def test_conda_users_get_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[book,dev,cluster]"]}
    assert "pip" in conda
    python = next(entry.removeprefix("python") for entry in conda if entry.startswith("python"))
    assert SpecifierSet(python) == SpecifierSet(PROJECT["requires-python"])


def test_make_installs_from_the_same_files():
    makefile = (ROOT / "Makefile").read_text()
    assert "-c constraints.txt -e '.[book,dev,cluster]'" in makefile
    assert re.search(r"^\$\(STAMP\): pyproject.toml constraints.txt$", makefile, re.M)


def imported(folder: str) -> set[str]:
    """Packages that Python files and notebooks below a folder import, as pip calls them."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")]
    for path in (ROOT / folder).rglob("*.ipynb"):
        code = [
            cell["source"]
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        sources += ["".join(text) for text in code if not "".join(text).startswith("%")]
    names = set()
    for text in sources:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").split(".")[0])
    providers = packages_distributions()
    outside = names - set(sys.stdlib_module_names) - {"sertut", "tests"}
    return {canonicalize_name(providers.get(name, [name])[0]) for name in outside}


def names(*extras: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(*extras)}


def test_what_is_imported_is_declared():
    # More machines, eGeMAPS, audformat; running chapters and building the book.
    optional = names("cluster", "peers", "tables") | {"papermill", "fonttools"}
    assert not imported("sertut") - names() - optional, "the library needs more than it declares"
    assert not imported("notebooks") - names() - names("book"), "the chapters need more than sertut[book]"


def test_what_is_declared_is_imported():
    used = imported("sertut") | imported("notebooks") | imported("tests")
    assert not names() - used, "declared, but nothing needs it"


def test_every_folder_of_the_library_is_a_package():
    folders = {path.parent for path in (ROOT / "sertut").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]
