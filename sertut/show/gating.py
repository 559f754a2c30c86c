"""What each head counts: the gates of Calibration-Attention, in one clip and over a corpus."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from sertut.attention import AttentionMap
from sertut.errors import SertutError
from sertut.evidence import Example, Report
from sertut.show.picture import Picture, listed, numbers
from sertut.show.rows import Row, compose
from sertut.show.style import BLACK, GRAY, MARKERS, ROLES
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
    """The gate of each head over all clips: mean and standard deviation, after training and, if known, before.

    Raises:
        SertutError: the model has no gates.
    """
    known = {"before training": report.untrained, "after training": report.predictions}
    tables = {when: _gates_of_all(predictions) for when, predictions in known.items() if predictions}  # (N, H) each
    heads = np.arange(tables["after training"].shape[1])

    def draw(axis: Axes) -> None:
        looks = {"before training": ("untrained", -0.15), "after training": ("attention", 0.15)}
        for when, table in tables.items():
            role, lift = looks[when]
            options: Any = {"fmt": MARKERS[role], "color": ROLES[role], "mec": BLACK, "ecolor": BLACK, "label": when}
            axis.errorbar(table.mean(axis=0), heads + lift, xerr=table.std(axis=0), ms=8, capsize=5, **options)
        axis.set_yticks(heads, [f"head {h + 1}" for h in heads])
        axis.set(ylim=(len(heads) - 0.5, -0.5), xlabel="gate: mean and sd over clips")

    parts = [
        f"head {h + 1} "
        + " and ".join(
            f"{table[:, h].mean():.3f} (sd {table[:, h].std():.4f}) {when}" for when, table in tables.items()
        )
        for h in heads
    ]
    says = f"Mean gate of {len(heads)} heads over {len(report.predictions.clips)} clips: {'; '.join(parts)}."
    return compose([Row(draw, 0.45 * len(heads), None, says)], "")


def gates_of(map_: AttentionMap | None) -> torch.Tensor:
    """Gates (B, H) of a map; raises if it has none."""
    if map_ is None or map_.gates is None:
        raise SertutError("the heads of this model have no gates; use a MultiHead model with calibrate=True.")
    return map_.gates


def _gates_of_all(predictions: Predictions) -> np.ndarray:
    """The gates of all clips, (N, H)."""
    return np.concatenate([numbers(gates_of(maps.get("attention"))) for maps in predictions.maps])
