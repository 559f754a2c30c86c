"""Attention maps of single clips, beside the sound that they weigh and the region that is known to be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sertut.corpora import Region
from sertut.evidence import Example, Selection
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_level, draw_spectrogram, draw_waveform, numbers
from sertut.show.style import EMOTIONS, OTHER, ROLES, WIDTH, look
from sertut.signals import SAMPLE_RATE


def attention(example: Example, *, title: str | None = None) -> Picture:
    """Waveform, spectrogram, attention and level of one clip, on one time axis.

    The true region is green on every row, the decoy (where there is one) vermilion and dashed; the dotted line is
    uniform attention, 1/N for N steps. A clip without a known region, or a model without a map, leaves that part out.
    """
    over_time = time_weights(example)
    heights = [0.9, 1.3, 1.0, 0.6] if over_time else [0.9, 1.3, 0.6]
    with look():
        figure, axes = canvas(
            len(heights), height=0.6 + 1.45 * sum(heights), sharex=True, gridspec_kw={"height_ratios": heights}
        )
        rows = list(axes[:, 0])
        draw_waveform(rows[0], numbers(example.samples))
        draw_words(rows[0], example)
        draw_spectrogram(rows[1], numbers(example.spectrogram))
        if over_time:
            draw_attention(rows[2], *over_time)
        draw_level(rows[-1], numbers(example.level))
        for row in rows:
            draw_regions(row, example, outline="white" if row is rows[1] else None)
            row.set_xlim(0, len(example.samples) / SAMPLE_RATE)
        rows[-1].set_xlabel("time (s)")
        rows[0].set_title(verdict(example) if title is None else title)
        legend = _legend([example])
        if legend:
            figure.legend(
                handles=legend, loc="outside lower center", ncols=len(legend), handlelength=1.5, columnspacing=1.2
            )
        figure.align_ylabels(rows)
    return Picture(figure, describe(example))


def attentions(examples: Iterable[Example], *, titles: Sequence[str] | None = None) -> Picture:
    """Small multiples: the attention of several clips, one row each, over a faint waveform, on one scale of seconds.

    Args:
        examples: e.g. ``report.typical()``, whose rule of choice becomes part of the text alternative.
    """
    shown = list(examples)
    longest = max(len(example.samples) for example in shown) / SAMPLE_RATE
    with look():
        figure, axes = canvas(len(shown), height=0.9 + 1.3 * len(shown), width=WIDTH, sharex=True)
        for row, (axis, example) in enumerate(zip(axes[:, 0], shown, strict=True)):
            over_time = time_weights(example)
            if over_time:
                draw_attention(axis, *over_time)
            _faint_waveform(axis, numbers(example.samples))
            draw_regions(axis, example)
            axis.set(xlim=(0, longest), title=titles[row] if titles else verdict(example))
        axes[-1, 0].set_xlabel("time (s)")
        legend = _legend(shown)
        if legend:
            figure.legend(
                handles=legend, loc="outside lower center", ncols=len(legend), handlelength=1.5, columnspacing=1.2
            )
    rule = [examples.rule] if isinstance(examples, Selection) else []
    return Picture(figure, " ".join([f"{len(shown)} clips.", *rule, *(describe(example) for example in shown)]))


def time_weights(example: Example) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights (N,) of the N real steps and their N + 1 borders in seconds; None if the model has no map."""
    if example.map is None:
        return None
    over_time = example.map.over_time()
    weights = numbers(over_time.of(0))
    clock = over_time.clocks["time"]
    return weights, clock.start + clock.hop * np.arange(len(weights) + 1)


def draw_attention(axis: Axes, weights: np.ndarray, borders: np.ndarray) -> None:
    """Weights as steps on their own clock, and the uniform level 1/N."""
    axis.stairs(weights, borders, color=ROLES["attention"], fill=True, alpha=0.35, lw=0)
    axis.stairs(weights, borders, color=ROLES["attention"], lw=1.6, baseline=None)
    axis.axhline(1 / len(weights), color=ROLES["uniform"], ls=":", lw=1.4)
    axis.set(ylim=(0, 1.15 * max(float(weights.max()), 1.5 / len(weights))), ylabel="weight\nof a step")


def draw_regions(axis: Axes, example: Example, *, outline: str | None = None) -> None:
    """Shade the true regions and the decoy; with a color as `outline`, mark only their edges and hide no data."""
    for role, regions in (("region", voice_regions(example)), ("decoy", decoys(example))):
        for region in regions:
            if not outline:
                axis.axvspan(region.start, region.end, color=ROLES[role], alpha=0.18, lw=0, zorder=0)
            for edge in (region.start, region.end):
                style = "-" if role == "region" else "--"
                axis.axvline(edge, color=outline or ROLES[role], lw=1.5, ls=style)


def voice_regions(example: Example) -> list[Region]:
    """The spans in which the voice is known to carry the emotion."""
    return [region for region in example.clip.regions if region.stream == "voice"]


def decoys(example: Example) -> list[Region]:
    """The span made to mislead (a neutral word made loud), if the corpus says where it is."""
    start, end = example.clip.details.get("decoy_start"), example.clip.details.get("decoy_end")
    return [Region(start, end)] if isinstance(start, float) and isinstance(end, float) else []


def draw_words(axis: Axes, example: Example) -> None:
    """The spoken words above the waveform, if the corpus knows when they are said."""
    words = example.clip.details.get("words")
    if not isinstance(words, tuple):
        return
    axis.set_ylim(top=1.9 * axis.get_ylim()[1])  # room for two lines: short words in turn, so that none overlap
    for i, (word, start, end) in enumerate(words):
        at, height = (start + end) / 2, 0.99 - 0.15 * (i % 2)
        axis.text(at, height, word, transform=axis.get_xaxis_transform(), ha="center", va="top", fontsize=10)


def verdict(example: Example) -> str:
    """``actor 03, anger. Predicted: anger (0.93)``."""
    return f"{example.clip.speaker}, {example.clip.emotion}. Predicted: {example.predicted} ({certainty(example):.2f})"


def certainty(example: Example) -> float:
    """Probability of the predicted emotion."""
    return float(example.probabilities[list(example.emotions).index(example.predicted)])


def describe(example: Example) -> str:
    """One clip's map in a sentence, for those who cannot see it."""
    clip, seconds = example.clip, len(example.samples) / SAMPLE_RATE
    said = f"predicted {example.predicted} with probability {certainty(example):.2f}"
    over_time, regions = time_weights(example), voice_regions(example)
    spans = listed([f"{region.start:.2f} to {region.end:.2f} s" for region in regions])
    if over_time is None:
        where = f"; the true region is {spans}" if regions else ""
        return f"{seconds:.1f} s of a clip of {clip.speaker}, {clip.emotion}, without an attention map{where}; {said}."
    weights, borders = over_time
    head = f"Attention over {seconds:.1f} s of a clip of {clip.speaker}, {clip.emotion}"
    if np.allclose(weights, weights[0]):
        where = f"; the true region is {spans}" if regions else ""
        return f"{head}: every step has the same weight{where}; {said}."
    step = int(weights.argmax())
    peak = (borders[step] + borders[step + 1]) / 2
    decoy = "".join(f" (decoy {region.start:.2f} to {region.end:.2f} s)" for region in decoys(example))
    text = f"{head}: the peak at {peak:.2f} s"
    if regions:
        inside = any(region.start <= peak <= region.end for region in regions)
        text += f" lies {'inside' if inside else 'outside'} the true region {spans}{decoy}"
    return f"{text}; it is {weights[step] * len(weights):.1f} times the uniform level; {said}."


def mixture(
    example: Example,
    frame_posteriors: torch.Tensor | np.ndarray,
    weights: torch.Tensor | np.ndarray | None = None,
    *,
    title: str | None = None,
) -> Picture:
    """What each step says alone, how much it counts, and what they say together.

    Args:
        frame_posteriors: q, shape (N, C), each row sums to 1; one row a step of the example's attention.
        weights: alpha, shape (N,); by default the example's own attention.
    """
    own, borders = time_weights(example) or _even_steps(example, len(frame_posteriors))
    alpha = own if weights is None else numbers(weights)
    posteriors = numbers(frame_posteriors)  # (N, C)
    shares = alpha @ posteriors  # (C,)
    with look():
        figure, axes = canvas(3, height=5.4, sharex=True, gridspec_kw={"height_ratios": [0.6, 1.4, 0.9]})
        waves, stack, heights = axes[:, 0]
        draw_waveform(waves, numbers(example.samples))
        below = np.zeros(len(alpha))
        for column, emotion in enumerate(example.emotions):
            above = below + posteriors[:, column]
            color = EMOTIONS.get(emotion, OTHER)
            stack.stairs(
                above, borders, baseline=below, fill=True, color=color, label=f"{emotion} {shares[column]:.2f}"
            )
            below = above
        stack.set(ylim=(0, 1), ylabel="share\nof a step")
        draw_attention(heights, alpha, borders)
        draw_regions(waves, example)
        draw_regions(stack, example, outline="black")
        draw_regions(heights, example)
        heights.set(xlabel="time (s)", xlim=(0, len(example.samples) / SAMPLE_RATE))
        waves.set_title(f"{example.clip.speaker}, {example.clip.emotion}" if title is None else title)
        figure.legend(
            *stack.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            handlelength=1.0,
            columnspacing=1.0,
            title="shares of the whole clip",
        )
        figure.align_ylabels([waves, stack, heights])
    order = np.argsort(-shares)
    parts = listed([f"{example.emotions[i]} {shares[i]:.2f}" for i in order[:3]])
    alt = (
        f"Emotion as a mixture over {len(example.samples) / SAMPLE_RATE:.1f} s of a clip of {example.clip.speaker},"
        f" {example.clip.emotion}: weighted by attention, the clip is {parts}."
    )
    return Picture(figure, alt)


def _even_steps(example: Example, n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(n, 1 / n), np.linspace(0, len(example.samples) / SAMPLE_RATE, n + 1)


def _faint_waveform(axis: Axes, samples: np.ndarray) -> None:
    """The waveform behind the weights, scaled to the height of the axes; it has no axis of its own."""
    seconds = np.arange(len(samples)) / SAMPLE_RATE
    behind = axis.inset_axes((0, 0, 1, 1), zorder=-1, sharex=axis)
    behind.plot(seconds, samples / max(float(np.abs(samples).max()), 1e-3), lw=0.4, color="#BBBBBB")
    behind.set_ylim(-1.05, 1.05)
    behind.axis("off")


def _legend(examples: Sequence[Example]) -> list:
    """Handles for what occurs in any of the examples."""
    handles: list = []
    if any(example.map is not None for example in examples):
        handles.append(Line2D([], [], color=ROLES["attention"], lw=2, label="attention"))
        handles.append(Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"))
    for role, name, find in (("region", "true region", voice_regions), ("decoy", "decoy", decoys)):
        if any(find(example) for example in examples):
            style = "-" if role == "region" else "--"
            handles.append(Patch(facecolor=ROLES[role] + "40", edgecolor=ROLES[role], ls=style, label=name))
    return handles
