"""From a waveform to a table of features, one row a frame; and the same waveform in other voices.

The constants are derived from one another, so that the clock of every later map follows from this page:
a frame is 25 ms long, and a new one starts every 10 ms.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import interpolate, pad
from torchaudio.functional import resample
from torchaudio.transforms import MFCC, MelSpectrogram

from sertut.errors import AudioError, must_be_known
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
VOICES = ((4, 5), (17, 20), (9, 10), (19, 20), (21, 20), (11, 10), (7, 6), (5, 4))
"""What all frequencies are multiplied by, as fractions; odd ones would make resampling build filters of gigabytes."""


def n_frames(n_samples: int) -> int:
    """Number of whole frames in `n_samples` samples (no padding at the ends)."""
    return 1 + (n_samples - WINDOW) // HOP if n_samples >= WINDOW else 0


def frame_seconds(n: int) -> np.ndarray:
    """Center of each of `n` frames, seconds, shape (n,)."""
    return (WINDOW / 2 + HOP * np.arange(n)) / SAMPLE_RATE


def log_mel(samples: np.ndarray) -> torch.Tensor:
    """Log-mel spectrogram, ``10 log10(mel power)``, (T, 64), float32, dB, not below -100, of `samples` (n,), 16 kHz.

    An :class:`AudioError` if the clip is shorter than one frame.
    """
    return _decibels(_spectrum(samples))


def log_mel_long(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel` through windows of 40 ms around the centers of the same frames; (T, 64)."""
    return _decibels(_spectrum(samples, LONG_N_FFT, LONG_WINDOW))


def mfcc(samples: np.ndarray) -> torch.Tensor:
    """Mel-frequency cepstral coefficients, (T, 40); samples and errors as in :func:`log_mel`."""
    return _spectrum(samples, n_mfcc=N_MFCC)


def level_db(samples: np.ndarray) -> torch.Tensor:
    """Root-mean-square level of each frame, dB relative to full scale, shape (T,); not below -100 dB."""
    return _decibels(_framed(samples).unfold(0, WINDOW, HOP).square().mean(dim=1))


def sounding(level: torch.Tensor, range_db: float = 50.0) -> torch.Tensor:
    """Frames that are not silence, (T,), bool: within `range_db` of the clip's loudest; `level` of :func:`level_db`."""
    return level > level.max() - range_db


def relative(table: torch.Tensor) -> torch.Tensor:
    """Each column of a clip's features (T, F) relative to that clip: mean 0, standard deviation 1.

    What is constant in a recording goes: the voice's own timbre, the microphone, the level. So, too, what is emotional
    for as long as the clip lasts.
    """
    return (table - table.mean(dim=0)) / table.std(dim=0, correction=0).clamp(min=1e-5)


def log_mel_relative(samples: np.ndarray) -> torch.Tensor:
    """:func:`log_mel` and the same :func:`relative` to the clip; (T, 128)."""
    table = log_mel(samples)
    return torch.cat([table, relative(table)], dim=1)


class Feature(NamedTuple):
    """What computes a feature, and what its columns are.

    n_columns: F. mel_starts: where its sets of mel bands start. follow_level: columns, in slices, that change when
    the recording is made louder. Louder by x dB is a constant over the bands; of MFCC, the first alone holds it.
    """

    compute: Callable[[np.ndarray], torch.Tensor]
    n_columns: int
    mel_starts: tuple[int, ...]
    follow_level: tuple[slice, ...]


def with_level(plain: Feature) -> Feature:
    """The same with :func:`level_db` as its last column, for networks told where it is loud; (T, F + 1)."""

    def compute(samples: np.ndarray) -> torch.Tensor:
        return torch.cat([plain.compute(samples), level_db(samples).unsqueeze(1)], dim=1)

    return Feature(compute, plain.n_columns + 1, plain.mel_starts, (*plain.follow_level, slice(-1, None)))


BANDS = (slice(0, N_MELS),)
FEATURES = {
    "log_mel": Feature(log_mel, N_MELS, (0,), BANDS),
    "log_mel_long": Feature(log_mel_long, N_MELS, (0,), BANDS),
    "log_mel_relative": Feature(log_mel_relative, 2 * N_MELS, (0, N_MELS), BANDS),
    "mfcc": Feature(mfcc, N_MFCC, (), (slice(0, 1),)),
}
FEATURES |= {f"{name}_level": with_level(plain) for name, plain in FEATURES.items()}
"""All features by name."""


def feature(name: str) -> Callable[[np.ndarray], torch.Tensor]:
    """The function behind a feature's name; raises on an unknown one."""
    must_be_known("feature", name, FEATURES)
    return FEATURES[name].compute


def settings(name: str) -> str:
    """All that the values of feature `name` depend on; part of the key under which they are cached."""
    return f"{name}-{SAMPLE_RATE}-{WINDOW}-{HOP}-{N_FFT}-{FEATURES[name].n_columns}-{LOWEST_HZ:g}-{FLOOR_DB:g}-v1"


def in_voice(samples: np.ndarray, above: int, below: int) -> np.ndarray:
    """`samples` (n,) played ``above / below`` times as fast: (n * below / above,), and silence up to a frame.

    Pitch and resonances move together, as between a small and a large body. Few speakers are the bottleneck of the
    field, and this makes more of them, none a real one. Source of the idea: vocal tract length perturbation, Jaitly &
    Hinton, ICML workshop 2013, who move the resonances alone.
    """
    played = resample(torch.as_tensor(samples), above, below).numpy()
    return np.pad(played, (0, max(0, WINDOW - len(played))))


def at_tempo(table: torch.Tensor, n: int) -> torch.Tensor:
    """A table of features (T, F) stretched to `n` frames, (n, F), so that another voice keeps its tempo."""
    return interpolate(table.T[None], n, mode="linear", align_corners=False)[0].T


def _decibels(power: torch.Tensor) -> torch.Tensor:
    return 10.0 * torch.log10(power.clamp(min=10 ** (FLOOR_DB / 10)))


def _framed(samples: np.ndarray) -> torch.Tensor:
    if len(samples) < WINDOW:
        raise AudioError(
            f"the clip lasts {len(samples) / SAMPLE_RATE * 1000:.1f} ms, less than one frame of"
            f" {WINDOW_SECONDS * 1000:.0f} ms; leave it out or record it again."
        )
    return torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))


def _spectrum(samples: np.ndarray, n_fft: int = N_FFT, window: int = WINDOW, n_mfcc: int = 0) -> torch.Tensor:
    """(T, F), where frame t covers exactly the 400 samples from 160 t, or is centered on them.

    torch.stft centers its window inside `n_fft` points; padding half the difference on each side aligns both.
    """
    margin = (n_fft - WINDOW) // 2
    with torch.no_grad():
        padded = pad(_framed(samples), (margin, margin))
        return _transform(n_fft, window, n_mfcc)(padded).T.contiguous()


@functools.cache
def _transform(n_fft: int, window: int, n_mfcc: int) -> torch.nn.Module:
    sizes = dict(n_fft=n_fft, win_length=window, hop_length=HOP, center=False, f_min=LOWEST_HZ, f_max=HIGHEST_HZ)
    if n_mfcc:
        return MFCC(SAMPLE_RATE, n_mfcc, melkwargs=sizes | {"n_mels": 80})
    return MelSpectrogram(SAMPLE_RATE, n_mels=N_MELS, **sizes)
