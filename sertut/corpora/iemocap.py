"""IEMOCAP: five pairs of actors, improvised scenes and scripted plays, 10039 turns labeled by several listeners.

Layout ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M013.wav``, labels in
``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt``. In ``Ses01F_impro01_M013`` the speaker is the **last** letter: the
man's turn 13. The F in front is the actor who wore the markers in this dialog, whoever speaks; taking it for the
speaker (as published loaders do) mixes two people.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Problem
from sertut.corpora.reading import Source
from sertut.errors import CorpusError, must_be_known

ABOUT = About(
    title="Interactive Emotional Dyadic Motion Capture database",
    license="its own release agreement: research, after a signed form; nothing may be passed on, not even labels",
    citation="C. Busso et al., IEMOCAP: interactive emotional dyadic motion capture database, Language Resources and"
    " Evaluation 42(4): 335-359, 2008, doi 10.1007/s10579-008-9076-6",
    url="https://sail.usc.edu/iemocap/",
)
HOW_TO_GET = (
    "ask for it with the form Data_Release_Form_IEMOCAP.pdf of https://sail.usc.edu/iemocap/ (free for research; sertut"
    " never downloads it) and unpack Session1 ... Session5 there"
)
UNDECIDED = "no majority"
CATEGORIES = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "excitement",
    "neu": "neutral",
    "sad": "sadness",
    "fru": "frustration",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
    "xxx": UNDECIDED,
}
FOUR = ("anger", "happiness", "neutral", "sadness")
"""The classes that almost all publications use."""

EXCITEMENT = ("merge", "drop", "keep")
PARTS = ("improvised", "scripted", "all")
SPAN = r"\[\s*([\d.]+)\s*-\s*([\d.]+)\s*\]"
LABEL = re.compile(rf"^{SPAN}\t(\S+)\t({'|'.join(CATEGORIES)})\t\[\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*\]\s*$")
TEXT = re.compile(rf"^(\S+) {SPAN}: *(.*?)\s*$")


def _pair(session: int) -> frozenset[str]:
    return frozenset({f"Ses0{session} F", f"Ses0{session} M"})


SOURCE = Source(
    name="iemocap",
    about=ABOUT,
    emotions=CATEGORIES,
    names=r"Ses0([1-5])([FM])_(impro\d\d[ab]?|script\d\d_\d[ab]?)_([FM])(\d{3})",
    example="an IEMOCAP name such as Ses01F_impro01_M013.wav",
    expected={"clips": 10_039, "speakers": 10},
    # (test, dev) pairs, as in github.com/EMOsuperb/EMO-SUPERB-submission.
    folds=tuple((_pair(test), _pair(dev)) for test, dev in ((4, 5), (3, 4), (2, 3), (1, 2), (5, 1))),
)


def read(
    root: Path,
    part: str = "improvised",
    excitement: str = "merge",
    emotions: Sequence[str] = FOUR,
) -> Corpus:
    """Read the official layout; labels are the majority of the listeners.

    Numbers are comparable only where all three options are the same, so say them with every result. Improvised turns
    are the default because the scripted plays were spoken by all five pairs: there, the words give the emotion away.

    A clip's details: ``part``, ``category`` (before excitement was merged), ``start`` and ``end`` (seconds of the
    dialog), ``valence``, ``activation`` and ``dominance`` (1-5). Its sentence is taken from ``dialog/transcriptions``.

    Args:
        root: folder that holds ``Session1`` ... ``Session5``.
        part: "improvised", "scripted" or "all".
        excitement: "merge" counts it as happiness, "drop" leaves it out, "keep" makes it a class of its own.
        emotions: the classes; turns of all others are left out and counted in :attr:`Corpus.dropped`.

    Raises:
        SertutError: an option has another value.
        CorpusError: a folder is missing or empty, a name or a line of labels does not follow the code.
    """
    classes = [name for name in CATEGORIES.values() if name not in ("excitement", UNDECIDED)]
    options = [("part", part, PARTS), ("rule for excitement", excitement, EXCITEMENT)]
    for kind, value, known in [*options, *(("emotion", emotion, classes) for emotion in emotions)]:
        must_be_known(kind, value, known)
    sessions = sorted(root.glob("Session[1-5]"))
    if not sessions:
        raise CorpusError(f"the folder {root} holds no Session1; name the folder IEMOCAP_full_release itself.")
    wanted = (*emotions, "excitement") if excitement == "keep" else tuple(emotions)
    clips: list[Clip] = []
    left_out: Counter[str] = Counter()
    problems: list[Problem] = []
    for session in sessions:
        files = SOURCE.files(session / "sentences" / "wav", (".wav", ".flac"))
        recordings = {path.stem: path for path in files}
        turns = dict(_labels(session))
        texts = _texts(session)
        for what, names in (
            ("labels without a recording", turns.keys() - recordings.keys()),
            ("recordings without a label", recordings.keys() - turns.keys()),
        ):
            if names:
                problems.append(Problem(session.name, f"{len(names)} {what}, e.g. {min(names)}", clips=0))
        for name, details in turns.items():
            category = str(details["category"])
            emotion = "happiness" if category == "excitement" and excitement == "merge" else category
            if name not in recordings:
                continue  # said in problems
            if part not in (details["part"], "all"):
                left_out[str(details["part"])] += 1
            elif emotion not in wanted:
                left_out[emotion] += 1
            else:
                speaker = f"{name[:5]} {name[-4]}"
                clips.append(Clip(name, recordings[name], speaker, emotion, texts.get(name, name), details=details))
    dropped = [Problem(what, f"{n} turns, not asked for", clips=n) for what, n in sorted(left_out.items())]
    untold = ("sentences",) if all(clip.sentence == clip.name for clip in clips) else ()
    return SOURCE.corpus(clips, [*dropped, *problems], emotions=wanted, untold=untold)


def _labels(session: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and details of all turns of a session, in the order of its evaluation files."""
    folder = session / "dialog" / "EmoEvaluation"
    files = _text_files(folder)
    if not files:
        raise CorpusError(f"{folder} holds no label file such as Ses01F_impro01.txt; unpack the release again.")
    for path in files:
        seen = set()
        for number, line in _lines(path):
            if not line.startswith("["):
                continue  # the header, and what single listeners said
            found = LABEL.match(line)
            if (
                not found
                or not re.fullmatch(SOURCE.names, found[3])
                or found[3].rpartition("_")[0] != path.stem
                or found[3] in seen
            ):
                raise CorpusError(
                    f"{path}, line {number}, is not a new turn of this dialog with its label: {line!r};"
                    " unpack the release again."
                )
            start, end, name, category, *scales = found.groups()
            seen.add(name)
            yield (
                name,
                {
                    "part": "improvised" if "_impro" in name else "scripted",
                    "category": CATEGORIES[category],
                    "start": float(start),
                    "end": float(end),
                    **dict(zip(("valence", "activation", "dominance"), map(float, scales), strict=True)),
                },
            )


def _texts(session: Path) -> dict[str, str]:
    """Turn -> its words, as far as they are there."""
    files = _text_files(session / "dialog" / "transcriptions")
    found = (TEXT.match(line) for path in files for _, line in _lines(path))
    return {match[1]: match[4] for match in found if match and match[4]}


def _text_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.txt") if not path.name.startswith("."))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # Not splitlines: in Latin-1 it would take the ellipsis of Windows (0x85) for the end of a line.
    yield from enumerate(path.read_text(encoding="latin-1").split("\n"), start=1)
