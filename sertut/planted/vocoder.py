"""Speaking a recorded sentence again with another voice and another prosody, by the WORLD vocoder.

WORLD takes a voice apart into F0, spectral envelope and aperiodicity, every 5 ms; we change these tracks and put the
voice together again. M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", IEICE Trans. Inf. Syst. E99-D(7), 2016, doi 10.1587/transinf.2015EDP7457
"""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import resample_poly

from sertut.planted.prosody import Prosody
from sertut.planted.speakers import Speaker
from sertut.planted.voices import Utterance, Word
from sertut.signals import SAMPLE_RATE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyworld asks setuptools for its version, in a way that will go
    import pyworld

FRAME = 0.005  # seconds from one WORLD frame to the next
EDGE = 0.03  # seconds over which a word's prosody fades in and out, inside the word: no click, no step
LOWEST_F0, HIGHEST_F0 = 60.0, 520.0  # Hz
TREMOR_HZ = 7.0


@dataclass(frozen=True)
class Tracks:
    """WORLD's analysis: f0 (T,), 0 where unvoiced; envelope (T, K), log power; aperiodicity (T, K), 0..1."""

    f0: np.ndarray
    envelope: np.ndarray
    aperiodicity: np.ndarray
    rate: int


def analyze(utterance: Utterance) -> Tracks:
    """Take an utterance apart."""
    samples, rate = np.ascontiguousarray(utterance.samples), utterance.rate
    rough, times = pyworld.dio(samples, rate, f0_floor=LOWEST_F0, f0_ceil=400.0, frame_period=1000 * FRAME)
    f0 = pyworld.stonemask(samples, rough, times, rate)
    envelope = pyworld.cheaptrick(samples, f0, times, rate)
    aperiodicity = pyworld.d4c(samples, f0, times, rate)
    return Tracks(f0, np.log(envelope).astype(np.float32), aperiodicity.astype(np.float32), rate)


def timing(n: int, words: Sequence[Word], prosodies: Sequence[Prosody], tempo: float) -> np.ndarray:
    """When each of the `n` frames of the original is heard in the new version: shape (n,), seconds."""
    speed = tempo * 2 ** sum(p.tempo * _of_word(w, n) for p, w in zip(prosodies, words, strict=True))  # (n,)
    steps = FRAME / np.broadcast_to(speed, (n,))
    return np.concatenate([[0.0], np.cumsum((steps[1:] + steps[:-1]) / 2)])


def word_spans(n: int, words: Sequence[Word], prosodies: Sequence[Prosody], tempo: float) -> np.ndarray:
    """When each word starts and ends in the new version, seconds, shape (n_words, 2); see :func:`timing`."""
    original = [[word.start / FRAME, word.end / FRAME] for word in words]
    return np.interp(original, np.arange(n), timing(n, words, prosodies, tempo))


def resynthesize(
    tracks: Tracks, words: Sequence[Word], prosodies: Sequence[Prosody], speaker: Speaker, rng: np.random.Generator
) -> np.ndarray:
    """Speak the sentence with one prosody a word.

    Args:
        tracks: the analyzed sentence.
        words: when its words are spoken.
        prosodies: one for each word.
        speaker: whose voice; `speaker.pitch` and `speaker.tempo` hold for this clip.
        rng: for jitter and the phase of the tremor.

    Returns:
        shape (n_samples,), 16 kHz.
    """
    n = len(tracks.f0)
    change = {  # name of a change -> its track over the original's frames, (n,)
        name: sum(getattr(p, name) * _of_word(w, n) for p, w in zip(prosodies, words, strict=True))
        for name in ("pitch", "level", "tilt", "formants", "breath", "jitter", "tremor")
    }
    voiced = tracks.f0 > 0
    melody = _melody(tracks.f0, words, prosodies, speaker.range) + change["pitch"]  # semitones, (n,)

    # The new clock: frame j of the new version is frame source[j] of the original.
    heard = timing(n, words, prosodies, speaker.tempo)
    m = int(heard[-1] / FRAME)
    source = np.interp(FRAME * np.arange(m), heard, np.arange(n))  # (m,)
    nearest = np.round(source).astype(int)
    change = {name: np.interp(source, np.arange(n), np.broadcast_to(track, (n,))) for name, track in change.items()}

    melody = np.interp(source, np.arange(n), melody) + change["jitter"] * rng.normal(size=m)
    melody += change["tremor"] * np.sin(2 * np.pi * (TREMOR_HZ * FRAME * np.arange(m) + rng.uniform()))
    f0 = np.clip(speaker.pitch * 2 ** (melody / 12), LOWEST_F0, HIGHEST_F0) * voiced[nearest]

    voicing = uniform_filter1d(voiced[nearest].astype(float), 5)  # 0..1, without steps
    warp = speaker.formants * 2 ** change["formants"]
    envelope = _warped(_at(tracks.envelope, source), warp)  # (m, K), log power
    frequencies = np.linspace(0, tracks.rate / 2, envelope.shape[1])
    octaves = np.log2(np.maximum(frequencies, 500.0) / 500.0)  # (K,)
    tilted = envelope + np.log(10) / 10 * (voicing * (speaker.tilt + change["tilt"]))[:, None] * octaves
    tilted = tilted.astype(np.float32)
    # The tilt must not change the level, which has a setting of its own.
    level = np.log(10) / 10 * change["level"] + _log_power(envelope) - _log_power(tilted)
    noise = _at(tracks.aperiodicity, source)  # smooth over kilohertz: warping it would change nothing
    breath = np.clip(speaker.breath + change["breath"], 0, 0.9)[:, None] * np.clip(octaves / 2, 0, 1)  # (m, K)
    noise = noise + breath * (1 - noise)

    power = np.exp(tilted + level[:, None]).astype(np.float64)
    samples = pyworld.synthesize(f0, power, np.clip(noise, 0, 1).astype(np.float64), tracks.rate, 1000 * FRAME)
    divisor = np.gcd(tracks.rate, SAMPLE_RATE)
    return resample_poly(samples, SAMPLE_RATE // divisor, tracks.rate // divisor)


def _melody(f0: np.ndarray, words: Sequence[Word], prosodies: Sequence[Prosody], spread: float) -> np.ndarray:
    """F0 in semitones around the sentence's mean, bridged over unvoiced frames, with each word's own movements."""
    n, voiced = len(f0), f0 > 0
    semitones = np.interp(np.arange(n), np.flatnonzero(voiced), 12 * np.log2(f0[voiced]))
    semitones = spread * (semitones - semitones[voiced].mean())
    result = semitones.copy()
    for word, prosody in zip(words, prosodies, strict=True):
        own_frames = _of_word(word, n)
        inside = own_frames > 0
        place = np.clip((FRAME * np.arange(n) - word.start) / (word.end - word.start), 0, 1)  # 0 at start, 1 at end
        own = semitones - semitones[inside].mean()
        shape = prosody.slope * (place - 0.5) + prosody.arch * (np.sin(np.pi * place) - 2 / np.pi)
        result += own_frames * ((2**prosody.range - 1) * own + shape)
    return result


def gate(times: np.ndarray, start: float, end: float) -> np.ndarray:
    """1 from `start` to `end`, 0 outside, with raised-cosine edges that lie inside; `times` and result: (n,)."""
    depth = np.minimum(times - start, end - times)  # seconds from the nearer end; negative outside
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(depth / EDGE, 0, 1))


@functools.lru_cache(maxsize=64)  # the words of one sentence, which many clips speak
def _of_word(word: Word, n: int) -> np.ndarray:
    """How much each of the original's `n` frames belongs to a word, 0..1, shape (n,)."""
    return gate(FRAME * np.arange(n), word.start, word.end)


def _at(track: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Rows of `track` (n, K) at fractional positions `source` (m,), linearly interpolated: (m, K)."""
    low = np.minimum(source.astype(int), len(track) - 2)
    share = (source - low)[:, None].astype(np.float32)
    return (1 - share) * track[low] + share * track[low + 1]


def _warped(track: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Move what stands at frequency f to frequency ``factor * f``, frame by frame; track (m, K), factor (m,)."""
    last, values = track.shape[1] - 1, track.ravel()
    place = np.minimum(np.arange(last + 1) / factor[:, None], last - 1e-9)  # where each new bin comes from, (m, K)
    low = place.astype(int)
    share = (place - low).astype(np.float32)
    low += np.arange(0, track.size, last + 1)[:, None]  # where each element lies in the flat table
    return (1 - share) * values.take(low) + share * values.take(low + 1)


def _log_power(envelope: np.ndarray) -> np.ndarray:
    """Log of each frame's total power; envelope (m, K), log power."""
    return np.log(np.exp(envelope).sum(axis=1))
