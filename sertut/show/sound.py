"""Waveforms, spectrograms, and batches with their padding."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes

from sertut.evidence.cells import band_hz, mel_band
from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import HEAT, ROLES, SPECTRUM, look
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, Batch, frame_seconds, log_mel

TICKS_HZ = (200, 500, 1000, 2000, 4000, 8000)


def numbers(values: torch.Tensor | np.ndarray) -> np.ndarray:
    """The values as a NumPy array, wherever they were."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def waveform(samples: np.ndarray, *, ax: Axes | None = None, title: str = "") -> Picture:
    """Draw `samples` (n,), 16 kHz, against time in seconds."""
    samples = numbers(samples)
    with look():
        figure, axes = canvas(height=1.9, ax=ax)
        draw_waveform(axes[0, 0], samples)
        axes[0, 0].set(xlabel="time (s)", title=title)
    seconds = len(samples) / SAMPLE_RATE
    peak = int(np.abs(samples).argmax())
    alt = (
        f"Waveform of {seconds:.2f} s of sound; its largest amplitude, {abs(samples[peak]):.2f} of full scale,"
        f" is at {peak / SAMPLE_RATE:.2f} s."
    )
    return Picture(figure, alt)


def spectrogram(sound: np.ndarray | torch.Tensor, *, ax: Axes | None = None, title: str = "") -> Picture:
    """Draw a log-mel spectrogram: time in seconds, frequency in Hz on the mel scale, level in dB.

    Args:
        sound: samples (n,), 16 kHz, or a log-mel spectrogram (T, bands), dB.
    """
    table = numbers(log_mel(numbers(sound)) if sound.ndim == 1 else sound)
    with look():
        figure, axes = canvas(height=2.6, ax=ax)
        image = draw_spectrogram(axes[0, 0], table)
        axes[0, 0].set(xlabel="time (s)", title=title)
        figure.colorbar(image, ax=axes[0, 0], label="level (dB)", pad=0.01)
    t, band = np.unravel_index(table.argmax(), table.shape)
    alt = (
        f"Log-mel spectrogram, {len(table)} frames by {table.shape[1]} bands; the strongest band is near"
        f" {band_hz(table.shape[1])[band]:.0f} Hz at {frame_seconds(len(table))[t]:.2f} s."
    )
    return Picture(figure, alt)


def padding(batch: Batch, *, ax: Axes | None = None, title: str = "") -> Picture:
    """Draw a batch as the model gets it: one row a clip, the mean feature of each frame, padding in hatched gray."""
    mask, lengths = numbers(batch.mask), numbers(batch.lengths)
    clips, longest = mask.shape
    frames = np.ma.array(numbers(batch.features).mean(axis=2), mask=~mask)  # (B, T)
    with look():
        figure, axes = canvas(height=1.3 + 0.3 * clips, ax=ax)
        axis = axes[0, 0]
        axis.set_facecolor("#E8E8E8")
        axis.imshow(frames, aspect="auto", cmap=HEAT, interpolation="nearest", extent=(0, longest, clips - 0.5, -0.5))
        for row, length in enumerate(lengths):
            axis.barh(
                row, longest - length, left=length, height=1.0, color="none", edgecolor="#AAAAAA", hatch="///", lw=0
            )
        axis.set_yticks(range(clips), [f"clip {row + 1}: {length}" for row, length in enumerate(lengths)])
        axis.set(
            xlabel=f"frame (one every {batch.hop * 1000:.0f} ms); hatched: padding", ylabel="real frames", title=title
        )
    alt = (
        f"{clips} clips padded to {longest} frames; real frames: {listed([str(length) for length in lengths])};"
        f" {100 * (1 - mask.mean()):.0f} % of the table is padding."
    )
    return Picture(figure, alt)


def draw_waveform(axis: Axes, samples: np.ndarray, color: str = "#555555") -> None:
    """The waveform on `axis`, seconds against full scale."""
    seconds = np.arange(len(samples)) / SAMPLE_RATE
    axis.plot(seconds, samples, lw=0.5, color=color)
    top = 1.05 * max(float(np.abs(samples).max()), 1e-3)
    axis.set(xlim=(0, len(samples) / SAMPLE_RATE), ylim=(-top, top), ylabel="amplitude")
    axis.set_yticks([0])


def draw_level(axis: Axes, level: np.ndarray) -> None:
    """The level (T,), dB, of each frame on `axis`."""
    axis.plot(frame_seconds(len(level)), level, color=ROLES["energy"], lw=1.6)
    axis.set(ylabel="level\n(dB)", ylim=(max(level.min(), level.max() - 60) - 3, level.max() + 3))


def draw_spectrogram(axis: Axes, table: np.ndarray):
    """The log-mel table (T, bands) on `axis`, with ticks in Hz; returns the image. Shows the upper 70 dB."""
    bands = table.shape[1]
    centers = frame_seconds(len(table))
    extent = (centers[0] - HOP_SECONDS / 2, centers[-1] + HOP_SECONDS / 2, -0.5, bands - 0.5)
    image = axis.imshow(
        table.T, origin="lower", aspect="auto", extent=extent, cmap=SPECTRUM, vmin=table.max() - 70, vmax=table.max()
    )
    axis.set_yticks(
        [mel_band(hz, bands) for hz in TICKS_HZ], [f"{hz / 1000:g}k" if hz >= 1000 else str(hz) for hz in TICKS_HZ]
    )
    axis.set(ylabel="frequency\n(Hz)", ylim=(-0.5, bands - 0.5))
    return image
