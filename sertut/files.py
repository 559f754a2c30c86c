"""Where files live, and how they are written: whole or not at all."""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from sertut.errors import SertutError


def data_folder() -> Path:
    """Folder for what sertut makes: ``$SERTUT_CACHE``, else ``data/`` of a checkout, else the user's cache folder."""
    if chosen := os.environ.get("SERTUT_CACHE"):
        return Path(chosen).expanduser()
    beside = Path(__file__).resolve().parent.parent / "data"
    return beside if (beside / "README.md").is_file() else Path(platformdirs.user_cache_dir("sertut"))


def corpora_folder() -> Path:
    """Folder that holds the real corpora, one folder each: ``$SERTUT_DATA``, else :func:`data_folder`."""
    chosen = os.environ.get("SERTUT_DATA")
    return Path(chosen).expanduser() if chosen else data_folder()


@contextlib.contextmanager
def writing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    A reader therefore never sees half a file, and an interrupted run leaves nothing behind.

    Raises:
        SertutError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise SertutError(f"the disk is full: could not write {path}; free some space and run again.") from problem
        if problem.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise SertutError(f"may not write {path}; set SERTUT_CACHE to a folder that you may write to.") from problem
        raise
    finally:
        temporary.unlink(missing_ok=True)
