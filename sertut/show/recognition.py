"""How training went, what is confused with what, and whether a network is right as often as it is sure."""

from collections.abc import Mapping

import numpy as np

from sertut.evidence import Report
from sertut.show.picture import Picture, canvas, chart
from sertut.show.rows import legend_below
from sertut.show.style import BLACK, ROLES
from sertut.show.tables import draw_table
from sertut.training.metrics import recalls
from sertut.training.runs import Run


def history(run: Run) -> Picture:
    """Loss on train and UAR on dev, epoch by epoch; the epoch whose weights the run keeps is marked."""
    epochs = np.array([row["epoch"] + 1 for row in run.history])  # people count from 1
    loss = [row["loss"] for row in run.history]
    uar = [row["dev_uar"] for row in run.history]
    kept, chance = int(np.flatnonzero(epochs == run.best_epoch + 1)[0]), 1 / len(run.emotions)
    why = run.recipe.keep  # best or last
    with canvas(2, height=4.0, sharex=True) as (figure, axes):
        top, bottom = axes[:, 0]
        top.plot(epochs, loss, color=BLACK, marker=".")
        top.set(ylabel="loss on train")
        bottom.plot(epochs, uar, color=ROLES["attention"], marker=".")
        bottom.axhline(chance, color=ROLES["uniform"], ls=":", lw=1.4)
        bottom.text(epochs[-1], chance, "chance", ha="right", va="bottom", fontsize=11)
        named = f"kept: {why} epoch, {epochs[kept]}"
        bottom.plot(epochs[kept], uar[kept], "D", color=ROLES["own"], mec=BLACK, ms=9, label=named)
        bottom.set(xlabel="epoch", ylabel="UAR on dev", ylim=(0, 1))
        bottom.xaxis.get_major_locator().set_params(integer=True)
        figure.align_ylabels([top, bottom])
        legend_below(figure, 1)
    alt = (
        f"Training over {len(epochs)} epochs: the loss goes from {loss[0]:.2f} to {loss[-1]:.2f}; kept is the {why}"
        f" epoch{' on dev' * (why == 'best')}, {epochs[kept]}, with a UAR on dev of {uar[kept]:.2f}; chance is"
        f" {chance:.2f}."
    )
    return Picture(figure, alt)


def confusion(report: Report) -> Picture:
    """Confusion matrix: true emotions down, predicted ones across; percent of the row and number of clips."""
    counts, emotions = np.asarray(report.confusion), list(report.emotions)
    totals = counts.sum(axis=1)
    percent = 100 * counts / np.maximum(totals, 1)[:, None]
    texts = [f"{p:.0f}%\n{n}" if n else "" for p, n in zip(percent.flat, counts.flat, strict=True)]
    with chart(height=4.6) as (figure, axis):
        rows = [f"{emotion} ({n})" for emotion, n in zip(emotions, totals, strict=True)]
        looks = {"annot": np.reshape(texts, counts.shape), "fmt": "", "vmin": 0, "vmax": 100, "square": True}
        draw_table(axis, percent, rows, emotions, "% of the true class", slanted=True, **looks)
        axis.set(xlabel="predicted emotion", ylabel="true emotion (clips)")
    here, shares = np.flatnonzero(totals), recalls(counts)
    best, worst = max(here, key=lambda i: shares[i]), min(here, key=lambda i: shares[i])
    alt = (
        f"Confusion of {counts.sum()} clips: best recognized is {emotions[best]} ({shares[best]:.0%}),"
        f" least {emotions[worst]} ({shares[worst]:.0%})"
    )
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    if wrong.any():
        i, j = np.unravel_index(wrong.argmax(), wrong.shape)
        alt += f"; most often {emotions[i]} is taken for {emotions[j]}, {wrong[i, j]} times"
    return Picture(figure, f"{alt}.")


def reliability(tables: Mapping[str, np.ndarray]) -> Picture:
    """How sure, against how often right; on the diagonal both are the same.

    Args:
        tables: name -> (B, 3): clips, sum of their confidences, and number that is right, in each of B bins of
            confidence, up to three names (:func:`sertut.evidence.confidence.reliability`). Large dots hold many clips.
    """
    styles, alt = ((ROLES["reference"], "s"), (ROLES["attention"], "o"), (ROLES["own"], "D")), []
    with chart(height=4.6) as (figure, axis):
        axis.plot([0, 1], [0, 1], color=BLACK, ls=":", lw=1.4, label="as sure as right")
        for (name, table), (color, marker) in zip(tables.items(), styles, strict=False):
            n, sure, right = table[table[:, 0] > 0].T
            size = 8 + 600 * n / n.sum()  # no line between them: a bin of two clips would catch the eye
            axis.scatter(sure / n, right / n, size, color, marker=marker, edgecolors=BLACK, clip_on=False)
            axis.scatter([], [], 60, color, marker=marker, edgecolors=BLACK, label=name)
            alt.append(f"{name}: {sure.sum() / n.sum():.0%} sure on average, {right.sum() / n.sum():.0%} right")
        axis.set(xlim=(0, 1.05), ylim=(0, 1.05), xlabel="how sure (highest probability)", ylabel="share that is right")
        axis.legend(loc="upper left")
    return Picture(figure, f"Reliability in {len(table)} bins. {'; '.join(alt)}.")
