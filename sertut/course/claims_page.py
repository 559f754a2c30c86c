"""The claims page: what the papers say, what was measured, and the reference results; made from files, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from sertut.study import PROTOCOLS, load_study

HEADER = ("corpus", "effect [95 % interval]", "verdict", "seeds", "measured in")


def claims_page(results: Iterable[Mapping]) -> str:
    """Markdown: each claim with its source and grade, and under it one row for each time it was measured.

    Args:
        results: what each chapter wrote (:func:`sertut.course.results.write_results`).
    """
    measured = [(claim, result["chapter"]) for result in results for claim in result["claims"]]
    if not measured:
        return "No chapter has measured a claim yet."
    groups: dict[tuple, list[tuple]] = {}
    for claim, where in sorted(measured, key=lambda entry: (str(entry[0]["id"]), str(entry[0]["corpus"]), entry[1])):
        row = (claim["corpus"], effect(claim), claim["verdict"], claim["seeds"], where)
        groups.setdefault((claim["id"], claim["statement"], claim["source"], claim["grade"]), []).append(row)
    parts = []
    for (name, statement, source, grade), rows in groups.items():
        parts += [f"**{name}**: {statement}", f"*{source}; {grade}*"]
        parts.append("\n".join(_line(cells) for cells in (HEADER, ["---"] * len(HEADER), *rows)))
    return "\n\n".join(parts)


def effect(claim: Mapping) -> str:
    """Effect with its interval and unit: ``+0.031 [+0.012, +0.050] UAR``."""
    if claim["effect"] is None:
        return "not measured"
    text = f"{claim['effect']:+.3f}"
    if claim["low"] is not None and claim["high"] is not None:
        text += f" [{claim['low']:+.3f}, {claim['high']:+.3f}]"
    return f"{text} {claim['unit']}".strip()


def reference_page(folder: Path) -> str:
    """Markdown: each study with a result in `folder`: its question, its table, the command that renews it."""
    parts = []
    for name in (name for name in PROTOCOLS if (folder / f"{name}.json").is_file()):
        study = load_study(name, folder)
        parts += [f"### {name}", study.question, _sideways(study.table()), study.renewal]
    return "\n\n".join(parts) or "No study has been run yet."


def _sideways(table: pd.DataFrame) -> str:
    """One column a corpus and method, so that the page need not be wide."""
    heads = [f"{row['corpus']}, {row['method']}" for _, row in table.iterrows()]
    lines = [_line(["", *heads]), _line(["---"] * (len(heads) + 1))]
    for column in table.columns.drop(["corpus", "method"]):
        lines.append(_line([column, *("" if value != value else value for value in table[column])]))
    return "\n".join(lines)


def _line(texts: Iterable[object]) -> str:
    return "| " + " | ".join(str(text).replace("|", "\\|").replace("\n", " ") for text in texts) + " |"
