"""EMO-DB, the Berlin database: 10 speakers, 10 German sentences, 7 emotions, 535 selected clips.

Layout ``wav/03a01Fa.wav``: speaker, text, emotion letter, version.
"""

from pathlib import Path

from sertut.corpora.corpus import About, Corpus
from sertut.corpora.reading import Source, neighbors

ABOUT = About(
    title="Berlin Database of Emotional Speech",
    license="not stated at its home; CC0-1.0 in audEERING's copy, CC BY 4.0 for EMO-DB 2.0: do not redistribute",
    citation="F. Burkhardt et al., A Database of German Emotional Speech, Interspeech 2005, pp. 1517-1520,"
    " doi 10.21437/Interspeech.2005-446",
    url="http://emodb.bilderbar.info",
)
HOW_TO_GET = "download download.zip from http://emodb.bilderbar.info/download/ and unpack its wav folder there"
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen.",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
SOURCE = Source(
    name="emodb",
    about=ABOUT,
    emotions=EMOTIONS,
    sentences=SENTENCES,
    names=r"(?P<speaker>03|08|09|1[0-6])(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])(?P<version>[a-z])",
    details=lambda codes: {"version": codes["version"]},
    example="an EMO-DB name such as 03a01Fa.wav",
    expected={"clips": 535, "speakers": 10},
    folds=neighbors([{f"speaker {number}"} for number in SPEAKERS]),
)


def read(root: Path) -> Corpus:
    """Read the official layout, WAV or FLAC. One fold a speaker: that speaker is test, the next one dev.

    Args:
        root: folder that holds ``wav/``.

    Raises:
        CorpusError: the folder is missing or empty, or a name does not follow the code.
    """
    return SOURCE.corpus(map(SOURCE.clip, SOURCE.files(root)))
