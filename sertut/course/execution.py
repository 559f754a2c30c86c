"""Running chapters: once each, in parallel, with papermill; the executed copies serve tests, results and book.

A chapter is run again only if something that it depends on has changed: its text, its parameters, the library, the
reference results, the installed versions, or the real corpora and weights that are there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
from filelock import FileLock
from tqdm.auto import tqdm
from tqdm.contrib.concurrent import thread_map

from sertut.corpora import RECORDED, folder_of
from sertut.corpora.own import files_of, load, table_of
from sertut.course.catalog import Chapter, chapters, find, repository, require, source
from sertut.course.results import read_results, versions
from sertut.errors import SertutError
from sertut.files import LIBRARY, corpora_folder, data_folder, write
from sertut.training import pick_device

STAMP = "up-to-date"
"""File beside an executed chapter: the digest of all that it depended on. Written last: what is stamped is whole."""

_PAPERMILL = "import json, sys, papermill; papermill.execute_notebook(**json.load(sys.stdin))"
# papermill changes the current folder of its whole process, so each chapter gets a process of its own; that one can
# also be stopped when its time is over, whatever it is doing.


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
    time_limit: float = 1800.0,
    force: bool = False,
    progress: bool = True,
    root: Path | None = None,
) -> list[Executed]:
    """Run chapters that are not up to date; all of them if none is named.

    Each runs in its own folder, ``_build/chapters/<name>/`` (other parameters get a folder beside it), where it leaves
    its executed copy and ``results.json``. No other chapter is stopped when one fails, and after an interruption those
    that were done are not run again.

    Args:
        names: numbers or names of chapters.
        parameters: replaces defaults of the cell tagged ``parameters``.
        workers: chapters at a time, each on one thread.
        time_limit: seconds a chapter may take; by default far more than any needs, so that a hanging one ends.
        force: run even what is up to date.

    Raises:
        SertutError: unknown chapter or parameter, a missing corpus, or a failed chapter: which cell, which error.
    """
    root, parameters = root or repository(), dict(parameters or {})
    chosen = list(dict.fromkeys(find(name, root) for name in names)) if names else chapters(root)
    for chapter in chosen:
        chapter.check(parameters)
    own = {}
    if table := table_of(str(parameters.get("corpus"))):
        parameters["corpus"] = str(table)  # whole, because a chapter runs in a folder of its own
        own = {str(path): _listing(path) for path in files_of(table)}
    if weights := parameters.get("weights"):
        parameters["weights"] = str(Path(str(weights)).expanduser().absolute())
    suffix = "".join(f",{name}={value}" for name, value in sorted(parameters.items()))
    if len(suffix) > 80 or re.search(r"[^\w,.=-]", suffix):  # no name for a folder
        suffix = "," + joblib.hash(suffix)[:12]
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with FileLock(build / ".lock"):  # two runs at once would write into the same folders
        around = surroundings(root) | ({"own corpus": own} if own else {})
        digests = {chapter: digest(chapter, parameters, around) for chapter in chosen}
        runs = []
        for chapter in chosen:
            folder = build / "chapters" / (chapter.name + suffix)
            stamp = folder / STAMP
            reused = not force and stamp.is_file() and stamp.read_text() == digests[chapter]
            runs.append(Executed(chapter, folder, reused))
        # The longest first: all workers end together. Of equals the later one.
        stale = sorted((run for run in reversed(runs) if not run.reused), key=lambda run: -run.chapter.minutes)
        if stale:
            _prepare(stale, parameters)
        environment = _environment(build)

        def attempt(run: Executed) -> str:
            """Run a chapter and stamp it; return what went wrong."""
            started = time.monotonic()
            problem = _execute(run, parameters, environment, time_limit)
            if not problem:
                write(run.folder / STAMP, digests[run.chapter])
            said = "failed" if problem else f"done in {time.monotonic() - started:.0f} s"
            tqdm.write(f"{run.chapter.name}: {said}", file=sys.stderr)
            return problem and f"{run.chapter.name}: {problem}"

        bar = {"desc": "chapters", "unit": "chapter", "disable": not progress}
        if failed := [problem for problem in thread_map(attempt, stale, max_workers=max(1, workers), **bar) if problem]:
            raise SertutError("\n".join(sorted(failed)))
        return runs


def surroundings(root: Path) -> dict[str, object]:
    """What the outcome of every chapter depends on: library, references, versions, and what lies on this machine."""
    code = [path for path in LIBRARY.rglob("*") if path.suffix in (".py", ".html", ".js")]
    weights = os.environ.get("SERTUT_WEIGHTS")
    book = root / "book"
    kept = [path for kind in ("results/*.json", "*.json", "*.csv") for path in sorted(book.glob(kind))]
    return {
        "library": {str(path.relative_to(LIBRARY)): path.read_bytes() for path in code},
        "references": {str(path.relative_to(book)): path.read_bytes() for path in kept},
        "versions": versions() | versions("book"),
        "corpora": {name: _listing(folder_of(name)) for name in RECORDED if folder_of(name).is_dir()},
        "weights": (weights, _listing(Path(weights).expanduser())) if weights else None,
    }


def digest(chapter: Chapter, parameters: Mapping[str, object], around: Mapping[str, object]) -> str:
    """Hash of everything that the outcome of a chapter depends on; `around`: :func:`surroundings`."""
    return joblib.hash((chapter.path.read_bytes(), dict(parameters), around))


def _listing(path: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of each file below a folder; of a file itself."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sorted((str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns) for file in files)


def _execute(run: Executed, parameters: Mapping[str, object], environment: Mapping[str, str], limit: float) -> str:
    """Run one chapter in its folder; return what went wrong, or nothing."""
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    unfinished, log = run.folder / "unfinished.ipynb", run.folder / "papermill.log"
    order: dict[str, object] = {"input_path": str(run.chapter.path), "output_path": str(unfinished)}
    order |= {"parameters": {**parameters}, "kernel_name": "python3", "cwd": str(run.folder), "progress_bar": False}
    # Written once, at the end or at an error; after each of a hundred cells it would take seconds a chapter.
    order |= {"request_save_on_cell_execute": False, "autosave_cell_every": 0}
    command, said = [sys.executable, "-c", _PAPERMILL], json.dumps(order)
    with log.open("w") as to:
        try:
            done = subprocess.run(command, input=said, text=True, env=environment, stdout=to, stderr=to, timeout=limit)
        except subprocess.TimeoutExpired:  # it was killed; its kernel notices that it lost its parent, and ends
            return f"stopped after {limit:.0f} s; allow more with --time-limit."
    if done.returncode != 0:
        return _failed_cell(unfinished) or f"papermill failed: {log.read_text(errors='replace')[-500:].strip()}"
    if not (run.folder / "results.json").is_file():
        return "results.json was not written; the last cell of a chapter must call write_results(...)."
    os.replace(unfinished, run.notebook)
    return ""


def _failed_cell(path: Path) -> str:
    """The error of an executed notebook: number and first line of the cell, type and text of the error."""
    for cell in Chapter(path).cells() if path.is_file() else ():
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                line = source(cell).strip().splitlines()[0]
                return (
                    f"cell [{cell['execution_count']}] ({line}) failed with {output['ename']}: {output['evalue']}"
                    f" (the notebook as far as it went: {path})"
                )
    return ""


def _prepare(runs: Sequence[Executed], parameters: Mapping[str, object]) -> None:
    """Find, or make, each corpus once before several chapters ask for it; fail before a long run, not in it."""
    require("papermill", "ipykernel")
    values = [{**run.chapter.parameters(), **parameters} for run in runs]
    for name in dict.fromkeys(str(value["corpus"]) for value in values if "corpus" in value):
        load(name)
    for name in dict.fromkeys(str(value["device"]) for value in values if "device" in value):
        pick_device(name)


def _environment(build: Path) -> dict[str, str]:
    """Environment of the kernels: this interpreter as "python3", the same data folders, one thread, no user settings.

    One thread each: the same sums in the same order, so the same numbers on every machine; and chapters that run side
    by side do not fight for cores. What pyworld's import says of setuptools is no part of a chapter.
    """
    kernel = build / "kernel" / "kernels" / "python3" / "kernel.json"
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    write(kernel, json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    environment = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore:pkg_resources is deprecated", **os.environ}
    environment |= dict(
        JUPYTER_PATH=str(build / "kernel"),
        JUPYTER_RUNTIME_DIR=str(build / "kernel" / "runtime"),
        IPYTHONDIR=str(build / "kernel" / "ipython"),
        SERTUT_CACHE=str(data_folder().resolve()),
        SERTUT_DATA=str(corpora_folder().resolve()),
        SERTUT_STATIC="1",  # no progress bars in what will be printed
    )
    if weights := environment.get("SERTUT_WEIGHTS"):
        environment["SERTUT_WEIGHTS"] = str(Path(weights).expanduser().absolute())
    return environment
