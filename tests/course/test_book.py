"""Building the book from a small repository; refusing one that is not right."""

import base64
import copy
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pydata_sphinx_theme
import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from PIL import Image

from sertut.course import book
from sertut.course.book import FONT, SHEET, build_book, find_problems, prepare_notebook
from sertut.errors import SertutError
from tests.course.tiny import cell


def png() -> bytes:
    """A picture with more colors than a page needs."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 80).convert("RGB").save(buffer, "png")
    return buffer.getvalue()


def shown(data: dict, **metadata) -> dict:
    """An output of a cell."""
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def code(outputs: list[dict], *tags: str, **metadata) -> dict:
    """An executed cell."""
    made = cell("x = 1", *tags)
    return {**made, "outputs": copy.deepcopy(outputs), "metadata": {**made["metadata"], **metadata}}


def prepared(*cells: dict) -> list[dict]:
    """What the book shows of the cells of chapter 4."""
    return prepare_notebook({"cells": list(cells), "metadata": {}}, "4")["cells"]


DATA = {"image/png": base64.b64encode(png()).decode(), "text/plain": "A line."}
PICTURE = shown(DATA, **{"image/png": {"alt": "A line.", "width": 64}})
TABLE, WIDGET = shown({"text/html": ["<table></table>"]}), shown({"application/vnd.jupyter.widget-view+json": {}})
BAR = {"output_type": "stream", "name": "stderr", "text": ["\r 50%|####      |"]}
WARNING = {"output_type": "stream", "name": "stderr", "text": ["UserWarning: look here\n"]}


def test_build_reuse_and_rebuild(done, tmp_path):
    root = shutil.copytree(done, tmp_path / "copy")
    page, html = build_book(root=root, progress=False), root / "_build" / "html"
    assert page == html / "index.html" and "book/intro.html" in page.read_text() and "icon" in page.read_text()
    chapter = (html / "notebooks" / "01-one.html").read_text()
    assert 'alt="A rising line."' in chapter
    assert "Show a solution" in chapter
    assert "50%" not in chapter
    assert re.search(
        r'<figure [^>]*id="figure-1-1">.*<strong>Figure 1.1.</strong> A line that rises.</span>', chapter, re.S
    )
    assert "<details><summary>in words</summary>A rising line.</details>" in chapter
    script = re.search(r'src="([^"]*mathjax[^"]*\.js)', chapter)
    assert script and (html / "notebooks" / script.group(1)).is_file()
    for text in ((html / "book" / "intro.html").read_text(), chapter):  # Markdown of a page, and of a cell
        assert "<p>two is more | than one" in text
        assert "▲ +1.00</" in text and "[+.50, +1.50]" in text, "no mark"
    script = (html / "_static" / "texts.js").read_text(encoding="utf-8")
    texts = json.loads(re.fullmatch(r"window\.bookTexts=(.*)\n", script)[1])  # what a search shows of each page
    assert {"book/intro", "notebooks/01-one", "notebooks/02-two"} <= set(texts)
    assert texts["book/intro"].startswith("Intro A start.")
    search = (html / "search.html").read_text()
    assert "snippets.js" in search and 'src="../_static/read.js' in chapter
    assert "searchindex.js" in search and "searchindex.js" not in chapter and 'name="viewport"' in chapter

    built = page.stat().st_mtime_ns
    build_book(root=root, progress=False)
    assert page.stat().st_mtime_ns == built

    (root / "book" / "intro.md").write_text("# Another start\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(SertutError, match=r"Jupyter Book refuses the pages:\n.*nowhere"):
        build_book(root=root, progress=False)
    assert not (root / "_build" / "book-up-to-date").exists(), "the next build would show this one"


def test_contents_and_pages_must_agree(tiny):
    (tiny / "book" / "forgotten.md").write_text("# Forgotten\n")
    with pytest.raises(SertutError, match="does not name book/forgotten"):
        build_book(progress=False)
    (tiny / "book" / "forgotten.md").unlink()
    toc = tiny / "book" / "_toc.yml"
    toc.write_text(toc.read_text() + "      - file: book/absent\n")
    with pytest.raises(SertutError, match="names book/absent, which is not there"):
        build_book(progress=False)
    assert not (tiny / "_build").exists(), "said before the chapters are run"


def test_figures_are_numbered_and_have_their_caption_and_words():
    said = {"output_type": "stream", "name": "stdout", "text": ["one\n"]}
    one = code([said, PICTURE, BAR], "hide-input", mystnb={"figure": {"caption": "Lines, see $x$."}})
    second = shown(DATA, **{"image/png": {"alt": "2 < 3"}})
    first, table, last = prepared(one, code([TABLE]), code([second], "solution"))
    assert [output["output_type"] for output in first["outputs"]] == ["stream", "display_data"]
    assert "mystnb" not in table["metadata"]
    figures = [cell["metadata"]["mystnb"]["figure"] for cell in (first, last)]
    words = "<details><summary>in words</summary>{}</details>"
    assert figures == [
        {"name": "figure-4-1", "caption": "**Figure 4.1.** Lines, see $x$.\n\n" + words.format("A line.")},
        {"name": "figure-4-2", "caption": "**Figure 4.2.**\n\n" + words.format("2 &lt; 3")},
    ]
    assert last["metadata"]["mystnb"]["image"] == {"alt": "2 < 3"}


def test_drawings_and_figures_to_touch_are_numbered_with_the_pictures():
    alt = "soft attention: six frames &amp; one question"
    drawing = f'<div class="sertut-drawing"><svg aria-label="{alt}"></svg></div>'
    touch = '<div class="sertut-touch"><div><strong>Drag a score</strong></div><strong>and</strong></div>'
    outputs = [PICTURE, shown({"text/html": [drawing]}), shown({"text/html": [touch]}), PICTURE]
    _, *two, last = prepared(*(code([output]) for output in outputs))
    drawn, touched = ("".join(cell["outputs"][0]["data"]["text/html"]) for cell in two)
    assert drawn.startswith('<figure id="figure-4-2">' + drawing) and drawn.count("Figure 4.2.") == 1
    assert "drawing: soft attention.</p>" in drawn and "six frames &amp; one question</details>" in drawn
    assert touched.startswith('<div id="figure-4-3"')
    assert "<strong>Figure 4.3.</strong> <strong>Drag a score</strong>" in touched
    assert last["metadata"]["mystnb"]["figure"]["name"] == "figure-4-4"


@pytest.mark.parametrize("more", [TABLE, PICTURE])
def test_a_figure_has_a_cell_of_its_own(more):
    with pytest.raises(SertutError, match="shows a picture and more; give the figure its own cell"):
        prepared(code([PICTURE, more]))


def test_a_picture_gets_lighter_and_keeps_its_text():
    (found,) = prepared(code([PICTURE]))
    assert found["metadata"]["mystnb"]["image"] == {"alt": "A line.", "width": "64px"}
    (output,) = found["outputs"]
    assert output["data"]["text/plain"] == "A line." and output["metadata"] == PICTURE["metadata"]
    light = base64.b64decode(output["data"]["image/png"])
    assert len(light) < len(png()) / 1.5
    before, after = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float) for data in (png(), light))
    assert before.shape == after.shape
    assert np.abs(before.mean() - after.mean()) < 3


@pytest.mark.parametrize("kind", ["sertut-player", "sertut-touch"])
def test_a_page_brings_the_code_of_its_players_once(kind):
    players = [f'<div class="{kind}">{i}<style>a {{}}</style><script>play()</script></div>' for i in range(3)]
    other = "<table><style>a {}</style></table>"
    (found,) = prepared(code([shown({"text/html": [html]}) for html in (*players, other)]))
    first, *more, last = ["".join(output["data"]["text/html"]) for output in found["outputs"]]
    assert players[0] in first and last == other
    assert all(f'<div class="{kind}">{i + 1}</div>' in html for i, html in enumerate(more)), "without style and script"


def test_a_table_is_folded_where_it_is_long_and_its_intervals_are_small():
    table = pd.DataFrame({"who": ["ann [a]", "bob"], "UAR": [".47 [.40, .55]", "-1.5"]}, index=["a", "b"])
    shown = book._readable(table._repr_html_())
    assert '<td class="number">.47 <small>[.40, .55]</small></td>' in shown and '<td class="number">-1.5</td>' in shown
    assert "<td>bob</td>" in shown and "<details" not in shown
    long = book._readable(pd.DataFrame({"n": range(13)})._repr_html_())
    assert long.startswith("<details><summary>A table of 13 rows</summary>") and long.count("</details>") == 1
    assert "<details" not in book._readable(pd.DataFrame({"n": range(12)})._repr_html_())


def test_pictures_of_the_pages_become_webp_to_the_pixel(tmp_path):
    (tmp_path / "_images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "_images" / "a1.png")
    (tmp_path / "page.html").write_text('<a href="_images/a1.png"><img src="../_images/a1.png"></a><p>b.png</p>')
    book._web_pictures(tmp_path)
    assert (tmp_path / "page.html").read_text() == (
        '<a href="_images/a1.webp"><img src="../_images/a1.webp"></a><p>b.png</p>'
    )
    assert [path.name for path in (tmp_path / "_images").iterdir()] == ["a1.webp"]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "_images" / "a1.webp").convert("RGB")), pixels)


def drawn(path: Path) -> dict[int, list]:
    """The strokes of each character of a font."""
    font, strokes = TTFont(path), {}
    shapes = font.getGlyphSet()
    for code, name in font.getBestCmap().items():
        pen = RecordingPen()
        shapes[name].draw(pen)
        strokes[code] = pen.value
    return strokes


def test_icons_that_pages_name_stay_as_they_are_and_all_others_go(tmp_path):
    """Those that the theme's own styles show stay, too, such as the arrow of a folded part; the rest of it is kept."""
    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
    for part in (SHEET, FONT):
        (tmp_path / "_static" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(theme / part, tmp_path / "_static" / part)
    (tmp_path / "page.html").write_text('<i class="fas fa-download fa-lg"></i> <a href="x.html">fade</a>')
    (tmp_path / "_static" / "menu.js").write_text('icon.classList.add("fa-xmark")')
    sheet, font = tmp_path / "_static" / SHEET, tmp_path / "_static" / FONT
    before, icons = sheet.read_text(), drawn(font)
    for _ in range(2):  # again changes nothing
        book.keep_used_icons(tmp_path)
        after = sheet.read_text()
        of_icons = re.compile(r'\.fa-[\w-]+:before[^{}]*\{content:"[^"]*"\}')
        kept = of_icons.findall(after)
        assert len(kept) == 2 < len(of_icons.findall(before)) / 500
        assert any(".fa-download:before" in rule for rule in kept) and any(".fa-xmark:before" in rule for rule in kept)
        assert of_icons.sub("", after) == of_icons.sub("", before)
        rest = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", of_icons.sub("", after))}
        assert drawn(font) == {code: icons[code] for code in icons if code in {0xF019, 0xF00D} | rest}
        assert font.read_bytes()[:4] == b"wOF2" and font.stat().st_size < 5_000


def test_progress_and_widgets_are_left_out_but_warnings_stay():
    (found,) = prepared(code([BAR, WARNING, WIDGET]))
    assert found["outputs"] == [WARNING]


@pytest.mark.parametrize("tag", ["solution", "check"])
def test_solutions_and_checks_are_folded(tag):
    (found,) = prepared(code([], tag))
    assert found["metadata"]["tags"] == [tag, "hide-cell"]


def test_traces_of_the_run_are_removed():
    cells = [code([], papermill={"duration": 1}), code([], "injected-parameters")]
    metadata = {"papermill": {}, "widgets": {}, "kernelspec": {"name": "python3"}}
    found = prepare_notebook({"cells": cells, "metadata": metadata})
    assert [each["metadata"] for each in found["cells"]] == [{}]
    assert found["metadata"] == {"kernelspec": {"name": "python3"}}


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<div class="output traceback highlight">x</div>', "holds an error output"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from the network"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
        ("<p>| a | b |\n| — | — |\n| 1 | 2 |</p>", "a table as raw text: '| a | b |"),
        ("<p>| a |\n| --- |</p>", "a table as raw text"),
        ('<span class="caption-text"><strong>Figure 4.3.</strong></span>', "a figure without a caption: Figure 4.3"),
        ('<img src="x.png">', "a picture without a text"),
        ('<img alt="" src="x.png">', "a picture without a text"),
        ('<img alt="../_images/ab.png" src="x.png">', "a picture without a text"),
        ("<pre>/x/y.py:13: UserWarning: it will go\n</pre>", "a warning: UserWarning: it will go"),
        ("<pre>found in /home/ann/data</pre>", "a path of this machine: /home/ann/data"),
        ("<pre>kept in '/tmp/tmp1a2b/x.npz'</pre>", "a path of this machine: /tmp/tmp1a2b/x.npz'"),
        ("<pre>lib/site-packages/torch</pre>", "a path of this machine: site-packages"),
        ("<pre>&lt;Axes at 0x7f12ab34cd56&gt;</pre>", "an address in memory: 0x7f12ab34cd56"),
        ("<td>NaN</td>", "NaN in a table"),
        (pd.DataFrame({"a": ["b" * 51]})._repr_html_(), "a text cut off in a table: bbbb"),
        ('<td class="x"><p>nan</p></td>', "nan in a table"),
        ("<td>-0.12345678901</td>", "-0.12345678901 in a table"),
        ("<td>nan [nan, nan]</td>", "nan in a table"),
        ('<div class="output stream x"><pre>\n{"a": 0.34367326}</pre>', "more digits than anybody reads: 0.34367326"),
    ],
)
def test_problems_of_a_page_are_found(tmp_path, page, problem):
    (tmp_path / "page.html").write_text(page)
    (found,) = find_problems(tmp_path, ["page"])
    assert found.startswith("page: ") and problem in found


def test_a_good_page_has_no_problem(tmp_path):
    text = '<img alt="A line." src="x.png"><a href="https://example.org">a link</a><script src="x.js"></script>'
    text += (
        "<p>|x| is a size</p><p>a | b</p><p>Warnings: none; see data/tmp/x, ../usr/x and https://example.org/home/x</p>"
    )
    text += '<div class="output text_plain"><pre>0.343673</pre></div><pre>x = 0.123456789</pre>'
    text += '<td>-.007</td><td>Nancy ...</td><audio src="data:audio/mp4;base64,AB/tmp/+/home/ab"></audio>'
    (tmp_path / "page.html").write_text(text)
    assert find_problems(tmp_path, ["page"]) == []
    assert find_problems(tmp_path, ["absent"]) == ["absent: in the table of contents, but not built"]
