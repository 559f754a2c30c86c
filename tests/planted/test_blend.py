"""`planted-blend`: two emotions in a clip, in voice and face, with known shares of all sizes."""

import functools
import itertools
from collections import Counter

import numpy as np
import pytest

from sertut.corpora import load
from sertut.errors import CorpusError
from sertut.planted.blend import CARRIERS, LEADERS, LONG_SENTENCES, SHARE, write_blends
from sertut.planted.script import EMOTIONS, content_words, write_script
from sertut.planted.voices import Word, speak
from sertut.signals import SAMPLE_RATE, read_audio

TINY = dict(speakers=3, clips_per_speaker=6, progress=False)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERTUT_CACHE", str(tmp_path_factory.mktemp("blend")))
        yield load("planted-blend", **TINY)


@functools.cache
def spoken(sentence: str) -> tuple[Word, ...]:
    """One of the engine's voices stands for all."""
    return speak(sentence, "en-us").words


@pytest.fixture(scope="module")
def settled():
    return [take.settled(spoken(take.sentence)) for take in write_blends(24, 42, 0)]


# The script


def test_every_emotion_leads_and_follows_equally_often(settled):
    assert Counter(take.emotion for take in settled) == dict.fromkeys(LEADERS, 168)
    assert Counter(take.other for take in settled) == dict.fromkeys(LEADERS, 168)
    pairs = Counter((take.emotion, take.other) for take in settled)
    assert len(pairs) == 30 and max(pairs.values()) < 1.4 * min(pairs.values())
    assert all(take.emotion != take.other for take in settled)


def test_the_label_has_the_larger_share_and_shares_are_of_all_sizes(settled):
    shares = []
    for take in settled:
        seconds = Counter()
        for emotion, i in take.carriers:
            word = spoken(take.sentence)[i]
            seconds[emotion] += (word.end - word.start) / 2 ** take.prosodies[i].tempo
        shares.append(seconds[take.emotion] / seconds.total())
    assert min(shares) > 0.5
    assert np.mean(np.abs(np.array(shares) - [take.share for take in settled])) < 0.04
    # From end to end of the interval no sixth is empty, and none holds more than twice its part.
    counts = np.histogram(shares, bins=6, range=SHARE)[0] / len(shares)
    assert counts.min() > 0.08 and counts.max() < 0.33


def test_two_or_three_content_words_carry_emotion_and_a_neutral_one_is_loud(settled):
    for take in settled:
        words = [word for _, word in take.carriers]
        assert len(words) in CARRIERS and words == sorted(set(words))
        assert {emotion for emotion, _ in take.carriers} == {take.emotion, take.other}
        assert {*words, take.decoy} <= set(content_words(take.sentence)) and take.decoy not in words
    assert 0.4 < np.mean([take.carriers[0][0] == take.emotion for take in settled]) < 0.6  # either may come first


def test_only_the_words_chosen_are_changed():
    take = write_blends(1, 6, 0)[0]
    done = take.settled(spoken(take.sentence))
    emotions = dict((word, emotion) for emotion, word in done.carriers)
    for i, (before, after) in enumerate(zip(take.prosodies, done.prosodies, strict=True)):
        if i in emotions:
            assert after == before + (take.leading if emotions[i] == take.emotion else take.following)[i]
        else:
            assert after.level == pytest.approx(before.level + (take.loudness if i == done.decoy else 0.0))
            assert after.pitch == before.pitch


def test_its_speakers_are_those_of_planted():
    """A speaker's pitch and tempo differ a little from clip to clip; the rest is the person."""
    person = lambda take: (take.speaker.name, take.speaker.voice, take.speaker.formants, take.speaker.tilt)  # noqa: E731
    ours, theirs = ({person(take) for take in takes} for takes in (write_blends(5, 6, 7), write_script(False, 5, 7, 7)))
    assert ours == theirs and len(ours) == 5


@pytest.mark.parametrize("sizes", [{"clips_per_speaker": 7}, {"clips_per_speaker": 6 * (len(LONG_SENTENCES) + 1)}])
def test_sizes_that_cannot_be_balanced(cache, sizes):
    with pytest.raises(CorpusError, match=f"multiple of 6, at most {6 * len(LONG_SENTENCES)}"):
        load("planted-blend", **(TINY | sizes))


# The corpus


def test_clips_say_which_word_is_what(tiny):
    assert len(tiny) == 18 and tiny.emotions == EMOTIONS and tiny.validate() == []
    for clip in tiny:
        words, cues, shown = clip.details["words"], clip.details["cues"], clip.details["faces"]
        voice, face = ([r for r in clip.regions if r.stream == stream] for stream in ("voice", "face"))
        assert [(r.start, r.end) for r in voice] == [cue[1:] for cue in cues]
        assert [(r.start, r.end) for r in face] == [span[1:] for span in shown]
        assert {cue[1:] for cue in cues} <= {word[1:] for word in words}
        assert [cue[0] for cue in cues] == [span[0] for span in shown] and clip.emotion in {cue[0] for cue in cues}


def test_shares_are_those_of_the_time_of_the_voice(tiny):
    for clip in tiny:
        shares, cues = clip.details["shares"], clip.details["cues"]
        total = sum(end - start for _, start, end in cues)
        for emotion, share in shares.items():
            assert share == pytest.approx(sum(end - start for e, start, end in cues if e == emotion) / total)
        assert sum(shares.values()) == pytest.approx(1.0) and max(shares, key=shares.get) == clip.emotion


def test_the_face_is_the_voice_moved_by_the_offset_and_stays_inside(tiny):
    for clip in tiny:
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        for cue, shown in zip(clip.details["cues"], clip.details["faces"], strict=True):
            moved = np.array(shown[1:]) - np.array(cue[1:]) - clip.details["offset"]
            assert np.abs(moved).max() < 0.062
            assert 0.048 < shown[1] < shown[2] < seconds - 0.048
        assert all(a[2] <= b[1] for a, b in itertools.pairwise(clip.details["faces"]))


def test_folds_put_the_same_speakers_in_the_same_parts(tiny, monkeypatch, tmp_path):
    """So a model trained on `planted` can be tested on `planted-blend` without having heard its speakers."""
    monkeypatch.setenv("SERTUT_CACHE", str(tmp_path))
    planted = load("planted", speakers=3, clips_per_speaker=7, progress=False)
    for ours, theirs in zip(tiny.folds(n=3), planted.folds(n=3), strict=True):
        assert {k: v.speakers for k, v in ours.parts.items()} == {k: v.speakers for k, v in theirs.parts.items()}
