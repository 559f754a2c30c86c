"""Each chapter has the form that CONTRIBUTING describes, runs, and measures what the reference says."""

import ast
import json
import re

import pytest

from sertut.course.catalog import Chapter, chapters, repository, source, tags
from sertut.course.execution import Executed, run_chapters
from sertut.evidence import Tally
from sertut.study.bands import BANDS

CHAPTERS = chapters()
EXERCISE = re.compile(r"^#{2,5} Exercise\b", re.M)
HEADING = re.compile(r"^#{1,5} ", re.M)

PARTS = (
    "> **Reading** about ",
    "## Objectives",
    "## Assembled",
    "## Exercises",
    "### Find the fault",
    "### An open question",
    "### Quiz",
    "## Summary",
    "### What we found",
    "## For reviewers",
    "## References",
)
"""What the chapters hold, in this order."""
UNASSEMBLED = ("01", "09", "16", "18")
"""The chapters that assemble no network of their own."""
UNSEEN = {"hide-input", "remove-input", "hide-cell", "solution", "check", "parameters"}

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)


def markdown(chapter: Chapter) -> str:
    return "\n\n".join(source(cell) for cell in chapter.cells() if cell["cell_type"] == "markdown")


@each_chapter
def test_form(chapter):
    notebook = json.loads(chapter.path.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert source(chapter.cells()[0]).startswith("# "), "the first cell is the title"
    assert chapter.minutes > 0, "the first cell does not say how long it runs"
    text = markdown(chapter)
    assert len(re.findall(r"^# ", text, re.M)) == 1, "one title; parts have ## and below"
    for part in ("Objectives", "Exercises", "Summary", "References"):
        assert re.search(rf"^#+ .*{part}|^\*\*{part}", text, re.M), f"no {part}"


@each_chapter
def test_parameters(chapter):
    parameters, run = chapter.parameters(), {}
    (cell,) = [cell for cell in chapter.cells() if "parameters" in tags(cell)]
    exec(source(cell), {}, run)
    assert parameters == run, "papermill reads the cell otherwise than Python: one 'name = literal' a line"
    assert {"corpus", "device", "seed"} <= set(parameters)
    assert parameters["corpus"] in ("planted", "planted-decoy"), "the default needs no download"


@each_chapter
def test_each_exercise_has_a_check_and_a_solution(chapter):
    cells = chapter.cells()
    is_text = [cell["cell_type"] == "markdown" for cell in cells]
    starts = [i for i, cell in enumerate(cells) if is_text[i] and EXERCISE.search(source(cell))]
    assert starts, "no exercise"
    for start in starts:
        after = [i for i in range(start + 1, len(cells)) if is_text[i] and HEADING.search(source(cells[i]))]
        found = [tag for cell in cells[start : after[0] if after else None] for tag in tags(cell)]
        title = source(cells[start]).splitlines()[0]
        assert "check" in found and "solution" in found, f"'{title}' lacks a check or a solution"


@each_chapter
def test_the_last_cell_writes_the_results(chapter):
    code = [source(cell) for cell in chapter.cells() if cell["cell_type"] == "code"]
    calls = {node.id for node in ast.walk(ast.parse(code[-1])) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(ast.parse(code[-1])) if isinstance(node, ast.Attribute)}
    assert "write_results" in calls | attributes


@each_chapter
def test_it_asks_and_says_what_was_found(chapter):
    text = re.sub(r"^### Exercise [\d.]+: find the fault", "### Find the fault", markdown(chapter), flags=re.M)
    parts = [part for part in PARTS if part != "## Assembled" or chapter.name[:2] not in UNASSEMBLED]
    found = re.findall("|".join(rf"^{re.escape(part)}" for part in parts), text, re.M)
    assert found == parts, "each once, in this order"
    predictions = text.split("**Predict before you run.**")[1:]
    assert predictions
    for prediction in predictions:  # there is something to choose, and a reason for each choice
        first = prediction.partition("</details>")[0]
        assert re.search(r"<details><summary>A\) ", first), first
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>") == text.count("</summary>")
    questions = re.split(r"^\*\*\d\.", text.partition("### Quiz")[2].partition("\n## ")[0], flags=re.M)[1:]
    assert 3 <= len(questions) <= 5
    for question in questions:  # answers are chosen from, and one of them is right
        assert len(re.findall(r"<details><summary>[A-D]\) ", question)) >= 2, question
        assert len(re.findall(r"</summary>\s*(?:Right|Yes)\b", question)) == 1, question


@each_chapter
def test_solutions_are_closed_in_jupyter(chapter):
    solutions = [cell for cell in chapter.cells() if "solution" in tags(cell)]
    seen = [cell["id"] for cell in solutions if not cell["metadata"].get("jupyter", {}).get("source_hidden")]
    assert solutions and not seen


@each_chapter
def test_code_fits_beside_the_text(chapter):
    code = [cell for cell in chapter.cells() if cell["cell_type"] == "code"]
    assert not [line for cell in code for line in source(cell).splitlines() if len(line) > 88]
    part, lengths = "", []
    for cell in chapter.cells():
        if cell["cell_type"] == "markdown":
            part = re.findall(r"^## (.+)", source(cell), re.M)[-1:] or part
        elif not UNSEEN & set(tags(cell)):
            lengths.append(len([line for line in source(cell).splitlines() if line.strip()]))
            by_hand = "by hand" in str(part).lower()  # where one new line after the other is written out
            assert lengths[-1] <= (30 if by_hand else 25), cell["id"]
    assert sum(lengths) <= 250


def reading_minutes(chapter: Chapter) -> float:
    """By the rule of book/how-to-use.md; what is folded and what only reviewers need does not count."""
    words = lines = figures = 0
    for cell in chapter.cells():
        text, last, _ = source(cell).partition("## For reviewers")
        if cell["cell_type"] == "markdown":
            words += len(re.sub(r"<details>.*?</details>|\]\([^)]*\)|[^\w\s]", "", text, flags=re.DOTALL).split())
        elif not UNSEEN & set(tags(cell)):
            lines += len([line for line in text.splitlines() if line.strip()])
        figures += "figure" in cell["metadata"].get("mystnb", {})
        if last:
            break
    return words / 180 + lines * 4 / 60 + figures / 2


@each_chapter
def test_reading_time_follows_one_rule(chapter):
    said = int(re.findall(r"\*\*Reading\*\* about (\d+) minutes", source(chapter.cells()[0]))[0])
    assert abs(said - reading_minutes(chapter)) <= 2 and said <= 45


def test_the_leak_on_real_voices_is_kept():
    kept = json.loads((repository() / "book" / "leak-ravdess.json").read_text(encoding="utf-8"))
    kept = {name: Tally.pooled(parts, range(len(parts))) for name, parts in kept.items()}
    assert all(len(tally.speakers) == 24 for tally in kept.values())
    remembers, linear, copies = (kept[name] for name in ("neighbor", "linear", "copies"))
    assert remembers.difference("random split", "speaker split", "uar").low > 0.1
    assert remembers.interval("random split", "uar").estimate > linear.interval("random split", "uar").estimate
    assert copies.difference("copies split", "copies together", "uar").low > 0.2


@pytest.fixture
def run(chapter, runs) -> Executed:
    """The chapter's run; the test fails here, with the reason, if there is none."""
    found = runs.get(chapter.name)
    if found is None:  # another chapter failed, and this one is fine
        (found,) = run_chapters([chapter.name], progress=False)
    if isinstance(found, str):
        pytest.fail(found, pytrace=False)
    return found


@each_chapter
def test_it_runs_and_leaves_results(chapter, run):
    results = run.results
    assert results["chapter"] == chapter.name
    assert results["corpus"] == chapter.parameters()["corpus"]
    assert results["seed"] == chapter.parameters()["seed"]
    assert results["metrics"], "nothing was measured"
    assert results["seconds"] > 0


@each_chapter
def test_figures_have_a_text(chapter, run):
    cells = json.loads(run.notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures, "no figure"
    for picture in pictures:
        assert picture["metadata"].get("image/png", {}).get("alt"), "a figure without a text: show it with sertut.show"
    assert not [output for output in outputs if output["output_type"] == "error"]


@each_chapter
def test_numbers_fall_into_the_reference_band(chapter, run):
    assert len(run.results["bands"]) <= BANDS  # among so many the rate of false alarms is shared out
    for band in run.results["bands"]:
        assert band["low"] <= band["value"] <= band["high"], f"{band['metric']} is outside the reference seeds"
