"""What is drawn: balanced, the same people everywhere, never changed by accident; and when a face shows what."""

import itertools
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from sertut.corpora import MADE, load
from sertut.errors import CorpusError
from sertut.planted.decoy import GAP
from sertut.planted.plans import CLEAR, EMOTIONS, LARGEST_OFFSET, MOVED, FacePlan, Timeline, plan_faces
from sertut.planted.speakers import LONG_SENTENCES, SENTENCES, content_words
from sertut.planted.variants import VARIANTS, face_digest, sound_digest
from sertut.planted.voices import VOICES, Word
from tests.planted.conftest import PAIRED, plans, spoken


@pytest.mark.parametrize(
    "name, sound, faces",
    [
        ("planted", "2a00e507fb", "4d6f374f26"),
        ("planted-loud", "8c3eaf2dcb", None),
        ("planted-band", "f3ae7e5ba6", None),
        ("planted-blend", "f7af1ae6d0", "ce5e7bfa8c"),
        ("planted-decoy", "af18dae06f", "61d0d18063"),
    ],
)
def test_the_draws_are_those_that_the_reference_results_were_made_with(monkeypatch, name, sound, faces):
    """Names of folders: digests of all draws, of field names too, and of the engines. Else all copies would be lost."""
    engines = {"espeakng-loader": "0.2.4", "pyworld": "0.3.5"}
    monkeypatch.setattr("sertut.planted.variants.version", engines.get)
    drawn = plans(name)
    assert sound_digest(drawn) == sound
    assert VARIANTS[name].has_faces == (faces is not None)
    assert faces is None or face_digest(plan_faces(drawn, 0)) == faces


TOO_MANY = 7 * (len(SENTENCES) + 1)


@pytest.mark.parametrize(
    "name, speakers, clips",
    [("planted", 2, 10), ("planted", 2, 0), ("planted", 0, 7), ("planted", 2, TOO_MANY), *((n, 2, 7) for n in PAIRED)],
)
def test_sizes_that_cannot_be_balanced(cache, name, speakers, clips):
    n, sentences = (6, LONG_SENTENCES) if name in PAIRED else (7, SENTENCES)
    with pytest.raises(CorpusError, match=f"multiple of {n}, at most {n * len(sentences)}"):
        load(name, speakers=speakers, clips_per_speaker=clips, progress=False)


def test_speakers_cover_the_range_of_voices():
    speakers = {plan.speaker.name: plan.speaker for plan in plans("planted")}
    pitches = np.array([speaker.pitch for speaker in speakers.values()])
    assert (pitches < 140).sum() >= 8 and (pitches > 140).sum() >= 8
    assert Counter(speaker.voice for speaker in speakers.values()) == dict.fromkeys(VOICES, 4)


def test_people_are_the_same_in_all_corpora_and_like_nobody_else():
    """A speaker's pitch and tempo differ a little from clip to clip; the rest is the person."""

    def people(name: str, seed: int) -> set:
        drawn = plans(name, 4, 6 if name in PAIRED else 7, seed)
        assert len({plan.speaker.pitch for plan in drawn}) == len(drawn)
        faces = plan_faces(drawn, seed)
        person = lambda who: (who.name, who.voice, who.formants, who.tilt, who.breath)  # noqa: E731
        return {(person(plan.speaker), face.look) for plan, face in zip(drawn, faces, strict=True)}

    everybody = people("planted", 3)
    assert all(people(name, 3) == everybody for name in MADE) and len(everybody) == 4
    assert not everybody & people("planted", 4)


@pytest.mark.parametrize("name", ["planted", "planted-loud"])
def test_every_speaker_has_all_emotions_equally_often_and_no_sentence_twice(name):
    drawn = plans(name)
    assert set(Counter((plan.speaker.name, plan.emotion) for plan in drawn).values()) == {6}
    assert max(Counter((plan.speaker.name, plan.emotion, plan.sentence) for plan in drawn).values()) == 1
    for plan in drawn:
        carriers = {plan.cue, plan.decoy} - {None}
        assert carriers <= set(content_words(plan.sentence)) and plan.cue != plan.decoy
        assert (plan.cue is None) == (plan.emotion == "neutral")
        assert (plan.decoy is None) == (name == "planted-loud" and plan.cue is not None)


def test_the_loud_variant_differs_in_nothing_but_level():
    for one, other in zip(plans("planted", 3, 14, 5), plans("planted-loud", 3, 14, 5), strict=True):
        assert (one.name, one.speaker, one.sentence, one.cue) == (other.name, other.speaker, other.sentence, other.cue)
        for a, b in zip(one.prosodies, other.prosodies, strict=True):
            assert replace(a, level=0.0) == replace(b, level=0.0)
        if other.cue is not None:
            assert max(p.level for p in other.prosodies) == other.prosodies[other.cue].level
        assert one.prosodies[one.decoy].level > 5.0


@pytest.mark.parametrize("name", PAIRED)
def test_every_emotion_is_first_and_second_equally_often(name):
    drawn = plans(name)
    labels = [emotion for emotion in EMOTIONS if emotion != "neutral"]
    for which in ("emotion", "other"):
        assert Counter(getattr(plan, which) for plan in drawn) == dict.fromkeys(labels, 168)
    pairs = Counter((plan.emotion, plan.other) for plan in drawn)
    assert len(pairs) == 30 and max(pairs.values()) < 1.4 * min(pairs.values())
    assert all(plan.emotion != plan.other for plan in drawn)


# planted-band


@pytest.mark.parametrize("clips_per_speaker", [14, 42])
def test_every_emotion_is_heard_in_both_bands_alike(clips_per_speaker):
    drawn = plans("planted-band", 3, clips_per_speaker)
    counts = Counter((plan.speaker.name, plan.emotion, plan.low, plan.high) for plan in drawn if plan.cue is not None)
    assert len(counts) == 3 * 6 * 2 and set(counts.values()) == {clips_per_speaker // 14}
    assert all((plan.low, plan.high, plan.rest) == (None, None, None) for plan in drawn if plan.cue is None)


def test_the_band_variant_differs_in_nothing_but_the_tempo_of_the_cue_which_tells_nothing():
    ours, theirs = plans("planted-band"), plans("planted")
    for own, other in zip(ours, theirs, strict=True):
        a, b = asdict(own), asdict(other)
        if own.cue is not None:
            assert a["prosodies"][own.cue].pop("tempo") == own.rest.tempo
            b["prosodies"][own.cue].pop("tempo")
        assert {key: a[key] for key in b} == b
    tempos = {e: [p.prosodies[p.cue].tempo for p in ours if p.emotion == e] for e in EMOTIONS if e != "neutral"}
    assert max(abs(np.mean(values)) for values in tempos.values()) < 0.04  # cues of planted: -.6 to .35


# planted-blend


@pytest.fixture(scope="module")
def blends():
    return [plan.resolved(spoken(plan.sentence).words) for plan in plans("planted-blend")]


def test_the_label_has_the_larger_share_and_shares_are_of_all_sizes(blends):
    shares = []
    for plan in blends:
        seconds = Counter()
        for emotion, i in plan.carriers:
            word = spoken(plan.sentence).words[i]
            seconds[emotion] += (word.end - word.start) / 2 ** plan.prosodies[i].tempo
        shares.append(seconds[plan.emotion] / seconds.total())
    assert min(shares) > 0.5
    assert np.mean(np.abs(np.array(shares) - [plan.share for plan in blends])) < 0.04
    # From end to end of the interval no sixth is empty, and none holds more than twice its part.
    counts = np.histogram(shares, bins=6, range=(0.52, 0.76))[0] / len(shares)
    assert counts.min() > 0.08 and counts.max() < 0.33


def test_only_the_words_chosen_are_changed(blends):
    for plan, done in zip(plans("planted-blend"), blends, strict=True):
        emotions = {word: emotion for emotion, word in done.carriers}
        assert list(emotions) == sorted(emotions) and len(emotions) == len(done.carriers) in (2, 3)
        assert set(emotions.values()) == {plan.emotion, plan.other}
        assert {*emotions, done.decoy} <= set(content_words(plan.sentence)) and done.decoy not in emotions
        for i, (before, after) in enumerate(zip(plan.prosodies, done.prosodies, strict=True)):
            if i in emotions:
                assert after == before + (plan.leading if emotions[i] == plan.emotion else plan.following)[i]
            else:
                assert after.level == pytest.approx(before.level + (plan.loudness if i == done.decoy else 0.0))
                assert after.pitch == before.pitch
    first = [plan.carriers[0][0] == plan.emotion for plan in blends]
    assert 0.4 < np.mean(first) < 0.6  # either emotion may come first


# When a face shows what: expressions where the words are, at the offset drawn, inside the clip

SECONDS = 3.0
BORDERS = 0.3 + 0.4 * np.arange(7)  # of six words without a pause between them
STILL = (0.0,) * 7


def timeline_of(*cues: tuple[str, int], place: float = 0.5, moves: tuple[float, ...] = STILL) -> Timeline:
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
    timeline = timeline_of(("fear", cue), place=place)
    assert timeline.offset == pytest.approx(offset, abs=1e-3) and timeline.misleading is None
    (shown,) = timeline.expressions
    assert (shown.emotion, shown.strength) == ("fear", 0.9)
    assert (shown.start, shown.end) == pytest.approx(BORDERS[cue : cue + 2] + offset, abs=2e-3)


def test_a_neutral_face_shows_nothing_but_lags_all_the_same():
    timelines = [timeline_of(place=place) for place in (0.0, 0.25, 1.0)]
    assert [t.offset for t in timelines] == pytest.approx([-LARGEST_OFFSET, -LARGEST_OFFSET / 2, LARGEST_OFFSET])
    assert all(timeline.expressions == () for timeline in timelines)


def test_an_expression_has_a_window_of_its_own_and_neighbors_of_a_blend_share_their_border():
    timeline = timeline_of(("anger", 1), ("fear", 2), ("anger", 4), moves=(0.0, 0.06, -0.05, 0.04, 0.03, -0.02, 0.0))
    first, second, third = timeline.expressions
    assert [shown.emotion for shown in (first, second, third)] == ["anger", "fear", "anger"]
    assert first.end == second.start == pytest.approx(BORDERS[2] - 0.05 + timeline.offset, abs=2e-3)
    moved = np.array([third.start, third.end]) - BORDERS[4:6] - timeline.offset
    assert moved == pytest.approx([0.03, -0.02], abs=2e-3)


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
