"""Where a repetition of a reference training must fall, and the reader's own run beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from sertut.attention.alignment import LAG_STEP, MAX_LAG
from sertut.show import Picture, dots
from sertut.study.references import Study, renewal

ALARM = 0.001
"""How often, at most, an honest run of a chapter falls outside one of its bands."""

BANDS = 10
"""Bands of a chapter, at most: each one has a tenth of the :data:`ALARM` (Bonferroni)."""

FREEDOM = 4
"""Fewest degrees of freedom of a band: five seeds of one fold."""

NOISY, NARROW = 0.25, 0.02
"""Half of a band's width, as shares of the score's range: above the first there is no band, and no band is narrower
than the second, because seeds that happen to agree do not show that all do."""

RANGES = {
    "offset_error": (0.0, math.inf, MAX_LAG * LAG_STEP),
    "offset_correlation": (-1.0, 1.0, 2.0),
    "difference": (-1.0, 1.0, 2.0),
}
"""Score -> its lowest and its highest value, and how far values may lie apart; all others lie between 0 and 1."""


def prediction_band(
    scores: Mapping[int, Sequence[float]],
    fold: int,
    score: str = "uar",
    alarm: float = ALARM / BANDS,
    noisy: float = NOISY,
) -> tuple[float, float] | None:
    r"""Where one more training on `fold` falls with probability 1 - `alarm`; None where no useful answer is known.

    .. math:: \bar x_f \pm t_{1 - \alpha / 2,\, d}\; s \sqrt{1 + 1 / n_f}, \qquad
        s^2 = \frac1d \sum_g \sum_i (x_{gi} - \bar x_g)^2, \quad d = \sum_g (n_g - 1)

    a prediction interval for a normal score: the center is that of the fold's own seeds, the spread between seeds is
    pooled over all folds g. It is cut off where the score can go no further. There is no band with fewer than
    :data:`FREEDOM` degrees of freedom d, nor where half of its width exceeds the share `noisy` of the score's range,
    nor where a reference seed lies outside the chapters' band as the others make it: then the scores are not normal.

    Args:
        scores: fold -> score of each seed.
        score: its name, which tells its range; "difference" for that of two scores.

    Source: Hahn & Meeker, Statistical Intervals (1991), section 4.8.
    """
    band = normal_band(scores, fold, score, alarm, FREEDOM, noisy)
    for g, seeds in scores.items() if band else ():
        for i, value in enumerate(seeds):
            others = {**scores, g: [*seeds[:i], *seeds[i + 1 :]]}
            around = normal_band(others, g, score, ALARM / BANDS, FREEDOM - 1, math.inf) if others[g] else None
            if around and not around[0] <= value <= around[1]:
                return None
    return band


def normal_band(
    scores: Mapping[int, Sequence[float]],
    fold: int,
    score: str,
    alarm: float,
    freedom: int,
    noisy: float,
) -> tuple[float, float] | None:
    """The band of :func:`prediction_band` if all scores are normal; `freedom` and `noisy` are its two limits."""
    low, high, span = RANGES.get(score, (0.0, 1.0, 1.0))
    d = sum(len(seeds) - 1 for seeds in scores.values())
    if d < freedom:
        return None
    variance = sum(len(seeds) * np.var(seeds) for seeds in scores.values()) / d
    quantile = stats.t.ppf(1 - alarm / 2, d)
    half = max(quantile * math.sqrt(variance * (1 + 1 / len(scores[fold]))), NARROW * span)
    if half > noisy * span:
        return None
    center = float(np.mean(scores[fold]))
    return max(float(center - half), low), min(float(center + half), high)


def beside_reference(
    study: Study | None,
    fold: int,
    own: Mapping[str, Mapping[str, float]],
    *,
    measure: str,
    methods: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    also: Mapping[str, Sequence[float]] | None = None,
    chance: float | None = None,
    epochs: int | None = None,
) -> tuple[Picture | None, list[dict]]:
    """A reader's runs among the reference trainings: the figure, and the bands for ``write_results``; prints the rest.

    Args:
        study: the reference; None where there is none, and then there is nothing to stand beside.
        fold: that the reader trained on, counted from 0.
        own: score -> method -> the reader's value. The first score is drawn, and every one gets a sentence.
        measure: what is drawn, for the axis.
        methods: rows of the figure; by default those of `own`. names: method -> what it is called there.
        also: further rows, with the scores of their reference trainings; `own` may hold a value for them.
        epochs: the reader's own number, where it is not the reference's: then the training is another, and has no band.
    """
    drawn, names, also = next(iter(own)), names or {}, also or {}
    held = {name for _, name in study.cells} if study is not None and fold in study.folds else set()
    mine = {score: {name: x for name, x in found.items() if name in held} for score, found in own.items()}
    if study is None or not mine[drawn]:
        print("No reference results are kept for these runs; they have nothing to stand beside.")
        return None, []
    rows = {names.get(name, name): study.scores(name, fold, drawn) for name in methods or mine[drawn]} | {**also}
    values = {names.get(name, name): value for name, value in own[drawn].items() if names.get(name, name) in rows}
    figure = dots(rows, values, measure=measure, chance=chance)
    bands, noisy = [], []
    if epochs is not None:
        reference = study.cell(next(iter(mine[drawn])))[0]["options"]["epochs"]
        print(
            f"You trained with epochs={epochs}, the reference with {reference}: another training, so there is no band."
        )
        mine = {}
    for score, name, value in ((score, name, value) for score, found in mine.items() for name, value in found.items()):
        what = f"{score} of {names.get(name, name)}, {value:.3f}"
        band = prediction_band(study.scores_of_folds(name, score), fold, score)
        if band is None:
            noisy.append(what)
            continue
        bands.append({"metric": f"{score}_{name}", "value": value, "low": band[0], "high": band[1]})
        place = "inside" if band[0] <= value <= band[1] else "outside"
        print(f"{what}: {place} the band of the reference seeds, {band[0]:.3f} to {band[1]:.3f}.")
    if noisy:
        why = "the reference trainings are too few, or differ too much, to say where a run must fall"
        print(f"Without a band, because {why}: {'; '.join(noisy)}.")
    print(renewal(study))
    return figure, bands
