"""The HTML book, built from executed chapters and the pages around them; every page is checked after it is built."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import joblib
import yaml
from filelock import FileLock
from fontTools import subset
from PIL import Image

from sertut.course.catalog import chapters, repository, require, tags
from sertut.course.execution import Executed, run_chapters
from sertut.course.pages import claims_page, reference_page, sections
from sertut.errors import SertutError
from sertut.files import LIBRARY, write

CLAIMS_MARK = "<!-- claims -->"
REFERENCE_MARK = "<!-- reference results -->"
FOLDED = {"check": "Check your answer", "solution": "Show a solution"}
"""Tags of cells that the book shows only on a click, and what the click says."""

SHEET, FONT = "styles/pydata-sphinx-theme.css", "vendor/fontawesome/webfonts/fa-solid-900.woff2"
"""Of the icons of the book's theme, in the folder of its files: the style of each, and their shapes."""

ICON_NAME, ICON_STYLE = r"\bfa-[\w-]+", r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]*"\}'

LONGEST = 12
"""Rows of a table that is not folded."""

PROBLEMS = {
    "holds an error output": r'class="[^"]*\boutput traceback\b',
    "loads {} from the network": r"<(?:script|link|img|audio|source|iframe)\b[^>]*?"
    r"""(?:src|href)=["']?((?:https?:)?//[^"' >]+)""",
    "a picture without a text: {:.100}": r'<img\b(?![^>]*alt="[^"]+")[^>]*>|<img\b[^>]*alt="[^"]*_images/[^>]*>',
    "a figure without a caption: {}": r'<span class="caption-text"><strong>(Figure [\d.]+)\.</strong></span>',
    "a table as raw text: {!r:.70}": r"<p>\s*(\|(?:(?!</p>).)*\n\|\s*(?:-{3}|—|–))",  # MyST makes dashes of ---
    "a warning: {}": r"\b(\w*Warning: [^<\n]{,60})",
    "a path of this machine: {}": r"((?<![\w.~+/=])/(?:home|root|tmp|usr|var|Users)/[^\s<]{,60}|\bsite-packages\b)",
    "an address in memory: {}": r"\bat (0x[0-9a-f]{6,})",
    "a text cut off in a table: {:.60}": r"<t[dh]\b[^>]*>([^<]{40,}\.\.\.)</t[dh]>",  # pandas, after 50 characters
    "{} in a table": r"<t[dh]\b[^>]*>\s*(?:<p>)?\s*(nan|NaN|-?\d*\.\d{8,})\s*[<\[]",
    "more digits than anybody reads: {}": r'class="output (?:text_p|str)\w+(?:(?!</pre>).)*?(?<![\w.])(\d+\.\d{7,})',
}
"""What no page may hold: how it is said, and the pattern that finds it."""


def build_book(*, workers: int = 2, force: bool = False, progress: bool = True, root: Path | None = None) -> Path:
    """Run what is not up to date, build the pages, check them.

    Args:
        workers: chapters at a time.
        force: run every chapter and build every page again.

    Returns:
        the page to open.

    Raises:
        SertutError: a chapter failed, a page has a warning or a problem (:func:`find_problems`), or the table of
            contents names a page that is not there.
    """
    root = root or repository()
    _check_contents(root)
    executed = run_chapters(workers=workers, force=force, progress=progress, root=root)
    with FileLock(root / "_build" / "book.lock"):  # two builders at once would delete each other's pages
        stage = root / "_build" / "stage"
        _stage(root, stage, executed)
        html, stamp = root / "_build" / "html", root / "_build" / "book-up-to-date"
        parts = {str(path.relative_to(stage)): path.read_bytes() for path in stage.rglob("*") if path.is_file()}
        content = joblib.hash((parts, [path.read_bytes() for path in sorted(LIBRARY.rglob("*.py"))]))
        if progress:
            print(f"{sum(run.reused for run in executed)} of {len(executed)} chapters were up to date", file=sys.stderr)
        if force or not ((html / "index.html").is_file() and stamp.is_file() and stamp.read_text() == content):
            stamp.unlink(missing_ok=True)
            shutil.rmtree(html, ignore_errors=True)  # no page of an earlier book stays behind
            _jupyter_book(stage, root, progress)
            start = html / "index.html"  # of Jupyter Book's, which leads to the first page and has no icon
            start.write_text('<!DOCTYPE html><link rel="icon" href="_static/favicon.svg">' + start.read_text())
            keep_used_icons(html)
            _web_pictures(html)
            if problems := find_problems(html, contents(root)):
                raise SertutError("the book was built, but is not right:\n  " + "\n  ".join(problems))
            write(stamp, content)
    return html / "index.html"


def contents(root: Path) -> list[str]:
    """Pages of the table of contents, without suffix, in reading order: ``book/intro``, ``notebooks/01-...``."""
    table = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in table["parts"] for chapter in part["chapters"]]
    return [table["root"], *(page["file"] for one in chapters for page in (one, *one.get("sections", ())))]


def find_problems(html: Path, pages: Sequence[str]) -> list[str]:
    """What is wrong with a built book: pages that are missing, hold an error, or cannot be read offline or aloud."""
    problems = []
    for page in pages:
        path = html / f"{page}.html"
        if not path.is_file():
            problems.append(f"{page}: in the table of contents, but not built")
            continue
        text = path.read_text(encoding="utf-8")
        for said, pattern in PROBLEMS.items():
            problems += [f"{page}: {said.format(found)}" for found in dict.fromkeys(re.findall(pattern, text, re.S))]
    return problems


def prepare_notebook(notebook: dict, number: str = "1") -> dict:
    """The copy of an executed chapter that the book shows; `number`: of the chapter, for its figures.

    Leaves out what is about the run (papermill's notes and injected cell, progress bars, widgets), folds solutions,
    makes pictures lighter, keeps the code of players and sliders once, and makes numbered figures: the caption is in
    the metadata of the cell, where MyST-NB looks for it, and the text alternative in those of the output.

    Raises:
        SertutError: a cell shows a picture and something else, so its caption belongs to neither.
    """
    cells, brought, n_figures = [], set[str](), 0
    for cell in notebook["cells"]:
        if "injected-parameters" in tags(cell):
            continue
        metadata = {key: value for key, value in cell["metadata"].items() if key not in ("papermill", "execution")}
        cell = {**cell, "metadata": metadata}
        caption = metadata.pop("mystnb", {}).get("figure", {}).get("caption", "")
        shown: dict[str, object] = {}
        for tag in FOLDED.keys() & set(tags(cell)):
            metadata["tags"] = [*tags(cell), "hide-cell"]
            shown["code_prompt_show"] = FOLDED[tag]
        if cell["cell_type"] == "code":
            cell["outputs"] = [output for output in cell["outputs"] if not _is_progress(output)]
            notes = [item for output in cell["outputs"] for item in output.get("metadata", {}).items()]
            notes = [note for kind, note in notes if kind.startswith("image/") and note.get("alt")]
            for data in (output.get("data", {}) for output in cell["outputs"]):
                data |= {"image/png": _lighter(data["image/png"])} if "image/png" in data else {}
                page = "".join(data.get("text/html", ""))
                if re.search('class="sertut-(touch|drawing)"', page):
                    n_figures += 1
                    page = data["text/html"] = _numbered(page, f"{number}.{n_figures}")
                if re.search('class="sertut-(player|touch)"', page):
                    data["text/html"] = _once(page, brought)
                elif 'class="dataframe"' in page:
                    data["text/html"] = _readable(page)
            if notes:
                if sum("data" in output for output in cell["outputs"]) > 1:
                    raise SertutError(f"the cell {cell['id']} shows a picture and more; give the figure its own cell.")
                note, n_figures = notes[0], n_figures + 1
                width = {"width": f"{note['width']}px"} if "width" in note else {}
                shown["image"] = {"alt": note["alt"], **width}
                words = f"<details><summary>in words</summary>{escape(note['alt'])}</details>"
                caption = f"**Figure {number}.{n_figures}.** {caption}".rstrip() + f"\n\n{words}"
                shown["figure"] = {"name": f"figure-{number}-{n_figures}", "caption": caption}
        if shown:
            metadata["mystnb"] = shown
        cells.append(cell)
    metadata = {key: value for key, value in notebook["metadata"].items() if key not in ("papermill", "widgets")}
    return {**notebook, "cells": cells, "metadata": metadata}


def _lighter(png: str | list[str]) -> str:
    """The picture on white, in 256 colors: it looks the same and weighs less than half.

    By an octree: with median cut, a spectrogram gets as many colors for its noise and weighs twice as much.
    """
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode("".join(png)))).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def keep_used_icons(html: Path) -> None:
    """Drop the styles of icons that no page and no script names, then the shapes of those that no style shows.

    All 1,900 would be a tenth of every page.
    """

    def found(pattern: str, *paths: Path) -> set[str]:
        return {name for path in paths for name in re.findall(pattern, path.read_text(encoding="utf-8"))}

    static = html / "_static"
    sheet, font_file = static / SHEET, static / FONT
    used = found(ICON_NAME, *html.rglob("*.html"), *static.rglob("*.js"))
    keep = lambda rule: rule[0] if used & set(re.findall(ICON_NAME, rule[1])) else ""  # noqa: E731
    sheet.write_text(re.sub(ICON_STYLE, keep, sheet.read_text(encoding="utf-8")), encoding="utf-8")
    options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[13, 14])  # its license stays in it
    font, chosen = subset.load_font(str(font_file), options), subset.Subsetter(options)
    chosen.populate(unicodes=[int(code, 16) for code in found(r"\\(f[0-9a-f]{3})\b", *static.rglob("*.css"))])
    chosen.subset(font)
    subset.save_font(font, str(font_file), options)


def _web_pictures(html: Path) -> None:
    """Pictures as lossless WebP, a third lighter than PNG. It comes last: MyST-NB takes no WebP from a notebook."""

    def convert(path: Path) -> None:
        with Image.open(path) as picture:
            picture.save(path.with_suffix(".webp"), lossless=True, quality=80, method=2)
        path.unlink()

    joblib.Parallel(n_jobs=-1, prefer="threads")(map(joblib.delayed(convert), (html / "_images").glob("*.png")))
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"(_images/[\w-]+)\.png", r"\1.webp", text), encoding="utf-8")


def _readable(table: str) -> str:
    """A table of pandas: numbers to the right, intervals smaller than what they are of, more than 12 rows folded."""
    table = re.sub(r"<td>(?=[+-]?[\d.])", '<td class="number">', table)
    table = re.sub(r"(<td\b[^<]*\S) (\[[^<\]]*\])", r"\1 <small>\2</small>", table)
    if (n_rows := table.partition("<tbody>")[2].count("<tr")) <= LONGEST:
        return table
    return f'<details><summary>A table of {n_rows} rows</summary><div class="fold">{table}</div></details>'


def _numbered(html: str, number: str) -> str:
    """A figure to touch has its number before its title, a drawing below it, with its name and its words."""
    place = f'id="figure-{number.replace(".", "-")}"'
    if 'class="sertut-touch"' in html:
        html = html.replace("<div><strong>", f"<div><strong>Figure {number}.</strong> <strong>", 1)
        return f"<div {place}>{html}</div>"
    name, words = re.findall('aria-label="([^":]*): ([^"]*)"', html)[0]
    words = f'<div class="legend"><details><summary>in words</summary>{words}</details></div>'
    caption = f"<p><strong>Figure {number}.</strong> The mechanism as a drawing: {name}.</p>{words}"
    return f"<figure {place}>{html}<figcaption>{caption}</figcaption></figure>"


def _once(html: str, brought: set[str]) -> str:
    """Without the styles and scripts that an earlier output has brought to the page; adds to them."""
    for found in re.finditer(r"<(style|script)>.*?</\1>\n?", html, re.DOTALL):
        html = html.replace(found[0], "", 1) if found[0] in brought else html
        brought.add(found[0])
    return html


def _is_progress(output: dict) -> bool:
    """Progress bars: rewritten lines on stderr, or a widget where ipywidgets is installed."""
    if output["output_type"] == "stream" and output["name"] == "stderr":
        return bool(re.search(r"\r|\d+%\|", "".join(output["text"])))
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _check_contents(root: Path) -> None:
    """Each page is in the table of contents, and each entry has its page; said before the chapters are run."""
    listed = contents(root)
    pages = {path.relative_to(root).with_suffix("").as_posix() for path in (root / "book").rglob("*.md")}
    pages |= {f"notebooks/{chapter.name}" for chapter in chapters(root)}
    if missing := [page for page in listed if page not in pages]:
        raise SertutError(f"book/_toc.yml names {', '.join(missing)}, which is not there; write it or drop the entry.")
    if extra := sorted(pages - set(listed)):
        raise SertutError(f"book/_toc.yml does not name {', '.join(extra)}; add an entry, so that readers find it.")


def _stage(root: Path, stage: Path, executed: Sequence[Executed]) -> None:
    """One folder with the pages and the executed chapters, at the places that they have in the repository."""
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(root / "book", stage / "book", ignore=shutil.ignore_patterns("results", "_build", ".*"))
    for name in ("_config.yml", "_toc.yml", "_static"):
        shutil.move(stage / "book" / name, stage / name)
    (stage / "notebooks").mkdir()

    def show(run: Executed) -> None:
        number = run.chapter.name.partition("-")[0].lstrip("0")
        notebook = prepare_notebook(json.loads(run.notebook.read_text(encoding="utf-8")), number)
        (stage / "notebooks" / run.notebook.name).write_text(json.dumps(notebook), encoding="utf-8")

    joblib.Parallel(n_jobs=-1, prefer="threads")(joblib.delayed(show)(run) for run in executed)  # pictures take long
    claims = claims_page([run.results | {"sections": sections(run.chapter)} for run in executed])
    references = reference_page(root / "book" / "results")
    for page in (stage / "book").glob("*.md"):
        text = page.read_text(encoding="utf-8").replace(CLAIMS_MARK, claims).replace(REFERENCE_MARK, references)
        page.write_text(text, encoding="utf-8")


def _jupyter_book(stage: Path, root: Path, progress: bool) -> None:
    """Build with warnings as errors: Jupyter Book by itself publishes a traceback and calls that success."""
    require("jupyter_book")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(stage)]
    command += ["--path-output", str(root), "--all", "--warningiserror", "--keep-going", "--quiet"]
    if progress:
        print("building the pages ...", file=sys.stderr)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if re.search(r"warning|error", line, re.I)]
        raise SertutError("Jupyter Book refuses the pages:\n  " + "\n  ".join(said[:20] or [done.stderr[-2000:]]))
