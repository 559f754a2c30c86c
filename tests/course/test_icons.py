"""The theme's icons, cut down: what pages and scripts name stays as it is, and nothing else of the icons does."""

import re
import shutil
from pathlib import Path

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont

from sertut.course.book import FONT, SHEET, keep_used_icons

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


def glyphs(path):
    font = TTFont(path)
    return font.getBestCmap(), font.getGlyphSet()


def drawn(path, code):
    """The outline of a character, as a list of strokes."""
    from fontTools.pens.recordingPen import RecordingPen

    names, shapes = glyphs(path)
    pen = RecordingPen()
    shapes[names[code]].draw(pen)
    return pen.value


@pytest.fixture
def book(tmp_path):
    for part in (SHEET, FONT):
        (tmp_path / "_static" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(THEME / part, tmp_path / "_static" / part)
    (tmp_path / "page.html").write_text('<i class="fas fa-download fa-lg"></i> <a href="x.html">fade</a>')
    (tmp_path / "_static" / "menu.js").write_text('icon.classList.add("fa-xmark")')
    return tmp_path


def test_used_icons_stay_and_all_others_go(book):
    sheet, font = book / "_static" / SHEET, book / "_static" / FONT
    before = sheet.read_text()
    keep_used_icons(book)
    after = sheet.read_text()
    of_icons = re.compile(r'\.fa-[\w-]+:before[^{}]*\{content:"[^"]*"\}')
    kept = of_icons.findall(after)
    assert len(kept) == 2 < len(of_icons.findall(before)) / 500
    assert any(".fa-download:before" in rule for rule in kept) and any(".fa-xmark:before" in rule for rule in kept)
    # Of the rest of the theme nothing is lost.
    assert of_icons.sub("", after) == of_icons.sub("", before)
    shown = glyphs(font)[0]
    assert {0xF019, 0xF00D} <= set(shown) < set(glyphs(THEME / FONT)[0])
    # What the theme's own styles show, such as the arrow of a folded part, stays, too.
    rest = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", of_icons.sub("", after))}
    assert set(shown) == {0xF019, 0xF00D} | rest & set(glyphs(THEME / FONT)[0])
    assert font.stat().st_size < 5_000


def test_an_icon_looks_as_before_and_again_changes_nothing(book):
    font = book / "_static" / FONT
    keep_used_icons(book)
    assert drawn(font, 0xF019) == drawn(THEME / FONT, 0xF019)
    assert font.read_bytes()[:4] == b"wOF2"
    once = {path: path.read_bytes() for path in (font, book / "_static" / SHEET)}
    keep_used_icons(book)
    assert (book / "_static" / SHEET).read_bytes() == once[book / "_static" / SHEET]
    assert set(glyphs(font)[0]) >= {0xF019, 0xF00D}
