"""RAVDESS, audio-visual speech: the 1440 recordings of :mod:`sertut.corpora.ravdess`, seen and heard.

Layout ``Actor_01/01-01-05-02-01-01-01.mp4``: the name code of the audio set with modality 01. The archives hold every
recording twice: ``02-...`` is the same picture without sound.
"""

from dataclasses import replace
from pathlib import Path

from sertut.corpora import ravdess
from sertut.corpora.corpus import Corpus, Problem
from sertut.errors import CorpusError

ABOUT = replace(ravdess.ABOUT, title="Ryerson Audio-Visual Database of Emotional Speech and Song, audio-visual speech")
HOW_TO_GET = (
    "download Video_Speech_Actor_01.zip ... Video_Speech_Actor_24.zip from https://zenodo.org/records/1188976 (free,"
    " CC BY-NC-SA 4.0, 13 GB) and unpack their Actor_XX folders there"
)
SOURCE = replace(
    ravdess.SOURCE,
    name="ravdess-video",
    about=ABOUT,
    names=rf"0[12]-{ravdess.CODE}",
    example="a RAVDESS name such as 01-01-05-02-01-01-01.mp4 (audio-visual, speech)",
)


def read(root: Path) -> Corpus:
    """Read the official layout. Sound and picture of a clip come from the same file, so they share its clock.

    The speakers are those of the audio set, and so are the folds. The sound is not: it went through AAC, and in the one
    recording that was measured it comes one frame (33 ms) later than in the WAV. Do not pair the WAV with the video.

    Args:
        root: folder that holds ``Actor_01`` ... ``Actor_24``.

    Raises:
        CorpusError: the folder is missing or empty, a name does not follow the code, or all files are silent doubles.
    """
    files = SOURCE.files(root, (".mp4",))
    clips = [SOURCE.clip(path, video=path) for path in files if path.stem.startswith("01")]
    if not clips:
        raise CorpusError(f"{root} holds only silent doubles (02-....mp4); fetch those with sound, 01-....mp4.")
    n_silent = len(files) - len(clips)
    doubles = Problem("02-*.mp4", f"{n_silent} files are silent doubles of those with sound", clips=0)
    return SOURCE.corpus(clips, [doubles] if n_silent else [])
