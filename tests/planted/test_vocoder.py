"""The engine speaks the same every time, and the vocoder changes what it is asked to change, and nothing else."""

import numpy as np
import pytest
import pyworld

from sertut.errors import SertutError
from sertut.planted.prosody import CUES, Prosody
from sertut.planted.speakers import SENTENCES, Speaker, content_words
from sertut.planted.vocoder import resynthesize, word_spans
from sertut.planted.voices import VOICES, speak
from sertut.signals import SAMPLE_RATE
from tests.planted.conftest import spoken


def test_a_sentence_is_spoken_the_same_whatever_came_before():
    first = speak(SENTENCES[0], "en-us")
    speak(SENTENCES[1], "en-us+f1")
    np.testing.assert_array_equal(speak(SENTENCES[0], "en-us").samples, first.samples)
    with pytest.raises(SertutError, match="en-us"):
        speak(SENTENCES[0], "en-uz")


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_gives_the_time_of_every_word(voice):
    for sentence in SENTENCES:
        words = speak(sentence, voice).words
        assert [word.text for word in words] == sentence.rstrip(".").split()
        assert all(word.start < word.end for word in words)
        assert 5 <= len(words) <= 9 and len(content_words(sentence)) >= 3


def render(word: int, prosody: Prosody, pitch: float = 120.0) -> np.ndarray:
    """A sentence in which one word is changed."""
    sentence = spoken(SENTENCES[0])
    prosodies = [prosody if i == word else Prosody() for i in range(len(sentence.words))]
    who = Speaker("someone", "en-us", pitch, range=1.0, formants=1.0, tempo=1.0, tilt=0.0, breath=0.0)
    return resynthesize(sentence.tracks, sentence.words, prosodies, who, np.random.default_rng(0))


def word_of(samples: np.ndarray, word: int) -> np.ndarray:
    """A word of a version whose tempo is that of the original."""
    times = spoken(SENTENCES[0]).words[word]
    return samples[round(times.start * SAMPLE_RATE) : round(times.end * SAMPLE_RATE)]


def semitones(samples: np.ndarray) -> float:
    """The mean F0 above 1 Hz."""
    f0, times = pyworld.dio(samples, SAMPLE_RATE, f0_floor=60.0, f0_ceil=500.0)
    f0 = pyworld.stonemask(samples, f0, times, SAMPLE_RATE)
    return float(12 * np.log2(f0[f0 > 0]).mean())


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def centroid(samples: np.ndarray) -> float:
    """Mean frequency of the power, octaves."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(np.log2((power * np.arange(len(power))).sum() / power.sum()))


def test_the_speaker_sets_the_pitch():
    assert semitones(render(0, Prosody(), pitch=180.0)) == pytest.approx(12 * np.log2(180.0), abs=0.5)


@pytest.mark.parametrize(
    "prosody, measure, change, off",
    [
        (Prosody(pitch=6.0), semitones, 6.0, 1.0),
        (Prosody(level=8.0), decibels, 8.0, 1.0),
        (Prosody(tilt=6.0), decibels, 0.0, 1.5),
        (Prosody(tilt=6.0), centroid, 1.0, 0.42),
    ],
    ids=["pitch", "level", "tilt keeps the level", "tilt is brighter"],
)
def test_one_word_changes_as_asked_for_and_the_others_do_not(prosody, measure, change, off):
    plain, other = render(1, Prosody()), render(1, prosody)
    assert measure(word_of(other, 1)) - measure(word_of(plain, 1)) == pytest.approx(change, abs=off)
    assert measure(word_of(other, 4)) - measure(word_of(plain, 4)) == pytest.approx(0.0, abs=0.2)


def test_tempo_changes_the_length_of_one_word():
    sentence = spoken(SENTENCES[0])
    prosodies = [Prosody(tempo=-1.0 if i == 1 else 0.0) for i in range(len(sentence.words))]
    heard = np.diff(word_spans(sentence.n_frames, sentence.words, prosodies, 1.0))[:, 0]
    said = np.array([word.end - word.start for word in sentence.words])
    assert 1.85 < heard[1] / said[1] < 2.0  # twice as long, but for the edges
    np.testing.assert_allclose(np.delete(heard, 1), np.delete(said, 1), atol=2e-3)


def test_a_word_fades_in_and_out_without_a_click():
    """Where a strong cue begins and ends, samples jump no more than they do in the middle of words."""
    samples = render(4, CUES["surprise"] + Prosody(tempo=-CUES["surprise"].tempo))
    jumps = np.abs(np.diff(samples, n=2))
    word = spoken(SENTENCES[0]).words[4]
    for edge in (word.start, word.end):
        middle = round(edge * SAMPLE_RATE)
        assert jumps[middle - 160 : middle + 160].max() < 1.2 * np.quantile(jumps, 0.999)
