"""The pages of the library: every name that a room offers is described, files come in an order that can be read."""

import importlib
import re

import pytest

from sertut.course.library import LIBRARY, STUDENT, fill_library, names_of, prepare_docstring, reading_order

PAGES = LIBRARY.parent / "book" / "reference"
ROOMS = ("signals", "attention", "models", "training", "corpora", "video", "evidence", "show", "study")


def described(page: str) -> set[str]:
    """Names that the directives of a page describe, as a user writes them."""
    data = re.findall(r"^\.\. py:data:: (\S+)\n   :module: (\S+)", page, re.M)
    return {
        *re.findall(r"^\.\. auto(?:class|function):: (\S+)", page, re.M),
        *(f"{room}.{name}" for name, room in data),
    }


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_described_with_all_that_it_offers(room):
    page = fill_library((PAGES / f"{room}.md").read_text(encoding="utf-8"))
    module = importlib.import_module(f"sertut.{room}")
    offered = [
        name for name, thing in vars(module).items() if not name.startswith("_") and hasattr(thing, "__module__")
    ]
    mine = [name for name in offered if vars(module)[name].__module__.startswith(f"sertut.{room}")]
    assert len(mine) > 3
    assert not {f"sertut.{room}.{name}" for name in mine} - described(page)
    for name in described(page):  # and each is there, under this name
        package, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(package), last), name


def test_what_import_sertut_offers():
    wanted = {"load", "fit", "fit_once", "load_run", "predict", "evaluate", "SertutError"}
    assert described(names_of("sertut")) == {f"sertut.{name}" for name in wanted}


def test_every_file_of_the_student_is_listed_after_those_that_it_needs():
    page = reading_order()
    listed = re.findall(r"_modules/sertut/(\w+/\w+)\.html", page)
    files = [path for room in STUDENT for path in (LIBRARY / room).glob("*.py") if path.stem != "__init__"]
    assert sorted(listed) == sorted(f"{path.parent.name}/{path.stem}" for path in files)
    for path in files:
        own = f"{path.parent.name}/{path.stem}"
        for room, module in re.findall(r"^from sertut\.(\w+)\.(\w+) import", path.read_text(encoding="utf-8"), re.M):
            if (needed := f"{room}/{module}") in listed:
                assert listed.index(needed) < listed.index(own), f"{own} stands before {needed}"
    lines = [int(number) for number in re.findall(r"^\| <a .*?\| (\d+) \|", page, re.M)]
    assert f"| all four | {sum(lines)} |" in page
    assert sum(lines) == sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def test_a_constant_has_its_value_and_its_comment(monkeypatch, tmp_path):
    room = tmp_path / "sertut" / "signals"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text("from sertut.signals.audio import RATE, NAMES\n")
    (room / "audio.py").write_text(
        '"""Sound."""\n\nRATE = 16_000  # samples a second\nNAMES = ("a", "b")\n"""Of all."""\n'
    )
    monkeypatch.setattr("sertut.course.library.LIBRARY", tmp_path / "sertut")
    page = names_of("sertut.signals")
    assert ".. py:data:: RATE\n   :module: sertut.signals\n   :value: 16000\n\n   samples a second" in page
    assert "   :value: ('a', 'b')\n\n   Of all." in page
    assert "## audio.py\n\nSound. <a" in page and "read its 5 lines" in page


def test_docstrings_are_made_ready_for_pages():
    assert prepare_docstring("weights: (B, *axes); 2 * 3") == r"weights: (B, \*axes); 2 * 3"
    text = "Do.\n\nArgs:\n    n: H. m: (B, T), as in x. one_lag: with.\n\nReturns:\n    a. b: c"
    wanted = "Do.\n\nArgs:\n    n: H\n    m: (B, T), as in x.\n    one_lag: with.\n\nReturns:\n    a. b: c"
    assert prepare_docstring(text) == wanted
    text = ".. math::\n    a = b, \\qquad\n    c = \\sum d\n\nwith a."
    wanted = ".. math:: & a = b, \\\\ & c = \\sum d with a."
    assert " ".join(prepare_docstring(text).split()) == wanted
    assert prepare_docstring("One.\n\nlevel: dB. map: of b.\nx: y", ["map", "level"]).split("\n\n") == [
        "One.",
        "",
        "**level**: dB. ",
        "**map**: of b.\nx: y",
    ]
    alone = ".. math::\n    a = b\n\nwith a."
    assert prepare_docstring(alone) == alone
