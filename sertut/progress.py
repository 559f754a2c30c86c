"""Progress bars, and whether there may be any: a chapter that runs to be printed sets ``SERTUT_STATIC``."""

import os

from tqdm.auto import tqdm


def static() -> bool:
    """Whether a page is being made that nobody can touch: no progress bars, no widgets.

    ``SERTUT_STATIC`` says so; unset, empty, "0", "false" and "no" mean that somebody sits in front of it.
    """
    return os.environ.get("SERTUT_STATIC", "").strip().lower() not in ("", "0", "false", "no")


def progress_bar(*args, disable: bool = False, **options) -> tqdm:
    """A tqdm bar that vanishes when done."""
    return tqdm(*args, disable=disable or static(), leave=False, **options)
