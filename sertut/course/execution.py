"""Running chapters: once each, in parallel, with papermill; the executed copies serve tests, results and book.

A chapter is run again only if something that it depends on has changed: its text, its parameters, the library, the
reference results, the installed versions, or which real corpora are there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from filelock import FileLock
from tqdm.auto import tqdm

from sertut.course.catalog import Chapter, chapters, find, repository, source
from sertut.course.results import read_results
from sertut.errors import SertutError
from sertut.files import corpora_folder, data_folder, writing

TIME_LIMIT = 30 * 60
"""Seconds that one chapter may take; far more than any needs, so that a hanging one ends."""


@dataclass(frozen=True)
class Executed:
    """A chapter that was run. `reused`: nothing had changed, so an earlier run was taken."""

    chapter: Chapter
    folder: Path
    reused: bool

    @property
    def notebook(self) -> Path:
        """The executed copy."""
        return self.folder / self.chapter.path.name

    @property
    def results(self) -> dict:
        """What the chapter measured."""
        return read_results(self.folder / "results.json")


def run_chapters(
    names: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
    *,
    workers: int = 2,
    time_limit: float = TIME_LIMIT,
    force: bool = False,
    progress: bool = True,
    root: Path | None = None,
) -> list[Executed]:
    """Run chapters that are not up to date; all of them if none is named.

    Each runs in its own folder, ``_build/chapters/<name>/`` (other parameters get a folder beside it), where it leaves
    its executed copy and ``results.json``. No other chapter is stopped when one fails.

    Args:
        names: numbers or names of chapters.
        parameters: replaces defaults of the cell tagged ``parameters``.
        workers: chapters at a time, each on one thread.
        time_limit: seconds a chapter may take.
        force: run even what is up to date.

    Raises:
        SertutError: unknown chapter or parameter, a missing corpus, or a failed chapter: which cell, which error.
    """
    root = root or repository()
    parameters = dict(parameters or {})
    chosen = list(dict.fromkeys(find(name, root) for name in names)) if names else chapters(root)
    for chapter in chosen:
        chapter.check(parameters)
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with FileLock(build / ".lock"):  # two runs at once would write into the same folders
        runs = [_Run(chapter, parameters, root) for chapter in chosen]
        stale = [run for run in runs if force or not run.up_to_date()]
        if stale:
            _require_papermill()
            _prepare(stale)
            environment = _environment(build)
            total = sum(len(run.chapter.cells()) + bool(parameters) for run in stale)  # papermill adds a cell
            with (
                tqdm(total=total, unit="cell", disable=not progress, desc="chapters", mininterval=1.0) as bar,
                ThreadPoolExecutor(max(1, workers)) as pool,
            ):
                failures = [*pool.map(lambda run: run.attempt(environment, time_limit, bar), stale)]
            if failed := [failure for failure in failures if failure]:
                raise SertutError("\n".join(failed))
        return [Executed(run.chapter, run.folder, reused=run not in stale) for run in runs]


def digest(chapter: Chapter, parameters: Mapping[str, object], root: Path) -> str:
    """Hash of everything that the outcome of a chapter depends on."""
    from sertut.corpora import RECORDED, folder_of  # slow to import: torch

    library = Path(__file__).resolve().parents[1]
    files = [*sorted(library.rglob("*.py")), *sorted((root / "book" / "results").glob("**/*.json"))]
    facts = {
        "notebook": hashlib.sha256(chapter.path.read_bytes()).hexdigest(),
        "parameters": dict(parameters),
        "files": {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "python": sys.version,
        "packages": sorted(f"{found.name}=={found.version}" for found in distributions()),
        "corpora": [str(folder) for name in RECORDED if (folder := folder_of(name)).is_dir()],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class _Run:
    """One chapter with its parameters: where it runs, whether that is needed, and how."""

    def __init__(self, chapter: Chapter, parameters: Mapping[str, object], root: Path) -> None:
        self.chapter, self.parameters = chapter, parameters
        suffix = "".join(f",{name}={value}" for name, value in sorted(parameters.items()))
        if len(suffix) > 80 or re.search(r"[^\w,.=-]", suffix):
            suffix = "," + hashlib.sha256(suffix.encode()).hexdigest()[:12]
        self.folder = root / "_build" / "chapters" / (chapter.name + suffix)
        self.stamp = self.folder / "up-to-date"
        self.digest = digest(chapter, parameters, root)

    def up_to_date(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.digest

    def attempt(self, environment: Mapping[str, str], time_limit: float, bar: tqdm) -> str | None:
        """Run; return what went wrong, if anything."""
        started = time.monotonic()
        try:
            self._run(environment, time_limit, bar)
        except SertutError as error:
            bar.write(f"{self.chapter.name}: failed", file=sys.stderr)
            return str(error)
        bar.write(f"{self.chapter.name}: done in {time.monotonic() - started:.0f} s", file=sys.stderr)
        return None

    def _run(self, environment: Mapping[str, str], time_limit: float, bar: tqdm) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        unfinished = self.folder / "unfinished.ipynb"
        arguments = self.folder / "parameters.json"  # JSON is YAML
        arguments.write_text(json.dumps(dict(self.parameters)))
        command = [sys.executable, "-m", "papermill", str(self.chapter.path), str(unfinished)]
        command += ["--kernel", "python3", "--cwd", str(self.folder), "--parameters_file", str(arguments)]
        command += ["--no-progress-bar", "--log-output"]
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        timer = threading.Timer(time_limit, process.kill)  # its kernel notices that it lost its parent, and ends
        timer.start()
        log: list[str] = []
        try:
            assert process.stderr is not None
            for line in process.stderr:
                log.append(line)
                if "Ending Cell" in line:
                    bar.update()
            process.wait()
        finally:
            in_time = timer.is_alive()
            timer.cancel()
            if process.poll() is None:
                process.kill()
        if process.returncode != 0:
            where = f"{self.chapter.name}: "
            if not in_time:
                raise SertutError(f"{where}stopped after {time_limit:.0f} s; allow more with --time-limit.")
            raise SertutError(where + (_failed_cell(unfinished) or "papermill failed: " + "".join(log[-5:]).strip()))
        read_results(self.folder / "results.json")
        os.replace(unfinished, self.folder / self.chapter.path.name)
        with writing(self.stamp) as temporary:
            temporary.write_text(self.digest)


def _failed_cell(path: Path) -> str | None:
    """The error of an executed notebook: number and first line of the cell, type and text of the error."""
    if not path.is_file():
        return None
    code = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                line = source(cell).strip().splitlines()[0]
                return (
                    f"cell [{cell['execution_count']}] ({line}) failed with {output['ename']}: {output['evalue']}"
                    f" (the notebook as far as it went: {path})"
                )
    return None


def _prepare(runs: Sequence[_Run]) -> None:
    """Find, or make, each corpus once before several chapters ask for it; fail before a long run, not in it."""
    from sertut.corpora import load  # slow to import: torch
    from sertut.training.device import pick_device

    values = [{**run.chapter.parameters(), **run.parameters} for run in runs]
    for name in dict.fromkeys(str(value["corpus"]) for value in values if "corpus" in value):
        load(name)
    for name in dict.fromkeys(str(value["device"]) for value in values if "device" in value):
        pick_device(name)


def _environment(build: Path) -> dict[str, str]:
    """Environment of the kernels: this interpreter as "python3", the same data folders, one thread, no user settings.

    One thread each: the same sums in the same order, so the same numbers on every machine; and chapters that run side
    by side do not fight for cores.
    """
    kernel = build / "kernel" / "kernels" / "python3" / "kernel.json"
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with writing(kernel) as temporary:
        temporary.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    environment = dict(os.environ)
    environment.update(
        JUPYTER_PATH=str(build / "kernel"),
        JUPYTER_RUNTIME_DIR=str(build / "kernel" / "runtime"),
        IPYTHONDIR=str(build / "kernel" / "ipython"),
        SERTUT_CACHE=str(data_folder().resolve()),
        SERTUT_DATA=str(corpora_folder().resolve()),
        SERTUT_STATIC="1",  # no progress bars in what will be printed
    )
    environment.setdefault("OMP_NUM_THREADS", "1")
    return environment


def _require_papermill() -> None:
    for package in ("papermill", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            raise SertutError(f"{package} is not installed; run `make setup`, or pip install 'sertut[book]'.")
