"""What a chapter leaves behind: ``results.json``, read by the tests, the claims page and whoever compares runs."""

import json
import math
import platform
import re
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from sertut.errors import SertutError
from sertut.evidence.claims import Claim
from sertut.files import write
from sertut.training import pick_device

KEYS = ("chapter", "corpus", "seed", "device", "seconds", "versions", "metrics", "claims", "bands")


def write_results(
    *,
    chapter: str,
    parameters: Mapping[str, object],
    metrics: Mapping[str, object],
    claims: Iterable[Claim] = (),
    started: float,
    bands: Iterable[Mapping[str, object]] = (),
    path: Path | str = "results.json",
) -> dict:
    """Write what a chapter measured into the current folder; call it in the last cell. Returns what was written.

    Args:
        chapter: its name, e.g. "04-regions-of-interest".
        parameters: the chapter's parameters; "corpus", "seed" and "device" also get a line of their own.
        metrics: name -> number.
        started: ``time.time()`` of the chapter's first cell.
        bands: where the reader's own number must fall: {"metric", "value", "low", "high"}, low and high from the
            reference seeds.

    Raises:
        SertutError: a number is not finite.
    """
    device = str(parameters.get("device", "cpu"))
    results = {
        "chapter": chapter,
        "corpus": parameters.get("corpus"),
        "seed": parameters.get("seed"),
        "device": str(pick_device("auto")) if device == "auto" else device,
        "parameters": dict(parameters),
        "seconds": round(time.time() - started, 1),
        "versions": {package: found for package, found in versions().items() if found},
        "metrics": {name: _number(value, f"metric '{name}'") for name, value in metrics.items()},
        "claims": [_finite(claim.to_dict(), f"claim '{claim.id}'") for claim in claims],
        "bands": [_finite(band, f"band '{band['metric']}'") for band in bands],
    }
    write(path, json.dumps(results, indent=2, allow_nan=False) + "\n")
    return results


def read_results(path: Path | str) -> dict:
    """Read ``results.json``.

    Raises:
        SertutError: the file is missing, unreadable, or lacks a key.
    """
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
        missing = [key for key in KEYS if key not in results]
    except (OSError, ValueError) as problem:
        raise SertutError(f"{path} is missing or not valid JSON ({problem}); run the chapter again.") from problem
    if missing:
        raise SertutError(f"{path} lacks {', '.join(missing)}; write it with sertut.course.results.write_results.")
    return results


def versions(extra: str = "") -> dict[str, str | None]:
    """Python, sertut and each package that it asks for (or that one of its extras does) -> version; None if missing."""
    found: dict[str, str | None] = {} if extra else {"python": platform.python_version()}
    wanted = [] if extra else ["sertut"]
    for requirement in requires("sertut") or ():
        needs = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if (needs.group(1) if needs else "") == extra:
            wanted.append(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
    for package in wanted:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _finite(entry: Mapping[str, object], what: str) -> dict:
    """A claim or a band with numbers that JSON can hold."""
    numbers = [key for key in ("effect", "low", "high", "value") if entry.get(key) is not None]
    return {**entry, **{key: _number(entry[key], f"{key} of {what}") for key in numbers}}


def _number(value: object, what: str) -> float | int:
    try:
        number = value if isinstance(value, int) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as problem:
        raise SertutError(f"{what} is {value!r}, not a number.") from problem
    if not math.isfinite(number):
        raise SertutError(f"{what} is {number}; a result must be a finite number.")
    return number
