"""Spliced corpora: the region is where the emotional clip is, and nothing but the voice gives it away."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sertut.corpora import ravdess, spliced
from sertut.corpora.spliced import FADE, LEVEL_DB, join, prepare, splice
from sertut.errors import CorpusError
from sertut.signals import SAMPLE_RATE, level_db, read_audio, sounding, write_audio
from tests.conftest import tone


def test_prepare_trims_silence_and_sets_the_level_and_never_clips():
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    samples = prepare(np.concatenate([silence, tone(1.0, level=0.01), silence]))
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.06, abs=0.04)
    level = level_db(samples)
    assert level[sounding(level)].mean().item() == pytest.approx(LEVEL_DB, abs=0.5)
    spike = tone(0.5, level=0.001)
    spike[100] = 0.9
    assert np.abs(prepare(spike)).max() <= 0.99 + 1e-6


def test_join_keeps_time_and_power():
    pieces = [np.random.default_rng(i).normal(size=8000).astype(np.float32) for i in range(3)]
    samples, spans = join(pieces)
    assert len(samples) == 3 * 8000 - 2 * FADE
    assert spans[0][0] == 0 and spans[2][1] == pytest.approx(len(samples) / SAMPLE_RATE)
    assert spans[0][1] == spans[1][0] == (8000 - FADE / 2) / SAMPLE_RATE
    np.testing.assert_array_equal(samples[: 8000 - FADE], pieces[0][:-FADE])
    fade = samples[8000 - FADE : 8000]
    assert fade.var() == pytest.approx(1.0, abs=0.3)  # equal power: no dip where unrelated sounds meet


@pytest.fixture
def renamed(tones):
    """The tones corpus with one class called neutral."""
    clips = [dataclasses.replace(c, emotion="neutral" if c.emotion == "low" else "anger", regions=()) for c in tones]
    return dataclasses.replace(tones, clips=tuple(clips), emotions=("neutral", "anger"))


def test_splice(renamed):
    corpus = splice(renamed)
    assert len(corpus) == len(renamed)  # 4 emotional and 4 neutral cores a speaker
    for clip in corpus:
        assert bool(clip.regions) == (clip.emotion == "anger")
        assert clip.regions or len(set(clip.sentence.split(" | "))) == 3  # no neutral clip beside itself
        duration = len(read_audio(clip.audio)) / SAMPLE_RATE
        for region in clip.regions:
            assert 0 <= region.start < region.end <= duration + 1e-3
            assert (region.start == 0) == (clip.details["position"] == "first")
            assert (region.end == pytest.approx(duration, abs=1e-3)) == (clip.details["position"] == "last")
    assert {clip.details["position"] for clip in corpus} == {"first", "middle", "last"}
    assert [c.regions for c in splice(renamed)] == [c.regions for c in corpus]
    assert corpus.folds(n=3)[0].leaks.speakers == ()


def test_interrupted_making_goes_on_where_it_stopped_and_mends_what_is_lost(renamed, monkeypatch, cache):
    written: list[str] = []

    def stop_at_the_tenth(path, samples):
        if len(written) == 9 and not list(cache.rglob("stopped")):
            (cache / "stopped").touch()
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        written.append(path.name[10:])  # without what makes the temporary name
        write_audio(path, samples)

    monkeypatch.setattr(spliced, "write_audio", stop_at_the_tenth)
    monkeypatch.setattr(spliced, "in_threads", lambda function, items, title: list(map(function, items)))
    with pytest.raises(KeyboardInterrupt):
        splice(renamed)
    assert not list(cache.rglob("manifest.json")) and not list(cache.rglob(".*"))
    before = splice(renamed)
    assert sorted(written) == sorted(clip.audio.name for clip in before)  # none of them twice
    # A file that is missing or cut is made again.
    whole = [clip.audio.read_bytes() for clip in before]
    before[3].audio.unlink()
    before[5].audio.write_bytes(whole[5][: len(whole[5]) // 2])
    after = splice(renamed)
    assert after == before and [clip.audio.read_bytes() for clip in after] == whole
    # The same three neutral clips may meet twice where a speaker has few.
    assert all("same audio" in problem.what for problem in after.validate())


def test_two_may_make_one_corpus_at_once(renamed, cache):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(splice, [renamed] * 4))
    assert all(corpus == made[0] for corpus in made) and not list(cache.rglob(".*"))
    assert all("same audio" in problem.what for problem in made[0].validate())
    with pytest.raises(CorpusError, match="cannot be spliced"):  # no neutral clips
        splice(renamed.keeping(clip for clip in renamed if clip.emotion == "anger"))


def test_spliced_ravdess(recorded, cache):
    corpus = splice(ravdess.read(recorded("ravdess")).of_speakers(["actor 01", "actor 02"]))
    assert len(corpus) == 2 * (6 * 8 + 8) and len(corpus.emotions) == 7 and "calm" not in corpus.emotions
    shares = [(r.end - r.start) / (len(read_audio(c.audio)) / SAMPLE_RATE) for c in corpus for r in c.regions]
    assert np.mean(shares) == pytest.approx(1 / 3, abs=0.06)
    clip = next(c for c in corpus if c.emotion == "anger")
    level = level_db(read_audio(clip.audio))
    inside = np.zeros(len(level), bool)
    inside[int(clip.regions[0].start * 100) : int(clip.regions[0].end * 100)] = True
    voiced = sounding(level, 30).numpy()
    gap = level[inside & voiced].mean() - level[~inside & voiced].mean()
    assert abs(gap) < 3  # dB: loudness does not give the region away
