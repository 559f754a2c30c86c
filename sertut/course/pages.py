"""The claims page: what the papers say, what was measured, and the reference results; made from files, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from sertut.study import load_study, renewal

HEADER = ("corpus", "effect [95 % interval]", "verdict", "seeds", "measured in")


def claims_page(results: Iterable[Mapping]) -> str:
    """Markdown: each claim with its source and grade, and under it one row for each time it was measured.

    Args:
        results: what each chapter wrote (:func:`sertut.course.results.write_results`).
    """
    measured = [(claim, result["chapter"]) for result in results for claim in result["claims"]]
    rows: dict[str, list[tuple]] = {}
    for claim, where in sorted(measured, key=lambda entry: (str(entry[0]["id"]), str(entry[0]["corpus"]), entry[1])):
        head = f"**{claim['id']}**: {claim['statement']}\n\n*{claim['source']}; {claim['grade']}*"
        row = (claim["corpus"], effect(claim), claim["verdict"], claim["seeds"], where)
        rows.setdefault(head, []).append(row)
    tables = [f"{head}\n\n{_table(HEADER, under)}" for head, under in rows.items()]
    return "\n\n".join(tables) or "No chapter has measured a claim yet."


def effect(claim: Mapping) -> str:
    """Effect with its interval and unit: ``+0.031 [+0.012, +0.050] UAR``."""
    if claim["effect"] is None:
        return "not measured"
    text = f"{claim['effect']:+.3f}"
    if claim["low"] is not None and claim["high"] is not None:
        text += f" [{claim['low']:+.3f}, {claim['high']:+.3f}]"
    return f"{text} {claim['unit']}".strip()


def reference_page(folder: Path) -> str:
    """Markdown: each study that `folder` holds: its question, its table, the command that renews it."""
    parts = []
    for path in sorted(folder.glob("*.json")):
        study = load_study(path.stem, folder)
        parts += [f"### {path.stem}", study.question, _sideways(study.table()), renewal(study)]
    return "\n\n".join(parts) or "No study has been run yet."


def _sideways(table: pd.DataFrame) -> str:
    """One column a corpus and method, so that the page need not be wide."""
    heads = (table["corpus"] + ", " + table["method"]).tolist()
    values = table.drop(columns=["corpus", "method"]).astype(object)
    turned = values.where(values.notna(), "").T
    return _table(["", *heads], ([name, *row] for name, row in zip(turned.index, turned.to_numpy(), strict=True)))


def _table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    header = [*header]
    lines = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (header, *rows)]
    lines.insert(1, ["---"] * len(header))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
