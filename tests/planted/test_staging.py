"""Which face plays with which clip: one face a speaker, expressions where the words are, at the offset drawn."""

from dataclasses import replace

import numpy as np
import pytest

from sertut.planted.blend import write_blends
from sertut.planted.decoy import write_decoys
from sertut.planted.expressions import Look
from sertut.planted.script import write_script
from sertut.planted.staging import EDGE, GAP, MOVED, OFFSET, STRENGTH, Part, cast_parts, stage
from sertut.planted.voices import Word

SECONDS = 3.0
LOOK = Look(*[1.0] * len(Look.__dataclass_fields__))


def sentence(n: int, first: float = 0.3, long: float = 0.4) -> list[Word]:
    """`n` words without a pause between them."""
    return [Word(f"word{i}", first + i * long, first + (i + 1) * long) for i in range(n)]


def part(n: int, place: float = 0.5, moves: tuple[float, ...] | None = None) -> Part:
    return Part(LOOK, place, strength=1.0, moves=moves or (0.0,) * (n + 1), seed=0)


def take_of(emotion: str, cue: int | None):
    take = next(take for take in write_script(False, 1, 7, 0) if take.emotion == emotion)
    return replace(take, cue=cue)


def test_a_speaker_looks_the_same_in_all_corpora_and_like_nobody_else():
    looks = [
        {take.speaker.name: part.look for take, part in zip(takes, cast_parts(takes, 3), strict=True)}
        for takes in (write_script(False, 4, 7, 3), write_blends(4, 6, 3), write_decoys(4, 6, 3))
    ]
    assert looks[0] == looks[1] == looks[2]
    assert len(set(looks[0].values())) == 4
    takes = write_script(False, 4, 7, 3)
    assert not set(looks[0].values()) & {part.look for part in cast_parts(takes, 4)}


def test_every_clip_has_draws_of_its_own_within_their_limits():
    takes = write_script(False, 24, 14, 0)
    parts = cast_parts(takes, 0)
    assert parts == cast_parts(takes, 0)
    assert len({part.seed for part in parts}) == len({part.place for part in parts}) == len(parts)
    strengths, moves = [part.strength for part in parts], np.concatenate([part.moves for part in parts])
    assert STRENGTH[0] <= min(strengths) < STRENGTH[0] + 0.02 and STRENGTH[1] - 0.02 < max(strengths) <= STRENGTH[1]
    assert MOVED - 0.002 < np.abs(moves).max() <= MOVED
    assert all(len(p.moves) == len(take.sentence.split()) + 1 for take, p in zip(takes, parts, strict=True))


@pytest.mark.parametrize(
    "cue, place, offset",
    [
        (3, 0.0, -OFFSET),
        (3, 1.0, OFFSET),
        (0, 0.0, EDGE - 0.3),  # the first word starts at 0.3 s: the face cannot come earlier
        (5, 1.0, SECONDS - EDGE - 2.7),  # the last one ends at 2.7 s
        (0, 0.5, (EDGE - 0.3 + OFFSET) / 2),
    ],
)
def test_the_expression_is_the_word_moved_by_an_offset_that_fits(cue, place, offset):
    words = sentence(6)
    scene = stage(part(6, place), take_of("fear", cue), words, SECONDS)
    assert scene.offset == pytest.approx(offset, abs=1e-3) and scene.decoy is None
    (showing,) = scene.showings
    assert (showing.emotion, showing.strength) == ("fear", 1.0)
    assert showing.start == pytest.approx(words[cue].start + offset, abs=2e-3)
    assert showing.end == pytest.approx(words[cue].end + offset, abs=2e-3)


def test_the_expression_has_a_window_of_its_own():
    moves = (0.01, 0.02, -0.03, 0.04, 0.05, -0.06, 0.0)
    words = sentence(6)
    scene = stage(part(6, 0.5, moves), take_of("anger", 3), words, SECONDS)
    (showing,) = scene.showings
    assert showing.start - words[3].start - scene.offset == pytest.approx(0.04, abs=2e-3)
    assert showing.end - words[3].end - scene.offset == pytest.approx(0.05, abs=2e-3)


def test_a_neutral_face_shows_nothing_but_lags_all_the_same():
    neutral = take_of("neutral", None)
    offsets = [stage(part(6, place), neutral, sentence(6), SECONDS) for place in (0.0, 0.25, 1.0)]
    assert [scene.offset for scene in offsets] == pytest.approx([-OFFSET, -OFFSET / 2, OFFSET])
    assert all(scene.showings == () for scene in offsets)


def test_neighbors_of_a_blend_share_their_border():
    take = replace(write_blends(1, 6, 0)[0], carriers=(("anger", 1), ("fear", 2), ("anger", 4)))
    scene = stage(part(6, 0.5, (0.0, 0.06, -0.05, 0.04, 0.0, 0.0, 0.0)), take, sentence(6), SECONDS)
    assert [showing.emotion for showing in scene.showings] == ["anger", "fear", "anger"]
    assert scene.showings[0].end == scene.showings[1].start
    assert scene.showings[1].start == pytest.approx(0.3 + 2 * 0.4 - 0.05 + scene.offset, abs=2e-3)


@pytest.mark.parametrize("offset", [-0.6, -0.3, 0.3, 0.45, 0.6])
@pytest.mark.parametrize("length", [0.2, 0.5, 0.9])
def test_the_decoy_is_the_mirror_image_of_the_truth(offset, length):
    take = replace(write_decoys(1, 6, 0)[0], cue=3, offset=offset, length=length, emotion="fear", other="anger")
    words = sentence(6, first=0.0)
    scene = stage(part(6, moves=(0.03,) * 7), take, words, 2.8)
    (true,), false, middle = scene.showings, scene.decoy, 1.4
    assert (true.emotion, false.emotion, true.strength) == ("fear", "anger", false.strength)
    assert scene.offset == offset
    assert (true.start + true.end) / 2 == pytest.approx(middle + offset, abs=1e-3)
    assert (false.start + false.end) / 2 == pytest.approx(middle - offset, abs=1e-3)
    assert true.end - true.start == pytest.approx(false.end - false.start, abs=2e-3)
    assert 0.15 < true.end - true.start <= length + 2 * MOVED
    assert max(true.start, false.start) - min(true.end, false.end) > GAP - 2e-3
    assert min(true.start, false.start) > EDGE - 2e-3 and max(true.end, false.end) < 2.8 - EDGE + 2e-3
