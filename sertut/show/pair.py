"""Spectrograms side by side, on one scale of time, frequency and level: to see what differs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_spectrogram, numbers
from sertut.show.style import look
from sertut.signals import SAMPLE_RATE, log_mel


def spectrograms(sounds: Mapping[str, np.ndarray], *, title: str = "") -> Picture:
    """One log-mel spectrogram a column.

    Args:
        sounds: title of each column -> samples (n,), 16 kHz.
    """
    tables = {name: numbers(log_mel(samples)) for name, samples in sounds.items()}
    loudest = max(float(table.max()) for table in tables.values())
    longest = max(len(samples) for samples in sounds.values()) / SAMPLE_RATE
    with look():
        figure, axes = canvas(1, len(sounds), height=2.9, sharex=True, sharey=True)
        for axis, (name, table) in zip(axes[0], tables.items(), strict=True):
            image = draw_spectrogram(axis, table)
            image.set_clim(loudest - 70, loudest)
            axis.set(xlabel="time (s)", title=name, xlim=(0, longest))
        for axis in axes[0, 1:]:
            axis.set_ylabel("")
        figure.colorbar(image, ax=list(axes[0]), label="level (dB)", pad=0.01)
        if title:
            figure.suptitle(title)
    parts = [
        f"{' '.join(name.split())}, {len(sounds[name]) / SAMPLE_RATE:.2f} s, at most {table.max():.0f} dB"
        for name, table in tables.items()
    ]
    return Picture(figure, f"{title + ': ' if title else ''}log-mel spectrograms of {listed(parts)}.")
