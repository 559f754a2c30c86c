"""Focus-Attention: the window of each head, on the sound that it is laid over."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.lines import Line2D

from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.show.heads import (
    Steps,
    borders,
    draw_loudness,
    draw_mark,
    draw_received,
    finish_rows,
    head_panels,
    head_style,
    heads_of,
    legend_of,
)
from sertut.show.maps import verdict
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_waveform, numbers
from sertut.show.spans import EDGES, decoys, spans, true_regions
from sertut.show.style import BLACK, ROLES, look
from sertut.signals import SAMPLE_RATE


def focus(
    example: Example,
    center: torch.Tensor | np.ndarray,
    width: torch.Tensor | np.ndarray,
    query: float | None = None,
    *,
    title: str | None = None,
) -> Picture:
    r"""Windows :math:`e^{-2 (t - P)^2 / Z^2}` of all heads for one query on the waveform; below, level and attention.

    Args:
        center, width: P and Z, (H, T') each, seconds, of this clip: ``model.windows(batch)`` without the batch axis.
        query: second that asks; by default that of the loudest step. The nearest step is taken, and marked.

    Raises:
        SertutError: the map has no heads, or `center` and `width` are not of its shape.
    """
    steps = Steps.of(example)
    P, Z = _windows(example, center, width)
    seconds = numbers(heads_of(example).clocks["query"].centers(P.shape[1]))
    step = int(np.abs(seconds - (steps.seconds(steps.loudest) if query is None else query)).argmin())
    with look():
        figure, axes = canvas(3, height=6.2, sharex=True, gridspec_kw={"height_ratios": [1.3, 0.8, 1]})
        rows = list(axes[:, 0])
        draw_waveform(rows[0], numbers(example.samples), color="#999999")
        factor = rows[0].twinx()
        t = np.linspace(0, len(example.samples) / SAMPLE_RATE, 500)
        for h, (p, z) in enumerate(zip(P[:, step], Z[:, step], strict=True)):
            factor.plot(t, np.exp(-2 * ((t - p) / z) ** 2), lw=2, label=f"head {h + 1}", **head_style(h))
        factor.plot(seconds[step], 0.03, "X", color="white", mec=BLACK, ms=10, zorder=5)
        factor.set(ylim=(-1.1, 1.1), ylabel="window")  # zero on the waveform's own zero
        factor.set_yticks([0, 0.5, 1])
        factor.spines["right"].set_visible(True)
        draw_loudness(rows[1], example, steps)
        draw_received(rows[2], steps)
        finish_rows(figure, rows, example, title)
        asks = Line2D([], [], color="white", marker="X", mec=BLACK, ms=10, ls="", label=f"query, {seconds[step]:.2f} s")
        lines = [*factor.get_legend_handles_labels()[0], asks]
        marks = ["uniform", "attention", "energy"]
        legend_of(figure, example, marks, lines, silence=not steps.sounds.all())
    parts = [
        f"head {h + 1} at {p:.2f} s, width {z:.2f} s"
        for h, (p, z) in enumerate(zip(P[:, step], Z[:, step], strict=True))
    ]
    regions = true_regions(example)
    alt = (
        f"Windows of {len(P)} heads for the query at {seconds[step]:.2f} s of a clip of {example.clip.speaker},"
        f" {example.clip.emotion}: {listed(parts)}. The level peaks at {steps.seconds(steps.loudest):.2f} s, attention"
        f" received at {steps.seconds(steps.attended):.2f} s"
        + (f"; the true region is {spans(regions)}." if regions else ".")
    )
    return Picture(figure, alt)


def focus_map(
    example: Example,
    center: torch.Tensor | np.ndarray,
    width: torch.Tensor | np.ndarray,
    *,
    title: str | None = None,
) -> Picture:
    """Where every query looks, one panel a head: center of its window, and a band of half the width to each side.

    On the dotted diagonal a query looks at itself. The true region is green, the purple triangle the loudest step.

    Args:
        center, width: as in :func:`focus`.

    Raises:
        SertutError: the map has no heads, or `center` and `width` are not of its shape.
    """
    steps = Steps.of(example)
    P, Z = _windows(example, center, width)
    clock, longest = heads_of(example).clocks["query"], len(example.samples) / SAMPLE_RATE
    seconds = numbers(clock.centers(P.shape[1]))
    with look():
        figure, panels = head_panels(len(P), "query: time that asks (s)", "window: where it looks (s)", height=2.3)
        for h, axis in enumerate(panels):
            axis.fill_between(seconds, P[h] - Z[h] / 2, P[h] + Z[h] / 2, color=ROLES["attention"], alpha=0.25, lw=0)
            axis.plot(seconds, P[h], color=ROLES["attention"], lw=2)
            axis.plot([0, longest], [0, longest], color=ROLES["uniform"], ls=":", lw=1.4)
            for role, found in (("region", true_regions(example)), ("decoy", decoys(example))):
                for region in found:
                    color = ROLES[role]
                    axis.axhspan(region.start, region.end, fc=color + "30", ec=color, ls=EDGES[role], zorder=0)
            draw_mark(axis, "energy", 0.02, steps.seconds(steps.loudest), transform=axis.get_yaxis_transform())
            axis.set(xlim=borders(clock, len(seconds))[[0, -1]], ylim=(0, longest), title=f"head {h + 1}")
        figure.suptitle(verdict(example) if title is None else title, fontsize=12)
        lines = [
            Line2D([], [], color=ROLES["attention"], lw=2, label="center, ± half width"),
            Line2D([], [], color=ROLES["uniform"], ls=":", label="itself"),
        ]
        legend_of(figure, example, ["energy"], lines, columns=3)
    away = np.abs(P - seconds).mean(axis=1)  # (H,)
    parts = [
        f"head {h + 1} looks between {P[h].min():.2f} and {P[h].max():.2f} s, {away[h]:.2f} s from itself on average,"
        f" mean width {Z[h].mean():.2f} s"
        for h in range(len(P))
    ]
    alt = (
        f"Where the {len(seconds)} queries of a clip of {example.clip.speaker}, {example.clip.emotion}, look:"
        f" {'; '.join(parts)}. The clip lasts {longest:.2f} s and is loudest at {steps.seconds(steps.loudest):.2f} s."
    )
    return Picture(figure, alt)


def _windows(
    example: Example, center: torch.Tensor | np.ndarray, width: torch.Tensor | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centers and widths as arrays (H, T'), which fit the example's map."""
    P, Z = numbers(center), numbers(width)
    shape = tuple(heads_of(example).weights.shape[1:3])
    if P.shape != shape or Z.shape != shape:
        raise SertutError(
            f"centers {P.shape} and widths {Z.shape} do not fit a map of {shape[0]} heads and {shape[1]} queries; pass"
            " those of this clip alone, without batch axis and padding."
        )
    return P, Z
