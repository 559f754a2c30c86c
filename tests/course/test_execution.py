"""Running chapters: results, reuse, and every way in which a run can fail."""

import json

import pytest

from sertut.course.catalog import find, tags
from sertut.course.execution import digest, run_chapters
from sertut.errors import SertutError


def test_a_run_leaves_its_results_and_is_reused(tiny):
    first = run_chapters(progress=False)
    assert [run.chapter.name for run in first] == ["01-one", "02-two"]
    assert not any(run.reused for run in first)
    assert first[0].results["metrics"] == {"seed": 0, "threads": 1}
    assert first[0].folder == tiny / "_build" / "chapters" / "01-one"
    outputs = [
        output for cell in json.loads(first[0].notebook.read_text())["cells"] for output in cell.get("outputs", ())
    ]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert json.loads((tiny / "notebooks" / "01-one.ipynb").read_text())["cells"][3]["outputs"] == []

    assert all(run.reused for run in run_chapters(progress=False))

    path = tiny / "notebooks" / "02-two.ipynb"
    path.write_text(path.read_text().replace("With a formula", "With one formula"))
    assert [run.reused for run in run_chapters(progress=False)] == [True, False]


def test_other_parameters_get_their_own_folder(tiny):
    (run,) = run_chapters(["1"], {"seed": 3}, progress=False)
    assert run.results["metrics"]["seed"] == run.results["seed"] == 3
    assert run.folder.name == "01-one,seed=3"
    injected = [cell for cell in json.loads(run.notebook.read_text())["cells"] if "injected-parameters" in tags(cell)]
    assert len(injected) == 1


def test_what_the_outcome_depends_on(tiny, monkeypatch):
    chapter = find("1")
    before = digest(chapter, {}, tiny)
    assert digest(chapter, {}, tiny) == before
    assert digest(chapter, {"seed": 1}, tiny) != before
    (tiny / "recorded" / "ravdess").mkdir(parents=True)
    monkeypatch.setenv("SERTUT_DATA", str(tiny / "recorded"))
    with_corpus = digest(chapter, {}, tiny)
    assert with_corpus != before
    (tiny / "book" / "results").mkdir()
    (tiny / "book" / "results" / "x.json").write_text("{}")
    assert digest(chapter, {}, tiny) != with_corpus


def test_a_failing_cell_is_named_and_the_others_still_run(tiny, tiny_chapter):
    tiny_chapter(tiny / "notebooks" / "01-one.ipynb", "# what fails\nraise ValueError('no such thing')")
    with pytest.raises(SertutError) as failure:
        run_chapters(progress=False)
    message = str(failure.value)
    assert message.startswith("01-one: cell [5] (# what fails) failed with ValueError: no such thing")
    assert str(tiny / "_build" / "chapters" / "01-one" / "unfinished.ipynb") in message
    assert (tiny / "_build" / "chapters" / "02-two" / "results.json").is_file()
    (run,) = run_chapters(["2"], progress=False)
    assert run.reused


def test_a_chapter_that_takes_too_long_is_stopped(tiny, tiny_chapter):
    tiny_chapter(tiny / "notebooks" / "01-one.ipynb", "time.sleep(120)")
    with pytest.raises(SertutError, match="01-one: stopped after 8 s"):
        run_chapters(["1"], time_limit=8, progress=False)


def test_results_must_be_written(tiny, write_notebook, cell):
    write_notebook(tiny / "notebooks" / "03-silent.ipynb", [cell("seed = 0", "parameters")])
    with pytest.raises(SertutError, match=r"results.json was not written; the last cell of a chapter must call"):
        run_chapters(["3"], progress=False)


def test_a_wrong_corpus_or_device_stops_before_the_run(tiny, write_notebook, cell):
    write_notebook(tiny / "notebooks" / "03-corpus.ipynb", [cell("corpus = 'planteed'\ndevice = 'cpu'", "parameters")])
    with pytest.raises(SertutError, match="did you mean 'planted'"):
        run_chapters(["3"], progress=False)
    write_notebook(tiny / "notebooks" / "03-corpus.ipynb", [cell("device = 'cpu'", "parameters")])
    with pytest.raises(SertutError, match="unknown device 'gpu'"):
        run_chapters(["3"], {"device": "gpu"}, progress=False)
    assert not (tiny / "_build" / "chapters").exists()
