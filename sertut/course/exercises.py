"""Checking a reader's answer, and saying why it is wrong.

An exercise knows the mistakes that people make, computes what each of them would give, and recognizes it in the answer:

    >>> sertut.course.check("2.2", masked_mean)
    2.2 not yet: the padded frames are in your mean: ...

The questions of each chapter are in :mod:`sertut.course.questions`. Nothing here raises because of an answer: a chapter
runs to its end with open exercises as well as with solved ones.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sertut.errors import unknown


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


class Wrong(Exception):
    """Inside an exercise: the answer is wrong, and the message says why."""


class Open(Exception):
    """Inside an exercise: there is no answer yet."""


@dataclass(frozen=True)
class Exercise:
    """One question.

    task: what to do, in two or three sentences. solution: source code of a right answer, as the chapter's folded cell
    shows it; it defines `answer_name`. judge: takes the answer, returns what there is to learn from it, or raises
    :class:`Wrong`.
    """

    id: str
    task: str
    answer_name: str
    solution: str
    judge: Callable[[Any], str]


EXERCISES: dict[str, Exercise] = {}
"""All exercises by id; filled by :func:`exercise`."""


def exercise(id: str, *, answer: str, solution: str) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Register the judge of exercise `id`, e.g. "2.1"; its docstring is the task.

    Args:
        answer: name of what the reader defines. solution: source that defines it rightly.
    """

    def register(judge: Callable[[Any], str]) -> Callable[[Any], str]:
        if id in EXERCISES:
            raise ValueError(f"there are two exercises {id}.")
        EXERCISES[id] = Exercise(id, " ".join((judge.__doc__ or "").split()), answer, solution.strip(), judge)
        return judge

    return register


def check(id: str, answer: Any) -> Feedback:
    """Check an answer: a value or a function, as the exercise asks.

    Raises:
        SertutError: there is no such exercise (the nearest one is suggested). Never because of the answer.
    """
    from sertut.course import questions  # noqa: F401  (fills EXERCISES; it builds on this page)

    if id not in EXERCISES:
        raise unknown("exercise", id, sorted(EXERCISES))
    if answer is None or answer is ...:
        return _open(id)
    try:
        return Feedback(id, True, EXERCISES[id].judge(answer))
    except Wrong as wrong:
        return Feedback(id, False, str(wrong))
    except Open:
        return _open(id)
    except Exception as problem:  # an answer so unlike the expected one that the judge stumbled over it
        text = f"your answer cannot be judged ({type(problem).__name__}: {problem}); compare its type with the task."
        return Feedback(id, False, text)


def _open(id: str) -> Feedback:
    return Feedback(id, False, f"not answered yet. {EXERCISES[id].task}", answered=False)


def ask(function: Any, *arguments: Any) -> Any:
    """Call the reader's function; an exception inside it becomes a message that names it.

    Tensors are passed as copies, so that a function which changes its arguments cannot disturb the judge.
    """
    if not callable(function):
        raise Wrong(f"pass the function itself, without calling it; you passed {_kind(function)}.")
    copies = [value.clone() if isinstance(value, torch.Tensor) else value for value in arguments]
    try:
        result = function(*copies)
    except Exception as problem:
        shapes = ", ".join(_kind(value) for value in arguments)
        raise Wrong(f"your function raised {type(problem).__name__}: {problem} (called with {shapes}).") from problem
    if result is None or result is ...:
        raise Open
    return result


def pair(result: Any, names: str) -> tuple[Any, Any]:
    """The two values that a function had to return."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong(f"return two values, {names}; you returned {_kind(result)}.")
    return result[0], result[1]


def compare(got: Any, expected: Any, mistakes: Sequence[tuple[Any, str]] = (), otherwise: str = "") -> None:
    """Raise :class:`Wrong` unless `got` equals `expected` within 1e-4; say which known mistake gives what was got.

    Args:
        mistakes: pairs (what the mistake gives, what to say of it); the first that fits is named.
        otherwise: what to say when none fits.
    """
    values, right = _tensor(got), _tensor(expected)
    if _same(values, right):
        return
    for outcome, message in mistakes:
        if _same(values, _tensor(outcome)):
            raise Wrong(message)
    if values.shape != right.shape:
        raise Wrong(f"the shape is {tuple(values.shape)}, it must be {tuple(right.shape)}.")
    if values.isnan().any():
        raise Wrong("there are NaNs in your result: something is divided by zero, or infinite minus infinite.")
    raise Wrong(f"{otherwise} Expected {_brief(right)}, got {_brief(values)}.".strip())


def _tensor(value: Any) -> torch.Tensor:
    try:
        return torch.as_tensor(value).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError) as problem:
        raise Wrong(f"numbers were expected; you gave {_kind(value)}.") from problem


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-4, atol=1e-4, equal_nan=True))


def _brief(values: torch.Tensor) -> str:
    """Up to six numbers of `values`."""
    flat = [f"{value:.4g}" for value in values.flatten()[:6].tolist()]
    if values.dim() == 0:
        return flat[0]
    return f"[{', '.join(flat)}{', ...' if math.prod(values.shape) > 6 else ''}]"


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"a {type(value).__name__.lower()} of shape {tuple(value.shape)}"
    return f"{value!r} ({type(value).__name__})" if len(repr(value)) < 40 else f"a {type(value).__name__}"
