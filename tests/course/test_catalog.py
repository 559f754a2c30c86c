"""Finding chapters and checking what is passed to them."""

import pytest

from sertut.course.catalog import Chapter, chapters, find, repository, require
from sertut.errors import SertutError
from tests.course.tiny import cell, write_notebook


@pytest.mark.parametrize("name", ["2", "02", "02-two", "two", "02-two.ipynb", "notebooks/02-two.ipynb"])
def test_a_chapter_has_many_names(tiny, name):
    assert find(name).name == "02-two"


@pytest.mark.parametrize(("name", "says"), [("tow", "did you mean 'two'"), ("7", "known are 01-one, 02-two")])
def test_an_unknown_chapter_gets_a_suggestion(tiny, name, says):
    with pytest.raises(SertutError, match=says):
        find(name)


def test_the_repository_is_found_from_inside(tiny, monkeypatch):
    inside = tiny / "_build" / "chapters" / "01-one"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert repository() == tiny


def test_no_chapters(tiny):
    for path in (tiny / "notebooks").iterdir():
        path.unlink()
    with pytest.raises(SertutError, match="holds no chapter"):
        chapters()


def test_parameters_are_read_without_running(tiny):
    assert find("1").parameters() == {"seed": 0, "epochs": 3, "rate": 0.5, "name": "x"}


BAD = [("seed = len('x')", "parameters"), ("print(1)", "parameters"), ("seed = ", "parameters"), ("seed = 0",)]


@pytest.mark.parametrize("words", BAD)
def test_a_parameters_cell_holds_literals(tiny, words):
    path = tiny / "notebooks" / "03-bad.ipynb"
    write_notebook(path, cell(*words))
    with pytest.raises(SertutError, match=r"03-bad.ipynb needs one cell tagged 'parameters'.* 'name = literal'"):
        Chapter(path).parameters()


def test_what_is_no_notebook_is_named(tiny):
    path = tiny / "notebooks" / "03-bad.ipynb"
    path.write_text("{")
    with pytest.raises(SertutError, match="is not a notebook"):
        Chapter(path).cells()


@pytest.mark.parametrize(("name", "value"), [("epochs", "ten"), ("epochs", 1.5), ("seed", True), ("name", 3)])
def test_an_unknown_parameter_and_a_value_of_the_wrong_type_are_errors(tiny, name, value):
    with pytest.raises(SertutError, match=f"parameter '{name}' of 01-one must be of type"):
        find("1").check({name: value})
    with pytest.raises(SertutError, match=f"unknown parameter of 01-one '{name}s': did you mean '{name}'"):
        find("1").check({f"{name}s": value})
    find("1").check({"rate": 1, "seed": None})  # a whole number serves where a fraction is the default


def test_a_missing_package_of_the_book_is_named():
    with pytest.raises(SertutError, match=r"no_such_tool is not installed; run `make setup`, or pip install 'sertut\["):
        require("papermill", "no_such_tool")
