"""From a waveform to a table of features, one row a frame.

The constants are derived from one another, so that the clock of every later map follows from this page:
a frame is 25 ms long, and a new one starts every 10 ms.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torchaudio.transforms import MFCC, MelSpectrogram

from sertut.errors import AudioError, unknown
from sertut.signals.audio import SAMPLE_RATE

WINDOW = 400  # samples a frame
HOP = 160  # samples from one frame to the next
WINDOW_SECONDS = WINDOW / SAMPLE_RATE  # 0.025 s
HOP_SECONDS = HOP / SAMPLE_RATE  # 0.010 s
N_FFT = 512  # points of the Fourier transform: the next power of two above WINDOW
LONG_WINDOW, LONG_N_FFT = 640, 1024  # 40 ms, which tell the harmonics of a low voice apart
N_MELS = 64  # mel bands of the log-mel spectrogram
N_MFCC = 40  # mel-frequency cepstral coefficients
LOWEST_HZ = 50.0  # below it there is hum, not voice
HIGHEST_HZ = SAMPLE_RATE / 2
FLOOR_DB = -100.0  # level given to digital silence


def n_frames(n_samples: int) -> int:
    """Number of whole frames in `n_samples` samples (no padding at the ends)."""
    return 1 + (n_samples - WINDOW) // HOP if n_samples >= WINDOW else 0


def frame_seconds(n: int) -> np.ndarray:
    """Center of each of `n` frames, seconds, shape (n,)."""
    return (WINDOW / 2 + HOP * np.arange(n)) / SAMPLE_RATE


def log_mel(samples: np.ndarray) -> torch.Tensor:
    """Log-mel spectrogram, ``10 log10(mel power)``.

    Args:
        samples: shape (n_samples,), 16 kHz.

    Returns:
        shape (T, 64), float32, dB; not below -100 dB.

    Raises:
        AudioError: the clip is shorter than one frame.
    """
    return _decibels(_spectrum(_mel, samples))


def log_mel_long(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel` through windows of 40 ms around the centers of the same frames; (T, 64)."""
    return _decibels(_spectrum(_long_mel, samples, LONG_N_FFT))


def mfcc(samples: np.ndarray) -> torch.Tensor:
    """Mel-frequency cepstral coefficients.

    Args:
        samples: shape (n_samples,), 16 kHz.

    Returns:
        shape (T, 40), float32.

    Raises:
        AudioError: the clip is shorter than one frame.
    """
    return _spectrum(_mfcc, samples)


def level_db(samples: np.ndarray) -> torch.Tensor:
    """Root-mean-square level of each frame, dB relative to full scale, shape (T,); not below -100 dB."""
    return _decibels(_framed(samples).unfold(0, WINDOW, HOP).square().mean(dim=1))


def sounding(level: torch.Tensor, range_db: float = 50.0) -> torch.Tensor:
    """Frames that are not silence: within `range_db` of the clip's loudest frame.

    Args:
        level: shape (T,), dB, from :func:`level_db`.

    Returns:
        shape (T,), bool.
    """
    return level > level.max() - range_db


def relative(table: torch.Tensor) -> torch.Tensor:
    """Each column of a clip's features (T, F) relative to that clip: mean 0, standard deviation 1.

    What is constant in a recording goes: the voice's own timbre, the microphone, the level. So, too, what is emotional
    for as long as the clip lasts.
    """
    return (table - table.mean(dim=0)) / table.std(dim=0, correction=0).clamp(min=1e-5)


def log_mel_level(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel` and, as the last column, :func:`level_db`, for networks told where it is loud; (T, 65)."""
    return torch.cat([log_mel(samples), level_db(samples).unsqueeze(1)], dim=1)


def log_mel_long_level(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel_long` and, as the last column, :func:`level_db`; (T, 65)."""
    return torch.cat([log_mel_long(samples), level_db(samples).unsqueeze(1)], dim=1)


def mfcc_level(samples: np.ndarray) -> torch.Tensor:
    """:func:`mfcc` and, as the last column, :func:`level_db`; (T, 41)."""
    return torch.cat([mfcc(samples), level_db(samples).unsqueeze(1)], dim=1)


def log_mel_relative_level(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel`, the same :func:`relative` to the clip, and :func:`level_db`; (T, 129)."""
    table = log_mel(samples)
    return torch.cat([table, relative(table), level_db(samples).unsqueeze(1)], dim=1)


class Feature(NamedTuple):
    """What computes a feature, and what its columns are.

    n_columns: F. mel_starts: where its sets of mel bands start. follow_level: columns, in slices, that change when
    the recording is made louder. Louder by x dB is a constant over the bands; of MFCC, the first alone holds it.
    """

    compute: Callable[[np.ndarray], torch.Tensor]
    n_columns: int
    mel_starts: tuple[int, ...]
    follow_level: tuple[slice, ...]


BANDS, LEVEL = (slice(0, N_MELS),), slice(-1, None)
FEATURES: dict[str, Feature] = {
    "log_mel": Feature(log_mel, N_MELS, (0,), BANDS),
    "log_mel_long": Feature(log_mel_long, N_MELS, (0,), BANDS),
    "log_mel_long_level": Feature(log_mel_long_level, N_MELS + 1, (0,), (*BANDS, LEVEL)),
    "mfcc": Feature(mfcc, N_MFCC, (), (slice(0, 1),)),
    "log_mel_level": Feature(log_mel_level, N_MELS + 1, (0,), (*BANDS, LEVEL)),
    "mfcc_level": Feature(mfcc_level, N_MFCC + 1, (), (slice(0, 1), LEVEL)),
    "log_mel_relative_level": Feature(log_mel_relative_level, 2 * N_MELS + 1, (0, N_MELS), (*BANDS, LEVEL)),
}
"""All features by name."""


def feature(name: str) -> Callable[[np.ndarray], torch.Tensor]:
    """The function behind a feature's name; raises on an unknown one."""
    if name not in FEATURES:
        raise unknown("feature", name, FEATURES)
    return FEATURES[name].compute


def settings(name: str) -> str:
    """All that the values of feature `name` depend on; part of the key under which they are cached."""
    return f"{name}-{SAMPLE_RATE}-{WINDOW}-{HOP}-{N_FFT}-{FEATURES[name].n_columns}-{LOWEST_HZ:g}-{FLOOR_DB:g}-v1"


def _decibels(power: torch.Tensor) -> torch.Tensor:
    return 10.0 * torch.log10(power.clamp(min=10 ** (FLOOR_DB / 10)))


def _framed(samples: np.ndarray) -> torch.Tensor:
    if len(samples) < WINDOW:
        raise AudioError(
            f"the clip lasts {len(samples) / SAMPLE_RATE * 1000:.1f} ms, less than one frame of"
            f" {WINDOW_SECONDS * 1000:.0f} ms; leave it out or record it again."
        )
    return torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))


def _spectrum(transform: Callable[[], torch.nn.Module], samples: np.ndarray, n_fft: int = N_FFT) -> torch.Tensor:
    """(T, F), where frame t covers exactly the 400 samples from 160 t, or is centered on them.

    torch.stft centers its window inside `n_fft` points; padding half the difference on each side aligns both.
    """
    margin = (n_fft - WINDOW) // 2
    with torch.no_grad():
        return transform()(torch.nn.functional.pad(_framed(samples), (margin, margin))).T.contiguous()


def _settings(n_mels: int, n_fft: int = N_FFT, window: int = WINDOW) -> dict:
    sizes = dict(n_fft=n_fft, win_length=window, hop_length=HOP, center=False)
    return dict(**sizes, f_min=LOWEST_HZ, f_max=HIGHEST_HZ, n_mels=n_mels)


@functools.cache
def _mel() -> torch.nn.Module:
    return MelSpectrogram(SAMPLE_RATE, **_settings(N_MELS))


@functools.cache
def _long_mel() -> torch.nn.Module:
    return MelSpectrogram(SAMPLE_RATE, **_settings(N_MELS, LONG_N_FFT, LONG_WINDOW))


@functools.cache
def _mfcc() -> torch.nn.Module:
    return MFCC(SAMPLE_RATE, N_MFCC, melkwargs=_settings(80))
