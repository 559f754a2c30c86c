"""The built book, for all tests of its pages."""

from pathlib import Path

import pytest

from sertut.course.book import build_book


@pytest.fixture(scope="session")
def html() -> Path:
    """Folder of the built book."""
    return build_book(progress=False).parent
