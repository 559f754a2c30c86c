"""Where files live, and how they are written: whole or not at all."""

import ast
import contextlib
import errno
import functools
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from sertut.errors import SertutError

LIBRARY = Path(__file__).resolve().parent


def data_folder() -> Path:
    """Folder for what sertut makes: ``$SERTUT_CACHE``, else ``data/`` of a checkout, else the user's cache folder."""
    if chosen := os.environ.get("SERTUT_CACHE"):
        return Path(chosen).expanduser()
    beside = LIBRARY.parent / "data"
    return beside if (beside / "README.md").is_file() else Path(platformdirs.user_cache_dir("sertut"))


def corpora_folder() -> Path:
    """Folder that holds the real corpora, one folder each: ``$SERTUT_DATA``, else :func:`data_folder`."""
    chosen = os.environ.get("SERTUT_DATA")
    return Path(chosen).expanduser() if chosen else data_folder()


@contextlib.contextmanager
def writing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`, for a file or a folder; rename it to `path` on success, else remove it.

    A reader therefore never sees half a file, and an interrupted run leaves nothing behind.

    Raises:
        SertutError: the disk is full, or the folder cannot be made or written.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as problem:
            file = next(folder for folder in path.parents if folder.exists() and not folder.is_dir())
            raise SertutError(f"cannot write {path}: {file} is a file, not a folder; move it away.") from problem
        yield temporary
        os.replace(temporary, path)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise SertutError(f"the disk is full: could not write {path}; free some space and run again.") from problem
        if problem.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            where = "name a folder that you may write to; SERTUT_CACHE says where data go"
            raise SertutError(f"may not write {path}: {where}.") from problem
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # if it is a folder
        with contextlib.suppress(NotADirectoryError):
            temporary.unlink(missing_ok=True)


def write(path: Path | str, content: str | bytes) -> None:
    """Write a file by :func:`writing`; text as UTF-8, with the ends of its lines as they are."""
    with writing(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def code_of(*names: str, library: Path = LIBRARY) -> dict[str, str]:
    """Path -> the lines that do something, of all files in rooms of the library such as "models", or of single files.

    Comments, docstrings and empty lines are left out: who keys results by this need not make them anew for other words.
    """
    files = [
        path for name in names for path in ([library / name] if name[-3:] == ".py" else (library / name).glob("*.py"))
    ]
    return {path.relative_to(library).as_posix(): _statements(path.read_text("utf-8")) for path in files}


@functools.cache
def _statements(source: str) -> str:
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)  # type: ignore[operator]
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
