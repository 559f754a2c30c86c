"""A study's results: collected into one small JSON that the book keeps, and read back with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sertut.errors import SertutError, unknown
from sertut.evidence import Tally
from sertut.files import writing
from sertut.study.grid import results_folder
from sertut.study.protocols import PROTOCOLS, protocol

BOOK_RESULTS = Path(__file__).resolve().parents[2] / "book" / "results"
"""Where the reference results are kept in a checkout."""


@dataclass(frozen=True)
class Study:
    """The results of a study. results: what each training wrote (see :func:`sertut.study.grid.train_one`)."""

    name: str
    question: str
    results: Sequence[Mapping]

    @property
    def command(self) -> str:
        """What renews these results."""
        return f"sertut study run {self.name} && sertut study report {self.name}"

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

    def pooled(self, method: str, corpus: str | None = None, part: str = "report") -> Tally:
        """All folds and seeds of one method: scores with intervals, and paired differences.

        Args:
            corpus: needed only where the study has several.
            part: of the results: "report", or where it is kept "deletion", "shifts", "streams", "mixture", or the
                lengths "middle", "segments", "joined".

        Raises:
            SertutError: unknown method; the study was run without that part.
        """
        found = self.cell(method, corpus)
        if any(part not in result for result in found):
            raise SertutError(f"the study '{self.name}' holds no {part} of '{method}'; renew it with: {self.command}")
        return Tally.pooled([result[part] for result in found], [result["seed"] for result in found])

    def has(self, method: str, part: str = "report", corpus: str | None = None) -> bool:
        """Whether a part of the results was kept of a method, all its folds and seeds."""
        cells = [found for (name, m), found in self.cells.items() if m == method and corpus in (None, name)]
        return bool(cells) and all(part in result for found in cells for result in found)

    def scores(self, method: str, fold: int, score: str = "uar", corpus: str | None = None) -> list[float]:
        """The score of each seed on one fold: what a reader's own run on that fold is compared with.

        Args:
            score: "uar", or a metric of the attention map such as "auroc" (localization) or "hit" (loudness).

        Raises:
            SertutError: the study did not run this fold.
        """
        if fold not in self.folds:
            raise SertutError(f"the study '{self.name}' ran the folds {', '.join(map(str, self.folds))}, not {fold}.")
        found = [result for result in self.cell(method, corpus) if result["fold"] == fold]
        return [float(Tally.pooled([r["report"]], [r["seed"]]).of_each_seed(score)[0]) for r in found]

    def band(self, method: str, fold: int, score: str = "uar", corpus: str | None = None) -> tuple[float, float]:
        """Where a repetition of the training on this fold must fall: mean of its seeds -+ 4 standard deviations.

        The standard deviation is that between seeds, pooled over all folds, because 5 seeds of one fold tell little of
        it: with 3 folds a 99 % prediction interval (Student's t, 12 degrees of freedom) is already 3.3 wide.
        """
        folds = sorted({result["fold"] for result in self.cell(method, corpus)})
        variances = [np.var(self.scores(method, other, score, corpus), ddof=1) for other in folds]
        margin = max(4 * float(np.sqrt(np.mean(variances))), 0.01)
        center = float(np.mean(self.scores(method, fold, score, corpus)))
        return center - margin, center + margin

    def table(self) -> pd.DataFrame:
        """One row a corpus and method: UAR and WA with intervals, chance, localization beside its chance."""
        rows = []
        for (corpus, method), found in self.cells.items():
            pooled = self.pooled(method, corpus)
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
            rows.append(row)
        return pd.DataFrame(rows)

    def cell(self, method: str, corpus: str | None = None) -> list[Mapping]:
        """The results of one method, a training each; `corpus` as in :meth:`pooled`."""
        corpora = sorted({name for name, _ in self.cells})
        if corpus is None:
            if len(corpora) > 1:
                raise SertutError(f"the study '{self.name}' has the corpora {', '.join(corpora)}: name one.")
            corpus = corpora[0]
        if (corpus, method) not in self.cells:
            raise unknown("method", method, [known for name, known in self.cells if name == corpus])
        return self.cells[corpus, method]


def report_study(name: str, folder: Path | None = None) -> Study:
    """Collect the results of a finished study into ``<folder>/<name>.json``; return them.

    Raises:
        SertutError: trainings are missing; the message says how many and how to run them.
    """
    plan = protocol(name)
    paths = [results_folder(name) / f"{training.key}.json" for training in plan.trainings()]
    if missing := [path for path in paths if not path.is_file()]:
        raise SertutError(
            f"{len(missing)} of {len(paths)} trainings of '{name}' have not been run; run `sertut study run {name}`."
        )
    results = [_rounded(json.loads(path.read_text())) for path in paths]
    with writing((folder or BOOK_RESULTS) / f"{name}.json") as temporary:
        lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in results)
        temporary.write_text(f'{{"question": {json.dumps(plan.question)}, "results": [\n{lines}\n]}}\n')
    return load_study(name, folder)


def load_study(name: str, folder: Path | None = None) -> Study:
    """Read a reference result.

    Raises:
        SertutError: the study is unknown, or has no result yet.
    """
    if name not in PROTOCOLS:
        raise unknown("study", name, PROTOCOLS)
    path = (folder or BOOK_RESULTS) / f"{name}.json"
    if not path.is_file():
        raise SertutError(f"{path} does not exist; run `sertut study run {name}`, then `sertut study report {name}`.")
    content = json.loads(path.read_text())
    return Study(name, content["question"], content["results"])


def _rounded(value):
    """Five digits are plenty for sums of scores, and keep the files small."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.5g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value


def reference(corpus: str, part: str = "regions", folder: Path | None = None) -> Study | None:
    """The reference results of a part of the book with `corpus`; None where there are none.

    Args:
        part: "regions" (chapters 3 and 4), "faces" (5), "spectrogram" (6 and 7), "heads" (9 to 11), "streams" (12, 13).
    """
    name = f"{part}-{corpus}"
    known = name in PROTOCOLS and ((folder or BOOK_RESULTS) / f"{name}.json").is_file()
    return load_study(name, folder) if known else None
