"""Marking a folder of notebooks: the checks run here, what they check runs elsewhere.

A submission's cells run in a process of its own (:mod:`sertut.course.fence`). A check calls the student's function by
sending the arguments there; what comes back is plain data. The checks themselves never meet the submission, so it can
neither patch them nor forge what they say: it gains by nothing but returning what a right answer returns.
"""

import ast
import base64
import contextlib
import json
import os
import pickle
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from tqdm.contrib.concurrent import thread_map

from sertut.course.catalog import PAGES, Chapter, chapters, repository, source, tags
from sertut.course.exercises import JUDGES, Feedback, check
from sertut.course.packs import CHECK, must_be_new, new_folder
from sertut.errors import SertutError

FENCE = Path(__file__).with_name("fence.py")
READY, ANSWER, NOTEBOOK, BAD_CELLS, ALL_CELLS = 300.0, 2**22, 2**25, 3, 20
"""Seconds in which a process must have loaded the libraries, bytes of an answer and of a notebook, how many cells may
hang or crash before the rest is left out, and how many times the limit of one cell all of them may take."""
USED = (sys.prefix, sys.base_prefix, __file__, torch.__file__)
"""What every submission needs, so the folders around it stay in sight."""


class Fence:
    """The process that forks one for each submission; a context, at whose end all of them are ended.

    Raises:
        SertutError: it cannot be started.
    """

    def __init__(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        alone = dict(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONSAFEPATH="1", PYTHONDONTWRITEBYTECODE="1")
        environment = {"PATH": os.defpath, "PYTHONPATH": paths, **alone}
        self.line, theirs = socket.socketpair()
        self.line.settimeout(READY)
        command = [sys.executable, str(FENCE)]
        # A session of its own: Ctrl-C reaches the teacher's process only, which then ends this one and all the others.
        self.child = subprocess.Popen(
            command, stdin=theirs.fileno(), stderr=subprocess.PIPE, env=environment, cwd="/", start_new_session=True
        )
        theirs.close()
        self.lock = threading.Lock()
        if self.line.recv(1) != b".":
            said = self.child.communicate()[1].decode(errors="replace").strip()[-500:]
            raise SertutError(f"no process for submissions could be started: {said}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()
        self.child.communicate()

    def start(self, line: socket.socket, settings: dict) -> int:
        """Fork a process that answers on a socket; its id."""
        with self.lock:
            socket.send_fds(self.line, [json.dumps(settings).encode()], [line.fileno()])
            found = b""
            while not found.endswith(b"."):
                found += self.line.recv(64)
            return int(found[:-1])

    def end(self, child: int) -> None:
        """End a process with all that it has started."""
        with self.lock:
            self.line.sendall(json.dumps({"end": child}).encode())
            self.line.recv(1)


class Process:
    """A process that runs what a student wrote, for as long as it lives.

    Raises:
        SertutError: it cannot be started.
    """

    def __init__(self, fence: Fence, hidden: list[str], fenced: bool) -> None:
        self.fence, self.over = fence, False
        self.home = tempfile.mkdtemp(prefix="submission-")
        shared = tempfile.gettempdir()
        disk = self.home if any(path.startswith(shared + os.sep) for path in USED) else shared
        self.line, theirs = socket.socketpair()
        self.child = fence.start(theirs, dict(disk=disk, home=self.home, hidden=hidden, fenced=fenced))
        theirs.close()
        try:
            ready = self._exchange(b"", READY)
        except OSError as problem:
            ready = {"error": ["", str(problem)]}
        if "error" in ready:
            self.end()
            raise SertutError(f"no process could be started for a submission: {' '.join(ready['error'])}.")

    def request(self, limit: float, *question: object) -> dict:
        """Ask; an error there is raised here, under its name.

        Raises:
            TimeoutError, ConnectionError: no answer in time, or none that is one; the process has been ended.
        """
        message = pickle.dumps(question)
        answer = self._exchange(struct.pack(">Q", len(message)) + message, limit)
        if "error" in answer:
            name, text = (str(part)[:500] for part in answer["error"])
            raise _named(name, Exception, text)
        return answer

    def function(self, names: list[str], limit: float) -> Callable:
        """The function of the student that bears one of `names`, for a check to call."""

        def ask(*arguments: Any) -> Any:
            answer = self.request(limit, "call", names, arguments)
            networks = [each for each in arguments if isinstance(each, torch.nn.Module)]
            for network, flags in zip(networks, answer.get("trained", ()), strict=False):
                for weights, flag in zip(network.parameters(), flags, strict=False):
                    weights.requires_grad_(bool(flag))
            return value_of(answer.get("value"))

        return ask

    def end(self) -> None:
        """End it, with all that it has started, and remove its home."""
        if not self.over:
            self.over = True
            self.line.close()
            self.fence.end(self.child)
        shutil.rmtree(self.home, ignore_errors=True)

    def _exchange(self, message: bytes, limit: float) -> dict:
        until = time.monotonic() + limit
        try:
            if self.over:
                raise ConnectionError
            self.line.settimeout(limit)
            self.line.sendall(message)
            (size,) = struct.unpack(">Q", self._read(8, until))
            if size > ANSWER:
                raise ValueError
            answer = json.loads(self._read(size, until))
            if not isinstance(answer, dict):
                raise ValueError
            return answer
        except TimeoutError:
            problem: OSError = TimeoutError(f"no answer within {limit:g} s")
        except OSError:
            problem = ConnectionError("its process ended: too much memory, or an end of its own")
        except (ValueError, RecursionError, MemoryError):
            problem = ConnectionError(f"what came back is more than {ANSWER >> 20} MB, or no data")
        self.end()
        raise problem

    def _read(self, size: int, until: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            self.line.settimeout(max(until - time.monotonic(), 1e-3))
            part = self.line.recv(min(size - len(found), 2**16))
            if not part:
                raise ConnectionError
            found += part
        return bytes(found)


def value_of(found: Any) -> Any:
    """The value that :func:`sertut.course.fence.plain` described.

    Raises:
        ValueError, TypeError: the description is none.
    """
    if not isinstance(found, dict):
        return found
    ((kind, inside),) = found.items()
    if kind in ("tensor", "array"):
        name, shape, data = inside
        if not re.fullmatch(r"[<>|][biufc]\d{1,2}", name):
            raise ValueError(f"arrays of type {str(name)[:20]} are not judged")
        array = np.frombuffer(base64.b64decode(data), name).reshape([int(n) for n in shape]).copy()
        return torch.from_numpy(array) if kind == "tensor" else array
    if kind == "other":
        name, text = (str(part)[:200] for part in inside)
        return _named(name, object, text)
    return {"tuple": tuple, "list": list, "set": set}[kind](value_of(part) for part in inside)


def _named(name: str, base: type, text: str) -> Any:
    """A thing of a type that bears the name, and looks like the text."""
    show = {"__str__": lambda self: text, "__repr__": lambda self: text}
    return type(name if name.isidentifier() else "Exception", (base,), show)()


@dataclass
class Graded:
    """What a submission is worth, and what there is to say of it."""

    student: str
    notebook: str
    chapter: str = ""
    feedback: list[Feedback] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        """One for each exercise that is right."""
        return sum(each.passed for each in self.feedback)

    def row(self) -> dict[str, object]:
        """Its line of the table for the class."""
        safe = {name: re.sub(r"^(?=[=+\-@\t\r])", "'", getattr(self, name)) for name in ("student", "notebook")}
        marks = {each.exercise: int(each.passed) for each in self.feedback}
        return {**safe, "chapter": self.chapter, "points": self.points, "of": len(self.feedback), **marks}


def grade_folder(
    folder: Path, *, time_limit: float = 10.0, workers: int = 2, trusted: bool = False, progress: bool = True
) -> Path:
    """Mark all notebooks below `folder`, where each student has a notebook or a folder; what is there stays untouched.

    Returns the folder beside it, made anew, with ``grades.csv`` and a page for each student.

    Args:
        time_limit: seconds that a cell or a call may take.
        workers: submissions at a time.
        trusted: mark also where the system has no fence, and a submission could do all that you may do.

    Raises:
        SertutError: no notebooks, no fence, or a folder is in the way that this command has not made.
    """
    folder = folder.expanduser().resolve()
    if os.name != "posix":
        raise SertutError("marking needs Linux or macOS, which can limit a process; on Windows use WSL.")
    paths = sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not paths:
        raise SertutError(f"{folder} holds no notebook (*.ipynb); name the folder with the submissions.")
    to = folder.with_name(folder.name + "-grades")
    if not (to / "grades.csv").is_file():
        must_be_new(to)
    texts = {path.relative_to(folder): _text_of(path) for path in paths}  # read before anything of them runs
    known = {chapter: _exercises(chapter) for chapter in chapters()}
    hidden = _hidden(folder)
    with Fence() as fence:
        start = partial(Process, fence, hidden, _fenced(fence, hidden, trusted))
        mark = partial(grade_notebook, known=known, start=start, limit=time_limit)
        bar = {"desc": "submissions", "unit": "submission", "disable": not progress}
        graded = thread_map(lambda each: mark(*each), texts.items(), max_workers=workers, **bar)
    if to.exists():
        shutil.rmtree(to)
    with new_folder(to) as results:
        pd.DataFrame([each.row() for each in graded]).to_csv(results / "grades.csv", index=False, errors="replace")
        for number, student in enumerate(sorted({each.student for each in graded}), 1):
            own = [each for each in graded if each.student == student]
            page = PAGES.get_template("grades.html").render(student=student, graded=own)
            name = f"{number:03d}-{re.sub(r'[^A-Za-z0-9]+', '-', student)[:60].strip('-')}.html"
            (results / name).write_text(page, encoding="utf-8", errors="replace")
    return to


def grade_notebook(
    path: Path, text: str, *, known: Mapping[Chapter, dict], start: Callable[[], Process], limit: float
) -> Graded:
    """Mark one notebook; nothing that it holds or does raises."""
    graded = Graded(path.parts[0].removesuffix(".ipynb"), path.as_posix())
    try:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        sources = [str(source(cell)) for cell in cells]
        asked = {call[1] for text in sources for call in CHECK.finditer(text)}
        chapter, exercises = max(known.items(), key=lambda item: len(asked & set(item[1])))
        if not asked & set(exercises):
            raise ValueError("no cell of it checks an exercise")
    except Exception as problem:  # whatever a student hands in
        graded.notes.append(f"This is no notebook of a chapter ({type(problem).__name__}: {str(problem)[:200]}).")
        return graded
    graded.chapter = chapter.name
    book = [cell for cell in chapter.cells() if cell["cell_type"] == "code" and "exercise" not in tags(cell)]
    ids, texts = {cell["id"] for cell in book}, {source(cell) for cell in book if "solution" not in tags(cell)}
    todo = [text for cell, text in zip(cells, sources, strict=True) if cell.get("id") not in ids and text not in texts]
    offered = _offered(book)
    child: Process | None = None
    ended = 0
    try:
        for id, names in exercises.items():
            while child is None or child.over:
                child = start()
                bad = _run_all(child, todo, offered, limit, graded.notes)
                if child.over:
                    ended += 1
                    todo = todo[:bad] + (todo[bad + 1 :] if ended < BAD_CELLS else [])
            graded.feedback.append(check(id, child.function(names, limit)))
    finally:
        if child:
            child.end()
    graded.notes = list(dict.fromkeys(graded.notes))
    return graded


def _run_all(child: Process, todo: list[str], offered: Mapping[str, str], limit: float, notes: list[str]) -> int:
    """Run the cells of a submission; which one ended the process, if one did."""
    child.request(READY, "offer", dict(offered))
    until = time.monotonic() + ALL_CELLS * limit
    for number, text in enumerate(todo):
        try:
            child.request(max(min(limit, until - time.monotonic()), 1e-3), "run", text)
        except Exception as problem:
            first = (text.strip().splitlines() or [""])[0][:80]
            notes.append(f"The cell that begins with “{first}” stopped with {type(problem).__name__}: {problem}")
            if child.over:
                return number
    return -1


def _exercises(chapter: Chapter) -> dict[str, list[str]]:
    """Exercise -> what its answer may be called: in the chapter, and in a pack."""
    calls = [CHECK.search(source(cell)) for cell in chapter.cells() if "check" in tags(cell)]
    return {call[1]: [call[2], JUDGES[call[1]].__name__] for call in calls if call and call[1] in JUDGES}


def _offered(book: list[dict]) -> dict[str, str]:
    """Name -> the import or definition in the chapter's own cells that makes it."""
    found: dict[str, str] = {}
    for cell in book:
        if "solution" in tags(cell):
            continue
        for node in ast.parse(source(cell)).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found |= {(name.asname or name.name).partition(".")[0]: ast.unparse(node) for name in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = ast.unparse(node)
    return found


def _text_of(path: Path) -> str:
    """What a file holds, if it is a file of reasonable size; links lead out of the folder, so they are not followed."""
    with contextlib.suppress(OSError):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= NOTEBOOK:
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _hidden(folder: Path) -> list[str]:
    """What no submission may read: the others; in the repository or the pack all but the library, book and data."""
    roots = [root for root in {repository(), Path(__file__).parents[2]} if (root / "notebooks").is_dir()]
    beside = [path for root in roots for path in root.iterdir() if path.name not in ("book", "data") and path.is_dir()]
    unused = [path for path in beside if not any(Path(used).is_relative_to(path) for used in USED)]
    marks = [root / "gradebook.db" for root in roots]  # of nbgrader, in a pack
    return [str(path) for path in (folder, *unused, *marks, Path("/run"))]


def _fenced(fence: Fence, hidden: list[str], trusted: bool) -> bool:
    """Whether submissions can be fenced in on this system; where not, they must be trusted."""
    try:
        Process(fence, hidden, True).end()
        return True
    except SertutError as problem:
        if trusted:
            return False
        raise SertutError(
            "this system does not let ordinary users fence in a process, so a submission could reach the network, your"
            f" files and your other programs. ({problem}) Mark on a Linux that does, in a virtual machine, or with"
            " --trusted where you trust all that was handed in."
        ) from problem
