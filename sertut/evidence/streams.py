r"""Do voice and face point at the same moments? The attention of two networks, one that hears and one that sees.

Both curves are brought to one clock, 25 steps a second, and compared clip by clip (claim D4 of Desai, Cao & Shah):

    rank     Spearman's correlation of the two
    overlap  of the steps that either calls important (:func:`sertut.evidence.scores.salient`), the share that both do
    moved    the same after the face is moved back by its true offset
    lag      by which the face must be moved back to agree best with the voice: the peak of the cross-correlation
             within 1.2 s, held against the true offset as in :mod:`sertut.evidence.lags`

Two curves that both avoid the ends of a clip agree a little, whatever they are; so beside each clip stands a shuffled
one: the same voice with the face of another clip of the same emotion, stretched to the same length.
"""

import numpy as np
import pandas as pd
import scipy

from sertut.attention import Clock
from sertut.attention.alignment import LAG_STEP, MAX_LAG
from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence import scores
from sertut.evidence.lags import SCORES, STATISTICS, true_offset
from sertut.evidence.level import spearman
from sertut.evidence.localization import of_emotions
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, draws_of, score_each
from sertut.evidence.report import Report
from sertut.evidence.sums import Tally
from sertut.video import VIDEO_HOP

METRICS = {"rank": "rank agreement", "overlap": "overlap (IoU)"}
"""Column of :attr:`ClipScores.table` -> name in print; ``<column>_chance`` holds that of the shuffled clip."""

WITH_OFFSETS = {
    "moved": "overlap, face moved by the true offset",
    **{name: SCORES[name] for name in ("offset_error", "offset_within", "offset_correlation")},
}
"""What is scored besides where the true offsets are known; see :data:`sertut.evidence.lags.SCORES`."""

SAME, OTHER = "same clip", "another clip"


def compare_streams(voice: Report, face: Report) -> ClipScores:
    """Compare the maps of a network that hears with those of one that sees, on the same clips.

    The methods are "same clip" and "another clip". Where a corpus knows its emotional regions, clips without one are
    left out: there is nothing to agree on. Of a map with the axis "emotion" the weights of the clip's true emotion are
    taken.

    Raises:
        SertutError: the reports are of different clips, or a map is of the wrong stream, or nothing can be compared.
    """
    clips = voice.predictions.clips
    if [clip.name for clip in clips] != [clip.name for clip in face.predictions.clips]:
        raise SertutError(f"the reports '{voice.name}' and '{face.name}' are of different clips; evaluate on the same.")
    heard, seen = _curves(voice, "voice"), _curves(face, "face")
    located = any(clip.regions for clip in clips)
    both = [bool(heard[i][0].any() and seen[i][0].any()) for i in range(len(clips))]
    reasons = [
        "no known region" if located and not clip.regions else "" if there else "one of the streams is missing"
        for clip, there in zip(clips, both, strict=True)
    ]

    def score(i: int, clip: Clip) -> Found | str:
        others = [j for j, c in enumerate(clips) if c.emotion == clip.emotion and j != i and not reasons[j]]
        if reasons[i] or not others:
            return reasons[i] or "no other clip of its emotion"
        stranger, theirs = seen[int(draws_of(clip).choice(others))]
        (curve, clock), true = seen[i], true_offset(clip)
        edges = clock.start + clock.hop * np.arange(len(curve) + 1)
        stretched = theirs.start + theirs.hop * np.linspace(0, len(stranger), len(edges))
        listened = on_steps(*heard[i], edges)
        same = agreement(listened, curve, true)
        other = agreement(listened, on_steps(stranger, theirs, stretched), true)
        about = {f"{name}_chance": other[name] for name in ("rank", "overlap", "moved")}
        about["true"] = np.nan if true is None else true
        return {SAME: {**same, **about}, OTHER: {**other, **about}}

    known = any(true_offset(clip) is not None for clip in clips)
    nothing = "no clip could be compared ({}); use a corpus with voice and face, such as planted."
    metrics = {**METRICS, **(WITH_OFFSETS if known else {})}
    return score_each(clips, score, metrics, nothing, STATISTICS if known else {})


def stream_table(found: Tally) -> pd.DataFrame:
    """One row a metric of :func:`compare_streams`: the same clip, another one, and by how much the first is higher."""
    rows = {
        title: [found.interval(SAME, name), found.interval(OTHER, name), found.difference(SAME, OTHER, name)]
        for name, title in {**METRICS, **WITH_OFFSETS}.items()
        if found.scored(name)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=[SAME, OTHER, "difference"])


def agreement(voice: np.ndarray, face: np.ndarray, offset: float | None = None) -> dict[str, float]:
    """All scores of one pair of curves (T,) on the clock of the face; the lag in seconds; NaN without an offset."""
    everywhere = np.ones(len(voice), dtype=bool)
    ours, theirs = (scores.salient(curve, everywhere, VIDEO_HOP) for curve in (voice, face))
    return {
        "rank": spearman(voice, face),
        "overlap": _iou(ours, theirs),
        "moved": np.nan
        if offset is None
        else _iou(ours, scipy.ndimage.shift(theirs, -round(offset / VIDEO_HOP), order=0)),
        "recovered": best_lag(voice, face),
    }


def best_lag(voice: np.ndarray, face: np.ndarray) -> float:
    """By how many seconds the face must be moved back to agree best with the voice; of equals the smallest lag."""
    x, y = voice - voice.mean(), face - face.mean()
    products = np.correlate(y, x, mode="full")  # lags of 1 - T ... T - 1 steps
    steps = np.arange(1 - len(x), len(y))
    near = np.abs(steps) * VIDEO_HOP <= LAG_STEP * MAX_LAG + 1e-9
    products, steps = products[near], steps[near]
    best = steps[np.isclose(products, products.max(), atol=1e-15)]
    return float(best[np.abs(best).argmin()] * VIDEO_HOP)


def on_steps(weights: np.ndarray, clock: Clock, edges: np.ndarray) -> np.ndarray:
    """Weights (T,) brought to other steps: each takes the mass between two of the `edges` (n + 1,), seconds; sum 1."""
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    taken = np.diff(np.interp((edges - clock.start) / clock.hop, np.arange(len(mass)), mass))
    return taken / taken.sum() if taken.sum() > 0 else np.full(len(taken), 1 / len(taken))


def _curves(report: Report, stream: str) -> list[tuple[np.ndarray, Clock]]:
    """The weights (T,) and the clock of the map of every clip; no weights where the clip lacks the stream."""
    if not all(ATTENTION in maps and maps[ATTENTION].stream == stream for maps in report.predictions.maps):
        raise SertutError(
            f"the report '{report.name}' has no attention to the {stream}; train with"
            f" AudioVisual(streams='{stream}', pooling='attention')."
        )
    maps = of_emotions([maps[ATTENTION] for maps in report.predictions.maps], report.predictions.labels.tolist())
    return [(map_.over_time().of(0).double().numpy(), map_.clocks["time"]) for map_ in maps]


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))
