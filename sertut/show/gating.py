"""What each head counts: the gates of Calibration-Attention, in one clip and over a corpus."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes

from sertut.attention import AttentionMap
from sertut.errors import SertutError
from sertut.evidence import Example, Report
from sertut.show.picture import Picture, listed, numbers
from sertut.show.rows import Row, compose, panels
from sertut.show.style import BLACK, GRAY, MARKERS, ROLES, emotion_color
from sertut.show.words import of_clip, verdict
from sertut.training.prediction import Predictions


def gates(example: Example) -> Picture:
    """What each head counts in one clip, from 0 (closed) to 1 (open).

    Raises:
        SertutError: the model has no gates.
    """
    values = np.ravel(numbers(gates_of(example.map)))  # (H,)

    def draw(axis: Axes) -> None:
        axis.hlines(range(len(values)), 0, values, color=GRAY, lw=3, zorder=1)
        axis.plot(values, range(len(values)), MARKERS["attention"], color=ROLES["attention"], mec=BLACK, ms=10)
        axis.set_yticks(range(len(values)), [f"head {h + 1}: {value:.2f}" for h, value in enumerate(values)])
        axis.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), xlabel="gate")

    parts = listed([f"head {h + 1} {value:.2f}" for h, value in enumerate(values)])
    says = f"Gates of {len(values)} heads in {of_clip(example)}: {parts}; the largest is {np.ptp(values):.2f} above the"
    return compose([Row(draw, 0.3 * len(values), None, f"{says} smallest.")], verdict(example))


def gates_over(report: Report) -> Picture:
    """The gates of each head over a corpus: one box for all clips, and one for those of each emotion.

    A box holds the middle half of the clips, its line is their median; dots are clips far from it. The dotted line is
    the head's mean gate before training, if the report knows it. All panels have the same scale, which is only as wide
    as the gates and their starts are.

    Raises:
        SertutError: the model has no gates.
    """
    import seaborn  # slow to import, and every picture would wait for it

    table = _gates_of_all(report.predictions)  # (N, H)
    before = _gates_of_all(report.untrained).mean(axis=0) if report.untrained else None  # (H,)
    emotions = np.array([clip.emotion for clip in report.predictions.clips])
    rows = {"all": np.ones(len(table), dtype=bool)} | {name: emotions == name for name in sorted(set(emotions))}
    colors = ["white", *(emotion_color(name, emotions) for name in list(rows)[1:])]

    def draw(h: int, axis: Axes) -> None:
        values = [table[member, h] for member in rows.values()]
        looks = {"saturation": 1, "fliersize": 2.5, "linecolor": "#333333", "linewidth": 1.1}
        seaborn.boxplot(values, orient="h", palette=colors, ax=axis, **looks)
        axis.set_yticks(range(len(rows)), [f"{name} ({member.sum()})" for name, member in rows.items()])
        axis.set_title(f"head {h + 1}")
        if before is not None:
            axis.axvline(before[h], color=ROLES["uniform"], ls=":", lw=1.6, label="mean before training")

    parts = [f"Gates of {table.shape[1]} heads over {len(table)} clips."]
    for h, values in enumerate(table.T):
        means = {name: float(values[member].mean()) for name, member in list(rows.items())[1:]}
        high, low = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
        parts.append(
            f"Head {h + 1}: mean {values.mean():.3f}"
            + ("" if before is None else f" ({before[h]:.3f} before training)")
            + f", from {values.min():.3f} to {values.max():.3f};"
            f" by emotion highest for {high} ({means[high]:.3f}), lowest for {low} ({means[low]:.3f})."
        )
    height, labels = 0.5 + 0.27 * len(rows), ("gate", "true emotion (clips)")
    return panels(table.shape[1], draw, "", " ".join(parts), labels=labels, height=height)


def gates_of(map_: AttentionMap | None) -> torch.Tensor:
    """Gates (B, H) of a map; raises if it has none."""
    if map_ is None or map_.gates is None:
        raise SertutError("the heads of this model have no gates; use a MultiHead model with calibrate=True.")
    return map_.gates


def _gates_of_all(predictions: Predictions) -> np.ndarray:
    """The gates of all clips, (N, H)."""
    return np.concatenate([numbers(gates_of(maps.get("attention"))) for maps in predictions.maps])
