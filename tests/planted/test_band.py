"""`planted-band`: the cue is in its word and in its band, and nowhere else; both bands carry every emotion."""

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from sertut.corpora import Region, load
from sertut.planted.band import CROSSOVER, in_one_band, speak_in_band
from sertut.planted.script import EMOTIONS, Take, write_script
from sertut.planted.vocoder import FRAME, analyze, resynthesize, timing
from sertut.planted.voices import speak
from sertut.signals import SAMPLE_RATE, log_mel, read_audio

MARGIN_HZ = 100.0  # the filter's step, and what the gate in time smears
FORGOTTEN_DB = -45.0  # a change this far below the word itself counts as none


def power_db(samples: np.ndarray, of: np.ndarray) -> float:
    return float(10 * np.log10(samples[of].sum()))


@pytest.fixture(scope="module", params=[("anger", 0), ("surprise", 1), ("sadness", 1), ("fear", 0)], ids=str)
def rendered(request):
    """A take, its sound, the sound of the same sentence without the emotion, and start and end of the cue's word."""
    emotion, k = request.param
    takes = in_one_band(write_script(False, 1, 14, 0))
    take = [take for take in takes if take.emotion == emotion][k]
    utterance = speak(take.sentence, take.speaker.voice)
    tracks = analyze(utterance)
    sound = speak_in_band(tracks, utterance.words, take)
    prosodies = [take.rest if i == take.cue else p for i, p in enumerate(take.prosodies)]
    neutral = resynthesize(tracks, utterance.words, prosodies, take.speaker, np.random.default_rng(take.seed))
    n, word = len(tracks.f0), utterance.words[take.cue]
    heard = timing(n, utterance.words, take.prosodies, take.speaker.tempo)
    return take, sound, neutral, np.interp([word.start / FRAME, word.end / FRAME], np.arange(n), heard)


def test_outside_its_word_nothing_is_changed(rendered):
    _, sound, neutral, (start, end) = rendered
    changed = np.flatnonzero(sound != neutral) / SAMPLE_RATE
    assert start <= changed.min() < start + 0.05 and end - 0.05 < changed.max() <= end


def test_outside_its_band_nothing_is_changed(rendered):
    take, sound, neutral, (start, end) = rendered
    word = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    spectra = [np.abs(np.fft.rfft(samples[word])) ** 2 for samples in (sound - neutral, neutral)]
    hertz = np.fft.rfftfreq(word.stop - word.start, 1 / SAMPLE_RATE)
    low, high = hertz < CROSSOVER - MARGIN_HZ, hertz > CROSSOVER + MARGIN_HZ
    inside, outside = (low, high) if take.high == CROSSOVER else (high, low)
    change, whole = spectra
    assert power_db(change, outside) - power_db(whole, outside) < FORGOTTEN_DB
    assert power_db(change, inside) - power_db(whole, inside) > -5.0


def test_a_neutral_clip_is_spoken_as_in_planted():
    take = next(take for take in in_one_band(write_script(False, 1, 7, 0)) if take.emotion == "neutral")
    utterance = speak(take.sentence, take.speaker.voice)
    tracks, rng = analyze(utterance), np.random.default_rng(take.seed)
    plain = resynthesize(tracks, utterance.words, take.prosodies, take.speaker, rng)
    np.testing.assert_array_equal(speak_in_band(tracks, utterance.words, take), plain)


@pytest.mark.parametrize("clips_per_speaker", [14, 42])
def test_every_emotion_is_heard_in_both_bands_alike(clips_per_speaker):
    takes = in_one_band(write_script(False, 3, clips_per_speaker, 0))
    counts = Counter((take.speaker.name, take.emotion, take.low, take.high) for take in takes if take.cue is not None)
    assert len(counts) == 3 * 6 * 2 and set(counts.values()) == {clips_per_speaker // 14}
    assert all((take.low, take.high, take.rest) == (None, None, None) for take in takes if take.cue is None)


def test_the_script_is_that_of_planted_but_for_the_tempo_of_the_cue():
    for ours, theirs in zip(in_one_band(write_script(False, 3, 14, 5)), write_script(False, 3, 14, 5), strict=True):
        a, b = asdict(ours), asdict(theirs)
        if ours.cue is not None:
            assert a["prosodies"][ours.cue].pop("tempo") == ours.rest.tempo
            b["prosodies"][ours.cue].pop("tempo")
        assert {key: a[key] for key in b} == b


def test_tempo_does_not_tell_the_emotion():
    takes = in_one_band(write_script(False, 24, 14, 0))
    tempos = {e: [t.prosodies[t.cue].tempo for t in takes if t.emotion == e] for e in EMOTIONS if e != "neutral"}
    assert max(abs(np.mean(values)) for values in tempos.values()) < 0.04  # cues of planted: -.6 to .35


def test_loaded_clips_have_regions_with_a_band_and_decoys_have_none(cache):
    corpus = load("planted-band", speakers=1, clips_per_speaker=14, progress=False)
    assert corpus.validate() == [] and len(corpus) == 14
    bands = Counter((r.low, r.high) for clip in corpus for r in clip.regions)
    assert bands == {(None, CROSSOVER): 6, (CROSSOVER, None): 6}
    for clip in corpus:
        assert len(clip.regions) == (clip.emotion != "neutral") and clip.details["decoy_word"] is not None
        assert all(region.in_band for region in clip.regions)
        assert log_mel(read_audio(clip.audio)).isfinite().all()
    assert load("planted-band", speakers=1, clips_per_speaker=14, progress=False) == corpus


def test_old_corpora_keep_their_scripts_and_their_regions_have_no_band():
    """The name of a corpus's folder holds a digest of its script: one more field, and all copies would be lost."""
    take = write_script(False, 1, 7, 0)[0]
    assert type(take) is Take
    fields = "name, speaker, emotion, sentence, cue, decoy, prosodies, pause, gain, noise, seed"
    assert ", ".join(asdict(take)) == fields
    assert Region(*[0.1, 0.2, "voice"]) == Region(0.1, 0.2) and not Region(0.1, 0.2).in_band
