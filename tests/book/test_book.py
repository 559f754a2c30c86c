"""The built book: complete, without errors, readable offline and aloud."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from sertut.course.book import CLAIMS_MARK, contents
from sertut.course.catalog import chapters, repository
from sertut.errors import SertutError

ROOT = repository()
PAGES = contents(ROOT)
try:
    CHAPTERS = [f"notebooks/{chapter.name}" for chapter in chapters()]
except SertutError:
    CHAPTERS = []


class Page(HTMLParser):
    """What a page loads and links to, its pictures, and the ids that a link may point to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.alts: list[str | None] = []
        self.ids: set[str] = set()
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id", ""))
        if tag == "a":
            self.links.append(values.get("href") or "")
        elif tag == "img":
            self.alts.append(values.get("alt"))
        if tag in ("script", "img", "audio", "source", "iframe", "video"):
            self.loads.append(values.get("src") or "")
        elif tag == "link" and values.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(values.get("href") or "")


def test_every_chapter_is_in_the_book():
    assert [page for page in PAGES if page.startswith("notebooks/")] == CHAPTERS


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(html, page):
    path = html / f"{page}.html"
    assert path.is_file()
    found = Page(path)
    assert "output traceback" not in found.text, "holds an error output"
    assert not re.search(r"^(<p>)?\|\s*(---|—)", found.text, re.M), "a table as raw text"
    for address in found.loads:
        assert urlsplit(address).scheme in ("", "data") and not address.startswith("//"), "needs the network"
    for address in (*found.loads, *found.links):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not parts.path:
            continue
        assert (path.parent / unquote(parts.path)).exists(), f"{address} leads nowhere"
    assert all(found.alts), "a picture without a text"


@pytest.mark.parametrize("page", CHAPTERS)
def test_formulas_show_without_the_network(html, page):
    text = (html / f"{page}.html").read_text(encoding="utf-8")
    if 'class="math' not in text:
        pytest.skip("this chapter has no formula")
    script = re.search(r'<script[^>]*src="([^"?]*mathjax[^"?]*)', text)
    assert script and (html / page).parent.joinpath(script.group(1)).is_file()
    assert list((html / "_static" / "mathjax").rglob("*.woff")), "MathJax without its fonts"


def test_solutions_are_folded(html):
    for page in CHAPTERS:
        text = (html / f"{page}.html").read_text(encoding="utf-8")
        assert text.count("Show a solution") >= 1, page


def test_claims_were_filled_in(html):
    text = (html / "book" / "claims.html").read_text(encoding="utf-8")
    assert CLAIMS_MARK not in text
    assert "claim-mark supported" in text, "no chapter has measured a claim"


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


def test_the_first_page_leads_into_the_book(html):
    target = re.search(r'url=([^"]+)"', (html / "index.html").read_text(encoding="utf-8"))
    assert target and (html / target.group(1)).is_file()


@pytest.mark.parametrize("page", CHAPTERS)
def test_names_in_code_lead_to_their_descriptions(html, page):
    text = (html / f"{page}.html").read_text(encoding="utf-8")
    links = set(re.findall(r'<a class="sphinx-codeautolink-a" href="\.\./([^"#]+)#([^"]+)"', text))
    assert len(links) > 2
    for address, name in links:
        assert f'id="{name}"' in (html / address).read_text(encoding="utf-8"), name
