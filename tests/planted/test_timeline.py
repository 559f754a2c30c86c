"""When a face shows what: expressions where the words are, at the offset drawn, inside the clip."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sertut.planted.decoy import GAP
from sertut.planted.plans import CLEAR, LARGEST_OFFSET, MOVED, FacePlan, Timeline
from sertut.planted.voices import Word
from tests.planted.conftest import plans

SECONDS = 3.0
BORDERS = 0.3 + 0.4 * np.arange(7)  # of six words without a pause between them
STILL = (0.0,) * 7


def followed(*cues: tuple[str, int], place: float = 0.5, moves: tuple[float, ...] = STILL) -> Timeline:
    words = [Word("word", start, end) for start, end in itertools.pairwise(BORDERS.tolist())]
    face = FacePlan(None, place, strength=0.9, moves=moves, seed=0)
    return replace(plans("planted-blend", 1, 6)[0], carriers=cues).timeline(face, words, SECONDS)


@pytest.mark.parametrize(
    "cue, place, offset",
    [
        (3, 0.0, -LARGEST_OFFSET),
        (3, 1.0, LARGEST_OFFSET),
        (0, 0.0, CLEAR - 0.3),  # the first word starts at 0.3 s: the face cannot come earlier
        (5, 1.0, SECONDS - CLEAR - 2.7),  # the last one ends at 2.7 s
        (0, 0.5, (CLEAR - 0.3 + LARGEST_OFFSET) / 2),
    ],
)
def test_the_expression_is_the_word_moved_by_an_offset_that_fits(cue, place, offset):
    timeline = followed(("fear", cue), place=place)
    assert timeline.offset == pytest.approx(offset, abs=1e-3) and timeline.misleading is None
    (shown,) = timeline.expressions
    assert (shown.emotion, shown.strength) == ("fear", 0.9)
    assert (shown.start, shown.end) == pytest.approx(BORDERS[cue : cue + 2] + offset, abs=2e-3)


def test_the_expression_has_a_window_of_its_own():
    timeline = followed(("anger", 3), moves=(0.01, 0.02, -0.03, 0.04, 0.05, -0.06, 0.0))
    (shown,) = timeline.expressions
    assert shown.start - BORDERS[3] - timeline.offset == pytest.approx(0.04, abs=2e-3)
    assert shown.end - BORDERS[4] - timeline.offset == pytest.approx(0.05, abs=2e-3)


def test_a_neutral_face_shows_nothing_but_lags_all_the_same():
    timelines = [followed(place=place) for place in (0.0, 0.25, 1.0)]
    assert [t.offset for t in timelines] == pytest.approx([-LARGEST_OFFSET, -LARGEST_OFFSET / 2, LARGEST_OFFSET])
    assert all(timeline.expressions == () for timeline in timelines)


def test_neighbors_of_a_blend_share_their_border():
    timeline = followed(("anger", 1), ("fear", 2), ("anger", 4), moves=(0.0, 0.06, -0.05, 0.04, 0.0, 0.0, 0.0))
    first, second, third = timeline.expressions
    assert [shown.emotion for shown in (first, second, third)] == ["anger", "fear", "anger"]
    assert first.end == second.start == pytest.approx(BORDERS[2] - 0.05 + timeline.offset, abs=2e-3)


@pytest.mark.parametrize("offset", [-0.6, 0.3, 0.45])
@pytest.mark.parametrize("length", [0.2, 0.9])
def test_the_decoy_is_the_mirror_image_of_the_truth(offset, length):
    plan = plans("planted-decoy", 1, 6)[0]
    plan = replace(plan, cue=3, offset=offset, length=length, emotion="fear", other="anger")
    words = [Word(f"word{i}", 0.4 * i, 0.4 * (i + 1)) for i in range(6)]
    timeline = plan.timeline(FacePlan(None, 0.5, strength=0.9, moves=(0.03,) * 7, seed=0), words, 2.8)
    (true,), false, middle = timeline.expressions, timeline.misleading, 1.4
    assert (true.emotion, false.emotion, true.strength) == ("fear", "anger", false.strength)
    assert timeline.offset == offset
    assert (true.start + true.end) / 2 == pytest.approx(middle + offset, abs=1e-3)
    assert (false.start + false.end) / 2 == pytest.approx(middle - offset, abs=1e-3)
    assert true.end - true.start == pytest.approx(false.end - false.start, abs=2e-3)
    assert 0.15 < true.end - true.start <= length + 2 * MOVED
    assert max(true.start, false.start) - min(true.end, false.end) > GAP - 2e-3
    assert min(true.start, false.start) > CLEAR - 2e-3 and max(true.end, false.end) < 2.8 - CLEAR + 2e-3
