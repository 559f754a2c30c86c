"""Many heads: who asks whom, and what is received beside the level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.evidence.heads import use_of
from sertut.evidence.localization import on_clock
from sertut.evidence.localization import time_weights as weights_over_time
from sertut.evidence.loudness import score_loudness
from sertut.show.maps import decoys, draw_attention, draw_regions, verdict, voice_regions
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_level, numbers
from sertut.show.style import BLACK, HEAT, MARKERS, ORANGE, OTHER, ROLES, SKY, WIDTH, look
from sertut.signals import SAMPLE_RATE

COLORS, LINES = (SKY, ORANGE, BLACK, OTHER), ("-", "--", "-.", ":")
SILENCE = "#E4E4E4"


def heads(example: Example, *, title: str | None = None) -> Picture:
    """One panel a head: how much each query (down) weighs each key (across), both in seconds, on one scale of color.

    Edges of the true region are green, those of a decoy vermilion and dashed; the triangle points at the loudest step.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_ = heads_of(example)
    weights = numbers(map_.of(0))  # (H, T', T')
    edges = {axis: borders(map_.clocks[axis], weights.shape[-1]) for axis in ("query", "time")}
    with look():
        figure, panels = head_panels(len(weights))
        for h, axis in enumerate(panels):
            mesh = axis.pcolormesh(
                edges["time"], edges["query"], weights[h], cmap=HEAT, vmin=0, vmax=weights.max(), rasterized=True
            )
            for role, found in (("region", voice_regions(example)), ("decoy", decoys(example))):
                for edge in (edge for region in found for edge in (region.start, region.end)):
                    rim = [withStroke(linewidth=3.2, foreground="white")]
                    axis.axvline(edge, color=ROLES[role], lw=1.8, ls=line_of(role), path_effects=rim)
            top = axis.get_xaxis_transform()
            axis.plot(peaks(example)[1], 1.035, "v", color=ROLES["energy"], mec=BLACK, ms=8, transform=top, clip_on=False)
            gate = "" if map_.gates is None else f", gate {map_.gates[0, h]:.2f}"
            axis.set_title(f"head {h + 1}{gate}", pad=11)
            axis.set(xlim=edges["time"][[0, -1]], ylim=edges["query"][[-1, 0]], aspect="equal")
        label_outer(figure, panels, "key: time attended to (s)", "query: time asking (s)")
        figure.colorbar(mesh, ax=panels, label="weight of a key", shrink=0.8, pad=0.02)
        figure.suptitle(verdict(example) if title is None else title, fontsize=12)
        legend_of(figure, example, ["energy"])
    return Picture(figure, describe_heads(example))


def describe_heads(example: Example) -> str:
    """What each head does, in a sentence each, for those who cannot see it."""
    map_, clip = heads_of(example), example.clip
    spans = listed([f"{region.start:.2f} to {region.end:.2f} s" for region in voice_regions(example)])
    text = (
        f"Maps of {map_.weights.shape[1]} heads, queries by keys, {map_.weights.shape[-1]} steps each, of a clip of"
        f" {clip.speaker}, {clip.emotion}; the loudest step is at {peaks(example)[1]:.2f} s"
    )
    parts = [text + (f", the true region {spans}." if spans else ".")]
    for h, use in enumerate(use_of(map_)[0]):
        got = map_.head(h).over_time().of(0)
        peak = float(map_.clocks["time"].centers(len(got))[int(got.argmax())])
        gate = "" if map_.gates is None else f", its gate is {use['gate']:.2f}"
        parts.append(
            f"Head {h + 1} gives most attention to {peak:.2f} s ({got.max() * len(got):.1f} times uniform), looks"
            f" {use['distance']:.2f} s away on average, and takes in {use['steps']:.1f} steps{gate}."
        )
    return " ".join(parts)


def received(example: Example, *, heads: bool = False, title: str | None = None) -> Picture:
    """Attention received over time, and below it the level; the peak of each is marked on both.

    Silence, gray, is left out of both peaks and of the rank correlation, as in :mod:`sertut.evidence.loudness`.

    Args:
        heads: draw what each head gives, too, as thin lines.

    Raises:
        SertutError: the model has no map, or none with heads where `heads` are asked for.
    """
    with look():
        figure, axes = canvas(2, height=4.6, sharex=True, gridspec_kw={"height_ratios": [1.4, 1]})
        rows = list(axes[:, 0])
        draw_received(rows[0], example)
        if heads:
            map_ = heads_of(example)
            for h in range(map_.weights.shape[1]):
                values, clock = weights_over_time(map_.head(h), len(example.level))
                style = head_style(h)
                rows[0].stairs(values, borders(clock, len(values)), baseline=None, lw=1.4, label=f"head {h + 1}", **style)
                rows[0].set_ylim(top=max(rows[0].get_ylim()[1], 1.1 * values.max()))
        draw_loudness(rows[1], example)
        finish_rows(figure, rows, example, title)
        lines = rows[0].get_legend_handles_labels()[0] if heads else []
        legend_of(figure, example, ["attention", "energy", "silence"], lines)
    return Picture(figure, describe_received(example))


def describe_received(example: Example) -> str:
    """Where both peaks are, how far apart, and the rank correlation."""
    weights, clock, level, sounds = steps_of(example)
    attended, loudest = peaks(example)
    head = f"Attention received and level over {len(example.samples) / SAMPLE_RATE:.1f} s of a clip of"
    head += f" {example.clip.speaker}, {example.clip.emotion}"
    spans = listed([f"{region.start:.2f} to {region.end:.2f} s" for region in voice_regions(example)])
    where = f" The true region is {spans}." if spans else ""
    if np.allclose(weights, weights[0]):
        return f"{head}: every step has the same weight; the level peaks at {loudest:.2f} s.{where}"
    text = f"{head}: attention peaks at {attended:.2f} s, the level at {loudest:.2f} s, {abs(attended - loudest):.2f} s"
    if sounds.sum() < 2:
        return f"{text} apart.{where}"
    rank = score_loudness(weights, level, sounds, clock.hop)["rank"]
    return f"{text} apart; their rank correlation over the {sounds.sum()} sounding steps is {rank:.2f}.{where}"


def heads_of(example: Example) -> AttentionMap:
    """The example's map; raises if it has no heads and queries."""
    if example.map is None or example.map.axes != ("head", "query", "time"):
        raise SertutError(
            "this model has no attention over heads, queries and time; use show.attention, or a MultiHead model."
        )
    return example.map


def borders(clock: Clock, n: int) -> np.ndarray:
    """The n + 1 borders of n steps, seconds."""
    return clock.start + clock.hop * np.arange(n + 1)


def peaks(example: Example) -> tuple[int, int]:
    """The sounding step with most attention, and the loudest step, as :mod:`sertut.evidence.loudness` counts them."""
    weights, _, level, sounds = on_clock(example.clip, map_of(example))
    return int(np.where(sounds, weights, -1).argmax()), int(level.argmax())


def map_of(example: Example) -> AttentionMap:
    """The example's map; raises if the model has none."""
    if example.map is None:
        raise SertutError("this model has no attention map; use a model with attention, or show.waveform.")
    return example.map


def draw_peaks(axis: Axes, example: Example, values: np.ndarray) -> None:
    """Mark attention's peak and the loudest step on a curve with the given values (T',)."""
    clock = on_clock(example.clip, map_of(example))[1]
    seconds = clock.centers(len(values)).numpy()
    for role, step in zip(("attention", "energy"), peaks(example), strict=True):
        axis.plot(
            seconds[step], values[step], MARKERS[role], color=ROLES[role], mec=BLACK, ms=9, zorder=4, clip_on=False
        )


def draw_received(axis: Axes, example: Example) -> None:
    """Attention received as steps, the uniform level, and the two peaks."""
    weights, clock, _, sounds = on_clock(example.clip, map_of(example))
    draw_attention(axis, weights, borders(clock, len(weights)))
    draw_silence(axis, borders(clock, len(weights)), sounds)
    draw_peaks(axis, example, weights)


def draw_loudness(axis: Axes, example: Example) -> None:
    """The level of the frames, and the two peaks at the level of their steps."""
    _, clock, level, sounds = on_clock(example.clip, map_of(example))
    draw_level(axis, numbers(example.level))
    draw_silence(axis, borders(clock, len(level)), sounds)
    draw_peaks(axis, example, level)


def draw_silence(axis: Axes, edges: np.ndarray, sounds: np.ndarray) -> None:
    """Gray where nothing sounds."""
    for step in np.flatnonzero(~sounds):
        axis.axvspan(edges[step], edges[step + 1], color=SILENCE, lw=0, zorder=-2)


def finish_rows(figure: Figure, rows: Sequence[Axes], example: Example, title: str | None) -> None:
    """Regions, one axis of seconds, and a title for rows of one clip."""
    for row in rows:
        draw_regions(row, example)
        row.set_xlim(0, len(example.samples) / SAMPLE_RATE)
    rows[-1].set_xlabel("time (s)")
    rows[0].set_title(verdict(example) if title is None else title)
    figure.align_ylabels(rows)


def legend_of(figure: Figure, example: Example, names: Sequence[str], lines: Sequence = ()) -> None:
    """Below the figure: `lines`, the marks called `names`, and the regions that the clip has."""
    marks = {
        "uniform": Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"),
        "attention": _mark("attention", "most attention"),
        "energy": _mark("energy", "loudest step"),
        "silence": Patch(color=SILENCE, label="silence"),
    }
    handles = [*lines, *(marks[name] for name in names)]
    for role, name, found in (("region", "true region", voice_regions(example)), ("decoy", "decoy", decoys(example))):
        if found:
            style = dict(facecolor=ROLES[role] + "40", edgecolor=ROLES[role], ls="-" if role == "region" else "--")
            handles.append(Patch(label=name, **style))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=2.0, columnspacing=1.2)


def _mark(role: str, label: str) -> Line2D:
    return Line2D([], [], color=ROLES[role], marker=MARKERS[role], mec=BLACK, ms=9, ls="", label=label)


def head_style(h: int) -> dict[str, str]:
    """Color and line of head h: never told by its color alone."""
    return {"color": COLORS[h % 4], "ls": LINES[(h + h // 4) % 4]}


def head_panels(n: int, *, height: float) -> tuple[Figure, list[Axes]]:
    """One panel a head, two in a row, with the same limits; height: inches of a panel."""
    rows, columns = math.ceil(n / 2), min(n, 2)
    figure, axes = canvas(
        rows, columns, height=1.0 + height * rows, width=WIDTH, sharex=True, sharey=True
    )
    for unused in axes.ravel()[n:]:
        unused.axis("off")
    if n % 2 and n > 1:
        axes[-2, -1].tick_params(labelbottom=True)
    return figure, list(axes.ravel()[:n])
