"""Attention maps of single clips, beside the sound that they weigh and the region that is known to be right.

A map of the face is drawn on the face's clock and beside the face's regions; the sound keeps those of the voice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sertut.evidence import Example, Selection
from sertut.show.picture import Picture, canvas, listed
from sertut.show.sound import draw_level, draw_spectrogram, draw_waveform, numbers
from sertut.show.spans import decoys, draw_regions, span_handles, spans, stream_of, true_regions
from sertut.show.style import EMOTIONS, OTHER, ROLES, WIDTH, look
from sertut.signals import SAMPLE_RATE


def attention(example: Example, *, title: str | None = None) -> Picture:
    """Waveform, spectrogram, attention and level of one clip, on one time axis.

    The true region is green on every row, the decoy (where there is one) vermilion and dashed, both of the stream that
    the row shows; the dotted line is uniform attention, 1/N for N steps. A clip without a known region, or a model
    without a map, leaves that part out.
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
            draw_own_attention(rows[2], example)
        draw_level(rows[-1], numbers(example.level))
        for i, row in enumerate(rows):
            stream = stream_of(example) if over_time and i == 2 else "voice"
            draw_regions(row, example, stream=stream, outline="white" if row is rows[1] else None)
            row.set_xlim(0, len(example.samples) / SAMPLE_RATE)
        rows[-1].set_xlabel("time (s)")
        rows[0].set_title(verdict(example) if title is None else title)
        legend = _legend([example], "voice")
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
            if example.map is not None:
                draw_own_attention(axis, example)
            faint_waveform(axis, numbers(example.samples))
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
    """Weights (N,) of the N real steps and their N + 1 borders in seconds; None if the model has no map.

    Of a map with one row an emotion they are those of the emotion that was predicted.
    """
    if example.map is None:
        return None
    map_ = example.map
    over_time = (map_.emotion(example.emotions.index(example.predicted)) if by_emotion(example) else map_).over_time()
    weights = numbers(over_time.of(0))
    clock = over_time.clocks["time"]
    return weights, clock.start + clock.hop * np.arange(len(weights) + 1)


def by_emotion(example: Example) -> bool:
    """Whether the map has a row for each emotion (perception attention)."""
    return example.map is not None and "emotion" in example.map.axes


def draw_attention(
    axis: Axes, weights: np.ndarray, borders: np.ndarray, level: float | None = None, color: str = ROLES["attention"]
) -> None:
    """Weights as steps on their own clock, and the uniform level, by default 1/N."""
    level = 1 / len(weights) if level is None else level
    axis.stairs(weights, borders, color=color, fill=True, alpha=0.35, lw=0)
    axis.stairs(weights, borders, color=color, lw=1.6, baseline=None)
    axis.axhline(level, color=ROLES["uniform"], ls=":", lw=1.4)
    axis.set(ylim=(0, 1.15 * max(float(weights.max()), 1.5 * level)), ylabel="weight\nof a step")


def draw_own_attention(axis: Axes, example: Example, color: str = ROLES["attention"]) -> None:
    """The attention of an example that has a map; the axis says so if it is the attention to the face."""
    over_time = time_weights(example)
    assert over_time is not None
    draw_attention(axis, *over_time, uniform_level(example), color)
    if stream_of(example) == "face":
        axis.set_ylabel("weight of\na frame")


def uniform_level(example: Example) -> float:
    """The weight of every step that counts if all have the same: a frame without a face does not count."""
    assert example.map is not None
    return 1 / max(1, int(example.map.mask[0].sum()))


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
    over_time, regions = time_weights(example), true_regions(example)
    if over_time is None:
        where = f"; the true region is {spans(regions)}" if regions else ""
        return f"{seconds:.1f} s of a clip of {clip.speaker}, {clip.emotion}, without an attention map{where}; {said}."
    weights, _ = over_time
    what = "Attention to the face" if stream_of(example) == "face" else "Attention"
    what += f" for {example.predicted}" if by_emotion(example) else ""
    head = f"{what} over {seconds:.1f} s of a clip of {clip.speaker}, {clip.emotion}"
    level = uniform_level(example)
    if np.allclose(weights[weights > 0], level):
        where = f"; the true region is {spans(regions)}" if regions else ""
        return f"{head}: every step has the same weight{where}; {said}."
    return f"{head}: {describe_peak(example)}; it is {weights.max() / level:.1f} times the uniform level; {said}."


def describe_peak(example: Example) -> str:
    """``the peak at 1.02 s lies inside the true region 0.90 to 1.15 s``, for an example that has a map."""
    over_time, regions = time_weights(example), true_regions(example)
    assert over_time is not None
    weights, borders = over_time
    step = int(weights.argmax())
    peak = (borders[step] + borders[step + 1]) / 2
    if not regions:
        return f"the peak at {peak:.2f} s"
    inside = any(region.start <= peak <= region.end for region in regions)
    decoy = "".join(f" (decoy {spans([region])})" for region in decoys(example))
    return f"the peak at {peak:.2f} s lies {'inside' if inside else 'outside'} the true region {spans(regions)}{decoy}"


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
        draw_regions(waves, example, stream="voice")
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


def faint_waveform(axis: Axes, samples: np.ndarray) -> None:
    """The waveform behind the weights, scaled to the height of the axes; it has no axis of its own."""
    seconds = np.arange(len(samples)) / SAMPLE_RATE
    behind = axis.inset_axes((0, 0, 1, 1), zorder=-1, sharex=axis)
    behind.plot(seconds, samples / max(float(np.abs(samples).max()), 1e-3), lw=0.4, color="#BBBBBB")
    behind.set_ylim(-1.05, 1.05)
    behind.axis("off")


def _legend(examples: Sequence[Example], *streams: str) -> list:
    """Handles for what occurs in any of the examples; streams: drawn beside those of the maps."""
    handles: list = []
    if any(example.map is not None for example in examples):
        handles.append(Line2D([], [], color=ROLES["attention"], lw=2, label="attention"))
        handles.append(Line2D([], [], color=ROLES["uniform"], ls=":", label="uniform"))
    return handles + span_handles(examples, *streams)
