"""The lines of a table of recordings, as text: from CSV, from Parquet, or from an audformat database."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from sertut.errors import CorpusError

SUFFIXES = (".csv", ".parquet")
HEADER = "db.yaml"
"""The file that makes a folder an audformat database."""

Lines = tuple[tuple[str, ...], dict[str, tuple[str, ...]]]
"""Names of the columns; and where a line stands ("line 4") -> its cells, "" for an empty one."""

NEEDS = "install it with: pip install 'sertut[tables]'"


def read_lines(table: Path) -> Lines:
    """All lines of a table; of an audformat database, all that its scheme "emotion" labels.

    Raises:
        CorpusError: the table is missing, empty, or not of the format that its name says; a package is missing.
    """
    if not table.is_file():
        raise CorpusError(f"the table {table} does not exist; check the path.")
    if table.suffix.lower() == ".csv":
        return _of_csv(table)
    return _of_frame(_audformat(table.parent) if table.name == HEADER else _parquet(table))


def _of_csv(table: Path) -> Lines:
    """Commas, semicolons or tabs, whichever the first line has most of; lines are counted as an editor does."""
    try:
        text = table.read_text("utf-8-sig")  # Excel puts a mark before the first column
        reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=text.partition("\n")[0].count), strict=True)
        columns, lines, last = tuple(cell.strip() for cell in next(reader)), {}, reader.line_num
        for cells in reader:
            if cells:
                lines[f"line {last + 1}"] = tuple(cell.strip() for cell in cells)
            last = reader.line_num
    except UnicodeDecodeError as problem:
        raise CorpusError(f"{table} is not text in UTF-8 ({problem}); save it as CSV UTF-8.") from problem
    except csv.Error as problem:
        raise CorpusError(f"{table}, line {reader.line_num}: {problem}; put the quotation marks right.") from problem
    except StopIteration:
        raise CorpusError(f"{table} is empty; its first line must name the columns.") from None
    return columns, lines


def _parquet(table: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(table, dtype_backend="numpy_nullable")
    except ImportError as problem:
        raise CorpusError(f"{table} is Parquet, which the package pyarrow reads; {NEEDS}") from problem
    except (OSError, ValueError) as problem:
        raise CorpusError(f"{table} cannot be read as Parquet ({problem}); write it again.") from problem


def _audformat(folder: Path) -> pd.DataFrame:
    """What is labeled with an emotion, with times in seconds where it is a part of a file."""
    try:
        import audformat  # comes with sertut[tables] only
    except ImportError as problem:
        raise CorpusError(f"{folder} is an audformat database, which the package audformat reads; {NEEDS}") from problem
    try:
        database = audformat.Database.load(str(folder))
        told = [name for name in ("speaker", "transcription") if name in database.schemes]
        frame = database.get("emotion", told).dropna(subset="emotion")
    except Exception as problem:  # audformat, oyaml and pandas have many
        raise CorpusError(f"{folder} cannot be read as an audformat database ({problem}).") from problem
    frame = frame.reset_index().rename(columns={"file": "path", "transcription": "sentence"})
    if "start" in frame:
        whole = frame["end"].isna() & (frame["start"] == pd.Timedelta(0))
        frame["start"] = frame["start"].dt.total_seconds().mask(whole)
        frame["end"] = frame["end"].dt.total_seconds()
    return frame


def _of_frame(frame: pd.DataFrame) -> Lines:
    rows = enumerate(frame.itertuples(index=False, name=None), start=1)
    return tuple(map(str, frame.columns)), {f"row {i}": tuple(map(_text, row)) for i, row in rows}


def _text(value: object) -> str:
    if isinstance(value, (list, np.ndarray)):
        return ";".join(map(_text, value))
    return "" if pd.isna(value) else str(value).strip()
