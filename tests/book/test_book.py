"""The built book: complete, its links lead somewhere; `build_book` has refused pages that are not right."""

import json
import re
from html import unescape
from urllib.parse import unquote, urlsplit

import pytest

from sertut.course.book import CLAIMS_MARK, contents
from sertut.course.catalog import chapters, repository

ROOT = repository()
PAGES = contents(ROOT)
CHAPTERS = [f"notebooks/{chapter.name}" for chapter in chapters()]


def test_the_chapters_are_in_order():
    assert [page for page in PAGES if page.startswith("notebooks/")] == CHAPTERS


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_loads_and_links_to_is_there(html, page):
    path = html / f"{page}.html"
    found = re.findall(r'<\w[^>]*?\b(?:src|href)="([^"]*)"', path.read_text(encoding="utf-8"))
    local = [parts for parts in map(urlsplit, map(unescape, found)) if not parts.scheme and not parts.netloc]
    assert len(local) > 10
    assert not [parts.path for parts in local if not (path.parent / unquote(parts.path)).exists()]


def test_formulas_show_without_the_network(html):
    texts = [(html / f"{page}.html").read_text(encoding="utf-8") for page in CHAPTERS]
    assert all(re.search(r'<script[^>]*src="[^"]*mathjax', text) for text in texts if 'class="math' in text)
    assert list((html / "_static" / "mathjax").rglob("*.woff")), "MathJax without its fonts"


def test_solutions_are_folded(html):
    for page in CHAPTERS:
        text = (html / f"{page}.html").read_text(encoding="utf-8")
        assert text.count("Show a solution") >= 1, page


def test_claims_were_filled_in(html):
    text = (html / "book" / "claims.html").read_text(encoding="utf-8")
    assert CLAIMS_MARK not in text
    assert "claim-mark supported" in text, "no chapter has measured a claim"


def test_marks_of_claims_lead_to_a_section_that_is_there(html):
    text = (html / "book" / "claims.html").read_text(encoding="utf-8")
    led = set(re.findall(r'class="claim-mark[^"]*" href="\.\./(notebooks/[^"#]+)#([^"]+)"', text))
    assert {page for page, _ in led} == {f"{page}.html" for page in CHAPTERS}
    for page, section in led:
        assert f'id="{section}"' in (html / page).read_text(encoding="utf-8"), (page, section)


def test_the_map_leads_to_every_chapter():
    """If not: `python book/cover.py map` makes it again, from the table of contents."""
    text = (ROOT / "book" / "images" / "map.html").read_text(encoding="utf-8")
    assert sorted(re.findall(r'href="\.\./(notebooks/[^"]+)\.html"', text)) == CHAPTERS


def test_the_game_has_three_voices_and_knows_the_angry_word():
    path = ROOT / "book" / "images" / "game-clips.html"
    clips = json.loads(re.fullmatch(r"<script[^>]*>(.*)</script>\s*", path.read_text(encoding="utf-8")).group(1))
    assert len({clip["speaker"] for clip in clips}) == len(clips) == 3 and path.stat().st_size < 100_000
    for clip in clips:
        _, start, end = clip["words"][clip["angry"]]
        assert [start, end] == pytest.approx(clip["region"], abs=0.05)
        assert clip["audio"].startswith("data:audio/mp4;base64,") and len(clip["edges"]) == len(clip["weights"]) + 1
        assert 0 <= clip["network"] < len(clip["words"]) > clip["loudest"] >= 0


@pytest.mark.parametrize("page", CHAPTERS)
def test_names_in_code_lead_to_their_descriptions(html, page):
    text = (html / f"{page}.html").read_text(encoding="utf-8")
    links = set(re.findall(r'<a class="sphinx-codeautolink-a" href="\.\./([^"#]+)#([^"]+)"', text))
    assert len(links) > 2
    for address, name in links:
        assert f'id="{name}"' in (html / address).read_text(encoding="utf-8"), name
