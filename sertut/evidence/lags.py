r"""Does alignment find by how much the face lags the voice? The ridge of the map against the known offset.

Of an alignment map :math:`\alpha` over pairs of a face at :math:`\tau^f` and a voice at :math:`\tau^v` (seconds), each
with the lag :math:`d = \tau^f - \tau^v`:

    recovered    the lag that gets most attention
    diagonality  :math:`\frac1T \sum_t \sum_j \alpha_{tj} |d_{tj}|`, how far from "at the same time" it looks, seconds
    aligned      the same after the true offset o is removed, :math:`|d_{tj} - o|`: 0 for perfect alignment

A positive offset says that the face comes later: what the voice does at t, the face does at t + o.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sertut.attention import AttentionMap
from sertut.attention.alignment import LAG_STEP
from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence.perclip import ATTENTION, UNTRAINED, ClipScores, Found, draws_of, score_each

ALIGNMENT = "alignment"
"""Name of the map that says which moments of voice and face belong together."""

NEAREST = "nearest time"
"""The method that takes every face to belong to the voice of the same time: its offset is 0 s."""

SCORES = {
    "offset_error": "median error, s",
    "offset_within": "within 80 ms",
    "offset_correlation": "correlation",
    "diagonality": "diagonality, s",
    "aligned": "aligned, s",
}
"""Name of a score -> its name in print. Errors and distances are better when lower."""

STATISTICS = {"offset_error": "median", "offset_correlation": "correlation"}

NOT_ALIGNING = "this model does not align voice and face; train one that does, e.g. AudioVisual(fusion='alignment')."


def offsets(
    clips: Sequence[Clip], maps: Sequence[AttentionMap], untrained: Sequence[AttentionMap] | None = None
) -> ClipScores:
    """Hold the offset that each alignment map tells against the true one, beside what knows nothing of the clip.

    These are the untrained network; nearest time, 0 s; and a random guess, uniform between the extremes that occur.
    Columns of the table, seconds: true, recovered, error (what they differ by, without sign), diagonality and aligned
    (NaN for a method without a map).

    Args:
        maps: axes ("video", "time") or ("audio", "time"), batch size 1 each. untrained: of the same network before
            training, if wanted.

    Raises:
        SertutError: no clip has a known offset and both streams.
    """
    known = [true_offset(clip) for clip in clips]
    limit = max((abs(true) for true in known if true is not None), default=0.0)

    def score(i: int, clip: Clip) -> Found | str:
        true = known[i]
        if true is None:
            return "no known offset"
        if not maps[i].weights.any():
            return "one of the streams is missing"
        methods = {ATTENTION: _of_map(maps[i], true)}
        if untrained is not None:
            methods[UNTRAINED] = _of_map(untrained[i], true)
        guess = float(draws_of(clip).uniform(-limit, limit))
        methods |= {NEAREST: {"recovered": 0.0}, "random": {"recovered": guess}}
        unmapped = {"diagonality": np.nan, "aligned": np.nan}
        return {
            method: {**unmapped, **found, "true": true, "error": abs(found["recovered"] - true)}
            for method, found in methods.items()
        }

    nothing = "no offset between voice and face could be scored ({}); use planted."
    return score_each(clips, score, SCORES, nothing, STATISTICS)


def true_offset(clip: Clip) -> float | None:
    """By how many seconds the face of a clip lags its voice; None where it is not known."""
    offset = clip.details.get("offset")
    return float(offset) if isinstance(offset, (int, float)) else None


def recovered_offset(map_: AttentionMap) -> float:
    """By how many seconds the face lags the voice, as an alignment map of one clip tells it.

    The attention of all real query steps is summed for each lag (in steps of 40 ms) and smoothed a little; the offset
    is the center of gravity of the lags within 80 ms of the highest sum. NaN for a map without attention.

    Args:
        map_: axes ("video", "time") or ("audio", "time"), batch size 1.
    """
    weights, lags = map_.of(0).double().numpy(), face_lags(map_)
    if not weights.any():
        return np.nan
    step = np.round(lags / LAG_STEP).astype(int)
    index = (step - step.min()).ravel()
    mass = np.bincount(index, weights.ravel())
    moment = np.bincount(index, (weights * lags).ravel())
    smooth = np.convolve(mass, (0.25, 0.5, 0.25), mode="same")[: len(mass)]
    highest = np.flatnonzero(np.isclose(smooth, smooth.max()))
    peak = highest[len(highest) // 2]
    near = slice(max(0, peak - 2), peak + 3)
    return float(moment[near].sum() / mass[near].sum())


def face_lags(map_: AttentionMap) -> np.ndarray:
    """Of every pair of steps by how many seconds the face is after the voice, shape (T, S), as the map of one clip."""
    if map_.axes not in (("video", "time"), ("audio", "time")):
        raise SertutError(
            f"the map has the axes {', '.join(map_.axes)}; an offset needs video and time, or audio and time, as in"
            " the map 'alignment' of AudioVisual."
        )
    n_queries, n_keys = map_.of(0).shape
    asking = map_.clocks[map_.axes[0]].centers(n_queries).double().numpy()
    asked = map_.clocks["time"].centers(n_keys).double().numpy()
    lags = asking[:, None] - asked[None, :]
    return lags if map_.axes[0] == "video" else -lags


def diagonality(map_: AttentionMap, offset: float = 0.0) -> float:
    """Mean distance, in seconds, of the attended lag from `offset`, over all real query steps of one clip."""
    weights = map_.of(0).double().numpy()
    asked = (weights.sum(axis=1) > 0).sum()
    return float((weights * np.abs(face_lags(map_) - offset)).sum() / asked) if asked else np.nan


def _of_map(map_: AttentionMap, true: float) -> dict[str, float]:
    return {
        "recovered": recovered_offset(map_),
        "diagonality": diagonality(map_),
        "aligned": diagonality(map_, true),
    }
