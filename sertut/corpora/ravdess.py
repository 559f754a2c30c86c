"""RAVDESS, audio speech: 24 actors, 2 sentences, 8 emotions, 1440 clips.

Layout ``Actor_01/03-01-05-02-01-01-01.wav``: modality, channel, emotion, intensity, statement, repetition, actor.
"""

from pathlib import Path

from sertut.corpora.corpus import About, Corpus
from sertut.corpora.reading import Source

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
ORDER = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
EMOTIONS = {f"{code:02d}": emotion for code, emotion in enumerate(ORDER, start=1)}
SENTENCES = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
# All fields but the modality, speech only.
CODE = (
    r"01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<sentence>0[12])-(?P<repetition>0[12])"
    r"-(?P<actor>0[1-9]|1\d|2[0-4])"
)

# The five subject-wise folds of doi 10.3390/app12010327; dev actors as in github.com/Mak-Sim/ResLSTM-SER.
TEST_ACTORS = ("2 5 14 15 16", "3 6 7 13 18", "10 11 12 19 20", "8 17 21 23 24", "1 4 9 22")
DEV_ACTORS = ("3 6", "10 11", "8 17", "1 14", "2 5")


def _actors(numbers: str) -> frozenset[str]:
    return frozenset(f"actor {int(number):02d}" for number in numbers.split())


def _details(codes: dict[str, str]) -> dict[str, object]:
    return {
        "intensity": "strong" if codes["intensity"] == "02" else "normal",
        "repetition": int(codes["repetition"]),
        "sex": "male" if int(codes["actor"]) % 2 else "female",
    }


SOURCE = Source(
    name="ravdess",
    about=ABOUT,
    emotions=EMOTIONS,
    sentences=SENTENCES,
    names=rf"03-{CODE}",
    details=_details,
    example="a RAVDESS name such as 03-01-05-02-01-01-01.wav (audio, speech)",
    expected={"clips": 1440, "speakers": 24},
    folds=tuple(zip(map(_actors, TEST_ACTORS), map(_actors, DEV_ACTORS), strict=True)),
    known_faults={
        "03-01-03-01-02-02-07": "holds the same samples as 03-01-03-01-02-01-07; one recording published twice"
    },
)


def read(root: Path, known_faults: str = "drop") -> Corpus:
    """Read the official layout, WAV or FLAC.

    Args:
        root: folder that holds ``Actor_01`` ... ``Actor_24``.
        known_faults: "drop" leaves out the second copy of the one recording that was published twice; "keep" does not.

    Raises:
        CorpusError: the folder is missing or empty, or a name does not follow the code.
        SertutError: `known_faults` is something else.
    """
    files, dropped = SOURCE.without_faults(SOURCE.files(root), known_faults)
    return SOURCE.corpus(map(SOURCE.clip, files), dropped)
