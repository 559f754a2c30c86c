"""Progress bars, in one place: a chapter that runs to be printed sets ``SERTUT_STATIC`` and shows none."""

import os

from tqdm.auto import tqdm


def progress_bar(*args, disable: bool = False, **options) -> tqdm:
    """A tqdm bar that vanishes when done."""
    return tqdm(*args, disable=disable or bool(os.environ.get("SERTUT_STATIC")), leave=False, **options)
