"""Reading sound: any common file in, 16 kHz mono samples out."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from torchaudio.functional import resample

from sertut.errors import AudioError

SAMPLE_RATE = 16_000
"""Samples a second of every waveform inside the library."""

_LFS_POINTER = b"version https://git-lfs"


def read_audio(path: Path | str) -> np.ndarray:
    """Read WAV, FLAC, OGG or MP3 of any rate and channel count.

    Channels are averaged, then the signal is resampled to 16 kHz.

    Returns:
        shape (n_samples,), float32, full scale is 1.0.

    Raises:
        AudioError: the file is missing, not audio, truncated, empty, or holds nothing but digital silence.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path} does not exist; check the path or the corpus folder.")
    with path.open("rb") as file:
        head = file.read(len(_LFS_POINTER))
    if head == _LFS_POINTER:
        raise AudioError(f"{path} is a Git LFS pointer, not audio; run `git lfs pull` in its repository.")
    if not head:
        raise AudioError(f"{path} is an empty file; fetch it again.")
    try:
        with soundfile.SoundFile(path) as file:
            rate, announced = file.samplerate, file.frames
            samples = file.read(dtype="float32", always_2d=True)  # (n, channels)
            truncated = _wav_is_cut(path) if file.format in ("WAV", "WAVEX") else len(samples) < announced
    except (soundfile.SoundFileError, RuntimeError) as problem:
        raise AudioError(f"{path} cannot be read as audio ({problem}); fetch it again or remove it.") from problem
    if len(samples) == 0:
        raise AudioError(f"{path} lasts 0 seconds; fetch it again or remove it.")
    if truncated:
        raise AudioError(f"{path} is cut short: it holds fewer samples than its header announces; fetch it again.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path} holds values that are not numbers; fetch it again.")
    if not samples.any():
        raise AudioError(f"{path} is silent from start to end; remove it or fetch it again.")
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = resample(torch.from_numpy(mono), rate, SAMPLE_RATE).numpy()
    return mono


def _wav_is_cut(path: Path) -> bool:
    """Whether the RIFF header promises more bytes than the file has (libsndfile repairs that in silence)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return False
        promised = int.from_bytes(file.read(4), "little")
    # Streamed WAVs carry 0 or 0xFFFFFFFF for "unknown"; a missing pad byte is common and harmless.
    return promised not in (0, 0xFFFFFFFF) and promised + 8 > size + 1


def write_audio(path: Path | str, samples: np.ndarray) -> None:
    """Write `samples` (n,), float in -1..1, as 16-bit 16 kHz mono; the format follows the file name."""
    soundfile.write(
        path, np.clip(samples, -1.0, 1.0), SAMPLE_RATE, subtype="PCM_16", format=Path(path).suffix[1:].upper()
    )
