"""What is wrong with a table of recordings: all of it at once, each with its line."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from sertut.corpora.cache import content_hash, fingerprint, in_threads, kept, read_clip
from sertut.corpora.clip import Clip, Region
from sertut.corpora.corpus import Problem
from sertut.corpora.own.lines import read_lines
from sertut.errors import AudioError, VideoError
from sertut.files import data_folder
from sertut.signals import SAMPLE_RATE, WINDOW_SECONDS, read_audio, write_audio
from sertut.video import read_video

REQUIRED = ("path", "emotion")
REGION = ("region_start", "region_end")
COLUMNS = (*REQUIRED, "speaker", "start", "end", "sentence", "video", *REGION)
SLACK = 0.01  # seconds that a time may lie outside: tables have two digits behind the point
FEW_SPEAKERS, FEW_CLIPS = 3, 10
"""An emotion must be spoken by one speaker each in train, dev and test; with fewer clips, scores say little."""


@dataclass
class Findings:
    """A table that was looked through. clips: of the lines without an error. errors refuse it, doubts do not."""

    table: Path
    columns: tuple[str, ...] = ()
    clips: list[Clip] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)

    def error(self, where: str, what: str) -> None:
        """Something is wrong in a line, such as "line 4"."""
        self.errors.append(Problem(f"{self.table.name}, {where}", what))

    def doubt(self, where: str, what: str) -> None:
        """Something in a line may be wrong."""
        self.doubts.append(Problem(f"{self.table.name}, {where}", what))


@dataclass(frozen=True)
class _Row:
    """One line, understood. file: resolved. start, end: of the clip within the file, seconds."""

    where: str
    cells: Mapping[str, str]
    file: Path
    start: float
    end: float
    clip: Clip

    @property
    def said_by(self) -> tuple[str, str]:
        return self.clip.speaker, self.clip.emotion

    @property
    def place(self) -> tuple[Path, float, float]:
        return self.file, self.start, self.end


def look_through(table: Path) -> Findings:
    """Read a table and every file that it names.

    Raises:
        CorpusError: it is no table at all (:func:`read_lines`).
    """
    columns, lines = read_lines(table)
    found = Findings(table, columns)
    _wrong_columns(found)
    if not found.errors and not lines:
        found.error("line 1", "no clip stands below the names of the columns.")
    if found.errors:
        return found
    cells = {}
    for where, line in lines.items():
        if len(line) == len(columns):
            cells[where] = dict(zip(columns, line, strict=True))
        else:
            found.error(where, f"{len(line)} cells, but there are {len(columns)} columns.")
    read = in_threads(lambda item: _understood(*item, table.parent), cells.items(), f"reading {table.name}")
    for where, (_, faults) in zip(cells, read, strict=True):
        for fault in faults:
            found.error(where, fault)
    rows = [row for row, _ in read if row]
    _one_file(found, rows)
    _equal_sound(found, rows)
    if cells:
        frame = pd.DataFrame.from_dict(cells, orient="index")
        _differing_case(found, frame)
        _too_few(found, frame)
    for problems in (found.errors, found.doubts):
        problems.sort(key=lambda problem: int(problem.file.split()[-1]))
    unique = len({row.file.stem for row in rows}) == len({row.file for row in rows})
    found.clips = [_named(row, row.file.stem if unique else row.cells["path"]) for row in rows]
    return found


def _wrong_columns(found: Findings) -> None:
    there = found.columns
    wanted = [*REQUIRED, *(REGION if set(REGION) & set(there) else ())]
    if missing := [name for name in wanted if name not in there]:
        found.error("line 1", f"the column {', '.join(missing)} is missing; there are {', '.join(there)}.")
    if twice := sorted({name for name in there if there.count(name) > 1}):
        found.error("line 1", f"two columns are named '{twice[0]}'.")
    for name in sorted(set(there) - set(COLUMNS)):
        if near := difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.75):
            found.doubt("line 1", f"the column '{name}' is not used; did you mean '{near[0]}'?")


def _understood(where: str, cells: Mapping[str, str], folder: Path) -> tuple[_Row | None, list[str]]:
    """The clip of a line, or none; and all that is wrong with the line by itself."""
    faults = [f"the cell '{name}' is empty." for name in (*REQUIRED, "speaker") if cells.get(name) == ""]
    starts, ends, region_starts, region_ends = (
        _times(cells.get(name, ""), name, faults) for name in ("start", "end", *REGION)
    )
    file = (folder / cells["path"]).resolve()
    spoken = Clip("", file, cells.get("speaker", ""), cells["emotion"], cells.get("sentence", ""))
    n_samples = _tried(lambda: _length(file, read_audio), faults) if cells["path"] else None
    seconds = float("inf") if n_samples is None else n_samples / SAMPLE_RATE
    start, end = starts[0] if starts else 0.0, ends[0] if ends else seconds
    if start >= end:
        faults.append(f"it starts at {start:g} s and ends at {end:g} s; the start must come first.")
    elif end > seconds + SLACK:
        faults.append(f"it ends at {end:g} s, but {cells['path']} lasts {seconds:.2f} s.")
    elif end - start < WINDOW_SECONDS:
        faults.append(f"it lasts {end - start:g} s, less than one frame of {WINDOW_SECONDS:g} s.")
    if len(region_starts) != len(region_ends):
        faults.append(f"{len(region_starts)} regions start and {len(region_ends)} end; each needs both.")
    for first, last in zip(region_starts, region_ends, strict=False):
        if not start - SLACK <= first < last <= end + SLACK:
            faults.append(f"the region {first:g} to {last:g} s does not lie inside the clip, {start:g} to {end:.2f} s.")
    video = (folder / cells["video"]).resolve() if cells.get("video") else None
    if video and (starts or ends):
        faults.append("a clip with a video cannot have a start or an end; cut the video, or leave it out.")
    elif video:
        _tried(lambda: _length(video, _pictures), faults)
    if faults:
        return None, faults
    end = min(end, seconds)
    spans = zip(region_starts, region_ends, strict=True)
    regions = tuple(Region(max(first - start, 0.0), min(last, end) - start) for first, last in spans)
    details = {name: text for name, text in cells.items() if name not in COLUMNS}
    audio = _tried(lambda: _cut(spoken, start, end), faults) if starts or ends else file
    if audio is None:
        return None, faults
    clip = replace(spoken, audio=audio, regions=regions, video=video, details=details)
    return _Row(where, cells, file, start, end, clip), faults


def _times(text: str, name: str, faults: list[str]) -> list[float]:
    """Seconds in a cell, several of them only where there are several regions."""
    try:
        found = [float(part) for part in text.split(";")] if text else []
        if not all(0 <= seconds < float("inf") for seconds in found) or (len(found) > 1 and name not in REGION):
            raise ValueError
    except ValueError:
        faults.append(f"{name} is '{text}'; write seconds, such as 1.25 (several regions: 0.5;1.25).")
        return []
    return found


def _tried(read: Callable, faults: list[str]):
    """What `read` gives; None where the file cannot be used, and then its fault is added."""
    try:
        return read()
    except (AudioError, VideoError) as problem:
        faults.append(str(problem))
        return None


def _length(path: Path, read: Callable[[Path], Sized]) -> int:
    """How many samples or pictures a file holds; it is decoded once."""
    mark = data_folder() / "cache" / "lengths" / f"{content_hash(path)}-{read.__name__}"
    return int(kept(mark, lambda temporary: temporary.write_text(str(len(read(path))))).read_text())


def _pictures(video: Path) -> Sized:
    return read_video(video, longest=48).frames


def _cut(clip: Clip, start: float, end: float) -> Path:
    """A copy of the samples from `start` to `end`, kept under the content of the whole."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)

    def write(temporary: Path) -> None:
        samples = read_clip(clip)[first:last]
        if not samples.any():
            raise AudioError(f"{clip.audio} is silent from {start:g} to {end:g} s; leave this line out.")
        write_audio(temporary, samples)

    return kept(data_folder() / "cache" / "cut" / f"{content_hash(clip.audio)}-{first}-{last}.flac", write)


def _named(row: _Row, name: str) -> Clip:
    """The row's clip under a name that no other has; it stands for a sentence that the table does not tell."""
    if row.clip.audio != row.file:
        name += f" {row.start:g}-{row.end:g} s"
    return replace(row.clip, name=name, speaker=row.clip.speaker or name, sentence=row.clip.sentence or name)


def _differing_case(found: Findings, frame: pd.DataFrame) -> None:
    for column in (name for name in ("path", "speaker", "emotion") if name in frame):
        spellings = frame[column].drop_duplicates()
        for _, written in spellings.groupby(spellings.str.casefold()):
            (there, first), *others = written.items()
            for where, other in others:
                what = f"the {column} '{other}' and '{first}' ({there}) differ in case only; write one way."
                found.error(where, what)


def _one_file(found: Findings, rows: Iterable[_Row]) -> None:
    """Lines of one file: the same twice, one sound under two labels, two speakers."""
    earlier: dict[Path, list[_Row]] = defaultdict(list)
    for row in rows:
        path, two_speakers = row.cells["path"], ""
        for other in earlier[row.file]:
            if row.place == other.place and row.said_by == other.said_by:
                found.error(row.where, f"the same clip of {path} stands in {other.where}.")
                break
            if min(row.end, other.end) - max(row.start, other.start) > 1e-6 and row.said_by != other.said_by:
                found.error(row.where, f"sound of {path} is {_differ(row, other)}; one is wrong.")
                break
            if row.clip.speaker != other.clip.speaker:
                two_speakers = two_speakers or f"{path} has two speakers: {_differ(row, other)}; folds may part them."
        else:
            if two_speakers:
                found.doubt(row.where, two_speakers)
        earlier[row.file].append(row)


def _equal_sound(found: Findings, rows: Sequence[_Row]) -> None:
    """The same samples under two names, whatever the container."""
    first: dict[str, _Row] = {}
    prints = in_threads(fingerprint, [row.clip.audio for row in rows], "comparing recordings")
    for row, samples in zip(rows, prints, strict=True):
        other = first.setdefault(samples, row)
        if row.place == other.place:
            continue
        what = f"{row.cells['path']} sounds exactly like {other.cells['path']} ({other.where})"
        if row.said_by == other.said_by:
            found.doubt(row.where, f"{what}; keep one of them.")
        else:
            found.error(row.where, f"{what}, but is {_differ(row, other)}; one of the two is wrong.")


def _differ(row: _Row, other: _Row) -> str:
    """What two lines say of one sound: ``'anna', anger here and 'ben', anger in line 3``."""
    (who, what), (whom, feels) = row.said_by, other.said_by
    return f"'{who}', {what} here and '{whom}', {feels} in {other.where}"


def _too_few(found: Findings, frame: pd.DataFrame) -> None:
    """Emotions that cannot be learned and tested, speakers that give their emotion away."""
    speakers = frame["speaker"].str.casefold() if "speaker" in frame else pd.Series("", frame.index)
    emotions = frame["emotion"].str.casefold()
    known, n_emotions = speakers[speakers != ""], emotions[emotions != ""].nunique()
    for _, same in frame[emotions != ""].groupby(emotions):
        where, name, n_speakers = same.index[0], same["emotion"].iloc[0], speakers[same.index].nunique()
        if len(known) and n_speakers < FEW_SPEAKERS:
            what = f"'{name}' has {n_speakers} speakers; train, dev and test need one each, so {FEW_SPEAKERS}."
            found.error(where, what)
        if len(same) < FEW_CLIPS:
            found.doubt(where, f"'{name}' has {len(same)} clips; scores of so few say little.")
        if n_emotions == 1:
            found.error(where, f"every clip is '{name}'; there is nothing to tell apart.")
    for _, same in frame.loc[known.index].groupby(known):
        if n_emotions > 1 and emotions[same.index].nunique() == 1:
            who, what = same["speaker"].iloc[0], same["emotion"].iloc[0]
            found.doubt(same.index[0], f"speaker '{who}' has no emotion but '{what}', which the voice gives away.")
    if known.empty:
        found.doubt("line 1", "no column 'speaker': the table cannot be cut into folds.")
    elif known.nunique() < 5:
        found.doubt("line 1", f"{known.nunique()} speakers; the chapters cut five folds and need five.")
