"""Checking a reader's answer, and saying why it is wrong.

    >>> sertut.course.check("2.2", masked_mean)
    2.2 not yet: the padded frames are in your mean: ...

The judges are in :mod:`sertut.course.questions`. Nothing here raises because of an answer: a chapter runs to its end
with open exercises as well as with solved ones.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import Any

from sertut.course import questions  # noqa: F401  (fills JUDGES)
from sertut.course.catalog import find, source
from sertut.course.judging import JUDGES, Open, Wrong
from sertut.errors import SertutError, must_be_known


@dataclass(frozen=True)
class Feedback:
    """What :func:`check` says of an answer. True if the answer is right."""

    exercise: str
    passed: bool
    message: str
    answered: bool = True

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        mark = "correct" if self.passed else "not yet" if self.answered else "open"
        return textwrap.fill(f"{self.exercise} {mark}: {self.message}", width=88)


def check(id: str, answer: Any) -> Feedback:
    """Check an answer: a value or a function, as the exercise asks.

    Raises:
        SertutError: there is no such exercise (the nearest one is suggested). Never because of the answer.
    """
    must_be_known("exercise", id, sorted(JUDGES))
    try:
        if answer is None or answer is ...:
            raise Open
        return Feedback(id, True, JUDGES[id](answer))
    except Wrong as wrong:
        return Feedback(id, False, str(wrong))
    except Open:
        return Feedback(id, False, f"not answered yet. {task_of(id)}", answered=False)
    except Exception as problem:  # an answer so unlike the expected one that the judge stumbled over it
        text = f"your answer cannot be judged ({type(problem).__name__}: {problem}); compare its type with the task."
        return Feedback(id, False, text)


def task_of(id: str) -> str:
    """What an exercise asks for, as its chapter states it; where the chapters are not at hand, what to define."""
    try:
        texts = map(source, find(id.partition(".")[0]).cells())
    except SertutError:
        return f"Define `{JUDGES[id].__name__}` as the task above this cell says."
    task = next(text for text in texts if re.match(rf"#{{2,5}} Exercise {re.escape(id)}\b", text))
    return " ".join(task.partition("\n")[2].split())
