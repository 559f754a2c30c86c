"""Checking a reader's answer, and saying why it is wrong.

    >>> sertut.course.check("2.2", masked_mean)
    2.2 not yet: the padded frames are in your mean: ...

The judge of an exercise, in :mod:`sertut.course.questions`, knows the mistakes that people make, computes what each of
them would give, and recognizes it in the answer. :func:`check` never raises because of an answer: a chapter runs to its
end with open exercises as well as with solved ones.
"""

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sertut.course.catalog import find, source
from sertut.errors import SertutError, must_be_known


class Wrong(Exception):
    """Inside an exercise: the answer is wrong, and the message says why."""


class Open(Exception):
    """Inside an exercise: there is no answer yet."""


JUDGES: dict[str, Callable[[Any], str]] = {}
"""Id of an exercise, e.g. "2.1" -> its judge, which bears the name of what the reader is asked to define.

A judge takes the answer and returns what there is to learn from it, or raises :class:`Wrong`. Task and solution stand
in the chapter alone.
"""


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


def exercise(id: str) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Register the judge of exercise `id`."""

    def register(judge: Callable[[Any], str]) -> Callable[[Any], str]:
        JUDGES[id] = judge
        return judge

    return register


def ask(function: Any, *arguments: Any) -> Any:
    """Call the reader's function; an exception inside it becomes a message that names it.

    Tensors are passed as copies, so that a function which changes its arguments cannot disturb the judge.
    """
    if not callable(function):
        raise Wrong(f"pass the function itself, without calling it; you passed {kind_of(function)}.")
    copies = [value.clone() if isinstance(value, torch.Tensor) else value for value in arguments]
    try:
        result = function(*copies)
    except Exception as problem:
        shapes = ", ".join(kind_of(value) for value in arguments)
        raise Wrong(f"your function raised {type(problem).__name__}: {problem} (called with {shapes}).") from problem
    if result is None or result is ...:
        raise Open
    return result


def pair(result: Any, names: str) -> tuple[Any, Any]:
    """The two values that a function had to return."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong(f"return two values, {names}; you returned {kind_of(result)}.")
    return result[0], result[1]


def tensors(result: Any, **shapes: tuple[int, ...]) -> list[torch.Tensor]:
    """The tensors of these names and shapes that a function had to return."""
    if not isinstance(result, (tuple, list)) or len(result) != len(shapes):
        raise Wrong(f"return {len(shapes)} tensors, {', '.join(shapes)}; you returned {kind_of(result)}.")
    found = [_tensor(value) for value in result]
    for value, (name, shape) in zip(found, shapes.items(), strict=True):
        if value.shape != shape or not bool(value.isfinite().all()):
            raise Wrong(f"`{name}` must be finite, of shape {shape}; yours has the shape {tuple(value.shape)}.")
    return found


def refuse(*faults: tuple[Any, str]) -> None:
    """Raise :class:`Wrong` with what is said of the first of these faults that an answer has, if it has one."""
    for found, message in faults:
        if found:
            raise Wrong(message)


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
        raise Wrong(f"numbers were expected; you gave {kind_of(value)}.") from problem


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-4, atol=1e-4, equal_nan=True))


def _brief(values: torch.Tensor) -> str:
    """Up to six numbers of `values`."""
    flat = [f"{value:.4g}" for value in values.flatten()[:6].tolist()]
    if values.dim() == 0:
        return flat[0]
    return f"[{', '.join(flat)}{', ...' if math.prod(values.shape) > 6 else ''}]"


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"a {type(value).__name__.lower()} of shape {tuple(value.shape)}"
    return f"{value!r} ({type(value).__name__})" if len(repr(value)) < 40 else f"a {type(value).__name__}"
