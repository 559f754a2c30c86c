"""RAVDESS, audio speech: 24 actors, 2 sentences, 8 emotions, 1440 clips.

Layout ``Actor_01/03-01-05-02-01-01-01.wav``: modality, channel, emotion, intensity, statement, repetition, actor.
"""

import re
from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Problem, audio_files, warn_if_incomplete
from sertut.errors import CorpusError

ABOUT = About(
    title="Ryerson Audio-Visual Database of Emotional Speech and Song, audio speech",
    license="CC BY-NC-SA 4.0",
    citation="S. R. Livingstone, F. A. Russo, PLoS ONE 13(5): e0196391, 2018, doi 10.1371/journal.pone.0196391",
    url="https://zenodo.org/records/1188976",
)
HOW_TO_GET = (
    "download Audio_Speech_Actors_01-24.zip from https://zenodo.org/records/1188976 (free, CC BY-NC-SA 4.0) and unpack"
    " its Actor_XX folders there"
)
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
SENTENCES = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
CODE = r"01-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])"  # all fields but the modality, speech only
NAME = re.compile(rf"^03-{CODE}$")

# The five subject-wise folds of doi 10.3390/app12010327; dev actors as in github.com/Mak-Sim/ResLSTM-SER.
TEST_ACTORS = ("2 5 14 15 16", "3 6 7 13 18", "10 11 12 19 20", "8 17 21 23 24", "1 4 9 22")
DEV_ACTORS = ("3 6", "10 11", "8 17", "1 14", "2 5")

KNOWN_FAULTS = {
    "03-01-03-01-02-02-07": "holds the same samples as 03-01-03-01-02-01-07; one recording published twice",
}


def read(root: Path, known_faults: str = "drop") -> Corpus:
    """Read the official layout, WAV or FLAC.

    Args:
        root: folder that holds ``Actor_01`` ... ``Actor_24``.
        known_faults: "drop" leaves out the second copy of the one recording that was published twice; "keep" does not.

    Raises:
        CorpusError: the folder is missing or empty, or a name does not follow the code.
    """
    clips, dropped = [], []
    for path in audio_files(root):
        found = NAME.match(path.stem)
        if not found:
            raise CorpusError(
                f"{path} is not a RAVDESS name such as 03-01-05-02-01-01-01.wav (audio, speech); move it elsewhere."
            )
        if known_faults == "drop" and path.stem in KNOWN_FAULTS:
            dropped.append(Problem(path.stem, KNOWN_FAULTS[path.stem]))
            continue
        clips.append(clip_of(path, found))
    return warn_if_incomplete(
        Corpus(
            name="ravdess",
            clips=tuple(clips),
            emotions=tuple(EMOTIONS.values()),
            about=ABOUT,
            published_folds=published_folds(),
            expected={"clips": 1440, "speakers": 24},
            dropped=tuple(dropped),
        )
    )


def clip_of(path: Path, found: re.Match[str], video: Path | None = None) -> Clip:
    """The clip that a name tells of; `found` is the match of its :data:`CODE`."""
    emotion, intensity, sentence, repetition, actor = found.groups()
    details = {
        "intensity": "strong" if intensity == "02" else "normal",
        "repetition": int(repetition),
        "sex": "male" if int(actor) % 2 else "female",
    }
    return Clip(path.stem, path, f"actor {actor}", EMOTIONS[emotion], SENTENCES[sentence], video=video, details=details)


def published_folds() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """The five pairs (test actors, dev actors)."""
    return tuple((_actors(test), _actors(dev)) for test, dev in zip(TEST_ACTORS, DEV_ACTORS, strict=True))


def _actors(numbers: str) -> frozenset[str]:
    return frozenset(f"actor {int(number):02d}" for number in numbers.split())
