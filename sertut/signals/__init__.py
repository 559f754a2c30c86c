"""Waveforms in, feature tensors out. Knows no corpus and no model."""

from sertut.signals.audio import SAMPLE_RATE, read_audio, write_audio
from sertut.signals.batching import Batch, Normalizer, length_mask, pad, reverse
from sertut.signals.features import (
    FEATURES,
    HOP,
    HOP_SECONDS,
    N_MELS,
    N_MFCC,
    WINDOW,
    WINDOW_SECONDS,
    feature,
    frame_seconds,
    level_db,
    log_mel,
    mfcc,
    n_frames,
    sounding,
)

__all__ = [
    "FEATURES",
    "HOP",
    "HOP_SECONDS",
    "N_MELS",
    "N_MFCC",
    "SAMPLE_RATE",
    "WINDOW",
    "WINDOW_SECONDS",
    "Batch",
    "Normalizer",
    "feature",
    "frame_seconds",
    "length_mask",
    "level_db",
    "log_mel",
    "mfcc",
    "n_frames",
    "pad",
    "read_audio",
    "reverse",
    "sounding",
    "write_audio",
]
