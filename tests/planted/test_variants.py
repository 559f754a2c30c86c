"""The planted corpus: made the same way twice, balanced, with its truth in the right place, and without a shortcut."""

import dataclasses
import itertools
import json
import shutil
from collections import Counter

import joblib
import numpy as np
import pytest
import pyworld
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sertut.corpora import load
from sertut.errors import CorpusError, SertutError
from sertut.planted.expressions import speech_opening
from sertut.planted.making import _render
from sertut.planted.prosody import CUES, Prosody
from sertut.planted.script import EMOTIONS, SENTENCES, VOICES, content_words, write_script
from sertut.planted.variants import _fingerprint, _script
from sertut.planted.vocoder import FRAME, Speaker, analyze, resynthesize, timing
from sertut.planted.voices import speak
from sertut.signals import SAMPLE_RATE, frame_seconds, level_db, read_audio
from sertut.video import VIDEO_HOP, read_video

TINY = dict(speakers=2, clips_per_speaker=7, progress=False)
SHIFT = 0.03  # seconds: half a frame, and what the vocoder smears


@pytest.fixture(scope="module")
def whole():
    """Both whole corpora, in the cache that everything else uses; made here if nobody made them before."""
    return {name: load(name, progress=False) for name in ("planted", "planted-loud")}


def files_of(corpus) -> dict[str, bytes]:
    folder = corpus[0].audio.parent.parent
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# The engine and the vocoder


def test_a_sentence_is_spoken_the_same_whatever_came_before():
    first = speak(SENTENCES[0], "en-us")
    speak(SENTENCES[1], "en-us+f1")
    np.testing.assert_array_equal(speak(SENTENCES[0], "en-us").samples, first.samples)


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_gives_the_time_of_every_word(voice):
    for sentence in SENTENCES:
        words = speak(sentence, voice).words
        assert [word.text for word in words] == sentence.rstrip(".").split()
        assert all(word.start < word.end for word in words)
        assert 5 <= len(words) <= 9 and len(content_words(sentence)) >= 3


def test_an_unknown_voice_names_a_known_one():
    with pytest.raises(SertutError, match="en-us"):
        speak(SENTENCES[0], "en-uz")


@pytest.fixture(scope="module")
def spoken():
    utterance = speak(SENTENCES[0], "en-us")
    return utterance, analyze(utterance)


def render(spoken, word: int, prosody: Prosody, **speaker) -> np.ndarray:
    utterance, tracks = spoken
    prosodies = [prosody if i == word else Prosody() for i in range(len(utterance.words))]
    settings = dict(pitch=120.0, range=1.0, formants=1.0, tempo=1.0, tilt=0.0, breath=0.0) | speaker
    who = Speaker(name="someone", voice="en-us", **settings)
    return resynthesize(tracks, utterance.words, prosodies, who, np.random.default_rng(0))


def mean_f0(samples: np.ndarray) -> float:
    f0, times = pyworld.dio(samples, SAMPLE_RATE, f0_floor=60.0, f0_ceil=500.0)
    f0 = pyworld.stonemask(samples, f0, times, SAMPLE_RATE)
    return float(np.exp(np.log(f0[f0 > 0]).mean()))


def word_of(spoken, samples: np.ndarray, word: int) -> np.ndarray:
    """A word of a version whose tempo is that of the original."""
    times = spoken[0].words[word]
    return samples[round(times.start * SAMPLE_RATE) : round(times.end * SAMPLE_RATE)]


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def test_the_speaker_sets_the_pitch(spoken):
    assert mean_f0(render(spoken, 0, Prosody(), pitch=180.0)) == pytest.approx(180.0, rel=0.03)


def test_pitch_changes_one_word_by_the_semitones_asked_for(spoken):
    plain, high = render(spoken, 1, Prosody()), render(spoken, 1, Prosody(pitch=6.0))
    ratio = mean_f0(word_of(spoken, high, 1)) / mean_f0(word_of(spoken, plain, 1))
    assert 12 * np.log2(ratio) == pytest.approx(6.0, abs=1.0)
    ratio = mean_f0(word_of(spoken, high, 4)) / mean_f0(word_of(spoken, plain, 4))
    assert 12 * np.log2(ratio) == pytest.approx(0.0, abs=0.2)


def test_level_changes_one_word_by_the_decibels_asked_for(spoken):
    plain, loud = render(spoken, 1, Prosody()), render(spoken, 1, Prosody(level=8.0))
    assert decibels(word_of(spoken, loud, 1)) - decibels(word_of(spoken, plain, 1)) == pytest.approx(8.0, abs=1.0)
    assert decibels(word_of(spoken, loud, 4)) - decibels(word_of(spoken, plain, 4)) == pytest.approx(0.0, abs=0.1)


def test_tilt_brightens_at_the_same_level(spoken):
    plain, bright = render(spoken, 1, Prosody()), render(spoken, 1, Prosody(tilt=6.0))
    assert decibels(word_of(spoken, bright, 1)) - decibels(word_of(spoken, plain, 1)) == pytest.approx(0.0, abs=1.5)
    centroid = []
    for samples in (plain, bright):
        power = np.abs(np.fft.rfft(word_of(spoken, samples, 1))) ** 2
        centroid.append((power * np.arange(len(power))).sum() / power.sum())
    assert centroid[1] > 1.5 * centroid[0]


def test_tempo_changes_the_length_of_one_word(spoken):
    words, n = spoken[0].words, len(spoken[1].f0)
    prosodies = [Prosody(tempo=-1.0 if i == 1 else 0.0) for i in range(len(words))]
    heard = timing(n, words, prosodies, 1.0)
    at = lambda t: np.interp(t / FRAME, np.arange(n), heard)  # noqa: E731
    assert at(words[1].start) == pytest.approx(words[1].start, abs=1e-3)
    stretched = (at(words[1].end) - at(words[1].start)) / (words[1].end - words[1].start)
    assert 1.85 < stretched < 2.0  # twice as long, but for the edges
    assert at(words[4].end) - at(words[4].start) == pytest.approx(words[4].end - words[4].start, abs=1e-3)


def test_a_word_fades_in_and_out_without_a_click(spoken):
    """Where a strong cue begins and ends, samples jump no more than they do in the middle of words."""
    samples = render(spoken, 4, CUES["surprise"] + Prosody(tempo=-CUES["surprise"].tempo))
    jumps = np.abs(np.diff(samples, n=2))
    for edge in (spoken[0].words[4].start, spoken[0].words[4].end):
        middle = round(edge * SAMPLE_RATE)
        assert jumps[middle - 160 : middle + 160].max() < 1.2 * np.quantile(jumps, 0.999)


# The script


def test_the_two_variants_differ_in_nothing_but_level():
    for one, other in zip(write_script(False, 3, 14, 5), write_script(True, 3, 14, 5), strict=True):
        assert (one.name, one.speaker, one.sentence, one.cue) == (other.name, other.speaker, other.sentence, other.cue)
        for a, b in zip(one.prosodies, other.prosodies, strict=True):
            assert dataclasses.replace(a, level=0.0) == dataclasses.replace(b, level=0.0)


def test_speakers_cover_the_range_of_voices():
    speakers = {take.speaker.name: take.speaker for take in write_script(False, 24, 7, 0)}
    pitches = np.array([speaker.pitch for speaker in speakers.values()])
    assert (pitches < 140).sum() >= 8 and (pitches > 140).sum() >= 8
    assert Counter(speaker.voice for speaker in speakers.values()) == dict.fromkeys(VOICES, 4)


@pytest.mark.parametrize("sizes", [{"clips_per_speaker": 10}, {"clips_per_speaker": 0}, {"speakers": 0}])
def test_sizes_that_cannot_be_balanced(cache, sizes):
    with pytest.raises(CorpusError, match="multiple of 7"):
        load("planted", **(TINY | sizes))


# Making it


def test_the_same_seed_makes_the_same_bytes(tmp_path, monkeypatch):
    twice = []
    for folder in ("one", "two"):
        monkeypatch.setenv("SERTUT_CACHE", str(tmp_path / folder))
        twice.append(files_of(load("planted", **TINY)))
    assert twice[0] == twice[1] and "manifest.json" in twice[0] and len(twice[0]) == 2 * 15  # as many faces as sounds
    other = load("planted", **TINY, seed=1)
    assert all(data not in twice[0].values() for data in files_of(other).values())


@pytest.mark.parametrize(
    "name, digest", [("planted", "2a00e507fb"), ("planted-loud", "8c3eaf2dcb"), ("planted-band", "f3ae7e5ba6")]
)
def test_the_sound_is_the_one_that_the_reference_results_were_made_with(monkeypatch, name, digest):
    """A digest of everything that the sound depends on: draws, RENDERING, and the versions of the engines."""
    engines = {"espeakng-loader": "0.2.4", "pyworld": "0.3.5"}
    monkeypatch.setattr("sertut.planted.variants.version", engines.get)
    assert _fingerprint(_script(name, 24, 42, 0)) == digest


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache folder with a tiny corpus in it."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERTUT_CACHE", str(folder))
        load("planted", **TINY)
    return folder


@pytest.fixture
def tiny(cache, made):
    """The tiny corpus in a folder of the test's own."""
    shutil.copytree(made, cache)
    return load("planted", **TINY)


def test_a_second_load_makes_nothing(cache, made, monkeypatch):
    monkeypatch.setattr("sertut.planted.making._render", None)
    shutil.copytree(made, cache)
    assert len(load("planted", **TINY)) == 14


def test_an_interrupted_making_goes_on_where_it_stopped(tiny):
    folder = tiny[0].audio.parent.parent
    before = files_of(tiny)
    (folder / "manifest.json").unlink()
    kept = [path.stat().st_mtime_ns for path in (tiny[3].audio, tiny[3].video)]
    for clip in tiny[:3]:
        clip.audio.unlink()
    for clip in tiny[2:3]:
        clip.video.unlink()
    assert files_of(load("planted", **TINY)) == before
    assert [path.stat().st_mtime_ns for path in (tiny[3].audio, tiny[3].video)] == kept


def test_faces_are_added_to_a_sound_that_is_there(tiny):
    before = files_of(tiny)
    sounds = {clip.audio: clip.audio.stat().st_mtime_ns for clip in tiny}
    shutil.rmtree(tiny[0].video.parent)
    assert files_of(load("planted", **TINY)) == before
    assert {clip.audio: clip.audio.stat().st_mtime_ns for clip in tiny} == sounds


@pytest.mark.parametrize("stream", ["audio", "video"])
def test_lost_clips_are_made_again(tiny, stream):
    before = files_of(tiny)
    getattr(tiny[5], stream).unlink()
    assert files_of(load("planted", **TINY)) == before


def test_a_manifest_that_is_cut_short_is_written_again(tiny):
    manifest = tiny[0].audio.parent.parent / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[: len(whole) // 2])
    assert load("planted", **TINY) == tiny
    assert manifest.read_bytes() == whole


def test_nothing_half_written_stays_behind(tmp_path, monkeypatch):
    def fail(path, samples):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("sertut.planted.making.write_audio", fail)
    scenes = [(take, None) for take in write_script(False, 1, 7, 0)[:1]]
    with pytest.raises(KeyboardInterrupt):
        _render(scenes, tmp_path, None)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


# Its faces


def mouth_lag(clip) -> float:
    """Seconds by which the dark of the mouth follows the level of the voice: the lag of their best correlation."""
    frames = read_video(clip.video).frames.astype(float)
    dark = 0.4 * np.median(frames[:, 20:40, 12:36], axis=(1, 2))
    opening = (frames[:, 27:, 12:36] < dark[:, None, None]).sum(axis=(1, 2))
    times = (np.arange(len(frames)) + 0.5) * VIDEO_HOP
    level = level_db(read_audio(clip.audio)).numpy()

    def agreement(lag: float) -> float:
        heard = (times - lag > 0) & (times - lag < len(level) * 0.01)
        return float(np.corrcoef(opening[heard], speech_opening(level, times[heard] - lag))[0, 1])

    return max(np.arange(-0.8, 0.81, 0.02), key=agreement)


def test_the_mouth_follows_the_voice_by_the_offset(tiny):
    errors = [abs(mouth_lag(clip) - clip.details["offset"]) for clip in tiny]
    assert np.median(errors) < VIDEO_HOP / 2 and np.mean(np.array(errors) < 1.5 * VIDEO_HOP) > 0.8


def test_the_face_is_there_as_long_as_the_voice_and_the_expression_is_inside(tiny):
    for clip in tiny:
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        video = read_video(clip.video)
        assert video.frames.shape == (int(seconds / VIDEO_HOP + 1e-6), 48, 48)
        np.testing.assert_allclose(video.times, (np.arange(len(video)) + 0.5) * VIDEO_HOP, atol=1e-3)
        assert -0.6 <= clip.details["offset"] <= 0.6
        if clip.emotion == "neutral":
            assert clip.regions == ()
            continue
        voice, face = clip.regions
        assert (voice.stream, face.stream) == ("voice", "face")
        assert abs(face.start - voice.start - clip.details["offset"]) < 0.062
        assert abs(face.end - voice.end - clip.details["offset"]) < 0.062
        assert 0.048 < face.start < face.end < seconds - 0.048


# The whole corpora


@pytest.mark.parametrize("name", ["planted", "planted-loud"])
def test_balanced_and_complete(whole, name):
    corpus = whole[name]
    assert len(corpus) >= 900 and len(corpus.speakers) == 24 and corpus.emotions == EMOTIONS
    counts = Counter((clip.speaker, clip.emotion) for clip in corpus)
    assert len(counts) == 24 * 7 and len(set(counts.values())) == 1
    assert corpus.validate() == []
    manifest = json.loads((corpus[0].audio.parent.parent / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["clips"]] == [clip.name for clip in corpus]


@pytest.mark.parametrize("name", ["planted", "planted-loud"])
def test_truth_lies_on_the_words_and_inside_the_clip(whole, name):
    places = []
    for clip in whole[name]:
        words = clip.details["words"]
        seconds = len(read_audio(clip.audio)) / SAMPLE_RATE
        assert words[0][1] > 0 and words[-1][2] < seconds
        assert all(a[2] == b[1] for a, b in itertools.pairwise(words))
        decoy = (clip.details["decoy_word"], clip.details["decoy_start"], clip.details["decoy_end"])
        if clip.emotion == "neutral":
            assert clip.regions == () and clip.details["cue_word"] is None and decoy in words
            continue
        region, *faces = clip.regions
        assert [face.stream for face in faces] == ["face"] * (name == "planted")
        assert (clip.video is not None) == ("offset" in clip.details) == (name == "planted")
        cue = (clip.details["cue_word"], region.start, region.end)
        assert cue in words and region.stream == "voice" and cue != decoy
        assert decoy in words if name == "planted" else decoy == (None, None, None)
        places.append((region.start + region.end) / 2 / seconds)
    # The center of the clip is a poor guess: cues lie everywhere.
    assert np.histogram(places, bins=4, range=(0.05, 0.95))[0].min() > 0.1 * len(places)


@pytest.fixture(scope="module")
def measured(whole):
    """Per clip: mean and largest level, duration, mean F0, and the second at which it is loudest."""

    def measure(clip):
        samples = read_audio(clip.audio)
        level = level_db(samples).numpy()
        f0, _ = pyworld.dio(
            samples.astype(float), SAMPLE_RATE, f0_floor=60.0, f0_ceil=500.0, frame_period=10.0, speed=4
        )
        loudest = frame_seconds(len(level))[level.argmax()]
        return [level.mean(), level.max(), len(samples) / SAMPLE_RATE, np.log(f0[f0 > 0]).mean(), loudest]

    return {
        name: dict(
            zip(corpus, joblib.Parallel(n_jobs=2, prefer="threads")(map(joblib.delayed(measure), corpus)), strict=True)
        )
        for name, corpus in whole.items()
    }


def test_what_is_loudest(whole, measured):
    in_cue = {}
    for name, corpus in whole.items():
        hits = [
            clip.regions[0].start - SHIFT <= measured[name][clip][-1] <= clip.regions[0].end + SHIFT
            for clip in corpus
            if clip.regions
        ]
        in_cue[name] = np.mean(hits)
    assert in_cue["planted-loud"] > 0.9
    assert in_cue["planted"] < 0.2  # a word's share of the clip


@pytest.mark.parametrize("name", ["planted", "planted-loud"])
def test_no_shortcut(whole, measured, name):
    """Level, duration and mean F0 of the whole clip must not tell the emotion of unseen speakers (chance 1/7)."""
    scores = []
    for fold in whole[name].folds():
        (x, y), (x_test, y_test) = (
            (np.array([measured[name][clip][:-1] for clip in part]), [clip.emotion for clip in part])
            for part in (fold.train, fold.test)
        )
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
        scores.append(recall_score(y_test, model.predict(x_test), average="macro"))
    assert np.mean(scores) < 0.40 and max(scores) < 0.40
