"""Errors that help: one sentence that names the thing and the remedy."""

import difflib
from collections.abc import Collection, Iterable


class SertutError(Exception):
    """Something the user can put right; the message says how. The command line prints it without a traceback."""


class AudioError(SertutError):
    """A sound file that cannot be used."""


class VideoError(SertutError):
    """A video file that cannot be used."""


class CorpusError(SertutError):
    """A corpus that is missing, incomplete or inconsistent."""


class LeakError(CorpusError):
    """Train, dev and test share what they must not share."""


def unknown(kind: str, name: object, known: Iterable[str]) -> SertutError:
    """The error for a misspelled name, with the nearest known one: ``unknown("corpus", "ravdes", [...])``."""
    choices = list(known)
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return SertutError(f"unknown {kind} '{name}': {hint}known are {', '.join(choices)}.")


def must_be_known(kind: str, name: object, known: Collection) -> None:
    """Raise :func:`unknown` where a name is not one of those that are known."""
    if name not in known:
        raise unknown(kind, name, known)
