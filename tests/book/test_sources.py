"""Words, symbols and sources: every link of a chapter to them leads somewhere, and one file holds all sources."""

import importlib.util
import re

import pytest

from sertut.course.catalog import chapters, repository, source

BOOK, CHAPTERS = repository() / "book", chapters()


def anchors(page: str) -> list[str]:
    """Of the headings of a page, as MyST and GitHub make them."""
    titles = re.findall(r"^## (.+)$", (BOOK / page).read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def text_of(chapter) -> str:
    return "\n\n".join(source(cell) for cell in chapter.cells() if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("page", ["glossary.md", "references.md"])
def test_entries_are_sorted_and_each_is_there_once(page):
    titles = re.findall(r"^## (.+)$", (BOOK / page).read_text(encoding="utf-8"), re.M)
    assert titles == sorted(titles, key=str.lower) and len(set(anchors(page))) == len(titles) > 60


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_links_lead_to_an_entry_and_to_each_only_once(chapter):
    text = text_of(chapter)
    for page in ("glossary.md", "references.md"):
        linked = re.findall(rf"\]\(\.\./book/{page}(?:#([^)]+))?\)", text)
        assert set(linked) <= {*anchors(page), ""}, f"no such heading in {page}"
    words = re.findall(r"\]\(\.\./book/glossary\.md#([^)]+)\)", text)
    assert len(words) == len(set(words)), "a word is linked at its first use only"
    assert not re.search(r"\{cite[^}]*\}`", text), "a citation role shows up raw in Jupyter"


def test_no_page_has_a_citation_role():
    assert not [page.name for page in BOOK.glob("*.md") if "{cite" in page.read_text(encoding="utf-8")]


def test_the_page_of_references_is_made_from_the_bibliography():
    pytest.importorskip("pybtex")
    spec = importlib.util.spec_from_file_location("sources", BOOK / "sources.py")
    sources = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sources)
    assert (BOOK / "references.md").read_text(encoding="utf-8") == sources.page(), "run python book/sources.py"
