"""What two variants promise: `planted-band` has its cue in a band, `planted-decoy` lets alignment alone tell."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sertut.planted.band import CROSSOVER
from sertut.planted.decoy import EMPHASIS, LABELS, OFFSETS, SECONDS
from sertut.planted.expressions import speech_opening
from sertut.planted.plans import plan_faces
from sertut.planted.prosody import Prosody
from sertut.planted.speakers import content_words
from sertut.planted.vocoder import resynthesize, word_spans
from sertut.signals import SAMPLE_RATE, level_db, read_audio
from sertut.video import read_video
from tests.planted.conftest import VOICE, followed, plans, spoken

pytestmark = pytest.mark.xdist_group("planted")

# planted-band: the cue is in its word and in its band, and nowhere else

MARGIN_HZ = 100.0  # the filter's step, and what the gate in time smears
FORGOTTEN_DB = -45.0  # a change this far below the word itself counts as none


def power_db(samples: np.ndarray, of: np.ndarray) -> float:
    return float(10 * np.log10(samples[of].sum()))


@pytest.mark.parametrize(("emotion", "k"), [("anger", 0), ("surprise", 1)])
def test_outside_its_word_and_outside_its_band_nothing_is_changed(emotion, k):
    """Against the sound of the same sentence without the emotion."""
    plan = [plan for plan in plans("planted-band", 1, 14) if plan.emotion == emotion][k]
    tracks, words = spoken(plan.sentence).tracks, spoken(plan.sentence).words
    prosodies = [plan.rest if i == plan.cue else p for i, p in enumerate(plan.prosodies)]
    neutral = resynthesize(tracks, words, prosodies, plan.speaker, np.random.default_rng(plan.seed))
    start, end = word_spans(len(tracks.f0), words, plan.prosodies, plan.speaker.tempo)[plan.cue]
    sound = plan.voice(tracks, words, np.random.default_rng(1))
    changed = np.flatnonzero(sound != neutral) / SAMPLE_RATE
    assert start <= changed.min() < start + 0.05 and end - 0.05 < changed.max() <= end
    word = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    change, whole = [np.abs(np.fft.rfft(samples[word])) ** 2 for samples in (sound - neutral, neutral)]
    hertz = np.fft.rfftfreq(word.stop - word.start, 1 / SAMPLE_RATE)
    low, high = hertz < CROSSOVER - MARGIN_HZ, hertz > CROSSOVER + MARGIN_HZ
    inside, outside = (low, high) if plan.high == CROSSOVER else (high, low)
    assert power_db(change, outside) - power_db(whole, outside) < FORGOTTEN_DB
    assert power_db(change, inside) - power_db(whole, inside) > -5.0


def test_a_neutral_clip_is_spoken_as_in_planted():
    pair = (next(p for p in plans(name, 1, 7) if p.emotion == "neutral") for name in ("planted-band", "planted"))
    sentences = [(plan, spoken(plan.sentence)) for plan in pair]
    np.testing.assert_array_equal(*(p.voice(s.tracks, s.words, np.random.default_rng(p.seed)) for p, s in sentences))


def test_regions_have_a_band(small):
    bands = Counter((region.low, region.high) for clip in small("planted-band") for region in clip.regions)
    assert bands == {(None, CROSSOVER): 3, (CROSSOVER, None): 3}
    assert not any(region.in_band for clip in small("planted") for region in clip.regions)


# planted-decoy: the voice says when, the face says what, twice; nothing but their alignment says which is true


@pytest.fixture(scope="module")
def clips():
    """(plan, words heard in the clip, timeline of the face) of four speakers, without any sound made."""
    drawn = plans("planted-decoy")
    pairs = zip(drawn, plan_faces(drawn, 0), strict=True)
    return [followed(plan, face) for plan, face in pairs if plan.speaker.voice == VOICE]


def test_the_sign_of_the_offset_tells_no_label():
    drawn = plans("planted-decoy")
    signs = Counter((plan.emotion, plan.offset > 0) for plan in drawn)
    assert signs == {(label, later): 84 for label in LABELS for later in (False, True)}
    late = Counter(plan.speaker.name for plan in drawn if plan.offset > 0)
    assert set(late.values()) == {21}  # half of each speaker's clips


def test_the_stress_is_the_same_for_all_labels():
    stresses = {label: [plan.stress for plan in plans("planted-decoy") if plan.emotion == label] for label in LABELS}
    for field in ("pitch", "range", "arch", "tilt"):
        means = [np.mean([getattr(stress, field) for stress in stresses[label]]) for label in LABELS]
        assert np.ptp(means) < 0.12 * getattr(EMPHASIS, field)
    assert EMPHASIS.level == EMPHASIS.tempo == 0.0  # a mouth would show these


def test_where_the_stress_lies_tells_nothing_of_the_offset(clips):
    """Once the engine has spoken; the sign is drawn apart, so no property of the clip can go with it."""
    middles = np.array([(words[plan.cue].start + words[plan.cue].end) / 2 for plan, words, _ in clips])
    shares = middles / [plan.seconds for plan, _, _ in clips]
    signs = np.sign([timeline.offset for _, _, timeline in clips])
    assert abs(np.corrcoef(shares, signs)[0, 1]) < 0.15  # 168 clips: 2 standard errors
    assert np.histogram(shares, bins=3, range=(0.33, 0.67))[0].min() > 0.2 * len(shares)
    for plan in plans("planted-decoy")[:20]:
        words = spoken(plan.sentence).words
        one, other = (replace(plan, offset=sign * plan.offset).resolved(words) for sign in (1, -1))
        assert (one.cue, one.speaker, one.cut_at) == (other.cue, other.speaker, other.cut_at)
        assert one.offset * other.offset < 0


def test_both_expressions_lie_on_words_of_the_mouth(clips):
    """On the face's clock, at the word's time + offset, the true one is on the stressed word, the decoy on another."""
    far = 0
    for plan, words, timeline in clips:
        middles = [(word.start + word.end) / 2 for word in words]
        shown = (timeline.expressions[0], timeline.misleading)
        true, false = ((expression.start + expression.end) / 2 - timeline.offset for expression in shown)
        assert OFFSETS[0] - 1e-3 <= abs(timeline.offset) <= OFFSETS[1] + 1e-3
        assert true == pytest.approx(middles[plan.cue], abs=2e-3)
        assert false == pytest.approx(middles[plan.cue] - 2 * timeline.offset, abs=3e-3)
        if 0.5 < false < plan.seconds - 0.5:  # the word is heard in the clip as a whole
            assert min(abs(middle - false) for middle in middles) < 5e-3
            far += 1
    assert far > 20


def test_a_mouth_does_not_show_the_stress():
    """The same speech with and without it opens the mouth alike, in the stressed word too."""
    plan = plans("planted-decoy")[0]
    sentence = spoken(plan.sentence)
    stressed = plan.resolved(sentence.words)
    word = sentence.heard(stressed)[stressed.cue]

    def opening(prosody: Prosody) -> np.ndarray:
        prosodies = tuple(prosody if i == stressed.cue else p for i, p in enumerate(stressed.prosodies))
        level = level_db(sentence.speech(replace(stressed, prosodies=prosodies))).numpy()
        return speech_opening(level, np.linspace(word.start, word.end, 20))

    shown = stressed.prosodies[stressed.cue]
    assert abs(np.mean(opening(shown) - opening(plan.prosodies[stressed.cue]))) < 0.08
    # What a change of level would do:
    assert np.mean(opening(shown) - opening(shown + Prosody(level=-10.0))) > 0.16


def test_clips_and_their_truth(small):
    corpus = small("planted-decoy")
    assert corpus.emotions == LABELS
    for clip in corpus:
        voice, face = clip.regions
        middle, offset = (voice.start + voice.end) / 2, clip.details["offset"]
        assert (face.start + face.end) / 2 == pytest.approx(middle + offset, abs=2e-3)
        assert np.mean(clip.details["decoy_face"]) == pytest.approx(middle - offset, abs=2e-3)
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
