"""Many heads: who asks whom, what is received beside the level, windows of Focus-Attention, gates of Calibration."""

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence import Example, Report
from sertut.evidence.level import score_loudness
from sertut.evidence.localization import on_clock, time_weights
from sertut.evidence.reach import use_of
from sertut.show.picture import Picture, listed, numbers
from sertut.show.rows import Heat, Row, borders, compose, mark, mark_spans, panels
from sertut.show.style import BLACK, GRAY, MARKERS, ORANGE, OTHER, ROLES, SKY
from sertut.show.weights import draw_waveform, level_row, weights_row
from sertut.show.words import length, of_clip, verdict, where

COLORS, LINES = (SKY, ORANGE, BLACK, OTHER), ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)))  # dots are for uniform
SILENCE = "#E4E4E4"

Windows = torch.Tensor | np.ndarray
"""Centers or widths of all heads and queries, (H, T'), seconds."""


def heads(example: Example) -> Picture:
    """One panel a head: how much each query (down) weighs each key (across), both in seconds, on one scale of color.

    The scale ends where all but one cell in two hundred lie below, so that a few strong ones do not darken the rest, or
    at three times the mean weight, if that is more.
    The true region has a green bar above the map and hairlines, a decoy vermilion and dashed ones; the triangle stands
    at the loudest step.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_, steps = heads_of(example), Steps(example)
    weights = numbers(map_.of(0))  # (H, T', T')
    queries, keys = (borders(map_.clocks[axis], weights.shape[-1]) for axis in ("query", "time"))
    colors = Heat(weights)

    def draw(h: int, axis: Axes) -> None:
        colors.draw(axis, keys, queries, weights[h])
        axis.locator_params(nbins=5)
        gate = "" if map_.gates is None else f", gate {map_.gates[0, h]:.2f}"
        axis.set(xlim=keys[[0, -1]], ylim=queries[[-1, 0]], aspect="equal")
        axis.set_title(f"head {h + 1}{gate}", pad=10)  # points; below it are the bars of the spans
        at, inside = steps.seconds(steps.loudest), axis.get_xaxis_transform()
        mark(axis, "energy", at, 0.03, "loudest step", transform=inside)
        mark_spans(axis, example, fine=True)

    centers = map_.clocks["time"].centers(weights.shape[-1])
    says = [
        f"Maps of {len(weights)} heads, {len(centers)} queries by {len(centers)} keys, over {of_clip(example)};"
        f" the loudest step is at {steps.seconds(steps.loudest):.2f} s{where(example)}."
    ]
    for h, use in enumerate(use_of(map_)[0]):
        got = map_.head(h).over_time().of(0)
        gate = "" if map_.gates is None else f"; its gate is {use['gate']:.2f}"
        says.append(
            f"Head {h + 1} gives most to the key at {centers[int(got.argmax())]:.2f} s"
            f" ({got.max() * len(got):.1f} times uniform), looks {use['distance']:.2f} s away on average and at"
            f" {use['steps']:.1f} steps at a time{gate}."
        )
    labels, scale = ("key: time attended to (s)", "query: time that asks (s)"), (colors, "weight of a key")
    return panels(len(weights), draw, verdict(example), " ".join(says), labels=labels, height=2.6, colors=scale)


def received(example: Example, *, heads: bool = False) -> Picture:
    """Attention received over time, and below it the level; the peak of each is marked on both.

    Silence, gray, has no part in peaks and rank correlation, as in :mod:`sertut.evidence.level`.

    Args:
        heads: draw what each head gives, too, as thin lines.

    Raises:
        SertutError: the model has no map, or none with heads where `heads` are asked for.
    """
    steps = Steps(example)
    attended, loudest = steps.seconds(steps.attended), steps.seconds(steps.loudest)

    def draw_heads(axis: Axes) -> None:
        for h in range(heads_of(example).weights.shape[1] if heads else 0):
            values, clock = time_weights(heads_of(example).head(h), len(example.level))
            looks = {"baseline": None, "lw": 1.6, "label": f"head {h + 1}", **head_style(h)}
            axis.stairs(values, borders(clock, len(values)), **looks)
            axis.set_ylim(top=max(axis.get_ylim()[1], 1.1 * values.max()))

    says = f"Attention received and level over {of_clip(example)}: "
    if np.allclose(steps.weights, steps.weights[0]):
        says += f"every step has the same weight; the loudest step is at {loudest:.2f} s{where(example)}."
    else:
        rank = score_loudness(steps.weights, steps.level, steps.sounds, steps.clock.hop)["rank"]
        says += f"attention peaks at {attended:.2f} s, the mean level of a step of {steps.clock.hop:.2g} s at"
        says += f" {loudest:.2f} s, {abs(attended - loudest):.2f} s apart; over the {steps.sounds.sum()} steps that"
        says += f" sound their rank correlation is {rank:.2f}{where(example)}."
    received, level = steps.rows(example)
    return compose([received.also(draw_heads), level], verdict(example), says=says)


def focus(example: Example, center: Windows, width: Windows, *, title: str | None = None) -> Picture:
    r"""Windows :math:`e^{-2 (t - P)^2 / Z^2}` of all heads for one query on the waveform; below, attention and level.

    The query is the step that is loudest, the place that the question of chapter and paper is about.

    Args:
        center, width: P and Z, (H, T') each, seconds, of this clip: ``model.windows(batch)`` without the batch axis.

    Raises:
        SertutError: the map has no heads, or `center` and `width` are not of its shape.
    """
    P, Z, clock = _windows(example, center, width)
    steps, seconds = Steps(example), numbers(clock.centers(P.shape[1]))
    step = int(np.abs(seconds - steps.seconds(steps.loudest)).argmin())
    each = list(enumerate(zip(P[:, step], Z[:, step], strict=True)))

    def draw(axis: Axes) -> None:
        draw_waveform(axis, example, color="#999999")
        factor, t = axis.twinx(), np.linspace(0, length(example), 500)
        for h, (p, z) in each:
            factor.plot(t, np.exp(-2 * ((t - p) / z) ** 2), lw=2, label=f"head {h + 1}", **head_style(h))
        label = f"query, {seconds[step]:.2f} s"
        factor.plot(seconds[step], 0.03, "X", color="white", mec=BLACK, ms=10, zorder=5, ls="", label=label)
        factor.set(ylim=(-1.1, 1.1), ylabel="window", yticks=[0, 0.5, 1])  # zero on the waveform's own zero
        factor.spines["right"].set_visible(True)
        mark_spans(axis, example)

    parts = listed([f"head {h + 1} at {p:.2f} s, width {z:.2f} s" for h, (p, z) in each])
    says = f"Windows of {len(P)} heads for the query at {seconds[step]:.2f} s of {of_clip(example)}: {parts}."
    says += f" The loudest step is at {steps.seconds(steps.loudest):.2f} s, most attention received at"
    says += f" {steps.seconds(steps.attended):.2f} s{where(example)}."
    rows = [Row(draw, 1.7, length(example)), *steps.rows(example)]
    return compose(rows, verdict(example) if title is None else title, says=says)


def focus_map(example: Example, center: Windows, width: Windows) -> Picture:
    """Where every query looks, one panel a head: center of its window, and a band of half the width to each side.

    On the dotted diagonal a query looks at itself. The true region is green, the purple triangle the loudest step.

    Args:
        center, width: as in :func:`focus`.

    Raises:
        SertutError: the map has no heads, or `center` and `width` are not of its shape.
    """
    P, Z, clock = _windows(example, center, width)
    steps, longest, seconds = Steps(example), length(example), numbers(clock.centers(P.shape[1]))
    loudest = steps.seconds(steps.loudest)

    def draw(h: int, axis: Axes) -> None:
        band: Any = {"color": ROLES["attention"], "alpha": 0.25, "lw": 0, "label": "± half width"}
        axis.fill_between(seconds, P[h] - Z[h] / 2, P[h] + Z[h] / 2, **band)
        axis.plot(seconds, P[h], color=ROLES["attention"], lw=2, label="center")
        axis.plot([0, longest], [0, longest], color=ROLES["uniform"], ls=":", lw=1.4, label="itself")
        axis.set(xlim=borders(clock, len(seconds))[[0, -1]], ylim=(0, longest), title=f"head {h + 1}")
        mark(axis, "energy", 0.02, loudest, "loudest step", transform=axis.get_yaxis_transform())
        mark_spans(axis, example, up=True)

    away = np.abs(P - seconds).mean(axis=1)  # (H,)
    parts = [
        f"head {h + 1} looks between {P[h].min():.2f} and {P[h].max():.2f} s, {away[h]:.2f} s from itself on average,"
        f" mean width {Z[h].mean():.2f} s"
        for h in range(len(P))
    ]
    says = f"Where the {len(seconds)} queries over {of_clip(example)}, look: {'; '.join(parts)}."
    says += f" The clip lasts {longest:.2f} s and is loudest at {loudest:.2f} s{where(example)}."
    labels = ("query: time that asks (s)", "window: where it looks (s)")
    return panels(len(P), draw, verdict(example), says, labels=labels, height=2.3)


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
    tables = {
        when: np.concatenate([numbers(gates_of(maps.get("attention"))) for maps in predictions.maps])  # (N, H)
        for when, predictions in known.items()
        if predictions
    }
    heads = np.arange(tables["after training"].shape[1])

    def draw(axis: Axes) -> None:
        looks = {"before training": ("untrained", -0.15), "after training": ("attention", 0.15)}
        for when, table in tables.items():
            role, lift = looks[when]
            options: Any = {"fmt": MARKERS[role], "color": ROLES[role], "mec": BLACK, "ecolor": BLACK, "label": when}
            axis.errorbar(table.mean(axis=0), heads + lift, xerr=table.std(axis=0), ms=8, capsize=5, **options)
        axis.set_yticks(heads, [f"head {h + 1}" for h in heads])
        axis.set(ylim=(len(heads) - 0.5, -0.5), xlabel="gate: mean and sd over clips")

    parts = []
    for h in heads:
        told = [f"{table[:, h].mean():.3f} (sd {table[:, h].std():.4f}) {when}" for when, table in tables.items()]
        parts.append(f"head {h + 1} {' and '.join(told)}")
    says = f"Mean gate of {len(heads)} heads over {len(report.predictions.clips)} clips: {'; '.join(parts)}."
    return compose([Row(draw, 0.45 * len(heads), None, says)], "")


class Steps:
    """Of one clip, on the clock of the map: attention received, level (dB), whether it sounds; shape (T',) each.

    As :mod:`sertut.evidence.level` scores them. attended: the sounding step with most attention. loudest: of all steps.

    Raises:
        SertutError: the model has no map.
    """

    def __init__(self, example: Example) -> None:
        if example.map is None:
            raise SertutError("this model has no attention map; use a model with attention, or show.spectrogram.")
        self.weights, self.clock, self.level, self.sounds = on_clock(example.clip, example.map)
        self.attended = int(np.where(self.sounds, self.weights, -np.inf).argmax())
        self.loudest = int(self.level.argmax())

    def seconds(self, step: int) -> float:
        """The middle of a step."""
        return float(self.clock.centers(step + 1)[-1])

    def rows(self, example: Example) -> list[Row]:
        """Attention received, and the level; on both silence is gray, and both peaks are marked."""
        edges = borders(self.clock, len(self.level))

        def draw_level(axis: Axes) -> None:  # the mean level of each step, which decides which is loudest
            axis.stairs(self.level, edges, baseline=None, color=BLACK, lw=0.9, label="level of a step")

        def draw_peaks(values: np.ndarray, axis: Axes) -> None:
            mark(axis, "attention", self.seconds(self.attended), values[self.attended], "most attention")
            mark(axis, "energy", self.seconds(self.loudest), values[self.loudest], "loudest step")
            for step in np.flatnonzero(~self.sounds).tolist():
                span = edges[step : step + 2]  # hatched: its gray is a true region's green to some eyes
                axis.axvspan(*span, fc=SILENCE, ec="#A8A8A8", hatch="////", lw=0, zorder=-2, label="silence")

        received = replace(weights_row(example), says="", height=1.8)
        level = replace(level_row(example).also(draw_level), height=1.2)
        pairs = ((received, self.weights), (level, self.level))
        return [row.also(functools.partial(draw_peaks, values)) for row, values in pairs]


def heads_of(example: Example) -> AttentionMap:
    """The example's map; raises if it has no heads and queries."""
    if example.map is None or example.map.axes != ("head", "query", "time"):
        raise SertutError(
            "this model has no attention over heads, queries and time; use show.attention, or a MultiHead model."
        )
    return example.map


def head_style(h: int) -> dict[str, Any]:
    """Color and line of head h, so that none is told by its color alone."""
    return {"color": COLORS[h % 4], "ls": LINES[(h + h // 4) % 4]}


def _windows(example: Example, center: Windows, width: Windows) -> tuple[np.ndarray, np.ndarray, Clock]:
    """Centers and widths as arrays (H, T'), which fit the example's map, and the clock of its queries."""
    P, Z, map_ = numbers(center), numbers(width), heads_of(example)
    shape = tuple(map_.weights.shape[1:3])
    if P.shape != shape or Z.shape != shape:
        raise SertutError(
            f"centers {P.shape} and widths {Z.shape} do not fit a map of {shape[0]} heads and {shape[1]} queries; pass"
            " those of this clip alone, without batch axis and padding."
        )
    return P, Z, map_.clocks["query"]


def gates_of(map_: AttentionMap | None) -> torch.Tensor:
    """Gates (B, H) of a map; raises if it has none."""
    if map_ is None or map_.gates is None:
        raise SertutError("the heads of this model have no gates; use a MultiHead model with calibrate=True.")
    return map_.gates
