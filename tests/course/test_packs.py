"""Packs hold no solution, run where they lie, and say to nbgrader what is an exercise and what is its test."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import papermill
import pytest

from sertut.course.catalog import Chapter, chapters, source, tags
from sertut.course.exercises import JUDGES, check
from sertut.course.packs import FOLDED, new_folder, timing, without_answer, write_pack
from sertut.errors import SertutError
from tests.course.answers import solution_of
from tests.course.tiny import call, cell, write_notebook, write_table

ROOT = Path(__file__).resolve().parents[2]


def small(root: Path, *cells: dict) -> Path:
    """A repository with one chapter, 02-two, and the place for a pack of it."""
    for folder in ("notebooks", "book"):
        (root / folder).mkdir()
    write_notebook(root / "notebooks" / "02-two.ipynb", *cells)
    return root / "pack"


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    """Both packs, written once."""
    folder = tmp_path_factory.mktemp("packs")
    write_pack(folder / "students", root=ROOT)
    write_pack(folder / "teachers", teachers=True, root=ROOT)
    return folder


def graded(path: Path) -> dict[str, dict]:
    """Cell of each grade_id."""
    cells = json.loads(path.read_text())["cells"]
    return {each["metadata"]["nbgrader"]["grade_id"]: each for each in cells if "nbgrader" in each["metadata"]}


def test_every_exercise_is_in_the_pack_with_its_test(packs):
    found = {}
    for path in (packs / "students" / "notebooks").glob("*.ipynb"):
        found |= graded(path)
    names = {id.replace(".", "-") for id in JUDGES}
    assert set(found) == {f"exercise-{name}" for name in names} | {f"check-{name}" for name in names}
    for id, each in found.items():
        asked, about = id.startswith("exercise"), each["metadata"]["nbgrader"]
        assert (about["solution"], about["grade"], about["locked"]) == (asked, not asked, not asked)
        assert about.get("points", 0) == (0 if asked else 1)


def test_every_page_that_a_chapter_links_to_comes_along(packs):
    for kind in ("students", "teachers"):
        texts = [path.read_text(encoding="utf-8") for path in (packs / kind / "notebooks").glob("*.ipynb")]
        linked = {page for text in texts for page in re.findall(r"\.\./book/([^)#\s]+\.md)", text)}
        assert linked >= {"glossary.md", "references.md", "symbols.md", "limits.md"}
        assert not [page for page in sorted(linked) if not (packs / kind / "book" / page).is_file()]


def test_students_find_no_solution(packs):
    """Neither a cell, nor a line of one, nor a folded answer in the text; questions and quizzes stay."""
    for path in (packs / "students" / "notebooks").glob("*.ipynb"):
        chapter, cells = Chapter(ROOT / "notebooks" / path.name), Chapter(path).cells()
        assert not [each for each in cells if "solution" in tags(each)]
        assert not any(FOLDED.search(source(each)) for each in cells)
        kept = {source(each) for each in chapter.cells() if not {"solution", "exercise", "check"} & set(tags(each))}
        kept = {text for text in kept if not FOLDED.search(text)}
        assert kept <= {source(each) for each in cells}
        for each in cells:
            if "exercise" in tags(each):
                (function,) = ast.parse(source(each)).body
                body = function.body[ast.get_docstring(function) is not None :]
                assert [ast.unparse(line) for line in body] == ["..."], source(each)


def test_every_folded_text_is_a_choice_or_an_answer():
    """A fold under another heading would slip into the students' pack: say there what it is."""
    for chapter in chapters(ROOT):
        text = "\n".join(source(each) for each in chapter.cells() if each["cell_type"] == "markdown")
        for summary in re.findall(r"<details[^>]*>\s*<summary>(.*?)</summary>", FOLDED.sub("", text), re.DOTALL):
            assert re.match(r"(<b>)?([A-F]\)|If you start)", summary), (chapter.name, summary)


@pytest.mark.parametrize("id", sorted(JUDGES))
def test_blank_is_open_and_solved_is_right(id):
    """The cell for students asks what the chapter asks; the one for nbgrader answers it."""
    blank, solved = without_answer(solution_of(id), JUDGES[id].__name__)
    names: dict = {}
    exec(blank, names)
    feedback = check(id, names[JUDGES[id].__name__])
    assert not feedback and not feedback.answered
    assert blank.splitlines()[:-1] == solved.partition("\n    ### BEGIN SOLUTION\n")[0].splitlines()
    assert re.sub("\n    ### (BEGIN|END) SOLUTION", "", solved) == solution_of(id).rpartition("\n\n\ncheck(")[0]


@pytest.mark.parametrize(
    "solution", ["x = 1", "def g(a):\n    return 1", "import os\n\ndef masked_mean(a):\n    return 1"]
)
def test_a_solution_of_another_form_is_refused(solution, tmp_path):
    question = [cell("f = ...", "exercise"), cell('check("2.2", f)', "check")]
    pack = small(tmp_path, *question, cell(solution + '\n\ncheck("2.2", f)', "solution"))
    with pytest.raises(SertutError, match=r"02-two.ipynb: exercise 2.2 needs a solution"):
        write_pack(pack, root=tmp_path)
    assert not list(tmp_path.glob("*pack*"))


def test_teachers_have_all(packs):
    pack = packs / "teachers"
    for chapter in chapters(ROOT):
        assert Chapter(pack / "notebooks" / chapter.path.name).cells() == chapter.cells()
        cells = graded(pack / "source" / chapter.name / chapter.path.name)
        assert all("### BEGIN SOLUTION" in source(each) for id, each in cells.items() if id.startswith("exercise"))
    text = (pack / "book" / "for-teachers.md").read_text()
    assert all(words in text for words in ("One session", "Two sessions", "Five sessions", "Rubric", "Projects"))
    assert not (packs / "students" / "book" / "for-teachers.md").exists()


def test_timing_is_what_was_measured(tmp_path):
    folder = tmp_path / "_build" / "chapters" / "02-features"
    folder.mkdir(parents=True)
    results = dict.fromkeys(("chapter", "corpus", "seed", "device", "versions", "metrics", "claims", "bands"), 0)
    (folder / "results.json").write_text(json.dumps(results | {"seconds": 61.5}))
    table = timing(chapters(ROOT), tmp_path).set_index("chapter")["seconds to run, as measured here"]
    assert table["02-features"] == 61.5 and table.isna().sum() == len(table) - 1


def test_figures_become_slides(tmp_path):
    """Under the heading they stand under, with their text, whatever is in it."""
    one, two = cell("plot()"), cell("plot()")
    for each, alt in ((one, 'a "rise" < 1'), (two, "a fall")):
        figure = {"data": {"image/png": "AA\n=="}, "metadata": {"image/png": {"alt": alt}}}
        each["outputs"] = [{"output_type": "display_data", **figure}]
    texts = [cell("# Two\n\n## Seen", kind="markdown"), one, cell("text", kind="markdown"), cell("1"), two]
    pack, folder = small(tmp_path, cell("# Two", kind="markdown")), tmp_path / "_build" / "chapters" / "02-two"
    folder.mkdir(parents=True)
    write_notebook(folder / "02-two.ipynb", *texts)
    assert write_pack(pack, root=tmp_path) == []
    page = (pack / "slides" / "02-two.html").read_text()
    assert page.count("<section>") == page.count("<h2>Seen</h2>") == page.count('src="data:image/png;base64,AA=="') == 2
    assert 'alt="a &#34;rise&#34; &lt; 1"' in page and "<script" not in page


def test_the_pack_runs_where_it_lies(packs):
    """With its own library and references; a check says why an answer is wrong, or what the chapter asks."""
    code = """
import sertut
from sertut.course import check
from sertut.study.references import BOOK_RESULTS
print(sertut.__file__, len(list(BOOK_RESULTS.glob("*.json"))))
print(check("2.2", None).message, check("2.2", lambda features, mask: features.mean(1)).message)
"""
    pack, command = packs / "students", [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=pack, env={"PYTHONPATH": "."}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where, said = done.stdout.splitlines()
    assert where == f"{pack / 'sertut' / '__init__.py'} {len(list((ROOT / 'book' / 'results').glob('*')))}"
    assert said.startswith("not answered yet. Write `masked_mean(features, mask)`.")
    assert "the padded frames are in your mean" in said


def test_a_chapter_of_the_pack_runs_up_to_its_first_exercise(packs, tmp_path, tones):
    """All cells before it run, here on a small table; its check stops, and says what is to be written."""
    write_table(tmp_path / "clips.csv", tones.keeping(clip for clip in tones if clip.name[-1] in "01"))
    cells = Chapter(packs / "students" / "notebooks" / "02-features.ipynb").cells()
    graded = [each for each in cells if "nbgrader" in each["metadata"]]
    assert [tags(each) for each in graded[:2]] == [["exercise"], ["check"]]
    write_notebook(tmp_path / "02.ipynb", *cells)
    parameters = {"corpus": str(tmp_path / "clips.csv"), "partitions": 1}
    with pytest.raises(papermill.PapermillExecutionError) as stop:
        papermill.execute_notebook(
            tmp_path / "02.ipynb", tmp_path / "ran.ipynb", parameters, cwd=packs / "students", progress_bar=False
        )
    assert stop.value.source == source(graded[1]), "the first exercise is where it stops"
    assert re.match(r"2\.1\s+open: not answered yet\. Write `frame_clock\(", stop.value.evalue), stop.value.evalue


def test_one_chapter_and_refusals(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for words, code in (["--chapter", "2"], 0), ([], 1):
        assert call("course", "pack", "--students", str(tmp_path / "one"), *words) == code
        assert [path.name for path in (tmp_path / "one" / "notebooks").iterdir()] == ["02-features.ipynb"]
    assert "one is there and not empty; name a new folder" in capsys.readouterr().err
    assert call("course", "pack") == 2


def test_chapters_without_slides_are_named(tmp_path, monkeypatch, capsys):
    small(tmp_path, cell("# Two", kind="markdown"))
    monkeypatch.chdir(tmp_path)
    assert call("course", "pack", "--students", "pack") == 0
    said = capsys.readouterr().out
    assert said == "written: pack\nwithout slides, since they were not run here (sertut run): 02-two\n"


def test_nothing_half_written_is_left(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "pack") as folder:
        (folder / "half").write_text("x")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in tmp_path.rglob("*")] == ["empty", "whole"]


def nbgrader(pack: Path, *words: str) -> None:
    """Run a command of nbgrader in a pack, or skip where it is not installed."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: sertut[grading]")
    command = [sys.executable, "-m", "nbgrader", *words]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    done = subprocess.run(command, cwd=pack, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_nbgrader_takes_the_solutions_out_of_a_chapter(packs):
    """What it releases of chapter 2 asks what the students' pack asks; a point for each test."""
    nbgrader(packs / "teachers", "generate_assignment", "02-features")
    path = packs / "teachers" / "release" / "02-features" / "02-features.ipynb"
    asked, released = graded(packs / "students" / "notebooks" / path.name), graded(path)
    assert {id: source(each) for id, each in released.items()} == {id: source(each) for id, each in asked.items()}
    tests = {id: each["metadata"]["nbgrader"]["points"] for id, each in released.items() if id.startswith("check")}
    assert len(tests) == 3 and set(tests.values()) == {1}
    assert "SOLUTION" not in path.read_text(encoding="utf-8") and "# (B, T, 1)" in solution_of("2.2")
    assert "# (B, T, 1)" not in "".join(source(each) for each in released.values())


def test_nbgrader_works_on_the_pack(tmp_path):
    """generate_assignment makes the students' cells; autograde and generate_feedback mark what comes back."""
    pack = small(
        tmp_path,
        cell("import torch\n\nfrom sertut.course import check"),
        cell("#### Exercise 2.2: x\n\nWrite `masked_mean(features, mask)`.", kind="markdown"),
        cell("def masked_mean(features, mask): ...", "exercise"),
        cell('check("2.2", masked_mean)', "check"),
        cell(solution_of("2.2"), "solution"),
    )
    write_pack(pack, teachers=True, root=tmp_path)

    nbgrader(pack, "generate_assignment", "02-two")
    released = pack / "release" / "02-two" / "02-two.ipynb"
    blank, _ = without_answer(solution_of("2.2"), "masked_mean")
    assert source(graded(released)["exercise-2-2"]) == blank
    answers = {"ada": solution_of("2.2"), "bob": blank, "eve": f"{blank}\ncheck = lambda *_: True"}
    for student, answer in answers.items():
        notebook = json.loads(released.read_text())
        for each in notebook["cells"]:
            if each["metadata"].get("nbgrader", {}).get("grade_id") == "exercise-2-2":
                each["source"] = answer
        to = pack / "submitted" / student / "02-two" / "02-two.ipynb"
        to.parent.mkdir(parents=True)
        to.write_text(json.dumps(notebook))
    nbgrader(pack, "autograde", "02-two")
    nbgrader(pack, "generate_feedback", "02-two")
    nbgrader(pack, "export", "--to", "grades.csv")
    lines = [line.split(",") for line in (pack / "grades.csv").read_text().splitlines()]
    score, name = lines[0].index("score"), lines[0].index("student_id")
    assert {line[name]: float(line[score]) for line in lines[1:]} == {"ada": 1.0, "bob": 0.0, "eve": 0.0}
    page = (pack / "feedback" / "bob" / "02-two" / "02-two.html").read_text()
    assert "not answered yet" in page and "masked_mean" in page
