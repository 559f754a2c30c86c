"""IEMOCAP: five pairs of actors, improvised scenes and scripted plays, 10039 turns labeled by several listeners.

Layout ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M013.wav``, labels in
``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt``. In ``Ses01F_impro01_M013`` the speaker is the **last** letter: the
man's turn 13. The F in front is the actor who wore the markers in this dialog, whoever speaks; taking it for the
speaker (as published loaders do) mixes two people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.corpora.corpus import About, Corpus, Problem, audio_files, warn_if_incomplete
from sertut.errors import CorpusError, unknown

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
NAME = re.compile(r"^Ses0([1-5])([FM])_(impro\d\d[ab]?|script\d\d_\d[ab]?)_([FM])(\d{3})$")
SPAN = r"\[\s*([\d.]+)\s*-\s*([\d.]+)\s*\]"
LABEL = re.compile(rf"^{SPAN}\t(\S+)\t({'|'.join(CATEGORIES)})\t\[\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*\]\s*$")
TEXT = re.compile(rf"^(\S+) {SPAN}: *(.*?)\s*$")

# (test, dev) pairs, as in github.com/EMOsuperb/EMO-SUPERB-submission.
DYADS = ((4, 5), (3, 4), (2, 3), (1, 2), (5, 1))


@dataclass(frozen=True)
class Turn:
    """One line of an evaluation file; start and end in seconds of the dialog, the three scales run from 1 to 5."""

    name: str
    category: str
    start: float
    end: float
    valence: float
    activation: float
    dominance: float

    @property
    def speaker(self) -> str:
        """Session and sex, e.g. "Ses01 M"."""
        return f"{self.name[:5]} {self.name[-4]}"

    @property
    def part(self) -> str:
        """Improvised or scripted."""
        return "improvised" if "_impro" in self.name else "scripted"


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
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    if excitement not in EXCITEMENT:
        raise unknown("rule for excitement", excitement, EXCITEMENT)
    classes = [name for name in CATEGORIES.values() if name not in ("excitement", UNDECIDED)]
    for emotion in emotions:
        if emotion not in classes:
            raise unknown("emotion", emotion, classes)
    sessions = sorted(root.glob("Session[1-5]"))
    if not sessions:
        raise CorpusError(f"the folder {root} holds no Session1; name the folder IEMOCAP_full_release itself.")
    wanted = (*emotions, "excitement") if excitement == "keep" else tuple(emotions)
    clips: list[Clip] = []
    left_out: Counter[str] = Counter()
    problems: list[Problem] = []
    for session in sessions:
        recordings = _recordings(session)
        turns = list(_labels(session))
        texts = _texts(session)
        problems += _disagreements(session.name, turns, recordings)
        for turn in turns:
            emotion = "happiness" if turn.category == "excitement" and excitement == "merge" else turn.category
            if turn.name not in recordings:
                continue  # said in problems
            if part not in (turn.part, "all"):
                left_out[turn.part] += 1
            elif emotion not in wanted:
                left_out[emotion] += 1
            else:
                clips.append(_clip(turn, recordings[turn.name], emotion, texts.get(turn.name, turn.name)))
    dropped = [Problem(what, f"{n} turns, not asked for", clips=n) for what, n in sorted(left_out.items())]
    return warn_if_incomplete(
        Corpus(
            name="iemocap",
            clips=tuple(clips),
            emotions=wanted,
            about=ABOUT,
            published_folds=tuple((_pair(test), _pair(dev)) for test, dev in DYADS),
            expected={"clips": 10_039, "speakers": 10},
            dropped=(*dropped, *problems),
            untold=("sentences",) if all(clip.sentence == clip.name for clip in clips) else (),
        )
    )


def _clip(turn: Turn, path: Path, emotion: str, text: str) -> Clip:
    details = {
        "part": turn.part,
        "category": turn.category,
        "start": turn.start,
        "end": turn.end,
        "valence": turn.valence,
        "activation": turn.activation,
        "dominance": turn.dominance,
    }
    return Clip(turn.name, path, turn.speaker, emotion, text, details=details)


def _pair(session: int) -> frozenset[str]:
    return frozenset({f"Ses0{session} F", f"Ses0{session} M"})


def _recordings(session: Path) -> dict[str, Path]:
    """Turn -> its recording."""
    files = audio_files(session / "sentences" / "wav", (".wav", ".flac"))
    for path in files:
        if not NAME.match(path.stem):
            raise CorpusError(f"{path} is not an IEMOCAP name such as Ses01F_impro01_M013.wav; move it elsewhere.")
    return {path.stem: path for path in files}


def _labels(session: Path) -> Iterator[Turn]:
    """All turns of a session, in the order of its evaluation files."""
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
            if not found or not NAME.match(found[3]) or found[3].rpartition("_")[0] != path.stem or found[3] in seen:
                raise CorpusError(
                    f"{path}, line {number}, is not a new turn of this dialog with its label: {line!r};"
                    " unpack the release again."
                )
            seen.add(found[3])
            start, end, name, category, *scales = found.groups()
            yield Turn(name, CATEGORIES[category], float(start), float(end), *map(float, scales))


def _texts(session: Path) -> dict[str, str]:
    """Turn -> its words, as far as they are there."""
    found = (
        TEXT.match(line) for path in _text_files(session / "dialog" / "transcriptions") for _, line in _lines(path)
    )
    return {match[1]: match[4] for match in found if match and match[4]}


def _text_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.txt") if not path.name.startswith("."))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # Not splitlines: in Latin-1 it would take the ellipsis of Windows (0x85) for the end of a line.
    yield from enumerate(path.read_text(encoding="latin-1").split("\n"), start=1)


def _disagreements(session: str, turns: Sequence[Turn], recordings: dict[str, Path]) -> list[Problem]:
    """Turns without a recording, recordings without a turn."""
    labeled = {turn.name for turn in turns}
    silent, unlabeled = sorted(labeled - set(recordings)), sorted(set(recordings) - labeled)
    problems = []
    if silent:
        problems.append(Problem(session, f"{len(silent)} labels without a recording, e.g. {silent[0]}", clips=0))
    if unlabeled:
        problems.append(Problem(session, f"{len(unlabeled)} recordings without a label, e.g. {unlabeled[0]}", clips=0))
    return problems
