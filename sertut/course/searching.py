"""The text of every page in one file, so that a search shows the words around what it found, also without a server.

An extension of Sphinx, by name in book/_config.yml; book/_static/snippets.js reads the file, on the search page only.
"""

import json
from pathlib import Path
from typing import Any

UNREAD = {"raw", "comment", "math", "math_block"}
"""Nodes of a page that a snippet leaves out: players and tables of HTML, notes of the writer, formulas."""


def setup(app) -> dict[str, bool]:
    """What Sphinx calls: collect the text of each page when it is written, and write them all at the end."""
    texts: dict[str, str] = {}

    def collect(app, page: str, template: str, context: dict, tree: Any) -> None:
        if tree is not None:
            texts[page] = plain(tree)

    def write(app, problem: Exception | None) -> None:
        if problem is None:
            text = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
            Path(app.outdir, "_static", "texts.js").write_text(f"window.bookTexts={text}\n", encoding="utf-8")

    app.connect("html-page-context", collect)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def plain(tree: Any) -> str:
    """The words of a page, a node of docutils, in one line."""
    texts = tree.findall(lambda node: node.tagname == "#text" and node.parent.tagname not in UNREAD)
    words = [text.astext() for text in texts]
    return " ".join(" ".join(words).split())
