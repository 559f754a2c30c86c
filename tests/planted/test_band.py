"""`planted-band`: the cue is in its word and in its band, and nowhere else."""

from collections import Counter

import numpy as np
import pytest

from sertut.planted.band import CROSSOVER
from sertut.planted.vocoder import analyze, resynthesize, word_spans
from sertut.planted.voices import speak
from sertut.signals import SAMPLE_RATE
from tests.planted.conftest import plans

pytestmark = pytest.mark.xdist_group("planted")

MARGIN_HZ = 100.0  # the filter's step, and what the gate in time smears
FORGOTTEN_DB = -45.0  # a change this far below the word itself counts as none


def power_db(samples: np.ndarray, of: np.ndarray) -> float:
    return float(10 * np.log10(samples[of].sum()))


@pytest.fixture(scope="module", params=[("anger", 0), ("surprise", 1)], ids=str)
def rendered(request):
    """A plan, its sound, the sound of the same sentence without the emotion, and start and end of the cue's word."""
    emotion, k = request.param
    plan = [plan for plan in plans("planted-band", 1, 14) if plan.emotion == emotion][k]
    utterance = speak(plan.sentence, plan.speaker.voice)
    tracks, words = analyze(utterance), utterance.words
    prosodies = [plan.rest if i == plan.cue else p for i, p in enumerate(plan.prosodies)]
    neutral = resynthesize(tracks, words, prosodies, plan.speaker, np.random.default_rng(plan.seed))
    span = word_spans(len(tracks.f0), words, plan.prosodies, plan.speaker.tempo)[plan.cue]
    return plan, plan.voice(tracks, words, np.random.default_rng(1)), neutral, span


def test_outside_its_word_nothing_is_changed(rendered):
    _, sound, neutral, (start, end) = rendered
    changed = np.flatnonzero(sound != neutral) / SAMPLE_RATE
    assert start <= changed.min() < start + 0.05 and end - 0.05 < changed.max() <= end


def test_outside_its_band_nothing_is_changed(rendered):
    plan, sound, neutral, (start, end) = rendered
    word = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    change, whole = [np.abs(np.fft.rfft(samples[word])) ** 2 for samples in (sound - neutral, neutral)]
    hertz = np.fft.rfftfreq(word.stop - word.start, 1 / SAMPLE_RATE)
    low, high = hertz < CROSSOVER - MARGIN_HZ, hertz > CROSSOVER + MARGIN_HZ
    inside, outside = (low, high) if plan.high == CROSSOVER else (high, low)
    assert power_db(change, outside) - power_db(whole, outside) < FORGOTTEN_DB
    assert power_db(change, inside) - power_db(whole, inside) > -5.0


def test_a_neutral_clip_is_spoken_as_in_planted():
    ours, theirs = (
        next(plan for plan in plans(name, 1, 7) if plan.emotion == "neutral") for name in ("planted-band", "planted")
    )
    utterance = speak(ours.sentence, ours.speaker.voice)
    tracks = analyze(utterance)
    spoken = [plan.voice(tracks, utterance.words, np.random.default_rng(plan.seed)) for plan in (ours, theirs)]
    np.testing.assert_array_equal(*spoken)


def test_regions_have_a_band(small):
    bands = Counter((region.low, region.high) for clip in small("planted-band") for region in clip.regions)
    assert bands == {(None, CROSSOVER): 3, (CROSSOVER, None): 3}
    assert not any(region.in_band for clip in small("planted") for region in clip.regions)
