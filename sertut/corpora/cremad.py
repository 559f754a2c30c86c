"""CREMA-D: 91 actors, 12 sentences, 6 emotions, 7442 clips, and what a crowd heard and saw in each of them.

Layout ``AudioWAV/1001_DFA_ANG_XX.wav``: actor, sentence, intended emotion, level; ``VideoFlash/`` holds the same names
as ``.flv``. A clip's emotion is the intended one; the votes of the crowd stand in its details.
"""

import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Problem
from sertut.corpora.reading import Source, neighbors
from sertut.errors import CorpusError
from sertut.video.container import is_lfs_pointer

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
VOTES_FILE = "tabulatedVotes.csv"
ACTORS_FILE = "VideoDemographics.csv"
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

# Five folds of consecutive actors, as in github.com/EMOsuperb/EMO-SUPERB-submission: the next block is dev.
BLOCKS = ((1001, 1018), (1019, 1036), (1037, 1054), (1055, 1072), (1073, 1091))
SOURCE = Source(
    name="cremad",
    about=ABOUT,
    emotions=EMOTIONS,
    sentences=SENTENCES,
    names=rf"(?P<actor>10\d\d)_(?P<sentence>{'|'.join(SENTENCES)})_(?P<emotion>{'|'.join(EMOTIONS)})_(?P<level>{'|'.join(LEVELS)})",
    details=lambda codes: {"level": LEVELS[codes["level"]], "code": codes["sentence"]},
    example="a CREMA-D name such as 1001_DFA_ANG_XX",
    expected={"clips": 7442, "speakers": 91},
    folds=neighbors([[f"actor {number}" for number in range(first, last + 1)] for first, last in BLOCKS]),
    known_faults=KNOWN_FAULTS,
)


def read(root: Path, known_faults: str = "drop", video: bool = True) -> Corpus:
    """Read the official layout, WAV or FLAC.

    A clip's details hold ``level`` and ``code`` (of the sentence); ``age``, ``sex``, ``race`` and ``ethnicity`` where
    ``VideoDemographics.csv`` is there; and ``votes``, a dictionary ``votes["face"]["anger"]``, where the table of
    :func:`read_votes` is. Sound is taken from the WAV and pictures from the FLV; both are assumed to start at the same
    time.

    Args:
        root: folder that holds ``AudioWAV``.
        known_faults: "drop" leaves out the clip without sound and the three pairs that are one recording under two
            emotions; "keep" does not.
        video: whether clips get their video, where it is there. Without, the sound is trimmed like that of other
            corpora.

    Raises:
        SertutError: `known_faults` is something else.
        CorpusError: ``AudioWAV`` is missing or empty, a name does not follow the code, a recording is a placeholder of
            Git LFS, or a table does not fit.
    """
    files = SOURCE.files(root / "AudioWAV", (".wav", ".flac"))
    if pointers := [path for path in files if is_lfs_pointer(path)]:
        raise CorpusError(
            f"{pointers[0]} is a placeholder of Git LFS, not a recording (as are {len(pointers)} of {len(files)}"
            f' files): run `git lfs pull --include="AudioWAV/**"` in {root}.'
        )
    files, dropped = SOURCE.without_faults(files, known_faults)
    votes, actors = _votes_by_clip(root), _actors(root)
    clips = [SOURCE.clip(path) for path in files]
    if actors:
        if unknown := [clip.speaker for clip in clips if clip.speaker not in actors]:
            raise CorpusError(f"{_table_of(root, ACTORS_FILE)} has no row for {unknown[0]}; fetch it again.")
        clips = [replace(clip, details={**clip.details, **actors[clip.speaker]}) for clip in clips]
    if votes:
        if unknown := [clip.name for clip in clips if clip.name not in votes]:
            raise CorpusError(f"{_table_of(root, VOTES_FILE)} has no votes on {unknown[0]}; fetch it again.")
        clips = [replace(clip, details={**clip.details, "votes": votes[clip.name]}) for clip in clips]
    if video and (root / "VideoFlash").is_dir():
        clips, unseen = _with_videos(clips, root / "VideoFlash")
        dropped += unseen
    return SOURCE.corpus(clips, dropped)


def read_votes(root: Path) -> pd.DataFrame:
    """How many raters heard or saw which emotion; needs no recording.

    Returns:
        one row a clip and stream: ``name`` (of the clip), ``stream`` ("voice": only heard, "face": only seen, "both"),
        ``intended`` (the emotion asked of the actor), ``majority`` (the emotion with most votes, or "tie"), and one
        column of counts an emotion. ``table[list(EMOTIONS.values())].sum().sum()`` is the number of votes.

    Raises:
        CorpusError: ``tabulatedVotes.csv`` is neither in ``processedResults`` nor in `root`, or does not fit.
    """
    path = _table_of(root, VOTES_FILE)
    if path is None:
        raise CorpusError(f"{root} holds no processedResults/{VOTES_FILE}; fetch it from {ABOUT.url}.")
    table = _read_csv(path, ["fileName", *VOTES], index_col=0)
    if any(kind not in "iu" for kind in (table.index.dtype.kind, *(table[letter].dtype.kind for letter in VOTES))):
        raise CorpusError(f"{path} holds keys or votes that are not whole numbers; fetch it again.")
    if strange := sorted(set(table.index // 100_000) - set(STREAMS)):
        raise CorpusError(f"{path}: a key begins with {strange[0]}, not with 1, 2 or 3; fetch it again.")
    counts = table[list(VOTES)].rename(columns=VOTES).reset_index(drop=True)
    tied = counts.eq(counts.max(axis=1), axis=0).sum(axis=1) > 1
    said = pd.DataFrame(
        {
            "name": table["fileName"].to_numpy(),
            "stream": [STREAMS[key // 100_000] for key in table.index],
            "intended": [EMOTIONS[SOURCE.codes(name, f"{path}: {name}")["emotion"]] for name in table["fileName"]],
            "majority": counts.idxmax(axis=1).mask(tied, "tie"),
        }
    )
    if (twice := said.duplicated(["name", "stream"])).any():
        raise CorpusError(f"{path} has two rows for {said.name[twice].iloc[0]}; fetch it again.")
    return said.join(counts)


def _votes_by_clip(root: Path) -> dict[str, dict[str, dict[str, int]]]:
    """``votes[clip][stream][emotion]``; empty without the table."""
    votes: dict[str, dict[str, dict[str, int]]] = {}
    for row in read_votes(root).to_dict("records") if _table_of(root, VOTES_FILE) else ():
        votes.setdefault(row["name"], {})[row["stream"]] = {emotion: row[emotion] for emotion in EMOTIONS.values()}
    return votes


def _actors(root: Path) -> dict[str, dict[str, object]]:
    """What the table of actors says of each, e.g. ``{"actor 1001": {"age": 51, "sex": "male", ...}}``."""
    path = _table_of(root, ACTORS_FILE)
    if path is None:
        return {}
    table = _read_csv(path, ["ActorID", "Age", "Sex", "Race", "Ethnicity"]).rename(columns=str.lower)
    table["sex"] = table["sex"].str.lower()
    named = table.set_index("actor " + table.pop("actorid").astype(str))
    return named[["age", "sex", "race", "ethnicity"]].to_dict("index")


def _table_of(root: Path, name: str) -> Path | None:
    """A table of the corpus: in the folder of the official repository, or beside the recordings."""
    return next((path for path in (root / "processedResults" / name, root / name) if path.is_file()), None)


def _read_csv(path: Path, columns: list[str], **options) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, **options)
    except (ValueError, UnicodeDecodeError) as problem:  # of pandas' parser, too
        raise CorpusError(f"{path} cannot be read as a table ({problem}); fetch it again.") from problem
    if missing := [column for column in columns if column not in table]:
        raise CorpusError(f"{path} has no column {', '.join(missing)}; fetch it again.")
    return table


def _with_videos(clips: list[Clip], folder: Path) -> tuple[list[Clip], list[Problem]]:
    """The clips with their videos, and which have none."""
    videos = {clip.name: folder / f"{clip.name}.flv" for clip in clips}
    faults = {name: KNOWN_VIDEO_FAULTS[name] for name in videos if name in KNOWN_VIDEO_FAULTS}
    absent = {name for name, path in videos.items() if name not in faults and not path.is_file()}
    pointers = {name for name in videos.keys() - faults.keys() - absent if is_lfs_pointer(videos[name])}
    pull = 'run `git lfs pull --include="VideoFlash/**"`'
    problems = [Problem(f"{name}.flv", f"{fault}; it is not used", clips=0) for name, fault in faults.items()]
    for names, what in (
        (absent, f"{len(absent)} of {len(clips)} clips have no video there"),
        (pointers, f"{len(pointers)} videos are placeholders of Git LFS: {pull}"),
    ):
        if names:
            problems.append(Problem(folder.name, what, clips=0))
            warnings.warn(str(problems[-1]), stacklevel=3)
    usable = videos.keys() - faults.keys() - absent - pointers
    return [replace(clip, video=videos[clip.name] if clip.name in usable else None) for clip in clips], problems
