"""Results of one run: how training went, what is confused with what, and how well the map points."""

from __future__ import annotations

import math

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from sertut.evidence import Localization, Report
from sertut.evidence.intervals import Interval, mean
from sertut.show.picture import Picture, canvas, listed
from sertut.show.style import BLACK, HEAT, MARKERS, ROLES, look, role_color
from sertut.training.metrics import recalls
from sertut.training.runs import Run

METHOD_ROLES = {"untrained network": "untrained", "motion": "energy"}
"""Role of a method that is not named like one; motion is in the face what energy is in the voice."""


def history(run: Run, *, title: str = "") -> Picture:
    """Loss on train and UAR on dev, epoch by epoch; the best epoch, whose weights the run keeps, is marked."""
    epochs = np.array([row["epoch"] + 1 for row in run.history])  # people count from 1
    loss = np.array([row["loss"] for row in run.history])
    uar = np.array([row["dev_uar"] for row in run.history])
    best = int(np.flatnonzero(epochs == run.best_epoch + 1)[0])
    with look():
        figure, axes = canvas(2, height=4.0, sharex=True)
        top, bottom = axes[:, 0]
        top.plot(epochs, loss, color=BLACK, marker=".")
        top.set(ylabel="loss on train", title=title)
        bottom.plot(epochs, uar, color=ROLES["attention"], marker=".")
        bottom.axhline(1 / len(run.emotions), color=ROLES["uniform"], ls=":", lw=1.4)
        bottom.text(epochs[-1], 1 / len(run.emotions), "chance", ha="right", va="bottom", fontsize=11)
        bottom.plot(
            epochs[best], uar[best], "D", color=ROLES["own"], mec=BLACK, ms=9, label=f"best: epoch {epochs[best]}"
        )
        bottom.set(xlabel="epoch", ylabel="UAR on dev", ylim=(0, 1))
        bottom.xaxis.get_major_locator().set_params(integer=True)
        bottom.legend(loc="center right")
        figure.align_ylabels([top, bottom])
    alt = (
        f"Training over {len(epochs)} epochs: the loss goes from {loss[0]:.2f} to {loss[-1]:.2f}; the UAR on dev is"
        f" highest, {uar[best]:.2f}, in epoch {epochs[best]}; chance is {1 / len(run.emotions):.2f}."
    )
    return Picture(figure, alt)


def confusion(report: Report, *, ax: Axes | None = None, title: str = "") -> Picture:
    """Confusion matrix: true emotions down, predicted ones across; percent of the row and number of clips."""
    counts = np.asarray(report.confusion)
    emotions = list(report.emotions)
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.maximum(totals, 1)
    texts = np.array(
        [
            [f"{p:.0f}%\n{n}" if n else "" for p, n in zip(*row, strict=True)]
            for row in zip(percent, counts, strict=True)
        ]
    )
    with look():
        figure, axes = canvas(height=5.8, ax=ax)
        axis = axes[0, 0]
        sns.heatmap(
            percent,
            annot=texts,
            fmt="",
            vmin=0,
            vmax=100,
            cmap=HEAT,
            square=True,
            annot_kws={"fontsize": 10.5},
            cbar_kws={"label": "% of the true class", "shrink": 0.7, "pad": 0.02},
            xticklabels=emotions,
            yticklabels=[f"{emotion} ({n})" for emotion, n in zip(emotions, totals[:, 0], strict=True)],
            ax=axis,
        )
        axis.tick_params(length=0)
        axis.set_xticks(axis.get_xticks(), emotions, rotation=40, ha="right", rotation_mode="anchor")
        axis.set(xlabel="predicted emotion", ylabel="true emotion (clips)", title=title)
    return Picture(figure, _describe_confusion(counts, emotions))


def _describe_confusion(counts: np.ndarray, emotions: list[str]) -> str:
    here = [i for i in range(len(emotions)) if counts[i].sum()]
    shares = recalls(counts)
    best, worst = max(here, key=lambda i: shares[i]), min(here, key=lambda i: shares[i])
    text = (
        f"Confusion of {counts.sum()} clips: best recognized is {emotions[best]} ({shares[best]:.0%}),"
        f" least {emotions[worst]} ({shares[worst]:.0%})"
    )
    off = counts * ~np.eye(len(counts), dtype=bool)
    if off.any():
        i, j = np.unravel_index(off.argmax(), off.shape)
        text += f"; most often {emotions[i]} is taken for {emotions[j]}, {off[i, j]} times"
    return text + "."


def localization(result: Localization, *, title: str = "") -> Picture:
    """Each score of the map, with its interval, beside what maps get that know nothing of emotion.

    For any result with four metrics: of ``Report.localization``, ``Report.cells`` or ``Report.loudness``. The black bar
    on each row is that row's chance level (for IoU it depends on how wide a method's spans are).
    """
    methods = result.methods
    values = {
        metric: {
            method: (result.interval(method, metric), float(mean(result.sums(method, f"{metric}_chance").sum(axis=0))))
            for method in methods
        }
        for metric in result.metrics
    }
    with look():
        figure, axes = canvas(2, 2, height=1.6 + 0.6 * len(methods), sharey=True)
        for axis, (metric, name) in zip(axes.ravel(), result.metrics.items(), strict=True):
            for row, method in enumerate(methods):
                estimate, chance = values[metric][method]
                axis.plot([chance] * 2, [row - 0.38, row + 0.38], color=BLACK, lw=2.5, label=once("chance", row))
                draw_interval(axis, estimate, row, METHOD_ROLES.get(method, method))
            bounds = [bound for found, _ in values[metric].values() for bound in (found.low, found.high)]
            axis.set(xlim=(np.nanmin([0, *bounds]) - 0.05, np.nanmax([1, *bounds]) + 0.07), title=name)
            axis.set_yticks(range(len(methods)), methods)
            axis.grid(axis="x", color="#DDDDDD")
            axis.set_axisbelow(True)
        axes[0, 0].invert_yaxis()
        level = values[next(iter(values))][methods[0]][0].level
        figure.supxlabel(f"score, mean with {level:.0%} interval", fontsize=12)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower right", handlelength=1.0)
        if title:
            figure.suptitle(title)
    sentences = []
    for metric, name in result.metrics.items():
        parts = [
            f"{method} {found.estimate:.2f} (chance {chance:.2f})" for method, (found, chance) in values[metric].items()
        ]
        sentences.append(f"{name}: {listed(parts)}.")
    return Picture(figure, " ".join(["Where the maps point.", *sentences, result.note]))


def draw_interval(axis: Axes, interval: Interval, row: float, role: str, label: str | None = None) -> None:
    """A marker with its bounds at height `row`, in the color of its role."""
    bounds = [[interval.estimate - interval.low], [interval.high - interval.estimate]]
    known = not math.isnan(interval.low)
    axis.errorbar(
        interval.estimate,
        row,
        xerr=bounds if known else None,
        fmt=MARKERS.get(role, "o"),
        ms=8,
        color=role_color(role),
        mec=BLACK,
        mew=0.8,
        ecolor=BLACK,
        elinewidth=1.6,
        capsize=4,
        label=label,
    )


def once(label: str, row: int) -> str:
    """A label for the legend on the first row only."""
    return label if row == 0 else f"_{label}"
