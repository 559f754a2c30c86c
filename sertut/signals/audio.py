"""Reading sound: any common file in, 16 kHz mono samples out."""

from pathlib import Path

import av
import numpy as np
import soundfile
import torch
from torchaudio.functional import resample

from sertut.errors import AudioError
from sertut.video.container import check_file, decode, riff_is_cut

SAMPLE_RATE = 16_000
"""Samples a second of every waveform inside the library."""

SOUND_FORMATS = set(soundfile.available_formats()) - {"RAW"}  # which has no header: nobody knows its rate


def read_audio(path: Path | str) -> np.ndarray:
    """Samples (n,), 16 kHz, float32, full scale 1.0, of WAV, FLAC, OGG, MP3, or what FFmpeg reads, such as a video.

    Any rate and number of channels; these are averaged. An :class:`AudioError` if the file is missing, not audio,
    truncated, empty, a video without sound, or holds nothing but digital silence.
    """
    path = Path(path)
    check_file(path, "audio")
    by_name = path.suffix[1:].upper() in SOUND_FORMATS
    samples, rate = _of_sound_file(path) if by_name else _by_ffmpeg(path)  # (n, channels)
    if len(samples) == 0:
        raise AudioError(f"{path} lasts 0 seconds; fetch it again or remove it.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path} holds values that are not numbers; fetch it again.")
    if not samples.any():
        raise AudioError(f"{path} is silent from start to end; record or fetch it again, or remove it.")
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = resample(torch.from_numpy(mono), rate, SAMPLE_RATE).numpy()
    return mono


def _of_sound_file(path: Path) -> tuple[np.ndarray, int]:
    """Samples (n, channels) and their rate, by libsndfile."""
    try:
        with soundfile.SoundFile(path) as file:
            rate, announced = file.samplerate, file.frames
            samples = file.read(dtype="float32", always_2d=True)
            truncated = riff_is_cut(path) if file.format in ("WAV", "WAVEX") else len(samples) < announced
    except (soundfile.SoundFileError, RuntimeError) as problem:
        raise AudioError(f"{path} cannot be read as audio ({problem}); fetch it again or remove it.") from problem
    if truncated and len(samples):
        raise AudioError(f"{path} is cut short: it holds fewer samples than its header announces; fetch it again.")
    return samples, rate


def _by_ffmpeg(path: Path) -> tuple[np.ndarray, int]:
    """Samples (n, channels) and their rate."""
    to_float = av.AudioResampler(format="fltp")  # one row a channel; neither rate nor channels change
    rate, pieces = SAMPLE_RATE, [np.zeros((1, 0), dtype=np.float32)]
    for frame in decode(path, "audio"):
        assert isinstance(frame, av.AudioFrame)
        rate = frame.sample_rate
        pieces += [piece.to_ndarray().astype(np.float32) for piece in to_float.resample(frame)]
    return np.concatenate(pieces[1:] or pieces, axis=1).T, rate


def write_audio(path: Path | str, samples: np.ndarray) -> None:
    """Write `samples` (n,), float in -1..1, as 16-bit 16 kHz mono; the format follows the file name.

    A sample x becomes the integer nearest to 32768 x, in every format: libsndfile would round for FLAC and cut for WAV.
    """
    whole = np.clip(np.rint(32768.0 * samples), -32768, 32767).astype(np.int16)
    soundfile.write(path, whole, SAMPLE_RATE, subtype="PCM_16", format=Path(path).suffix[1:].upper())
