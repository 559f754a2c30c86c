"""`planted-decoy`: the voice says when, the face says what, twice; nothing but their alignment says which is true."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sertut.planted.decoy import EMPHASIS, LABELS, OFFSETS, SECONDS
from sertut.planted.expressions import speech_opening
from sertut.planted.plans import plan_faces
from sertut.planted.prosody import Prosody
from sertut.planted.speakers import content_words
from sertut.signals import SAMPLE_RATE, level_db, read_audio
from sertut.video import read_video
from tests.planted.conftest import VOICE, followed, plans, spoken

pytestmark = pytest.mark.xdist_group("planted")


@pytest.fixture(scope="module")
def clips():
    """(plan, words heard in the clip, timeline of the face) of four speakers, without any sound made."""
    drawn = plans("planted-decoy")
    pairs = zip(drawn, plan_faces(drawn, 0), strict=True)
    return [followed(plan, face) for plan, face in pairs if plan.speaker.voice == VOICE]


# What is drawn


def test_the_sign_of_the_offset_tells_no_label():
    drawn = plans("planted-decoy")
    assert Counter((plan.emotion, plan.offset > 0) for plan in drawn) == {
        (label, later): 84 for label in LABELS for later in (False, True)
    }
    late = Counter(plan.speaker.name for plan in drawn if plan.offset > 0)
    assert set(late.values()) == {21}  # half of each speaker's clips


def test_the_stress_is_the_same_for_all_labels():
    stresses = {label: [plan.stress for plan in plans("planted-decoy") if plan.emotion == label] for label in LABELS}
    for field in ("pitch", "range", "arch", "tilt"):
        means = [np.mean([getattr(stress, field) for stress in stresses[label]]) for label in LABELS]
        assert np.ptp(means) < 0.12 * getattr(EMPHASIS, field)
    assert EMPHASIS.level == EMPHASIS.tempo == 0.0  # a mouth would show these


# What becomes of it once the engine has spoken


def test_where_the_stress_lies_tells_nothing_of_the_offset(clips):
    middles = np.array([(words[plan.cue].start + words[plan.cue].end) / 2 for plan, words, _ in clips])
    shares = middles / [plan.seconds for plan, _, _ in clips]
    signs = np.sign([timeline.offset for _, _, timeline in clips])
    assert abs(np.corrcoef(shares, signs)[0, 1]) < 0.15  # 168 clips: 2 standard errors
    assert np.histogram(shares, bins=3, range=(0.33, 0.67))[0].min() > 0.2 * len(shares)


def test_the_stressed_word_is_the_same_for_both_signs():
    """The sign is drawn apart, and so no property of the clip can go with it."""
    for plan in plans("planted-decoy")[:20]:
        one, other = (
            replace(plan, offset=sign * plan.offset).resolved(spoken(plan.sentence).words) for sign in (1, -1)
        )
        assert one.cue == other.cue and one.speaker == other.speaker and one.cut_at == other.cut_at
        assert one.offset * other.offset < 0


def test_both_expressions_lie_on_words_of_the_mouth(clips):
    """On the face's clock, at the word's time + offset, the true one is on the stressed word, the decoy on another."""
    far = 0
    for plan, words, timeline in clips:
        middle = lambda i, words=words: (words[i].start + words[i].end) / 2  # noqa: E731
        true = (timeline.expressions[0].start + timeline.expressions[0].end) / 2 - timeline.offset
        false = (timeline.misleading.start + timeline.misleading.end) / 2 - timeline.offset
        assert OFFSETS[0] - 1e-3 <= abs(timeline.offset) <= OFFSETS[1] + 1e-3
        assert true == pytest.approx(middle(plan.cue), abs=2e-3)
        assert false == pytest.approx(middle(plan.cue) - 2 * timeline.offset, abs=3e-3)
        if 0.5 < false < plan.seconds - 0.5:  # the word is heard in the clip as a whole
            assert min(abs(middle(i) - false) for i in range(len(words))) < 5e-3
            far += 1
    assert far > 20


def test_a_mouth_does_not_show_the_stress():
    """The same speech with and without it opens the mouth alike, in the stressed word too."""
    for plan in plans("planted-decoy")[:1]:
        sentence = spoken(plan.sentence)
        stressed = plan.resolved(sentence.words)
        word = sentence.heard(stressed)[stressed.cue]

        def opening(prosody: Prosody, sentence=sentence, stressed=stressed, word=word) -> np.ndarray:
            prosodies = tuple(prosody if i == stressed.cue else p for i, p in enumerate(stressed.prosodies))
            level = level_db(sentence.speech(replace(stressed, prosodies=prosodies))).numpy()
            return speech_opening(level, np.linspace(word.start, word.end, 20))

        shown = stressed.prosodies[stressed.cue]
        assert abs(np.mean(opening(shown) - opening(plan.prosodies[stressed.cue]))) < 0.08
        # What a change of level would do:
        assert np.mean(opening(shown) - opening(shown + Prosody(level=-10.0))) > 0.16


# The corpus


def test_clips_and_their_truth(small):
    corpus = small("planted-decoy")
    assert corpus.emotions == LABELS
    for clip in corpus:
        voice, face = clip.regions
        middle, offset = (voice.start + voice.end) / 2, clip.details["offset"]
        start, end = clip.details["decoy_face"]
        assert (face.start + face.end) / 2 == pytest.approx(middle + offset, abs=2e-3)
        assert (start + end) / 2 == pytest.approx(middle - offset, abs=2e-3)
        assert clip.details["decoy_emotion"] in set(LABELS) - {clip.emotion}
        assert SECONDS[0] - 1e-3 <= len(read_audio(clip.audio)) / SAMPLE_RATE <= SECONDS[1] + 1e-3
        assert clip.details["cue_word"] in {clip.sentence.split()[i].strip(".") for i in content_words(clip.sentence)}


def test_voice_and_mouth_move_from_end_to_end(small):
    """A silence would tell when the mouth begins, and so the offset, without any sound."""
    for clip in small("planted-decoy"):
        level = level_db(read_audio(clip.audio)).numpy()
        loud = np.percentile(level, 95) - 25
        assert (level[:50] > loud).any() and (level[-50:] > loud).any()
        assert np.diff(np.flatnonzero(level > loud)).max() <= 45  # no pause of 0.45 s anywhere
        mouth = read_video(clip.video).frames[:, 27:44, 14:34].astype(float)
        moves = np.abs(np.diff(mouth, axis=0)).mean(axis=(1, 2))
        assert moves[:10].max() > 3 and moves[-10:].max() > 3
