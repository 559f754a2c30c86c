"""Exercises of chapter 1: corpora, splits and the leak."""

from pathlib import Path
from typing import Any

from sertut.corpora import Clip
from sertut.corpora.ravdess import EMOTIONS
from sertut.course.judging import Wrong, ask, compare, exercise, pair


def _said_by(speakers: str) -> list[Clip]:
    return [Clip(f"{name}-{i}", Path(f"{name}{i}.wav"), name, "anger", "one") for name in speakers for i in range(2)]


@exercise("1.1")
def shared_speakers(answer: Any) -> str:
    got = ask(answer, _said_by("abcf"), _said_by("cdf"), _said_by("adef"))
    if isinstance(got, (bool, int)):
        raise Wrong("return the speakers themselves, as a set: a bare yes or no does not help to find the leak.")
    names = set(got)
    if any(isinstance(name, Clip) for name in names):
        raise Wrong("you returned clips; return the names of their speakers, `clip.speaker`.")
    mistakes = {
        frozenset("f"): "you found only speakers who are in all three parts; two parts are enough for a leak.",
        frozenset("af"): "you compared train with test only; dev chooses the best epoch, so it must be clean too.",
        frozenset("acf"): "you compared train with dev and test, but not dev with test.",
        frozenset("abcdef"): "these are all speakers; return those who are in more than one part.",
        frozenset("be"): "these are the speakers who are in one part only, which is where they should be.",
        frozenset(): "you found no shared speaker, but there are some; compare names (`clip.speaker`), not clips.",
    }
    if names != set("acdf"):
        raise Wrong(mistakes.get(frozenset(names), f"expected {sorted('acdf')}, got {sorted(map(str, names))}."))
    if set(ask(answer, _said_by("ab"), _said_by("c"), _said_by("de"))):
        raise Wrong("your function finds shared speakers in a split that has none.")
    return "three pairs of parts, three chances for a leak."


@exercise("1.2")
def parse_name(answer: Any) -> str:
    codes = list(EMOTIONS)
    for code, actor in (("05", 12), ("08", 1), ("03", 24)):
        name = f"03-01-{code}-02-01-01-{actor:02d}.wav"
        emotion, number = pair(ask(answer, name), "the emotion and the actor")
        if emotion == code:
            raise Wrong(f"`{code}` is the emotion's code; look it up in `EMOTIONS` to get the word.")
        if emotion != EMOTIONS[code]:
            index = codes.index(code)
            mistakes = {
                EMOTIONS["02"]: "you read the fourth field, the intensity; the emotion is the third field.",
                EMOTIONS["01"]: "you read the second field, the channel; the emotion is the third field.",
                EMOTIONS[codes[(index + 1) % len(codes)]]: "you are off by one: the codes count from 01, not from 0.",
            }
            raise Wrong(mistakes.get(emotion, f"{name} is {EMOTIONS[code]}, you read {emotion!r}."))
        if isinstance(number, str):
            raise Wrong(f"the actor is the text {number!r}; cut off `.wav` and make it a number with `int`.")
        if number != actor:
            raise Wrong(f"{name} is spoken by actor {actor}, you read {number!r}; the actor is the last field.")
    return "the speaker is in the name, so a leak between speakers can be found without opening a file."


@exercise("1.3")
def majority_scores(answer: Any) -> str:
    for counts in ([60, 20, 10, 10], [5, 5], [96, 192, 192]):
        uar, wa = 1 / len(counts), max(counts) / sum(counts)
        got = pair(ask(answer, list(counts)), "UAR and WA")
        mistakes = [
            ((wa, uar), "UAR and WA are the other way round."),
            ((wa, wa), "that UAR is the WA: UAR takes the recall of each class first, here 1, 0, 0, ..., then the"
             " mean."),
            ((uar, uar), "that WA is the one of guessing at random; always saying the largest class is right more"
             " often."),
            ((uar, 1.0), "WA counts right clips among all clips, not among those of the largest class."),
        ]  # fmt: skip
        compare(got, (uar, wa), mistakes, f"For the counts {counts}:")
    return "WA rewards whoever knows which class is frequent; UAR does not, so this book quotes UAR first."
