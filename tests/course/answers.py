"""Shared by the tests of exercises: what a chapter's solution defines, and the test that a known mistake is named."""

import math
import re

import pytest
import torch

from sertut.corpora.ravdess import EMOTIONS
from sertut.course.catalog import find, source, tags
from sertut.course.exercises import JUDGES, check


def solution_of(id: str) -> str:
    """The source code that a chapter shows as the solution of an exercise."""
    cells = find(id.partition(".")[0]).cells()
    start = next(i for i, cell in enumerate(cells) if re.match(rf"#{{2,5}} Exercise {re.escape(id)}\b", source(cell)))
    return next(source(cell) for cell in cells[start:] if "solution" in tags(cell))


def defined(id: str):
    """What the solution of an exercise defines; its own call of `check` is left out."""
    names = {"torch": torch, "math": math, "EMOTIONS": EMOTIONS}
    exec(re.sub(r"^check\(.*\)$", "", solution_of(id), flags=re.M), names)
    return names[JUDGES[id].__name__]


def named(mistakes, *right):
    """Two tests: for rows (exercise, wrong answer, words of its feedback), and for pairs (exercise, right answer)."""

    @pytest.mark.parametrize(("id", "answer", "words"), mistakes, ids=[f"{id}-{words}" for id, _, words in mistakes])
    def test_mistake_is_named(id, answer, words):
        feedback = check(id, answer)
        assert not feedback.passed and feedback.answered
        assert words in feedback.message, feedback.message

    @pytest.mark.parametrize(("id", "answer"), right)
    def test_another_way_to_a_right_answer_passes(id, answer):
        assert check(id, answer), check(id, answer)

    return test_mistake_is_named, test_another_way_to_a_right_answer_passes
