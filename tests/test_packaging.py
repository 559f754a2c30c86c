"""pyproject.toml, constraints.txt and environment.yml say the same; the library imports what it declares."""

import ast
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
NOT_IMPORTED = {"jupyter-book", "papermill", "ipykernel", "sphinx-mathjax-offline"}
"""What the book needs as programs, or through its configuration."""


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


@pytest.mark.parametrize("requirement", requirements("book", "dev", "cluster"), ids=str)
def test_every_range_has_a_pin_inside(requirement):
    name = canonicalize_name(requirement.name)
    assert name in pins(), f"{name} has no pin in constraints.txt"
    assert requirement.specifier.contains(pins()[name])


@pytest.mark.parametrize("requirement", requirements("book", "dev"), ids=str)
def test_the_environment_holds_the_pinned_versions(requirement):
    assert version(requirement.name).split("+")[0] == pins()[canonicalize_name(requirement.name)]


def test_conda_users_get_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[book,dev]"]}
    assert "pip" in conda
    python = next(entry.removeprefix("python") for entry in conda if entry.startswith("python"))
    assert SpecifierSet(python) == SpecifierSet(PROJECT["requires-python"])


def test_make_installs_from_the_same_files():
    makefile = (ROOT / "Makefile").read_text()
    assert "-c constraints.txt -e '.[book,dev]'" in makefile
    assert re.search(r"^\$\(STAMP\): pyproject.toml constraints.txt$", makefile, re.M)


def test_the_library_imports_what_it_declares_and_nothing_else():
    imported = set()
    for path in (ROOT / "sertut").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").split(".")[0])
    outside = imported - set(sys.stdlib_module_names) - {"sertut", "_ctypes"}
    providers = packages_distributions()
    unknown = {name for name in outside if name not in providers and name != "dask"}
    assert not unknown, f"imported, but not installed: {unknown}"
    needed = {canonicalize_name(providers[name][0]) for name in outside if name in providers}
    base = {canonicalize_name(requirement.name) for requirement in requirements()}
    optional = {canonicalize_name(requirement.name) for requirement in requirements("book", "cluster")}
    assert not needed - optional - base, f"imported, but not declared: {needed - optional - base}"
    assert not base - needed - NOT_IMPORTED, f"declared, but not imported: {base - needed - NOT_IMPORTED}"


def test_every_folder_of_the_library_is_a_package():
    folders = {path.parent for path in (ROOT / "sertut").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]
