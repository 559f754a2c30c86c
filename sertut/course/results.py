"""What a chapter leaves behind: ``results.json``, read by the tests, the claims page and whoever compares runs."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sertut.errors import SertutError
from sertut.evidence.claims import Claim
from sertut.files import writing

KEYS = ("chapter", "corpus", "seed", "device", "seconds", "versions", "metrics", "claims", "bands")
CLAIM_KEYS = ("id", "statement", "source", "grade", "corpus", "effect", "low", "high", "unit", "verdict", "seeds")
BAND_KEYS = ("metric", "value", "low", "high")
_PACKAGES = ("sertut", "torch", "torchaudio", "numpy", "scipy", "scikit-learn", "pyworld", "espeakng-loader")


def write_results(
    *,
    chapter: str,
    parameters: Mapping[str, object],
    metrics: Mapping[str, object],
    claims: Iterable[Claim | Mapping[str, object]] = (),
    started: float,
    bands: Iterable[Mapping[str, object]] = (),
    path: Path | str = "results.json",
) -> dict:
    """Write what a chapter measured into the current folder; call it in the last cell.

    Args:
        chapter: its name, e.g. "04-regions-of-interest".
        parameters: the chapter's parameters; "corpus", "seed" and "device" also get a line of their own.
        metrics: name -> number.
        claims: :class:`sertut.evidence.claims.Claim`, or mappings with :data:`CLAIM_KEYS`.
        started: ``time.time()`` of the chapter's first cell.
        bands: where the reader's own number must fall: {"metric", "value", "low", "high"}, low and high from the
            reference seeds.

    Returns:
        what was written.

    Raises:
        SertutError: a number is not finite, or a claim or band lacks a key.
    """
    results = {
        "chapter": chapter,
        "corpus": parameters.get("corpus"),
        "seed": parameters.get("seed"),
        "device": parameters.get("device", "cpu"),
        "parameters": dict(parameters),
        "seconds": round(time.time() - started, 1),
        "versions": versions(),
        "metrics": {name: _number(value, f"metric '{name}'") for name, value in metrics.items()},
        "claims": [
            _row(claim.to_dict() if isinstance(claim, Claim) else claim, CLAIM_KEYS, "claim") for claim in claims
        ],
        "bands": [_row(band, BAND_KEYS, "band") for band in bands],
    }
    if results["device"] == "auto":
        from sertut.training.device import pick_device  # torch is slow to import; only here is it needed

        results["device"] = str(pick_device("auto"))
    with writing(path) as temporary:
        temporary.write_text(json.dumps(results, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return results


def read_results(path: Path | str) -> dict:
    """Read ``results.json`` and make sure that nothing is missing.

    Raises:
        SertutError: the file is missing, unreadable, or lacks a key.
    """
    path = Path(path)
    if not path.is_file():
        raise SertutError(f"{path} was not written; the last cell of a chapter must call write_results(...).")
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise SertutError(f"{path} is not valid JSON ({problem}); run the chapter again.") from problem
    if missing := [key for key in KEYS if key not in results]:
        raise SertutError(f"{path} lacks {', '.join(missing)}; write it with sertut.course.results.write_results.")
    return results


def versions() -> dict[str, str]:
    """Versions that numbers depend on; packages that are not installed are left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _row(entry: Mapping[str, object], keys: tuple[str, ...], kind: str) -> dict:
    row = dict(entry)
    name = row.get("id") or row.get("metric") or "without a name"
    if missing := [key for key in keys if key not in row]:
        raise SertutError(f"{kind} '{name}' lacks {', '.join(missing)}.")
    for key in ("effect", "low", "high", "value"):
        if row.get(key) is not None:
            row[key] = _number(row[key], f"{key} of {kind} '{name}'")
    return row


def _number(value: object, what: str) -> float | int:
    try:
        number = value if isinstance(value, int) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as problem:
        raise SertutError(f"{what} is {value!r}, not a number.") from problem
    if not math.isfinite(number):
        raise SertutError(f"{what} is {number}; a result must be a finite number.")
    return number
