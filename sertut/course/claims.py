"""The claims page: what the papers say, what was measured, side by side; made from results, never typed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sertut.errors import SertutError

HEADER = ("corpus", "effect [95 % interval]", "verdict", "seeds", "measured in")


def claims_page(results: Iterable[Mapping], reference: Path | None = None) -> str:
    """Markdown: each claim with its source and grade, and under it one row for each time it was measured.

    Args:
        results: what each chapter wrote (:func:`sertut.course.results.write_results`).
        reference: folder with the reference results; files with a list "claims" of the same form are added.
    """
    measured = [(claim, result["chapter"]) for result in results for claim in result["claims"]]
    for path in sorted(reference.glob("*.json")) if reference and reference.is_dir() else ():
        measured += [(claim, f"reference: {path.stem}") for claim in _claims_in(path)]
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


def _claims_in(path: Path) -> list[dict]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise SertutError(f"{path} is not valid JSON ({problem}); renew it with `sertut study report`.") from problem
    return list(content.get("claims", ())) if isinstance(content, dict) else []


def _line(texts: Iterable[object]) -> str:
    return "| " + " | ".join(str(text).replace("|", "\\|").replace("\n", " ") for text in texts) + " |"
