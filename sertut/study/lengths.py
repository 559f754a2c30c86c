"""The reference results on speech of any length: what many trainings decided on parts of clips and on joined ones."""

from __future__ import annotations

from sertut.errors import SertutError, unknown
from sertut.evidence import Pooled
from sertut.study.reference import Study

WAYS = ("middle", "segments", "joined")
"""How the test clips were heard; see :mod:`sertut.evidence.length`."""


def pooled_lengths(study: Study, method: str, way: str, corpus: str | None = None) -> dict[float, Pooled]:
    """Length -> all folds and seeds of one method at that length, with intervals and paired differences.

    Lengths are seconds, or for "joined" the number of clips.

    Args:
        way: one of :data:`WAYS`. corpus: needed only where the study has several.

    Raises:
        SertutError: unknown method or way; the study was run without lengths.
    """
    if way not in WAYS:
        raise unknown("way of hearing", way, WAYS)
    results = study.cell(method, corpus)
    if any("lengths" not in result for result in results):
        raise SertutError(f"the study '{study.name}' holds no lengths of '{method}'; renew it with: {study.command}")
    seeds = [result["seed"] for result in results]
    found = {}
    for i, length in enumerate(results[0]["lengths"][way]["lengths"]):
        heard = [result["lengths"][way] for result in results]
        reports = [
            {
                "emotions": result["report"]["emotions"],
                "speakers": part["speakers"],
                "confusions": part["confusions"][i],
                "localization": None,
            }
            for result, part in zip(results, heard, strict=True)
        ]
        found[length] = Pooled(reports, seeds)
    return found
