"""One composer for every picture of a clip: rows over one axis of seconds, or panels; legend and text come from them.

A figure is a list of :class:`Row`. What a row draws it also explains: the labels of what is drawn make the legend, and
`says` becomes a part of the text alternative. True regions and decoys look the same everywhere (:func:`mark_spans`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from sertut.attention import Clock
from sertut.corpora import Region
from sertut.evidence import Example
from sertut.show.picture import Picture, canvas
from sertut.show.style import BLACK, HEAT, MARKERS, ROLES
from sertut.show.words import known_spans

SPANS = {"region": ("true region", "-"), "decoy": ("decoy", "--")}
"""Name of a span, and the line of its edges, so that what misleads is not told by its color alone."""

Draw = Callable[[Axes], None]
Ends = Callable[[Region, Axes], tuple[float, float]]


@dataclass(frozen=True)
class Row:
    """One row of a picture.

    draw: what is drawn. height: inches. seconds: where its axis of time ends, None if it has another axis. says:
    sentences for the text alternative. title: above the row. beside: what is drawn to the right of it. frames: how many
    square frames stand side by side in it.
    """

    draw: Draw
    height: float
    seconds: float | None
    says: str = ""
    title: str = ""
    beside: Draw | None = None
    frames: int = 0

    def also(self, more: Draw) -> Row:
        """The row with something drawn over it."""

        def both(axis: Axes) -> None:
            self.draw(axis)
            more(axis)

        return replace(self, draw=both)


def compose(rows: Sequence[Row], title: str, *, says: str = "", legend: str = "") -> Picture:
    """Rows below each other, with one axis of seconds, a legend of all that is drawn, and their text.

    Args:
        says: what the text alternative begins with. legend: title of the legend.
    """
    heights, aside = [row.height for row in rows], any(row.beside for row in rows)
    grid = {"height_ratios": heights} | ({"width_ratios": (4.4, 1)} if aside else {})
    with canvas(len(rows), 1 + aside, height=1.35 + 1.05 * sum(heights), gridspec_kw=grid) as (figure, axes):
        figure.set_layout_engine("constrained", hspace=0.02, h_pad=0.02)
        for i, (row, (axis, *right)) in enumerate(zip(rows, axes, strict=True)):
            row.draw(axis)
            if row.beside:
                row.beside(right[0])
            elif aside:
                right[0].axis("off")
            axis.set_title(row.title)
            if row.seconds is None:
                continue
            axis.set_xlim(0, row.seconds)
            if i + 1 < len(rows) and rows[i + 1].seconds:
                axis.tick_params(labelbottom=False)
            elif not axis.get_xlabel():
                axis.set_xlabel("time (s)")
        if title and aside:
            figure.suptitle(title, x=0.1, ha="left", fontsize=12, wrap=True)  # over both columns
        elif title:
            axes[0, 0].set_title(title)
        legend_below(figure, 2 if aside else 4, legend)
        figure.align_ylabels([axis for axis in axes[:, 0] if axis.get_ylabel()])
        for row, axis in zip(rows, axes[:, 0], strict=True):
            if row.frames:
                keep_square(figure, list(axes[:, 0]), axis, row.frames)
    return Picture(figure, " ".join(filter(None, [says, *(row.says for row in rows)])))


def panels(
    n: int,
    draw: Callable[[int, Axes], None],
    title: str,
    says: str,
    *,
    labels: tuple[str, str],
    height: float,
    colors: tuple[Heat, str] | None = None,
) -> Picture:
    """Panels with shared axes, two in a row; `draw` gets the number of each.

    Args:
        labels: of the axes across and up. height: inches of a row of panels. colors: of all panels, and what they mean.
    """
    rows, columns = math.ceil(n / 2), min(n, 2)
    with canvas(rows, columns, height=1.1 + height * rows, sharex=True, sharey=True) as (figure, axes):
        figure.set_layout_engine("constrained", h_pad=0.08, w_pad=0.06)
        for i, axis in enumerate(axes.ravel()[:n]):
            draw(i, axis)
        figure.supylabel(labels[1], fontsize=12)
        axes[-1, 0].set_xlabel(labels[0], x=columns / 2)  # one for both columns, in their middle
        if n % columns:
            axes[-1, -1].axis("off")
            axes[-2, -1].tick_params(labelbottom=True)
        if colors:
            colors[0].scale(figure, colors[1], ax=axes, shrink=0.8, pad=0.02)
        figure.suptitle(title, fontsize=12, wrap=True)
        legend_below(figure, 4)
    return Picture(figure, says)


def legend_below(figure: Figure, columns: int, title: str = "") -> None:
    """What is drawn by its label, each label once, below the axes: marks and lines first, then areas."""
    pairs = (zip(*axis.get_legend_handles_labels(), strict=True) for axis in figure.axes)
    once = {label: handle for drawn in pairs for handle, label in drawn}
    entries = sorted(once.items(), key=lambda entry: not isinstance(entry[1], Line2D | StepPatch))
    if entries:
        looks: dict[str, Any] = {"handlelength": 2.0, "columnspacing": 1.2, "title": title or None}
        labels, handles = zip(*entries, strict=True)
        for n in range(columns, 0, -1):  # as many columns as the figure is wide enough for
            legend = figure.legend(handles, labels, loc="outside lower center", ncols=n, **looks)
            if n == 1 or legend.get_window_extent().width < 0.98 * figure.bbox.width:
                break
            legend.remove()


def keep_square(figure: Figure, rows: Sequence[Axes], strip: Axes, n: int) -> None:
    """Make the finished figure as high as it must be for the `n` frames of a strip, one of its rows, to be square."""
    figure.draw_without_rendering()  # only now it is known how much room titles, labels and legend take
    width, height = figure.get_size_inches()
    low, high = strip.get_ylim()
    frame = strip.get_position().height * height / (high - low)
    total = height * sum(row.get_position().height for row in rows)
    wanted = strip.get_position().width * width / n
    figure.set_size_inches(width, height + total * (wanted / frame - 1))


def mark_spans(
    axis: Axes, example: Example, stream: str | None = None, *, up=False, over: Ends | None = None, fine=False
) -> None:
    """Mark the true regions and the decoy of a stream, by default that of the map.

    Args:
        up: time goes up, not across. over: on a picture, where shading would hide the data, only a frame is drawn;
            tells from where to where the frame of a region goes up, e.g. :func:`whole`. fine: on a map whose cells are
            no wider than a frame's line, only a bar above the map and hairlines are drawn (not with `up`).
    """
    shade, line = (axis.axhspan, axis.axhline) if up else (axis.axvspan, axis.axvline)
    above = axis.get_xaxis_transform() + ScaledTranslation(0, 3 / 72, axis.figure.dpi_scale_trans)
    for role, region in known_spans(example, stream):
        axis.fill([], [], label=SPANS[role][0], **span_look(role))  # nothing but an entry of the legend
        looks: Any = {"color": ROLES[role], "ls": SPANS[role][1]}
        ends = np.array([region.start, region.end])
        if over:
            outline(axis, ends, over(region, axis), role)
            continue
        if fine:
            looks |= {"solid_capstyle": "butt"}
            ends = np.clip(ends, *axis.get_xlim())
            if ends[0] == ends[1]:  # beyond the map
                continue
            axis.plot(ends, [1, 1], lw=3.5, transform=above, clip_on=False, scalex=False, scaley=False, **looks)
        else:
            shade(*ends, color=ROLES[role], alpha=0.18, lw=0, zorder=0)
        for edge in ends:
            line(edge, lw=0.7 if fine else 1.5, **looks)


def span_look(role: str) -> dict[str, Any]:
    """A span as an area with edges."""
    return {"fc": ROLES[role] + "40", "ec": ROLES[role], "ls": SPANS[role][1], "lw": 1.5}


def whole(region: Region, axis: Axes) -> tuple[float, float]:
    """From the bottom of the axes to their top, whatever the region."""
    low, high = sorted(axis.get_ylim())
    return low, high


def outline(axis: Axes, across: ArrayLike, up: ArrayLike, role: str, label: str = "") -> None:
    """A frame between two ends across and two up, with a white rim, so that it shows on dark and on bright."""
    (left, right), (low, high) = np.asarray(across), np.asarray(up)
    box = Rectangle((left, low), right - left, high - low, fill=False, zorder=3, label=label)
    color, line = (ROLES[role], SPANS[role][1]) if role in SPANS else (BLACK, "--")
    box.set(ec=color, lw=1.8, ls=line, path_effects=[withStroke(linewidth=3.4, foreground="white")])
    axis.add_patch(box)


def mark(axis: Axes, role: str, x: float, y: float, label: str, **options: Any) -> None:
    """The marker of a role with a black rim."""
    looks: Any = {"color": ROLES[role], "mec": BLACK, "ms": 9, "ls": "", "zorder": 5, "clip_on": False}
    axis.plot(x, y, MARKERS[role], label=label, **looks, **options)


def borders(clock: Clock, n: int) -> np.ndarray:
    """The n + 1 borders of n steps, in the clock's unit."""
    return clock.start + clock.hop * np.arange(n + 1)


@dataclass(frozen=True)
class Heat:
    """Colors of weights on one scale: from 0 to where a `share` of them lies below, so that a few do not darken all.

    It never ends below three times their mean, so that an even map is not drawn as a strong one.
    """

    weights: np.ndarray
    cmap: str | Colormap = HEAT
    share: float = 0.995

    @property
    def top(self) -> float:
        """The weight of the brightest color; what is above looks the same."""
        return max(float(np.quantile(self.weights, self.share)), 3 * float(self.weights.mean()))

    def draw(self, axis: Axes, across: np.ndarray, up: np.ndarray, weights: np.ndarray) -> None:
        """Weights (n, m), some or all, between n + 1 borders going up and m + 1 borders going across."""
        axis.pcolormesh(across, up, weights, cmap=self.cmap, vmin=0, vmax=self.top, lw=0)

    def scale(self, figure: FigureBase, label: str, **place: Any) -> None:
        """The bar that says what the colors mean, with a tip if there are weights beyond it."""
        extend = "max" if self.weights.max() > self.top else "neither"
        figure.colorbar(ScalarMappable(Normalize(0, self.top), self.cmap), label=label, extend=extend, **place)

    def scale_in(self, corner: Axes, label: str) -> None:
        """The bar in the empty corner beside a row."""
        corner.axis("off")
        place: Any = {"cax": corner.inset_axes((0, 0.6, 1, 0.2)), "orientation": "horizontal"}
        digits = "%.0f" if self.top >= 10 else "%.2g"
        self.scale(corner.figure, label, ticks=[0, self.top], format=digits, **place)
