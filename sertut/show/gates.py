"""What each head counts: the gates of Calibration-Attention, in one clip and over a corpus."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes

from sertut.attention import AttentionMap
from sertut.attention.calibration import OPEN
from sertut.errors import SertutError
from sertut.evidence import Example, Report
from sertut.show.heads import head_panels
from sertut.show.maps import verdict
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import numbers
from sertut.show.style import BLACK, GRAY, MARKERS, ROLES, emotion_color, look

START = 1 / (1 + math.exp(-OPEN))
"""The gate of a head under its starting bias alone; what the heads find spreads gates a little around it."""


def gates(source: Example | torch.Tensor | np.ndarray, *, ax: Axes | None = None, title: str | None = None) -> Picture:
    """What each head counts in one clip, from 0 (closed) to 1 (open); the dotted line is about where training started.

    Args:
        source: an example, or gates (H,).

    Raises:
        SertutError: the model has no gates.
    """
    name = f" in a clip of {source.clip.speaker}, {source.clip.emotion}" if isinstance(source, Example) else ""
    values = np.ravel(numbers(gates_of(source.map) if isinstance(source, Example) else source))  # (H,)
    with look():
        figure, axes = canvas(height=1.5 + 0.36 * len(values), ax=ax)
        axis = axes[0, 0]
        axis.hlines(range(len(values)), 0, values, color=GRAY, lw=3, zorder=1)
        axis.plot(values, range(len(values)), MARKERS["attention"], color=ROLES["attention"], mec=BLACK, ms=10)
        draw_start(axis)
        axis.set_yticks(range(len(values)), [f"head {h + 1}: {value:.2f}" for h, value in enumerate(values)])
        axis.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), xlabel="gate")
        shown = verdict(source) if isinstance(source, Example) else ""
        axis.set_title(shown if title is None else title)
        figure.legend(loc="outside lower right")
    parts = listed([f"head {h + 1} {value:.2f}" for h, value in enumerate(values)])
    spread = f"the largest is {np.ptp(values):.2f} above the smallest"
    return Picture(figure, f"Gates of {len(values)} heads{name}: {parts}; {spread}; training started near {START:.2f}.")


def gates_over(
    source: Report | torch.Tensor | np.ndarray, emotions: Sequence[str] | None = None, *, title: str = ""
) -> Picture:
    """The gates of each head over a corpus: one box for all clips, and one for those of each emotion.

    A box holds the middle half of the clips, its line is their median; dots are clips far from it. All panels have the
    same scale, which is only as wide as the gates are.

    Args:
        source: a report, or gates (N, H) of N clips. emotions: their true emotions, N names; without, no boxes by
            emotion. A report knows its own.

    Raises:
        SertutError: the model has no gates, or there is not one emotion a clip.
    """
    if isinstance(source, Report):
        table = np.concatenate([numbers(gates_of(maps.get("attention"))) for maps in source.predictions.maps])
        emotions = [clip.emotion for clip in source.predictions.clips]
    else:
        table = numbers(source)
    emotions = [] if emotions is None else list(emotions)
    if emotions and len(emotions) != len(table):
        raise SertutError(f"{len(table)} clips have gates, but {len(emotions)} emotions are given; pass one for each.")
    rows = {"all": np.ones(len(table), dtype=bool)}
    rows |= {name: np.array(emotions) == name for name in sorted(set(emotions))}
    with look():
        figure, panels = head_panels(
            table.shape[1], "gate", "true emotion (clips)" if emotions else "", height=0.5 + 0.27 * len(rows)
        )
        for h, axis in enumerate(panels):
            sns.boxplot(
                [table[member, h] for member in rows.values()],
                orient="h",
                palette=["white", *(emotion_color(name) for name in list(rows)[1:])],
                saturation=1,  # the emotions' own colors
                fliersize=2.5,
                linecolor="#333333",
                linewidth=1.1,
                ax=axis,
            )
            draw_start(axis)
            axis.set_yticks(range(len(rows)), [f"{name} ({member.sum()})" for name, member in rows.items()])
            axis.set_title(f"head {h + 1}")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles[-1:], labels[-1:], loc="outside lower right")
        if title:
            figure.suptitle(title, fontsize=12)
    parts = [f"Gates of {table.shape[1]} heads over {len(table)} clips; training started near {START:.2f}."]
    for h, values in enumerate(table.T):
        text = f"Head {h + 1}: mean {values.mean():.3f}, from {values.min():.3f} to {values.max():.3f}"
        means = {name: float(values[member].mean()) for name, member in list(rows.items())[1:]}
        if means:
            high, low = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
            text += f"; by emotion highest for {high} ({means[high]:.3f}), lowest for {low} ({means[low]:.3f})"
        parts.append(text + ".")
    return Picture(figure, " ".join(parts))


def gates_of(map_: AttentionMap | None) -> torch.Tensor:
    """Gates (B, H) of a map; raises if it has none."""
    if map_ is None or map_.gates is None:
        raise SertutError("the heads of this model have no gates; use a MultiHead model with calibrate=True.")
    return map_.gates


def draw_start(axis: Axes) -> None:
    """A dotted line at the gate that training starts near."""
    axis.axvline(START, color=ROLES["uniform"], ls=":", lw=1.6, label=f"start of training, about {START:.2f}")
