"""`planted-decoy`: the voice says when, the face says what, twice; nothing but their alignment says which is true."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sertut.corpora import load
from sertut.errors import CorpusError
from sertut.planted.decoy import EMPHASIS, LABELS, OFFSET, SECONDS, TEMPOS, TEXTS, write_decoys
from sertut.planted.expressions import speech_opening
from sertut.planted.making import _Sentence
from sertut.planted.prosody import Prosody
from sertut.planted.script import content_words, write_script
from sertut.planted.staging import EDGE, GAP, cast_parts, stage
from sertut.signals import SAMPLE_RATE, level_db, read_audio
from sertut.video import read_video

VOICE = "en-us"  # the draws of all speakers are the same in kind: one of the engine's voices stands for all
TINY = dict(speakers=1, clips_per_speaker=6, progress=False)


@pytest.fixture(scope="module")
def script():
    return write_decoys(24, 42, 0)


@pytest.fixture(scope="module")
def staged(script):
    """(take, words heard in the clip, scene) of four speakers, without any sound made."""
    sentences = {text: _Sentence(text, VOICE) for text in TEXTS}
    result = []
    for take, part in zip(script, cast_parts(script, 0), strict=True):
        if take.speaker.voice == VOICE:
            settled = take.settled(sentences[take.sentence].words)
            cut, words = settled.of_clip(sentences[take.sentence].heard(settled))
            result.append((cut, words, stage(part, cut, words, cut.seconds)))
    return result


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERTUT_CACHE", str(tmp_path_factory.mktemp("decoy")))
        yield load("planted-decoy", **TINY)


# What is drawn


def test_every_emotion_is_true_and_misleading_equally_often(script):
    assert Counter(take.emotion for take in script) == dict.fromkeys(LABELS, 168)
    assert Counter(take.other for take in script) == dict.fromkeys(LABELS, 168)
    assert all(take.emotion != take.other for take in script)
    pairs = Counter((take.emotion, take.other) for take in script)
    assert len(pairs) == 30 and max(pairs.values()) < 1.4 * min(pairs.values())


def test_the_sign_of_the_offset_tells_no_label(script):
    assert Counter((take.emotion, take.offset > 0) for take in script) == {
        (label, later): 84 for label in LABELS for later in (False, True)
    }
    late = Counter(take.speaker.name for take in script if take.offset > 0)
    assert set(late.values()) == {21}  # half of each speaker's clips


def test_the_stress_is_the_same_for_all_labels(script):
    for field in ("pitch", "range", "arch", "tilt"):
        means = [np.mean([getattr(t.stress, field) for t in script if t.emotion == label]) for label in LABELS]
        assert np.ptp(means) < 0.12 * getattr(EMPHASIS, field)
    assert all(take.stress.level == take.stress.tempo == 0.0 for take in script)  # a mouth would show these


def test_its_speakers_are_those_of_planted():
    person = lambda take: (take.speaker.name, take.speaker.voice, take.speaker.formants, take.speaker.tilt)  # noqa: E731
    assert {person(t) for t in write_decoys(5, 6, 7)} == {person(t) for t in write_script(False, 5, 7, 7)}


@pytest.mark.parametrize("sizes", [{"clips_per_speaker": 7}, {"clips_per_speaker": 0}])
def test_sizes_that_cannot_be_balanced(cache, sizes):
    with pytest.raises(CorpusError, match="multiple of 6"):
        load("planted-decoy", **(TINY | sizes))


# What becomes of it once the engine has spoken


def test_where_the_stress_lies_tells_nothing_of_the_offset(staged):
    middles = np.array([(words[take.cue].start + words[take.cue].end) / 2 for take, words, _ in staged])
    shares = middles / [take.seconds for take, _, _ in staged]
    signs = np.sign([scene.offset for _, _, scene in staged])
    assert abs(np.corrcoef(shares, signs)[0, 1]) < 0.15  # 168 clips: 2 standard errors
    assert np.histogram(shares, bins=3, range=(0.33, 0.67))[0].min() > 0.2 * len(shares)


def test_the_settled_word_is_the_same_for_both_signs(script):
    """The sign is drawn apart, and so no property of the clip can go with it."""
    for take in script[:20]:
        words = _Sentence(take.sentence, VOICE).words
        one, other = (replace(take, offset=sign * take.offset).settled(words) for sign in (1, -1))
        assert one.cue == other.cue and one.speaker == other.speaker and one.cut_at == other.cut_at
        assert one.offset * other.offset < 0


def test_both_expressions_lie_on_words_of_the_mouth(staged):
    """On the face's clock, at the word's time + offset, the true one is on the stressed word, the decoy on another."""
    far = 0
    for take, words, scene in staged:
        middle = lambda i, words=words: (words[i].start + words[i].end) / 2  # noqa: E731
        true = (scene.showings[0].start + scene.showings[0].end) / 2 - scene.offset
        false = (scene.decoy.start + scene.decoy.end) / 2 - scene.offset
        assert true == pytest.approx(middle(take.cue), abs=2e-3)
        assert false == pytest.approx(middle(take.cue) - 2 * scene.offset, abs=3e-3)
        if 0.5 < false < take.seconds - 0.5:  # the word is heard in the clip as a whole
            assert min(abs(middle(i) - false) for i in range(len(words))) < 5e-3
            far += 1
    assert far > 20


def test_expressions_fit_are_alike_and_leave_a_gap(staged):
    for take, _, scene in staged:
        (true,), false = scene.showings, scene.decoy
        assert true.emotion == take.emotion and false.emotion == take.other and true.strength == false.strength
        assert OFFSET[0] - 1e-3 <= abs(scene.offset) <= OFFSET[1] + 1e-3
        assert true.end - true.start == pytest.approx(false.end - false.start, abs=2e-3)
        assert true.end - true.start > 0.15
        first, last = sorted((true, false), key=lambda showing: showing.start)
        assert last.start - first.end > GAP - 2e-3
        assert first.start > EDGE - 2e-3 and last.end < take.seconds - EDGE + 2e-3


def test_offsets_of_all_sizes_and_hardly_a_tempo_changed(script, staged):
    sizes = np.abs([scene.offset for _, _, scene in staged])
    assert np.histogram(sizes, bins=3, range=OFFSET)[0].min() > 0.15 * len(sizes)
    drawn = {take.name: take.speaker.tempo for take in script}
    factors = [take.speaker.tempo / drawn[take.name] for take, _, _ in staged]
    assert np.mean(np.isclose(factors, TEMPOS[0])) > 0.85


def test_a_mouth_does_not_show_the_stress(script):
    """The same speech with and without it opens the mouth alike, in the stressed word too."""
    for take in script[:2]:
        sentence = _Sentence(take.sentence, VOICE)
        stressed = take.settled(sentence.words)
        prosodies = list(stressed.prosodies)
        prosodies[stressed.cue] = take.prosodies[stressed.cue]
        word = sentence.heard(stressed)[stressed.cue]
        openings = [
            speech_opening(level_db(sentence.speech(t)).numpy(), np.linspace(word.start, word.end, 20))
            for t in (stressed, replace(stressed, prosodies=tuple(prosodies)))
        ]
        assert abs(np.mean(openings[0] - openings[1])) < 0.08
        softer = list(stressed.prosodies)
        softer[stressed.cue] += Prosody(level=-10.0)
        level = level_db(sentence.speech(replace(stressed, prosodies=tuple(softer)))).numpy()
        other = speech_opening(level, np.linspace(word.start, word.end, 20))
        assert np.mean(openings[0] - other) > 0.16  # what a change of level would do


# The corpus


def test_clips_and_their_truth(tiny):
    assert len(tiny) == 6 and tiny.emotions == LABELS and tiny.validate() == []
    for clip in tiny:
        voice, face = clip.regions
        assert (voice.stream, face.stream) == ("voice", "face")
        assert (clip.details["cue_word"], voice.start, voice.end) in clip.details["words"]
        middle, offset = (voice.start + voice.end) / 2, clip.details["offset"]
        start, end = clip.details["decoy_face"]
        assert (face.start + face.end) / 2 == pytest.approx(middle + offset, abs=2e-3)
        assert (start + end) / 2 == pytest.approx(middle - offset, abs=2e-3)
        assert clip.details["decoy_emotion"] in set(LABELS) - {clip.emotion}
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        assert SECONDS[0] - 1e-3 <= seconds <= SECONDS[1] + 1e-3
        assert len(read_video(clip.video)) == int(seconds / 0.04 + 1e-6)
        assert {word.lower() for word, *_ in clip.details["words"]} <= {
            word.strip(".").lower() for word in clip.sentence.split()
        }
        assert clip.details["cue_word"] in {clip.sentence.split()[i].strip(".") for i in content_words(clip.sentence)}


def test_a_clip_has_speech_from_end_to_end(tiny):
    """A silence would tell when the mouth begins, and so the offset, without any sound."""
    for clip in tiny:
        level = level_db(read_audio(clip.audio)).numpy()
        loud = np.percentile(level, 95) - 25
        assert (level[:50] > loud).any() and (level[-50:] > loud).any()
        quiet = np.flatnonzero(np.diff(np.flatnonzero(level > loud)) > 45)
        assert len(quiet) == 0  # no pause of 0.45 s anywhere


def test_the_mouth_moves_from_end_to_end(tiny):
    for clip in tiny:
        mouth = read_video(clip.video).frames[:, 27:44, 14:34].astype(float)
        moves = np.abs(np.diff(mouth, axis=0)).mean(axis=(1, 2))
        assert moves[:10].max() > 3 and moves[-10:].max() > 3
