"""What puts the book on the web: a workflow, Binder, and one line that names the repository."""

import os
import re
import tomllib
from pathlib import Path

import yaml
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parents[1]


def page(address: str, name: str = "notebooks/04-regions-of-interest") -> tuple[str, list[str]]:
    """A page's own part of the layout, and the addresses of the buttons in its header."""
    theme = "{{ _('') }}{% block docs_body %}{% endblock %}{% block scripts %}{% endblock %}"
    loader = ChoiceLoader([DictLoader({"!layout.html": theme}), FileSystemLoader(ROOT / "book" / "_templates")])
    buttons: list[dict] = []
    context = dict(
        theme_repository_url=address, theme_repository_branch="main", pagename=name, header_buttons=buttons, _=str
    )
    text = Environment(loader=loader).get_template("layout.html").render(context)
    return text.strip(), [link["url"] for group in buttons for link in group["buttons"]]


def test_nothing_leads_out_while_there_is_no_address():
    assert page("") == page("", "book/intro") == ("", [])
    assert page("https://example.org/a/b") == ("", []), "Colab and Binder are asked by the names that GitHub gives"


def test_one_address_makes_the_buttons_and_the_cell_that_installs():
    text, buttons = page("https://github.com/someone/something")
    chapter = "main/notebooks/04-regions-of-interest.ipynb"
    assert buttons == [
        f"https://colab.research.google.com/github/someone/something/blob/{chapter}",
        f"https://mybinder.org/v2/gh/someone/something/{chapter.replace('/', '?urlpath=lab/tree/', 1)}",
    ]
    assert "git clone -q --depth 1 --branch main https://github.com/someone/something sertut" in text
    assert page("https://github.com/someone/something", "book/intro") == ("", []), "chapters only"


def test_the_address_stands_in_one_place():
    config = yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))
    address = config["repository"]["url"]
    assert re.fullmatch(r"|https://github\.com/[\w.-]+/[\w.-]+", address)
    if address:
        files = [*(ROOT / "book").glob("*.*"), *(ROOT / "binder").iterdir(), *(ROOT / ".github").rglob("*.yml")]
        assert [path.name for path in files if address in path.read_text(encoding="utf-8")] == ["_config.yml"]


def test_the_workflow_tests_before_it_publishes():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8"))
    build, publish = workflow["jobs"]["test-and-build"], workflow["jobs"]["publish"]
    runs = [step["run"] for step in build["steps"] if "run" in step]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    asked = [found[1] for run in runs if (found := re.match(r"make (\w+)", run))]
    assert asked == ["lint", "test", "book"] and set(asked) <= set(targets)
    test = next(i for i, run in enumerate(runs) if run.startswith("make test"))
    assert "EXTRAS=grading,tables" in runs[test], "else the tests of nbgrader, Parquet and audformat are skipped"
    assert "userns=0" in runs[test - 1], "else those of hostile submissions are"
    assert publish["needs"] == "test-and-build" and publish["if"] == "github.ref == 'refs/heads/main'"
    assert workflow["permissions"] == {"contents": "read"}, "only the job that publishes may write pages"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}


def test_binder_installs_the_tested_versions():
    lines = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (constraints,) = [line.split()[1] for line in lines if line.startswith("-c")]
    assert (ROOT / "binder" / constraints).resolve() == ROOT / "constraints.txt", "pip counts from the file's folder"
    assert "-e .[book]" in lines, "and a project from the folder where pip runs, the repository"
    version = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    if os.name == "posix":
        assert os.access(ROOT / "binder" / "postBuild", os.X_OK)
