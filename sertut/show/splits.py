"""One classifier under several protocols: what the split alone does to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from sertut.evidence.intervals import Interval
from sertut.show.picture import Picture, canvas
from sertut.show.results import draw_interval, once
from sertut.show.style import GRAY, ROLES, SKY, look


def splits(
    scores: Mapping[str, Sequence[float]],
    intervals: Mapping[str, Interval],
    *,
    chance: float,
    measure: str = "UAR",
    ax: Axes | None = None,
    title: str = "",
) -> Picture:
    """One bar a protocol, with its interval; below it a dot for each partition of the corpus.

    Args:
        scores: protocol -> the score of each partition.
        intervals: protocol -> estimate with bounds.
        chance: level of guessing, a dotted line.
    """
    with look():
        figure, axes = canvas(height=1.5 + 0.7 * len(scores), ax=ax)
        axis = axes[0, 0]
        for row, (protocol, values) in enumerate(scores.items()):
            interval = intervals[protocol]
            axis.barh(row, interval.estimate, height=0.55, color=SKY, alpha=0.55, lw=0)
            draw_interval(axis, interval, row - 0.1, "uniform", once("mean with 95% interval", row))
            axis.plot(
                values,
                np.full(len(values), row + 0.15),
                "o",
                ms=6,
                color=GRAY,
                mec="#555555",
                mew=0.6,
                label=once("one partition", row),
            )
        axis.axvline(chance, color=ROLES["uniform"], ls=":", lw=1.4, label=f"chance {chance:.2f}")
        axis.set_yticks(range(len(scores)), list(scores))
        axis.set(xlabel=measure, xlim=(0, 1), ylim=(len(scores) - 0.4, -0.6), title=title)
        axis.grid(axis="x", color="#DDDDDD")
        axis.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3, handlelength=1.2, columnspacing=1.2)
    parts = [
        f"{' '.join(name.split())} {intervals[name]} over {len(values)} partitions" for name, values in scores.items()
    ]
    return Picture(figure, f"{title + ': ' if title else ''}{measure}, {'; '.join(parts)}; chance is {chance:.2f}.")
