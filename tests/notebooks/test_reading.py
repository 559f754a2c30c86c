"""What a reader of the first chapters meets: the same parts in each, questions that ask something, lines that fit."""

import json
import re

import pytest

from sertut.course.catalog import chapters, repository, source, tags
from sertut.errors import SertutError
from sertut.evidence import Tally

try:
    FIRST = [chapter for chapter in chapters() if chapter.name[:2] < "10"]
except SertutError:
    FIRST = []
each_chapter = pytest.mark.parametrize("chapter", FIRST, ids=lambda chapter: chapter.name)
UNSEEN = {"hide-input", "remove-input", "hide-cell", "solution", "check", "parameters"}


@each_chapter
def test_it_asks_and_answers(chapter):
    text = "\n\n".join(source(cell) for cell in chapter.cells() if cell["cell_type"] == "markdown")
    assert re.search(r"^> \*\*Reading\*\* about \d+ minutes", text, re.M), "no header card"
    assert chapter.minutes > 0, "the header card does not say how long it runs, which puts the longest first"
    for part in ("### Find the fault", "### An open question", "### Quiz", "### What we found", "## For reviewers"):
        assert len(re.findall(rf"^{part}$", text, re.M)) == 1, part
    assert "**Predict before you run.**" in text
    quiz = text.partition("### Quiz")[2].partition("\n## ")[0]
    questions = re.split(r"^\*\*\d\. ", quiz, flags=re.M)[1:]
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert len(re.findall(r"<details><summary>[A-D]\) ", question)) >= 2, question
        assert question.count("</summary>Right") == 1, question


@each_chapter
def test_code_fits_beside_the_text(chapter):
    code = [cell for cell in chapter.cells() if cell["cell_type"] == "code"]
    assert not [line for cell in code for line in source(cell).splitlines() if len(line) > 88]
    visible = [source(cell) for cell in code if not UNSEEN & set(tags(cell))]
    longest = max(len([line for line in text.splitlines() if line.strip()]) for text in visible)
    assert longest <= 25
    assert sum(len([line for line in text.splitlines() if line.strip()]) for text in visible) <= 250


def test_the_leak_on_real_voices_is_kept():
    try:
        path = repository() / "book" / "leak-ravdess.json"
    except SertutError:
        pytest.skip("the book is not part of this installation")
    kept = {name: Tally.pooled(parts, range(len(parts))) for name, parts in json.loads(path.read_text()).items()}
    assert all(len(tally.speakers) == 24 for tally in kept.values())
    remembers, linear = kept["neighbor"], kept["linear"]
    assert remembers.difference("random split", "speaker split", "uar").low > 0.1
    assert remembers.interval("random split", "uar").estimate > linear.interval("random split", "uar").estimate
    assert kept["copies"].difference("copies split", "copies together", "uar").low > 0.2
