"""RAVDESS, audio-visual speech: the 1440 takes of :mod:`sertut.corpora.ravdess`, seen and heard.

Layout ``Actor_01/01-01-05-02-01-01-01.mp4``: the name code of the audio set with modality 01. The archives hold every
take twice: ``02-...`` is the same picture without sound.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sertut.corpora import ravdess
from sertut.corpora.corpus import Corpus, Problem, audio_files, warn_if_incomplete
from sertut.errors import CorpusError

ABOUT = replace(ravdess.ABOUT, title="Ryerson Audio-Visual Database of Emotional Speech and Song, audio-visual speech")
HOW_TO_GET = (
    "download Video_Speech_Actor_01.zip ... Video_Speech_Actor_24.zip from https://zenodo.org/records/1188976 (free,"
    " CC BY-NC-SA 4.0, 13 GB) and unpack their Actor_XX folders there"
)
NAME = re.compile(rf"^0[12]-{ravdess.CODE}$")


def read(root: Path) -> Corpus:
    """Read the official layout. Sound and picture of a clip come from the same file, so they share its clock.

    The speakers are those of the audio set, and so are the folds. The sound is not: it went through AAC, and in the one
    take that was measured it comes one frame (33 ms) later than in the WAV. Do not pair the WAV with the video.

    Args:
        root: folder that holds ``Actor_01`` ... ``Actor_24``.

    Raises:
        CorpusError: the folder is missing or empty, a name does not follow the code, or all files are silent doubles.
    """
    clips, silent = [], 0
    for path in audio_files(root, (".mp4",)):
        found = NAME.match(path.stem)
        if not found:
            raise CorpusError(
                f"{path} is not a RAVDESS name such as 01-01-05-02-01-01-01.mp4 (audio-visual, speech);"
                " move it elsewhere."
            )
        if path.stem.startswith("02"):
            silent += 1
        else:
            clips.append(ravdess.clip_of(path, found, video=path))
    if not clips:
        raise CorpusError(f"{root} holds only silent doubles (02-....mp4); fetch the takes with sound, 01-....mp4.")
    doubles = Problem("02-*.mp4", f"{silent} files are silent doubles of the takes with sound", clips=0)
    return warn_if_incomplete(
        Corpus(
            name="ravdess-video",
            clips=tuple(clips),
            emotions=tuple(ravdess.EMOTIONS.values()),
            about=ABOUT,
            published_folds=ravdess.published_folds(),
            expected={"clips": 1440, "speakers": 24},
            dropped=(doubles,) if silent else (),
        )
    )
