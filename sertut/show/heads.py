"""Many heads: who asks whom, and what is received beside the level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.level import score_loudness
from sertut.evidence.localization import on_clock, time_weights
from sertut.evidence.reach import use_of
from sertut.show.maps import draw_attention, verdict
from sertut.show.picture import Picture, canvas
from sertut.show.sound import draw_level, numbers
from sertut.show.spans import EDGES, decoys, draw_regions, span_handles, spans, true_regions
from sertut.show.style import BLACK, HEAT, MARKERS, ORANGE, OTHER, ROLES, SKY, look
from sertut.signals import SAMPLE_RATE

COLORS, LINES = (SKY, ORANGE, BLACK, OTHER), ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)))  # dots are for uniform
SILENCE = "#E4E4E4"


def heads(example: Example, *, title: str | None = None) -> Picture:
    """One panel a head: how much each query (down) weighs each key (across), both in seconds, on one scale of color.

    The scale ends where all but one cell in two hundred lie below, so that a few strong ones do not darken the rest.
    Edges of the true region are green, those of a decoy vermilion and dashed; the triangle stands at the loudest step.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_, steps = heads_of(example), Steps.of(example)
    weights = numbers(map_.of(0))  # (H, T', T')
    queries, keys = (borders(map_.clocks[axis], weights.shape[-1]) for axis in ("query", "time"))
    brightest = np.quantile(weights, 0.995)
    with look():
        figure, panels = head_panels(len(weights), "key: time attended to (s)", "query: time that asks (s)", height=2.6)
        for h, axis in enumerate(panels):
            mesh = axis.pcolormesh(keys, queries, weights[h], cmap=HEAT, vmin=0, vmax=brightest)
            for role, found in (("region", true_regions(example)), ("decoy", decoys(example))):
                for edge in (edge for region in found for edge in (region.start, region.end)):
                    rim = [withStroke(linewidth=3, foreground="white")]
                    axis.axvline(edge, color=ROLES[role], lw=1.6, ls=EDGES[role], path_effects=rim)
            draw_mark(axis, "energy", steps.seconds(steps.loudest), 0.03, transform=axis.get_xaxis_transform())
            axis.locator_params(nbins=5)
            gate = "" if map_.gates is None else f", gate {map_.gates[0, h]:.2f}"
            axis.set(xlim=keys[[0, -1]], ylim=queries[[-1, 0]], aspect="equal", title=f"head {h + 1}{gate}")
        extend = "max" if weights.max() > brightest else "neither"
        figure.colorbar(mesh, ax=panels, label="weight of a key", shrink=0.8, pad=0.02, extend=extend)
        figure.suptitle(verdict(example) if title is None else title, fontsize=12)
        legend_of(figure, example, ["energy"])
    return Picture(figure, describe_heads(example))


def describe_heads(example: Example) -> str:
    """What each head does, in a sentence each, for those who cannot see it."""
    map_, clip, steps = heads_of(example), example.clip, Steps.of(example)
    centers = map_.clocks["time"].centers(map_.weights.shape[-1])
    parts = [
        f"Maps of {map_.weights.shape[1]} heads, {len(centers)} queries by {len(centers)} keys, of a clip of"
        f" {clip.speaker}, {clip.emotion}; the loudest step is at {steps.seconds(steps.loudest):.2f} s"
        f"{_where(example)}."
    ]
    for h, use in enumerate(use_of(map_)[0]):
        got = map_.head(h).over_time().of(0)
        gate = "" if map_.gates is None else f"; its gate is {use['gate']:.2f}"
        parts.append(
            f"Head {h + 1} gives most to the key at {centers[int(got.argmax())]:.2f} s"
            f" ({got.max() * len(got):.1f} times uniform), looks {use['distance']:.2f} s away on average and at"
            f" {use['steps']:.1f} steps at a time{gate}."
        )
    return " ".join(parts)


def received(example: Example, *, heads: bool = False, title: str | None = None) -> Picture:
    """Attention received over time, and below it the level; the peak of each is marked on both.

    Silence, gray, has no part in peaks and rank correlation, as in :mod:`sertut.evidence.level`.

    Args:
        heads: draw what each head gives, too, as thin lines.

    Raises:
        SertutError: the model has no map, or none with heads where `heads` are asked for.
    """
    steps = Steps.of(example)
    with look():
        figure, axes = canvas(2, height=4.6, sharex=True, gridspec_kw={"height_ratios": [1.4, 1]})
        top, bottom = axes[:, 0]
        draw_received(top, steps)
        for h in range(heads_of(example).weights.shape[1] if heads else 0):
            values, clock = time_weights(heads_of(example).head(h), len(example.level))
            top.stairs(
                values, borders(clock, len(values)), baseline=None, lw=1.6, label=f"head {h + 1}", **head_style(h)
            )
            top.set_ylim(top=max(top.get_ylim()[1], 1.1 * values.max()))
        draw_loudness(bottom, example, steps)
        finish_rows(figure, [top, bottom], example, title)
        lines = top.get_legend_handles_labels()[0]
        legend_of(figure, example, ["uniform", "attention", "energy"], lines, silence=not steps.sounds.all())
    return Picture(figure, describe_received(example))


def describe_received(example: Example) -> str:
    """Where both peaks are, how far apart, and the rank correlation."""
    steps, clip = Steps.of(example), example.clip
    head = f"Attention received and level over {len(example.samples) / SAMPLE_RATE:.1f} s of a clip of"
    head += f" {clip.speaker}, {clip.emotion}"
    attended, loudest = steps.seconds(steps.attended), steps.seconds(steps.loudest)
    if np.allclose(steps.weights, steps.weights[0]):
        return f"{head}: every step has the same weight; the level peaks at {loudest:.2f} s{_where(example)}."
    rank = score_loudness(steps.weights, steps.level, steps.sounds, steps.clock.hop)["rank"]
    return (
        f"{head}: attention peaks at {attended:.2f} s, the level at {loudest:.2f} s, {abs(attended - loudest):.2f} s"
        f" apart; over the {steps.sounds.sum()} steps that sound their rank correlation is {rank:.2f}{_where(example)}."
    )


@dataclass(frozen=True)
class Steps:
    """Of one clip, on the clock of the map: attention received, level (dB), whether it sounds; shape (T',) each."""

    weights: np.ndarray
    clock: Clock
    level: np.ndarray
    sounds: np.ndarray

    @classmethod
    def of(cls, example: Example) -> Steps:
        """The steps that :mod:`sertut.evidence.level` scores; raises if the model has no map."""
        if example.map is None:
            raise SertutError("this model has no attention map; use a model with attention, or show.waveform.")
        return cls(*on_clock(example.clip, example.map))

    @property
    def attended(self) -> int:
        """The sounding step with most attention."""
        return int(np.where(self.sounds, self.weights, -np.inf).argmax())

    @property
    def loudest(self) -> int:
        """The loudest step."""
        return int(self.level.argmax())

    @property
    def borders(self) -> np.ndarray:
        """Seconds (T' + 1,)."""
        return borders(self.clock, len(self.level))

    def seconds(self, step: int) -> float:
        """The middle of a step."""
        return float(self.clock.centers(step + 1)[-1])


def heads_of(example: Example) -> AttentionMap:
    """The example's map; raises if it has no heads and queries."""
    if example.map is None or example.map.axes != ("head", "query", "time"):
        raise SertutError(
            "this model has no attention over heads, queries and time; use show.attention, or a MultiHead model."
        )
    return example.map


def borders(clock: Clock, n: int) -> np.ndarray:
    """The n + 1 borders of n steps."""
    return clock.start + clock.hop * np.arange(n + 1)


def draw_received(axis: Axes, steps: Steps) -> None:
    """Attention received, the uniform level, silence, and the two peaks."""
    draw_attention(axis, steps.weights, steps.borders)
    _draw_peaks(axis, steps, steps.weights)


def draw_loudness(axis: Axes, example: Example, steps: Steps) -> None:
    """The level of the frames, silence, and the two peaks at the level of their steps."""
    draw_level(axis, numbers(example.level))
    _draw_peaks(axis, steps, steps.level)


def _draw_peaks(axis: Axes, steps: Steps, values: np.ndarray) -> None:
    for step in np.flatnonzero(~steps.sounds).tolist():
        axis.axvspan(*steps.borders[step : step + 2], color=SILENCE, lw=0, zorder=-2)
    for role, step in (("attention", steps.attended), ("energy", steps.loudest)):
        draw_mark(axis, role, steps.seconds(step), values[step])


def draw_mark(axis: Axes, role: str, x: float, y: float, **options) -> None:
    """The marker of a role with a black rim."""
    axis.plot(x, y, MARKERS[role], color=ROLES[role], mec=BLACK, ms=9, zorder=5, clip_on=False, **options)


def finish_rows(figure: Figure, rows: Sequence[Axes], example: Example, title: str | None) -> None:
    """Regions, one axis of seconds, and a title for the rows of one clip."""
    for row in rows:
        draw_regions(row, example)
        row.set_xlim(0, len(example.samples) / SAMPLE_RATE)
    rows[-1].set_xlabel("time (s)")
    rows[0].set_title(verdict(example) if title is None else title)
    figure.align_ylabels(rows)


def legend_of(
    figure: Figure,
    example: Example,
    marks: Sequence[str],
    lines: Sequence = (),
    *,
    silence: bool = False,
    columns: int = 4,
) -> None:
    """Below the figure: `lines`, marks by their role, and the regions that the clip has."""
    handles = list(lines)
    if "uniform" in marks:
        handles.append(Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"))
    for role, name in (("attention", "most attention"), ("energy", "loudest step")):
        if role in marks:
            handles.append(Line2D([], [], color=ROLES[role], marker=MARKERS[role], mec=BLACK, ms=9, ls="", label=name))
    handles += span_handles([example])
    if silence:
        handles.append(Patch(color=SILENCE, label="silence"))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.2, columnspacing=1.2)


def head_style(h: int) -> dict[str, Any]:
    """Color and line of head h, so that none is told by its color alone."""
    return {"color": COLORS[h % 4], "ls": LINES[(h + h // 4) % 4]}


def head_panels(n: int, xlabel: str, ylabel: str, *, height: float) -> tuple[Figure, list[Axes]]:
    """One panel a head, two in a row, with shared axes; height: inches of a row of panels."""
    rows, columns = math.ceil(n / 2), min(n, 2)
    figure, axes = canvas(rows, columns, height=1.1 + height * rows, sharex=True, sharey=True)
    for axis in axes[:, 0]:
        axis.set_ylabel(ylabel)
    for axis in axes[-1]:
        axis.set_xlabel(xlabel)
    if n % columns:
        axes[-1, -1].axis("off")
        axes[-2, -1].tick_params(labelbottom=True)
    return figure, list(axes.ravel()[:n])


def _where(example: Example) -> str:
    regions = true_regions(example)
    return f"; the true region is {spans(regions)}" if regions else ""
