"""A study's results: collected into one small JSON that the book keeps, and read back with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sertut.errors import SertutError, must_be_known
from sertut.evidence import Tally
from sertut.files import write
from sertut.study.flaws import FLAWS, over_partitions
from sertut.study.grid import chosen_rates, finished, plan_digests, result_path
from sertut.study.methods import recipe
from sertut.study.protocols import PROTOCOLS, protocol, start_of

BOOK_RESULTS = Path(__file__).resolve().parents[2] / "book" / "results"
"""Where the reference results are kept in a checkout."""

COSTS = (("memory", "memory, MiB", ".0f"), ("real_time_factor", "real-time factor", ".2g"))
"""What a result tells of its cost (:mod:`sertut.study.grid`), what the table calls it, and how it is written."""

PUBLISHED = BOOK_RESULTS.parent / "published.csv"
"""What others have published about the recorded corpora, as they published it."""


@dataclass(frozen=True)
class Study:
    """The results of a study. results: what each training wrote (see :func:`sertut.study.grid.train_one`)."""

    name: str
    question: str
    results: Sequence[Mapping]

    @cached_property
    def older(self) -> bool:
        """Whether some result comes from other code, another network or another recipe than the present ones."""
        chosen = {"learning_rate": None} if protocol(self.name).rates else {}
        return any(
            {**result["options"], **chosen} != {**recipe(result["corpus"], result["method"]), **chosen}
            or not plan_digests(result["corpus"], result["method"]).items() <= result.get("digests", {}).items()
            for result in self.results
        )

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds that were run, counted from 0; speakers of other folds were not tested."""
        return tuple(sorted({result["fold"] for result in self.results}))

    @cached_property
    def cells(self) -> dict[tuple[str, str], list[Mapping]]:
        """(corpus, method) -> its results."""
        cells: dict[tuple[str, str], list[Mapping]] = {}
        for result in self.results:
            cells.setdefault((result["corpus"], result["method"]), []).append(result)
        return cells

    def cell(self, method: str) -> list[Mapping]:
        """The results of one method, a training each."""
        found = {name: results for (_, name), results in self.cells.items()}
        must_be_known("method", method, found)
        return found[method]

    def has(self, method: str, part: str = "report") -> bool:
        """Whether a part of the results was kept of a method, on every fold; parts as in :meth:`pooled`."""
        found = [one for (_, name), results in self.cells.items() if name == method for one in results]
        return bool(found) and {one["fold"] for one in found} == {one["fold"] for one in found if part in one}

    def pooled(self, method: str, part: str = "report") -> Tally:
        """All folds and seeds of one method: scores with intervals, and paired differences.

        Args:
            part: of the results: "report"; where it was kept also "deletion", "shifts", "streams", "mixture",
                "moments", "course", "preference", "gates", "confidence", or speech of other lengths, "middle",
                "segments" or "joined" (:mod:`sertut.evidence.length`).

        Raises:
            SertutError: unknown method; the study was run without that part.
        """
        found = self.cell(method)
        if not self.has(method, part):
            raise SertutError(
                f"the study '{self.name}' holds no {part} of '{method}'; run `sertut study run {self.name}`."
            )
        if method in FLAWS and part == "report":
            return over_partitions(found)
        kept = [(result[part], result["seed"]) for result in found if part in result]  # some, of the first seed only
        return Tally.pooled(*zip(*kept, strict=True))

    def scores(self, method: str, fold: int, score: str = "uar") -> list[float]:
        """The score of each seed on one fold: what a reader's own run on that fold is compared with.

        Args:
            score: "uar", or a metric of the attention map such as "auroc" (localization) or "hit" (loudness).

        Raises:
            SertutError: the study did not run this fold.
        """
        if fold not in self.folds:
            raise SertutError(f"the study '{self.name}' ran the folds {', '.join(map(str, self.folds))}, not {fold}.")
        found = [result for result in self.cell(method) if result["fold"] == fold]
        return [float(Tally.pooled([r["report"]], [r["seed"]]).of_each_seed(score)[0]) for r in found]

    def scores_of_folds(self, method: str, score: str = "uar") -> dict[int, list[float]]:
        """Fold -> the score of each seed: what a band is made from (:mod:`sertut.study.bands`)."""
        return {fold: self.scores(method, fold, score) for fold in self.folds}

    def table(self) -> pd.DataFrame:
        """One row a method: UAR and WA with intervals, chance, localization beside its chance."""
        rows = []
        for (corpus, method), found in self.cells.items():
            pooled = self.pooled(method)
            row = {
                "corpus": corpus,
                "method": method,
                "seeds": len(pooled.seeds),
                "speakers": len(pooled.speakers),
                "parameters": found[0]["parameters"],
                "UAR": str(pooled.uar),
                "UAR by chance": f"{pooled.chance:.3f}",
                "WA": str(pooled.wa),
            }
            if pooled.scored("auroc"):
                for metric in ("auroc", "pointing", "mass"):
                    row[metric] = str(pooled.interval("attention", metric))
                    row[f"{metric} by chance"] = f"{pooled.interval('attention', f'{metric}_chance').estimate:.3f}"
            row["seconds a training"] = f"{np.median([result['seconds'] for result in found]):.0f}"
            for kept, title, form in COSTS:
                if known := [result[kept] for result in found if result.get(kept) is not None]:
                    row[title] = f"{np.median(known):{form}}"
            rows.append(row)
        return pd.DataFrame(rows)

    def choices(self) -> pd.DataFrame | None:
        """How learning rates were chosen: UAR on dev of each one that was tried; None where there was no choice.

        One row a start and fold, "chosen on" the dev speakers of which fold.
        """
        rows = {}
        for result in (result for result in self.results if "choice" in result):
            choice, start = result["choice"], start_of(result["method"])
            rows[start, result["fold"] + 1] = {
                "chosen on fold": choice["fold"] + 1,
                **{f"{rate:g}": f"{uar:.3f}" for rate, uar in choice["dev_uar"]},
                "chosen": f"{result['options']['learning_rate']:g}",
            }
        return pd.DataFrame(rows).T.rename_axis(["start", "fold"]) if rows else None


def report_study(name: str, folder: Path | None = None) -> Study:
    """Collect the results of a study into ``<folder>/<name>.json``, a line each; return them as they are read back.

    A seed counts when it has all folds of the methods that have it: a study that is still running is reported by those.

    Raises:
        SertutError: not one seed is whole; the message says how many trainings are missing and how to run them.
    """
    plan = protocol(name)
    candidates = finished(name, plan.candidates())
    chosen = chosen_rates(candidates)
    cells = {seed: replace(plan, seeds=(seed,)).trainings(chosen) for seed in plan.seeds}
    whole = tuple(seed for seed in cells if all(result_path(name, cell).is_file() for cell in cells[seed]))
    results = finished(name, replace(plan, seeds=whole or plan.seeds).trainings(chosen))
    tried: dict[tuple, list] = {}  # (fold, start) -> learning rates and the UAR on dev that each got
    for r in candidates:
        tried.setdefault((r["fold"], start_of(r["method"])), []).append([r["options"]["learning_rate"], r["dev_uar"]])
    for result in results if tried else ():
        pairs = tried[result["fold"], start_of(result["method"])]
        result["choice"] = {"fold": result["fold"], "dev_uar": pairs}
    short = json.loads(json.dumps(results), parse_float=_rounded)
    lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in short)
    kept = f'{{"question": {json.dumps(plan.question)}, "results": [\n{lines}\n]}}\n'
    write((folder or BOOK_RESULTS) / f"{name}.json", kept)
    return load_study(name, folder)


def load_study(name: str, folder: Path | None = None) -> Study:
    """Read a reference result.

    Raises:
        SertutError: the study is unknown, or has no result yet.
    """
    protocol(name)
    path = (folder or BOOK_RESULTS) / f"{name}.json"
    if not path.is_file():
        raise SertutError(f"{path} does not exist; run `sertut study run {name}`, then `sertut study report {name}`.")
    content = json.loads(path.read_text())
    return Study(name, content["question"], content["results"])


def reference(corpus: str, part: str = "regions", folder: Path | None = None) -> Study | None:
    """The reference results of a part of the book with `corpus`; None where there are none.

    Args:
        part: "regions" (chapters 3 and 4), "faces" (5, 6), "segments" (7), "spectrogram" (7, 8), "transfer" (9),
            "heads" (10 to 12), "streams" (13 to 15), "voices", "flaws" and "peers" (17).
    """
    name = f"{part}-{corpus}"
    known = name in PROTOCOLS and ((folder or BOOK_RESULTS) / f"{name}.json").is_file()
    return load_study(name, folder) if known else None


def published_numbers(corpus: str) -> pd.DataFrame:
    """What others got with a corpus, and how: to be shown beside our numbers, never without the protocol.

    One row a system: classes, system, protocol in words, new_speakers (were the tested speakers unheard? yes, no, not
    checked), tuned_on_test (was an epoch, a setting or a seed chosen by test scores?), WA and UAR as shares, NaN where
    they were not published, WA_spread and UAR_spread (what stands after the +-), source, and grade: who says so.

    Raises:
        SertutError: no number is known for this corpus.
    """
    table = pd.read_csv(PUBLISHED)
    must_be_known("corpus with published numbers", corpus, table["corpus"].unique().tolist())
    scores = [name for name in table if name.startswith(("WA", "UAR"))]
    table[scores] = (table[scores] / 100).round(4)
    return table[table["corpus"] == corpus].drop(columns="corpus").reset_index(drop=True)


def renewal(*studies: Study | None) -> str:
    """One line for under a figure: the references in it, which are older than the code, and what renews them."""
    found = {study.name: study for study in studies if study is not None}
    if not found:
        return "No reference results are shown here."
    older = [name for name, study in found.items() if study.older]
    said = f"Reference{', older than the code' if len(older) == len(found) else ''}: {', '.join(found)}."
    if 0 < len(older) < len(found):
        said += f" Older than the code: {', '.join(older)}."
    name = next(iter(found)) if len(found) == 1 else "NAME"
    return f"{said} Renew with: `sertut study run {name} && sertut study report {name}`"


def _rounded(number: str) -> float:
    """Four digits are plenty for sums of scores, and keep the files small."""
    value = float(number)
    return int(value) if value.is_integer() else float(f"{value:.4g}")
