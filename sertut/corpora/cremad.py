"""CREMA-D: 91 actors, 12 sentences, 6 emotions, 7442 clips, and what a crowd heard and saw in each of them.

Layout ``AudioWAV/1001_DFA_ANG_XX.wav``: actor, sentence, intended emotion, level; ``VideoFlash/`` holds the same names
as ``.flv``. A clip's emotion is the intended one; the votes of the crowd stand in its details.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Problem, audio_files, warn_if_incomplete
from sertut.errors import CorpusError, unknown

ABOUT = About(
    title="Crowd-sourced Emotional Multimodal Actors Dataset",
    license="Open Database License 1.0, contents under the Database Contents License 1.0",
    citation="H. Cao et al., CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, IEEE Transactions on Affective"
    " Computing 5(4): 377-390, 2014, doi 10.1109/TAFFC.2014.2336244",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
)
HOW_TO_GET = (
    "clone https://github.com/CheyneyComputerScience/CREMA-D (free, ODbL 1.0) with Git LFS, so that AudioWAV/ and, for"
    " faces, VideoFlash/ lie there (a ZIP download has placeholders instead of recordings)"
)
EMOTIONS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"}
VOTES = {code[0]: emotion for code, emotion in EMOTIONS.items()}  # column of the vote table -> emotion
STREAMS = {1: "voice", 2: "face", 3: "both"}  # first digit of a row's key: what the raters were given
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
NAME = re.compile(rf"^(10\d\d)_({'|'.join(SENTENCES)})_({'|'.join(EMOTIONS)})_({'|'.join(LEVELS)})$")

# Five folds of consecutive actors, as in github.com/EMOsuperb/EMO-SUPERB-submission: the next block is dev.
BLOCKS = ((1001, 1018), (1019, 1036), (1037, 1054), (1055, 1072), (1073, 1091))

_TWO_LABELS = "one recording published under two emotions, {} and {}; which one is true is not known"
KNOWN_FAULTS = {
    "1076_MTI_SAD_XX": "has no sound",
    **dict.fromkeys(("1006_TIE_HAP_XX", "1006_TIE_NEU_XX"), _TWO_LABELS.format("happiness", "neutral")),
    **dict.fromkeys(("1013_WSI_DIS_XX", "1013_WSI_SAD_XX"), _TWO_LABELS.format("disgust", "sadness")),
    **dict.fromkeys(("1017_IWW_ANG_XX", "1017_IWW_FEA_XX"), _TWO_LABELS.format("anger", "fear")),
}
KNOWN_VIDEO_FAULTS = {
    "1064_IEO_DIS_MD": "its video lasts a minute and shows all emotions",
    "1064_TIE_SAD_XX": "its video has no duration",
    "1076_MTI_NEU_XX": "its video is very short and without sound",
    "1076_MTI_SAD_XX": "its video shows an error message",
}
LFS_POINTER = b"version https://git-lfs"


def read(root: Path, known_faults: str = "drop", video: bool = True) -> Corpus:
    """Read the official layout, WAV or FLAC.

    A clip's details hold ``level`` and ``code`` (of the sentence); ``age``, ``sex``, ``race`` and ``ethnicity`` where
    ``VideoDemographics.csv`` is there; ``votes``, a dictionary ``votes["face"]["anger"]``, where the table of
    :func:`read_votes` is there. Sound is taken from the WAV and pictures from the FLV; both are assumed to start at
    the same time.

    Args:
        root: folder that holds ``AudioWAV``.
        known_faults: "drop" leaves out the clip without sound and the three pairs that are one recording under two
            emotions; "keep" does not.
        video: whether clips get their video, where it is there. Without, the sound is trimmed like that of other
            corpora.

    Raises:
        CorpusError: ``AudioWAV`` is missing or empty, a name does not follow the code, a recording is a placeholder of
            Git LFS, or a table does not fit.
    """
    if known_faults not in ("drop", "keep"):
        raise unknown("known_faults", known_faults, ("drop", "keep"))
    files = audio_files(root / "AudioWAV", (".wav", ".flac"))
    _refuse_pointers(files, root)
    actors = _read_actors(root)
    votes = _votes_by_clip(root) if _table(root, "tabulatedVotes.csv") else {}
    clips, dropped = [], []
    for path in files:
        actor, sentence, emotion, level = _parse(path.stem, path)
        if known_faults == "drop" and path.stem in KNOWN_FAULTS:
            dropped.append(Problem(path.stem, KNOWN_FAULTS[path.stem]))
            continue
        if actors and actor not in actors:
            raise CorpusError(f"{root / 'VideoDemographics.csv'} has no row for actor {actor}; fetch it again.")
        if votes and path.stem not in votes:
            raise CorpusError(f"{_table(root, 'tabulatedVotes.csv')} has no votes on {path.stem}; fetch it again.")
        details = {"level": LEVELS[level], "code": sentence, **actors.get(actor, {})}
        if votes:
            details["votes"] = votes[path.stem]
        clips.append(Clip(path.stem, path, f"actor {actor}", EMOTIONS[emotion], SENTENCES[sentence], details=details))
    if video and (root / "VideoFlash").is_dir():
        clips, problems = _with_videos(clips, root / "VideoFlash")
        dropped += problems
    folds = [frozenset(f"actor {number}" for number in range(first, last + 1)) for first, last in BLOCKS]
    return warn_if_incomplete(
        Corpus(
            name="cremad",
            clips=tuple(clips),
            emotions=tuple(EMOTIONS.values()),
            about=ABOUT,
            published_folds=tuple(zip(folds, folds[1:] + folds[:1], strict=True)),
            expected={"clips": 7442, "speakers": 91},
            dropped=tuple(dropped),
        )
    )


def read_votes(root: Path) -> pd.DataFrame:
    """How many raters heard or saw which emotion; needs no recording.

    Returns:
        one row a clip and stream: ``name`` (of the clip), ``stream`` ("voice": only heard, "face": only seen, "both"),
        ``intended`` (the emotion asked of the actor), ``majority`` (the emotion with most votes, or "tie"), and one
        column of counts an emotion. ``table[list(EMOTIONS.values())].sum().sum()`` is the number of votes.

    Raises:
        CorpusError: ``tabulatedVotes.csv`` is neither in ``processedResults`` nor in `root`, or does not fit.
    """
    path = _table(root, "tabulatedVotes.csv")
    if path is None:
        raise CorpusError(f"{root} holds no processedResults/tabulatedVotes.csv; fetch it from {ABOUT.url}.")
    columns = ["fileName", *VOTES]
    table = _read_csv(path, columns, index_col=0)
    if any(kind not in "iu" for kind in (table.index.dtype.kind, *(table[letter].dtype.kind for letter in VOTES))):
        raise CorpusError(f"{path} holds keys or votes that are not whole numbers; fetch it again.")
    if strange := sorted(set(table.index // 100_000) - set(STREAMS)):
        raise CorpusError(f"{path}: a key begins with {strange[0]}, not with 1, 2 or 3; fetch it again.")
    counts = table[list(VOTES)].rename(columns=VOTES).reset_index(drop=True)
    most = counts.max(axis=1)
    tied = counts.eq(most, axis=0).sum(axis=1) > 1
    said = pd.DataFrame(
        {
            "name": table["fileName"].to_numpy(),
            "stream": [STREAMS[key // 100_000] for key in table.index],
            "intended": [EMOTIONS[_parse(name, path)[2]] for name in table["fileName"]],
            "majority": counts.idxmax(axis=1).mask(tied, "tie"),
        }
    )
    if (twice := said.duplicated(["name", "stream"])).any():
        raise CorpusError(f"{path} has two rows for {said.name[twice].iloc[0]}; fetch it again.")
    return said.join(counts)


def _votes_by_clip(root: Path) -> dict[str, dict[str, dict[str, int]]]:
    """``votes[clip][stream][emotion]``."""
    votes: dict[str, dict[str, dict[str, int]]] = {}
    for row in read_votes(root).to_dict("records"):
        votes.setdefault(row["name"], {})[row["stream"]] = {emotion: row[emotion] for emotion in EMOTIONS.values()}
    return votes


def _read_actors(root: Path) -> dict[str, dict[str, object]]:
    """What the table of actors says of each, e.g. ``{"1001": {"age": 51, "sex": "male", ...}}``; empty without it."""
    path = _table(root, "VideoDemographics.csv")
    if path is None:
        return {}
    table = _read_csv(path, ["ActorID", "Age", "Sex", "Race", "Ethnicity"])
    return {
        str(row["ActorID"]): {
            "age": row["Age"],
            "sex": row["Sex"].lower(),
            "race": row["Race"],
            "ethnicity": row["Ethnicity"],
        }
        for row in table.to_dict("records")
    }


def _table(root: Path, name: str) -> Path | None:
    """A table of results: in the folder of the official repository, or beside the recordings."""
    return next((path for path in (root / "processedResults" / name, root / name) if path.is_file()), None)


def _read_csv(path: Path, columns: list[str], **options) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, **options)
    except (ValueError, UnicodeDecodeError) as problem:  # of pandas' parser, too
        raise CorpusError(f"{path} cannot be read as a table ({problem}); fetch it again.") from problem
    if missing := [column for column in columns if column not in table]:
        raise CorpusError(f"{path} has no column {', '.join(missing)}; fetch it again.")
    return table


def _parse(name: str, path: Path) -> tuple[str, str, str, str]:
    """Codes of actor, sentence, emotion and level; `path` is where the name was found."""
    found = NAME.match(name)
    if not found:
        raise CorpusError(f"{path}: {name} is not a CREMA-D name such as 1001_DFA_ANG_XX; move it elsewhere.")
    actor, sentence, emotion, level = found.groups()
    return actor, sentence, emotion, level


def _is_pointer(path: Path) -> bool:
    """Whether Git LFS left a placeholder (130 bytes of text) instead of the recording."""
    if path.stat().st_size > 1000:
        return False
    with path.open("rb") as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER


def _refuse_pointers(files: list[Path], root: Path) -> None:
    if pointers := [path for path in files if _is_pointer(path)]:
        raise CorpusError(
            f"{pointers[0]} is a placeholder of Git LFS, not a recording (as are {len(pointers)} of {len(files)}"
            f' files): run `git lfs pull --include="AudioWAV/**"` in {root}.'
        )


def _with_videos(clips: list[Clip], folder: Path) -> tuple[list[Clip], list[Problem]]:
    """The clips with their videos, and which have none."""
    result, problems, absent, pointers = [], [], 0, 0
    for clip in clips:
        path = folder / f"{clip.name}.flv"
        if clip.name in KNOWN_VIDEO_FAULTS:
            problems.append(Problem(path.name, f"{KNOWN_VIDEO_FAULTS[clip.name]}; it is not used", clips=0))
        elif not path.is_file():
            absent += 1
        elif _is_pointer(path):
            pointers += 1
        else:
            clip = replace(clip, video=path)
        result.append(clip)
    if absent:
        problems.append(Problem("VideoFlash", f"{absent} of {len(clips)} clips have no video there", clips=0))
    if pointers:
        what = f'{pointers} videos are placeholders of Git LFS: run `git lfs pull --include="VideoFlash/**"`'
        problems.append(Problem("VideoFlash", what, clips=0))
    for problem in problems:
        if problem.file == "VideoFlash":
            warnings.warn(str(problem), stacklevel=3)
    return result, problems
