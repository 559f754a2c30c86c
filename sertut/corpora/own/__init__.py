"""The reader's own corpus: a table of recordings, or an audformat database, is one; :func:`load` is ``sertut.load``.

It stands apart from the published corpora because no reference result depends on it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from sertut import corpora
from sertut.corpora.corpus import About, Corpus, Fold
from sertut.corpora.own.findings import COLUMNS, Findings, look_through
from sertut.corpora.own.lines import HEADER, SUFFIXES, read_lines
from sertut.corpora.trimmed import trim_silence
from sertut.errors import CorpusError


@dataclass(frozen=True)
class OwnCorpus(Corpus):
    """A corpus from a table; where nobody knows who speaks, it refuses to make folds."""

    def folds(self, n: int = 5, seed: int = 0) -> list[Fold]:
        """As :meth:`Corpus.folds`.

        Raises:
            CorpusError: the table has no column "speaker", or too few speakers.
        """
        if "speakers" in self.untold:
            raise CorpusError(
                f"'{self.name}' does not tell who speaks, so no fold can be made: train and test would share voices,"
                " and every score would be too good; add a column 'speaker'."
            )
        return super().folds(n, seed)


def table_of(name: str, root: Path | str | None = None) -> Path | None:
    """The file behind the path of a table, or of an audformat database's folder; None for what is neither."""
    path = Path(root or "", name).expanduser().resolve()
    if path.is_dir() and (path / HEADER).is_file():
        path /= HEADER
    known = path.name == HEADER or path.suffix.lower() in SUFFIXES
    return path if known and name not in corpora.NAMES else None


def files_of(table: Path) -> list[Path]:
    """The table and every file that it names, where it is there."""
    columns, lines = read_lines(table)
    cells = [dict(zip(columns, line, strict=False)) for line in lines.values()]
    named = {row[column] for row in cells for column in ("path", "video") if row.get(column)}
    parts = sorted(table.parent.glob("db.*")) if table.name == HEADER else [table]
    return [*parts, *(path for path in (table.parent / cell for cell in sorted(named)) if path.is_file())]


def load(name: str, root: Path | str | None = None, *, trim: bool = True, **options) -> Corpus:
    """Load a corpus by name, ``load("planted")``, or by the path of a table, ``load("my/clips.csv")``.

    A table has a line a clip and the columns of :data:`COLUMNS`: ``path`` (relative to the table) and ``emotion`` must
    be there, and ``speaker`` to make folds; ``start`` and ``end`` cut a part out of the file; ``region_start`` and
    ``region_end`` say where the emotion is known to be (several: ``0.5;1.25``). All times are seconds of the file.
    Other columns go to ``Clip.details``. An audformat database is a folder with a ``db.yaml``.

    Args:
        root: folder of a recorded corpus, or of the table.
        trim: as of :func:`sertut.corpora.load`; a table with regions is not trimmed, since they would move.
        options: passed on to a corpus with a name.

    Raises:
        SertutError: as :func:`sertut.corpora.load`.
        CorpusError: something is wrong with the table; the message tells all of it, by line.
    """
    table = table_of(name, root)
    if table is None:
        if name not in corpora.NAMES and (path := Path(root or "", name)).exists():
            raise CorpusError(f"{path} is no table: write a .csv or .parquet with the columns {', '.join(COLUMNS)}.")
        return corpora.load(name, root, trim=trim, **options)
    if options:
        raise CorpusError(f"{table} is a table, which takes no option '{next(iter(options))}'; leave it out.")
    found = look_through(table)
    if found.errors:
        told = [f"{table} cannot be used, for {len(found.errors)} reasons:", *map(str, found.errors)]
        raise CorpusError("\n  ".join(told))
    if found.doubts:
        warnings.warn("\n  ".join([f"{table} can be used, but:", *map(str, found.doubts)]), stacklevel=2)
    corpus = _corpus(found)
    return trim_silence(corpus) if trim and not any(clip.regions for clip in corpus) else corpus


def _corpus(found: Findings) -> OwnCorpus:
    table = found.table
    told = {"speakers": "speaker" in found.columns, "sentences": "sentence" in found.columns}
    return OwnCorpus(
        f"{table.parent.name}/{HEADER}" if table.name == HEADER else table.name,
        tuple(found.clips),
        tuple(sorted({clip.emotion for clip in found.clips})),
        About("your own recordings", "of the recordings; a table does not tell it", "who recorded them", str(table)),
        untold=tuple(what for what, known in told.items() if not known),
    )
