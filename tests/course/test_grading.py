"""Marks are what functions return; nothing that a submission does reaches the checks, the neighbors or the machine."""

import contextlib
import json
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from sertut.course import grading
from sertut.course.catalog import chapters, tags
from sertut.course.exercises import JUDGES, check
from sertut.course.fence import plain
from sertut.course.grading import Process, _exercises, grade_folder, value_of
from sertut.course.packs import marked, write_pack
from sertut.errors import SertutError
from tests.course.answers import defined, solution_of
from tests.course.tiny import call

ALL = ("2.1", "2.2", "2.3")
RIGHT = {id: solution_of(id) for id in JUDGES}
HOSTILE = {
    "crashes": "import ctypes\ndef masked_mean(features, mask):\n    ctypes.string_at(0)",
    "hangs": "while True:\n    pass",
    "hangs when called": "def masked_mean(features, mask):\n    while True:\n        pass",
    "forks": (
        "import os, time\nfor _ in range(99):\n    if os.fork() == 0:\n        os.setsid()\n"
        "        open('/proc/self/comm', 'w').write('left-behind')\n        time.sleep(600)"
    ),
    "fills the disk": (
        "import os\ndef masked_mean(features, mask):\n    for i in range(5):\n"
        "        open(f'{i}', 'wb').write(bytes(15_000_000))\n    return (features * mask.unsqueeze(-1)).sum(1)"
        " / mask.sum(1, keepdim=True)"
    ),
    "prints megabytes": "import os\nfor _ in range(5):\n    print('x' * 10**6)\n    os.write(2, b'y' * 10**6)",
    "deletes its neighbors": (
        "import shutil\nshutil.rmtree('{folder}', ignore_errors=True)\n"
        "shutil.rmtree('{outside}', ignore_errors=True)\nopen('{outside}/new', 'w')"
    ),
    "patches the checks": (
        "import sertut.course.exercises as e\n"
        "e.check = lambda *_: e.Feedback('2.2', True, '')\nfor id in list(e.JUDGES):\n"
        "    e.JUDGES[id] = lambda answer: 'fine'\ne.compare = lambda *_: None\n"
        "def masked_mean(features, mask):\n    return 1"
    ),
    "forges a result": (
        "import os, struct\nforged = b'{\"value\": true, \"passed\": true}'\nprint('2.2 correct')\n"
        "def masked_mean(features, mask):\n    for handle in range(64):\n        try:\n"
        "            os.write(handle, struct.pack('>Q', len(forged)) + forged)\n"
        "        except OSError:\n            pass\n    return 2"
    ),
    "equals everything": (
        "class Yes(float):\n    __eq__ = __lt__ = __gt__ = lambda *_: True\n    __hash__ = float.__hash__\n"
        "class All(torch.Tensor):\n    __eq__ = lambda *_: True\n"
        "def masked_mean(features, mask):\n    return All(torch.ones(3, 2)), Yes(1)"
    ),
    "takes all memory": "def masked_mean(features, mask):\n    return bytearray(40 * 2**30)",
    "returns too much": "def masked_mean(features, mask):\n    return 'x' * 5_000_000",
    "returns a deep thing": (
        "def masked_mean(features, mask):\n    import os\n    deep = b'[' * 100_000\n"
        "    for handle in range(64):\n        try:\n"
        "            os.write(handle, len(deep).to_bytes(8, 'big') + deep)\n        except OSError:\n            pass"
    ),
    "kills": "import os, signal\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)",
    "telephones": "import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1).send(b'hello')",
    "copies a neighbor": (
        "import json, glob\nfor path in glob.glob('{folder}/**/*.ipynb', recursive=True) + glob.glob('{chapters}/*'):\n"
        "    try:\n        cells = json.load(open(path))['cells']\n"
        "    except (OSError, ValueError, RecursionError):\n        continue\n"  # of the others, some are no notebooks
        "    for cell in cells:\n        text = ''.join(cell['source'])\n"
        "        if 'def masked_mean' in text and '# (B, T, 1)' in text:\n            exec(text)"
    ),
    "=HYPERLINK(1)": "raise ValueError('<script>alert(1)</script>')",
}
KEEP_THE_REST = {"2.1", "2.3"}  # what these students have answered rightly besides
MARKS = {"ada": 3, "zoe": 3, "nets": 3, "half": 1, "forges a result": 1}  # the forged lines answered for 2.3, too


def hand_in(path: Path, answers: dict[str, str], *more: str) -> None:
    """A notebook from the pack of the chapter that asks the first of the answers, with these answers."""
    chapter = next(chapter for chapter in chapters() if next(iter(answers)) in _exercises(chapter))
    cells = marked(chapter, False)
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").replace("-", ".")
        if "exercise" in tags(cell):
            cell["source"] = answers.get(name.removeprefix("exercise."), cell["source"])
    first = next(i for i, cell in enumerate(cells) if "exercise" in tags(cell))
    new = [{"cell_type": "code", "metadata": {}, "source": text} for text in more]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells[:first] + new + cells[first:], "nbformat": 4}), encoding="utf-8")


@pytest.fixture(scope="module")
def fence():
    """One process that forks all submissions of this file: it loads torch."""
    with grading.Fence() as fence, pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "Fence", lambda: contextlib.nullcontext(fence))
        yield


@pytest.fixture(scope="module")
def marks(tmp_path_factory, fence):
    """A class of honest, broken and hostile submissions, marked once."""
    folder = tmp_path_factory.mktemp("class") / "week 2"
    outside = tmp_path_factory.mktemp("outside")
    server = socket.create_server(("127.0.0.1", 0))
    heard = []
    threading.Thread(target=lambda: heard.append(server.accept()), daemon=True).start()
    places = dict(folder=folder, outside=outside, port=server.getsockname()[1], chapters=chapters()[0].path.parent)
    for path in (folder / "ada" / "02.ipynb", folder / "zoe" / "02.ipynb", outside / "right.ipynb"):
        hand_in(path, {id: RIGHT[id] for id in ALL})
    for student, text in HOSTILE.items():
        for name, place in places.items():
            text = text.replace("{" + name + "}", str(place))
        hand_in(folder / f"{student}.ipynb", {id: RIGHT[id] for id in KEEP_THE_REST} | {"2.2": text})
    freeze = next(id for id, judge in JUDGES.items() if judge.__name__ == "freeze_trunk")
    hand_in(folder / "nets.ipynb", {id: RIGHT[id] for id in JUDGES if id.partition(".")[0] == freeze.partition(".")[0]})
    helper = "%time\nhalf = 200\n\ndef center(t):\n    return (half + 160 * t) / 16_000"
    answer = "def frame_clock(n, t):\n    return max(0, 1 + (n - 400) // 160), center(t)"
    hand_in(folder / "half.ipynb", {"2.1": answer, "2.3": "def statistics(*_):\n    return np.zeros(3)"}, helper)
    (folder / "garbage.ipynb").write_bytes(b"\x00\xff" * 99)
    (folder / "nested.ipynb").write_text("[" * 100_000)
    (folder / "link.ipynb").symlink_to(outside / "right.ipynb")
    (folder / "folder.ipynb").mkdir()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    try:
        to = grade_folder(folder, time_limit=10.0, workers=2, progress=False)
    except SertutError as problem:
        pytest.skip(f"no fence here: {problem}")
    same = before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    table = pd.read_csv(to / "grades.csv").set_index("student")
    pages = {path.stem.split("-", 1)[1]: path.read_text() for path in to.glob("*.html")}
    return dict(to=to, table=table, pages=pages, same=same, outside=outside, heard=heard)


@pytest.mark.parametrize("student", ["ada", "zoe", "nets", "half", *HOSTILE])
def test_points(marks, student):
    """The honest get theirs whatever the others do; the hostile get what their other answers are worth."""
    row = marks["table"].loc["'" + student if student.startswith("=") else student]
    assert row["points"] == MARKS.get(student, 2), row
    assert row["of"] == 3


def test_everybody_has_a_line_and_a_page(marks):
    assert len(marks["table"]) == len(HOSTILE) + 4 + 4
    assert len(marks["pages"]) == len(marks["table"])
    assert marks["table"].loc[["garbage", "nested", "link"], "points"].tolist() == [0, 0, 0]
    assert "This is no notebook of a chapter" in marks["pages"]["garbage"]


def test_pages_say_why(marks):
    pages = marks["pages"]
    assert "TimeoutError: no answer within 10 s" in pages["hangs"]
    assert "TimeoutError: no answer within 10 s" in pages["hangs-when-called"]
    assert "its process ended" in pages["crashes"]
    assert "MemoryError" in pages["takes-all-memory"]
    assert "more than 4 MB" in pages["returns-too-much"]
    assert "return two values, the mean and the standard deviation" in pages["half"]
    assert "2.2, open" in pages["half"] and "not answered yet" in pages["half"]
    assert "stopped with FileNotFoundError" not in pages["ada"] and "What the cells said" not in pages["ada"]


def test_nothing_acts_in_the_page_or_the_table(marks):
    page = marks["pages"]["HYPERLINK-1"]
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "\n=" not in (marks["to"] / "grades.csv").read_text()


def test_nothing_outside_is_touched(marks):
    assert marks["same"]
    assert [path.name for path in marks["outside"].iterdir()] == ["right.ipynb"]
    assert not marks["heard"]
    assert "No space left" in marks["pages"]["fills-the-disk"]


def test_no_process_is_left(marks):
    names = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has ended since
            names.append(path.read_text())
    assert "left-behind\n" not in names


@pytest.mark.parametrize("id", sorted(JUDGES))
def test_every_exercise_can_be_judged_from_afar(id):
    """What comes back as plain data is judged as the value itself."""
    solve = defined(id)
    assert check(id, lambda *arguments: value_of(json.loads(json.dumps(plain(solve(*arguments))))))


@pytest.mark.parametrize("value", [None, True, 3, -0.5, "text", [1, (2, "a")], {1, 2}, float("inf")])
def test_plain_values_come_back(value):
    found = value_of(json.loads(json.dumps(plain(value))))
    assert found == value and type(found) is type(value)


def test_arrays_come_back():
    for array in (torch.arange(6).view(2, 3) > 2, torch.rand(3, dtype=torch.float16), torch.zeros(0, 4), np.arange(3)):
        found = value_of(json.loads(json.dumps(plain(array))))
        assert type(found) is type(array) and found.shape == array.shape and (found == array).all()
    other = value_of(plain(object))
    assert type(other).__name__ == "type" and repr(other) == "<class 'object'>"


OBJECT, LONG = {"tensor": ["|O", [1], "AAAAAAAAAAA="]}, {"tensor": ["<f8", [10**12], "AAAAAAAAAAA="]}
FORGED = [OBJECT, LONG, {"array": ["(1000000,)f8", [1], ""]}, {"pickle": "gASVAAAAAAAAAAAu"}, {"list": 5}, {}]


@pytest.mark.parametrize("forged", FORGED)
def test_forged_values_are_refused(forged):
    with pytest.raises((ValueError, TypeError, KeyError)):
        value_of(forged)


def test_refusals(tmp_path, capsys):
    assert call("course", "grade", str(tmp_path)) == 1
    assert "holds no notebook (*.ipynb)" in capsys.readouterr().err
    folder = tmp_path / "class"
    hand_in(folder / "ada.ipynb", {"2.1": "x"})
    (tmp_path / "class-grades").mkdir()
    (tmp_path / "class-grades" / "mine.txt").write_text("keep")
    with pytest.raises(SertutError, match=r"class-grades is there and not empty"):
        grade_folder(folder)
    assert (tmp_path / "class-grades" / "mine.txt").read_text() == "keep"
    shutil.rmtree(tmp_path / "class-grades")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class"]


def test_without_a_fence_submissions_must_be_trusted(tmp_path, monkeypatch, fence):
    """Then they are marked all the same, with limits; the marks of an earlier time are replaced."""
    folder = tmp_path / "class"
    hand_in(folder / "ada.ipynb", {"2.1": RIGHT["2.1"], "2.2": "import os\nos._exit(1)"})
    (tmp_path / "class-grades").mkdir()
    (tmp_path / "class-grades" / "grades.csv").write_text("old")
    start = Process.__init__

    def without(self, fence, hidden, fenced):
        if fenced:
            raise SertutError("Operation not permitted")
        start(self, fence, hidden, fenced)

    monkeypatch.setattr(Process, "__init__", without)
    with pytest.raises(SertutError, match=r"does not let ordinary users fence in a process.*--trusted"):
        grade_folder(folder, progress=False)
    assert (tmp_path / "class-grades" / "grades.csv").read_text() == "old"
    table = pd.read_csv(grade_folder(folder, trusted=True, progress=False) / "grades.csv")
    assert table["points"].tolist() == [1] and table["of"].tolist() == [3]


def test_in_a_pack_for_teachers_no_solution_is_in_reach(tmp_path, monkeypatch, fence):
    """Neither the sources, nor what nbgrader makes of them, nor their history."""
    pack, disk, places = tmp_path / "pack", tmp_path / "disk", ("notebooks", "source", "release", ".git", "submitted")
    disk.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))  # else the pack is out of sight with all temporary files
    write_pack(pack, ["2"], teachers=True)
    monkeypatch.chdir(pack)
    for name in ("release", ".git"):
        shutil.copytree("source", name)
    hand_in(pack / "submitted" / "ada.ipynb", {id: RIGHT[id] for id in ALL})
    for name in places:
        thief = (
            f"import json, os\nfor place, _, files in os.walk('{pack / name}'):\n    for file in files:\n"
            "        for cell in json.load(open(f'{place}/{file}'))['cells']:\n"
            "            text = ''.join(cell['source'])\n"
            "            if 'def masked_mean' in text and '# (B, T, 1)' in text:\n                exec(text)"
        )
        found: dict = {"torch": torch, "check": check}
        exec(thief, found)
        assert check("2.2", found["masked_mean"]), "outside of a fence it succeeds"
        hand_in(tmp_path / name / "02.ipynb", {"2.1": RIGHT["2.1"], "2.2": thief})
    (pack / "gradebook.db").write_text(RIGHT["2.2"])
    thief = f"exec(open('{pack / 'gradebook.db'}').read())"
    hand_in(tmp_path / "marks" / "02.ipynb", {"2.1": RIGHT["2.1"], "2.2": thief})
    for name in (*places, "marks"):
        (tmp_path / name).replace(pack / "submitted" / f"from {name}")
    try:
        table = pd.read_csv(grade_folder(pack / "submitted", progress=False) / "grades.csv").set_index("student")
    except SertutError as problem:
        pytest.skip(f"no fence here: {problem}")
    assert table.pop("points").to_dict() == dict.fromkeys(table.index, 1) | {"ada": 3}


def test_many_slow_cells_share_a_limit(monkeypatch):
    """Cells of 15 ms, with 20 ms for one and 400 ms for all: after 26 of them, 10 ms are left for the next."""
    now = [0.0]
    monkeypatch.setattr(grading, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Slow:
        over, limits = False, []

        def request(self, limit, what, *_):
            if what == "run":
                self.limits.append(limit)
                now[0] += min(limit, 0.015)
                if limit < 0.015:
                    self.over = True
                    raise TimeoutError("no answer")

    child, notes = Slow(), []
    last = grading._run_all(child, ["slow()"] * 1000, {}, 0.02, notes)
    assert last == 26 and child.limits == pytest.approx([0.02] * 26 + [0.01])
    assert notes == ["The cell that begins with “slow()” stopped with TimeoutError: no answer"]
