"""Running chapters: results, reuse, and every way in which a run can fail."""

import json
import os
import shutil
import threading

import pytest
from filelock import FileLock

from sertut.course import execution
from sertut.course.catalog import Chapter, find, tags
from sertut.course.execution import digest, run_chapters, surroundings
from sertut.errors import SertutError
from tests.course.tiny import SEED, cell, write_notebook


def test_a_run_leaves_its_results(done):
    runs = run_chapters(root=done, progress=False)
    assert [run.chapter.name for run in runs] == ["01-one", "02-two"]
    assert runs[0].results["metrics"] == {"seed": 0, "threads": 1, "same_python": 1}
    assert runs[0].folder == done / "_build" / "chapters" / "01-one"
    cells = json.loads(runs[0].notebook.read_text())["cells"]
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
    assert json.loads((done / "notebooks" / "01-one.ipynb").read_text())["cells"][3]["outputs"] == []


@pytest.fixture
def copied(done, tmp_path, monkeypatch):
    """A copy of it, since where it lies does not matter; and the names of what would be run there."""
    ran: list[str] = []
    monkeypatch.setattr(execution, "_execute", lambda run, *rest: ran.append(run.chapter.name))
    return shutil.copytree(done, tmp_path / "copy"), ran


def test_only_what_changed_is_run_again(copied):
    root, ran = copied

    def reused(*names: str, **options) -> list[bool]:
        return [run.reused for run in run_chapters(names, root=root, progress=False, **options)]

    assert reused() == [True, True] and ran == []
    assert reused("1", force=True) == [False] and ran == ["01-one"]
    path = root / "notebooks" / "02-two.ipynb"
    path.write_text(path.read_text().replace("# Two", "# Second"))
    assert reused() == [True, False] and ran == ["01-one", "02-two"]
    assert reused() == [True, True]


def test_the_longest_chapter_runs_first_and_of_equals_the_later(copied):
    root, ran = copied
    run_chapters(root=root, workers=1, progress=False, force=True)
    assert ran == ["02-two", "01-one"]
    path = root / "notebooks" / "01-one.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] += "\n\n> **Reading** about 2 minutes · **running** about 11 minutes"
    path.write_text(json.dumps(notebook))
    assert find("1", root).minutes == 11 and find("2", root).minutes == 0
    run_chapters(root=root, workers=1, progress=False, force=True)
    assert ran[2:] == ["01-one", "02-two"]


def test_two_runs_wait_for_each_other(tiny, monkeypatch):
    begun = threading.Event()
    monkeypatch.setattr(execution, "surroundings", lambda root: begun.set() or {})
    monkeypatch.setattr(execution, "_execute", lambda *run: "")
    monkeypatch.setattr(Chapter, "check", lambda *parameters: None)  # which takes long the first time
    (tiny / "_build").mkdir()
    second = threading.Thread(target=run_chapters, args=(["2"],), kwargs={"progress": False})
    with FileLock(tiny / "_build" / ".lock"):  # as another run holds it
        second.start()
        assert not begun.wait(2.0)
    second.join()
    assert begun.is_set()


def test_every_way_to_fail_is_told_and_the_others_are_kept(tiny):
    """As after an interruption: what was done is not run again. Other parameters get a folder of their own."""
    notebooks = tiny / "notebooks"
    write_notebook(notebooks / "04-fails.ipynb", SEED, cell("# what fails\nraise ValueError('no such thing')"))
    write_notebook(notebooks / "05-silent.ipynb", SEED)
    with pytest.raises(SertutError) as failure:
        run_chapters(["2", "4", "5"], {"seed": 3}, progress=False)
    failed, silent = str(failure.value).splitlines()
    assert failed.startswith("04-fails: cell [3] (# what fails) failed with ValueError: no such thing")
    assert str(tiny / "_build" / "chapters" / "04-fails,seed=3" / "unfinished.ipynb") in failed
    assert silent.startswith("05-silent: results.json was not written; the last cell of a chapter must call")
    (run,) = run_chapters(["2"], {"seed": 3}, progress=False)
    assert run.reused and run.results["seed"] == 3 and run.folder.name == "02-two,seed=3"
    cells = json.loads(run.notebook.read_text())["cells"]
    assert ["injected-parameters" in tags(cell) for cell in cells].count(True) == 1
    write_notebook(notebooks / "05-silent.ipynb", SEED, cell("import time\ntime.sleep(600)"))
    with pytest.raises(SertutError, match="05-silent: stopped after 3 s; allow more with --time-limit"):
        run_chapters(["5"], time_limit=3, progress=False)
    assert not list((tiny / "_build" / "chapters").glob("0[45]*/up-to-date"))


def test_what_the_outcome_depends_on(tiny, monkeypatch):
    """Not where a corpus lies, but what is in it; and the weights that SERTUT_WEIGHTS names."""
    corpora, weights = tiny / "recorded", tiny / "weights.npz"
    for name in ("SERTUT_DATA", "SERTUT_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)

    def now(**parameters: object) -> str:
        return digest(find("1"), parameters, surroundings(tiny))

    seen = [now(), now(seed=1)]
    monkeypatch.setenv("SERTUT_DATA", str(corpora))
    assert now() == seen[0]
    (corpora / "ravdess").mkdir(parents=True)
    seen.append(now())
    (corpora / "ravdess" / "x.wav").write_bytes(b"1")
    seen.append(now())
    (tiny / "book" / "results").mkdir()
    for kept in ("results/x.json", "leak.json", "tried.csv"):
        (tiny / "book" / kept).write_text("{}")
        seen.append(now())
    weights.write_bytes(b"1")
    monkeypatch.setenv("SERTUT_WEIGHTS", str(weights))
    seen.append(now())
    weights.write_bytes(b"22")
    seen.append(now())
    monkeypatch.setattr(execution, "versions", lambda extra="": {"torch": "0"})
    seen.append(now())
    assert len(set(seen)) == len(seen)
    assert any(name.endswith(".js") for name in surroundings(tiny)["library"]), "what a page brings along counts, too"
    os.utime(tiny / "notebooks" / "01-one.ipynb")  # its text counts, not its time
    assert now() == seen[-1]


def test_a_wrong_corpus_or_device_stops_before_the_run(tiny):
    write_notebook(tiny / "notebooks" / "03-corpus.ipynb", cell("corpus = 'planteed'\ndevice = 'cpu'", "parameters"))
    with pytest.raises(SertutError, match="did you mean 'planted'"):
        run_chapters(["3"], progress=False)
    write_notebook(tiny / "notebooks" / "03-corpus.ipynb", cell("device = 'cpu'", "parameters"))
    with pytest.raises(SertutError, match="unknown device 'gpu'"):
        run_chapters(["3"], {"device": "gpu"}, progress=False)
    assert not (tiny / "_build" / "chapters").exists()


def test_weights_are_found_from_where_they_were_named(tiny, monkeypatch):
    """A chapter runs in a folder of its own, which a relative path knows nothing of."""
    monkeypatch.chdir(tiny)
    monkeypatch.setenv("SERTUT_WEIGHTS", "kept")
    write_notebook(tiny / "notebooks" / "03-weights.ipynb", cell("weights = None", "parameters"))
    asked = {}
    monkeypatch.setattr(
        execution, "_execute", lambda run, given, around, limit: asked.update(given=given, around=around)
    )
    run_chapters(["3"], {"weights": "own.npz"}, progress=False)
    assert asked["given"]["weights"] == str(tiny / "own.npz")
    assert asked["around"]["SERTUT_WEIGHTS"] == str(tiny / "kept")
