"""Waveforms in, feature tensors out. Knows no corpus and no model."""

from sertut.signals.audio import SAMPLE_RATE, read_audio, write_audio
from sertut.signals.batching import Batch, Normalizer, length_mask, pad, reverse
from sertut.signals.features import (
    FEATURES,
    HOP,
    HOP_SECONDS,
    N_MELS,
    VOICES,
    WINDOW,
    WINDOW_SECONDS,
    at_tempo,
    feature,
    frame_seconds,
    in_voice,
    level_db,
    log_mel,
    mfcc,
    n_frames,
    sounding,
)
