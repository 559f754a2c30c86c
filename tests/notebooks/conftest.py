"""Each chapter is run once for all tests; `make book` takes the same runs."""

import pytest

from sertut.course.catalog import repository
from sertut.course.execution import Executed, run_chapters
from sertut.errors import SertutError


@pytest.fixture(scope="session")
def runs() -> dict[str, Executed | str]:
    """Chapter name -> its run, or what went wrong with it."""
    try:
        return {run.chapter.name: run for run in run_chapters(root=repository(), progress=False)}
    except SertutError as error:
        return {line.split(":")[0]: line for line in str(error).splitlines()}
