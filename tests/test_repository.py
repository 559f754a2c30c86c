"""What may be in the repository: small files, notebooks without outputs, nothing of one person's machine."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def files() -> list[Path]:
    """Files that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so nothing says which files belong to the repository")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_is_large():
    assert not [(path.name, path.stat().st_size) for path in files() if path.stat().st_size > 1_000_000]


def test_notebooks_are_stored_without_outputs():
    wrong = []
    for path in (path for path in files() if path.suffix == ".ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for number, cell in enumerate(notebook["cells"]):
            if cell.get("outputs") or cell.get("execution_count") or "papermill" in cell["metadata"]:
                wrong.append(f"{path.name}: cell {number}")
        if {"papermill", "widgets"} & set(notebook["metadata"]):
            wrong.append(f"{path.name}: metadata of a run")
    assert not wrong, f"clear the outputs of {wrong}"


def test_no_file_names_a_folder_of_this_machine():
    here = [f"{folder}/" for folder in (ROOT, Path.home()) if len(str(folder)) > 1]
    wrong = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {folder}" for folder in here if folder in text]
    assert not wrong


def test_what_is_made_is_ignored():
    for name in ("_build/html/index.html", ".venv/x", "data/planted/x.flac", "dist/x.whl"):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT)
        if done.returncode == 128:
            pytest.skip("not a git checkout")
        assert done.returncode == 0, name
