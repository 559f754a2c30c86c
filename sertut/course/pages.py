"""The claims page: what the papers say, what was measured, and the reference results; made from files, never typed."""

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from sertut.course.catalog import PAGES, Chapter, source
from sertut.study import load_study, renewal


def claims_page(results: Iterable[Mapping]) -> str:
    """HTML: a row each claim, a column each corpus, the verdict as a mark with the effect in it; details are folded.

    Args:
        results: what each chapter wrote (:func:`sertut.course.results.write_results`); "sections", if it is there,
            tells of each claim's id where in the chapter it is measured.
    """
    measured = [
        {**claim, "chapter": result["chapter"], "section": known.get(claim["id"], known.get("features-", ""))}
        for result in results
        for known in [result.get("sections", {})]
        for claim in result["claims"]
    ]
    measured = [{**claim, "corpus": Path(claim["corpus"]).name} for claim in measured]  # of a table, without its folder
    ids: dict[str, dict[str, list]] = {}  # id -> statement -> its measurements, in reading order
    for claim in sorted(measured, key=lambda claim: str(claim["id"])):
        ids.setdefault(str(claim["id"]), {}).setdefault(claim["statement"], []).append(claim)
    corpora = sorted({claim["corpus"] for claim in measured})
    return _html("claims", ids, corpora) if measured else "No chapter has measured a claim yet."


def sections(chapter: Chapter) -> dict[str, str]:
    """Id of a claim -> ``#heading`` of the section of a chapter that names it first, in the text or in the code."""
    found: dict[str, str] = {}
    heading = ""
    for cell in chapter.cells():
        for line in source(cell).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("#"):
                heading = "#" + re.sub(r"[^a-z0-9]+", "-", line.lower()).strip("-")  # as Sphinx makes it
            for name in re.findall(r"""["*']([A-Z]\d?(?:-\w+)?(?=["*'])|leak-\w+|features-)""", line):
                found.setdefault(name, heading)
    return found


def effect(claim: Mapping) -> str:
    """Effect with its interval and unit: ``+.031 [+.012, +.050] UAR``."""
    known = claim["low"] is not None and claim["high"] is not None
    text = f" [{short(claim['low'])}, {short(claim['high'])}]" if known else ""
    return f"{short(claim['effect'])}{text} {claim['unit']}".strip()


def reference_page(folder: Path) -> str:
    """HTML: each study that `folder` holds, folded: its question, its table, the command that renews it."""
    found = []
    for path in sorted(folder.glob("*.json")):
        study = load_study(path.stem, folder)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "UAR is taken over")  # a class without clips: the level of chance tells
            table = study.table()
        one = table.columns[(table.nunique() == 1) & (len(table) > 1)].drop("method", errors="ignore")
        same = [name for name in one if table[name].notna().all() or name.endswith("by chance")]
        rows = table.drop(columns=same).astype(object).fillna("").to_dict("records")
        found.append((study, rows, table[same].bfill().iloc[0].to_dict()))
    return _html("studies", found) if found else "No study has been run yet."


def short(number: float | None) -> str:
    """Two digits behind the point, three where there would be only one: ``+.47``, ``-.007``."""
    if number is None:
        return "not measured"
    return re.sub(r"^([+-])0\.", r"\1.", f"{number:+.{2 if abs(number) >= 0.0995 else 3}f}")


def _html(what: str, *content: object) -> str:
    """A macro of the template, without empty lines: these would end the HTML inside Markdown."""
    template = PAGES.get_template("pages.html", globals={"effect": effect, "short": short, "renewal": renewal})
    return re.sub(r"\n\s*\n", "\n", getattr(template.module, what)(*content))
