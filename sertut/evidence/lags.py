r"""Does alignment find by how much the face lags the voice? The ridge of the map against the known offset.

Of an alignment map :math:`\alpha` over pairs of a face at :math:`\tau^f` and a voice at :math:`\tau^v` (seconds), each
with the lag :math:`d = \tau^f - \tau^v`:

    recovered    the lag that gets most attention
    diagonality  :math:`\frac1T \sum_t \sum_j \alpha_{tj} |d_{tj}|`, how far from "at the same time" it looks, seconds
    aligned      the same after the true offset o is removed, :math:`|d_{tj} - o|`: 0 for perfect alignment

A positive offset says that the face comes later: what the voice does at t, the face does at t + o.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sertut.attention import AttentionMap
from sertut.attention.alignment import LAG_STEP
from sertut.corpora import Clip
from sertut.errors import SertutError, unknown
from sertut.evidence.intervals import Interval, Statistic, bootstrap_speakers, mean, paired_difference, sums_by_speaker

ALIGNMENT = "alignment"
"""Name of the map that says which moments of voice and face belong together."""

NEAR_SECONDS = 0.08
"""An offset counts as found if it is at most this far off: two video frames."""

STEP = 0.005
"""Offsets are kept, and their errors counted, in steps of 5 ms."""

LONGEST_ERROR = 2.0
"""Errors above this, in seconds, count as this."""

NEAREST = "nearest time"
"""The method that takes every face to belong to the voice of the same time: its offset is 0 s."""

NOT_ALIGNING = "this model does not align voice and face; train one that does, e.g. AudioVisual(fusion='alignment')."


@dataclass(frozen=True)
class Offsets:
    """Offsets of several methods on the same clips.

    table: one row a clip and method: clip, speaker, method, and in seconds true, recovered, error (what they differ by,
    without sign), diagonality and aligned (NaN for a method without a map). skipped: clip name -> why nothing could be
    scored there.
    """

    table: pd.DataFrame
    skipped: Mapping[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods compared, in the order in which they were scored."""
        return tuple(self.table["method"].unique())

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers of the scored clips, sorted."""
        return tuple(sorted(self.table["speaker"].unique()))

    def interval(self, method: str, score: str = "offset_error") -> Interval:
        """A score, one of :data:`SCORES`, with an interval that resamples speakers."""
        statistic, tables = score_tables(self.to_json(), method, score)
        return bootstrap_speakers(statistic, tables[None])

    def difference(self, method: str, other: str, score: str = "offset_error") -> Interval:
        """By how much `score` is higher for `method` than for `other` on the same clips, paired over speakers."""
        part = self.to_json()
        (statistic, ours), (_, theirs) = (score_tables(part, name, score) for name in (method, other))
        return paired_difference(statistic, ours[None], theirs[None])

    def summary(self) -> pd.DataFrame:
        """One row a method, one column a score, each an :class:`Interval`; NaN where a method has no map."""
        columns = {title: [self.interval(method, score) for method in self.methods] for score, title in SCORES.items()}
        return pd.DataFrame(columns, index=pd.Index(self.methods, name="method"))

    def to_json(self) -> dict:
        """For :meth:`Report.to_json`: true and recovered offsets of each speaker's clips, in steps of 5 ms."""
        each = [self.table[self.table["method"] == method] for method in self.methods]
        steps = lambda rows, column: [  # noqa: E731
            (rows[column][rows["speaker"] == name] / STEP).round().astype(int).tolist() for name in self.speakers
        ]
        sums = lambda rows, column: sums_by_speaker(  # noqa: E731
            rows[column].tolist(), rows["speaker"].tolist(), self.speakers
        )
        found = {method: steps(rows, "recovered") for method, rows in zip(self.methods, each, strict=True)}
        found.pop(NEAREST)  # 0 throughout
        spread = {
            column: {
                method: sums(rows, column).round(6).tolist()
                for method, rows in zip(self.methods, each, strict=True)
                if rows[column].notna().any()
            }
            for column in ("diagonality", "aligned")
        }
        return {
            "speakers": list(self.speakers),
            "skipped": len(self.skipped),
            "true": steps(each[0], "true"),
            "recovered": found,
            **spread,
        }

    def __str__(self) -> str:
        n, left_out = self.table["clip"].nunique(), sorted(set(self.skipped.values()))
        note = f"{len(self.skipped)} skipped: {', '.join(left_out)}" if left_out else "none skipped"
        return f"{self.summary().to_string()}\n{n} clips of {len(self.speakers)} speakers scored; {note}."


def offsets(
    clips: Sequence[Clip], maps: Sequence[AttentionMap], untrained: Sequence[AttentionMap] | None = None
) -> Offsets:
    """Hold the offset that each alignment map tells against the true one, beside what knows nothing of the clip.

    These are the untrained network; nearest time, 0 s; and a random guess, uniform between the extremes that occur.

    Args:
        maps: axes ("video", "time") or ("audio", "time"), batch size 1 each. untrained: of the same network before
            training, if wanted.

    Raises:
        SertutError: no clip has a known offset and both streams.
    """
    known = [true_offset(clip) for clip in clips]
    limit = max((abs(true) for true in known if true is not None), default=0.0)
    rows, skipped = [], {}
    for i, clip in enumerate(clips):
        true = known[i]
        if true is None:
            skipped[clip.name] = "no known offset"
            continue
        if not maps[i].weights.any():
            skipped[clip.name] = "one of the streams is missing"
            continue
        methods = {"attention": _of_map(maps[i], true)}
        if untrained is not None:
            methods["untrained network"] = _of_map(untrained[i], true)
        methods[NEAREST] = (0.0, np.nan, np.nan)
        generator = np.random.default_rng(zlib.crc32(clip.name.encode()))
        methods["random"] = (float(generator.uniform(-limit, limit)), np.nan, np.nan)
        for method, (recovered, diagonality, aligned) in methods.items():
            rows.append(
                {
                    "clip": clip.name,
                    "speaker": clip.speaker,
                    "method": method,
                    "true": true,
                    "recovered": recovered,
                    "error": abs(recovered - true),
                    "diagonality": diagonality,
                    "aligned": aligned,
                }
            )
    if not rows:
        reason = next(iter(skipped.values()), "there are no clips")
        raise SertutError(f"no offset between voice and face could be scored ({reason}); use planted.")
    return Offsets(pd.DataFrame(rows), skipped)


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


def median_from_histogram(counts: np.ndarray) -> np.ndarray:
    """Median of values that were counted in steps of :data:`STEP`: shape (..., n) to (...), seconds.

    ``counts[i]`` is how many values are i steps. Counts add up over speakers, so a median can be bootstrapped like a
    mean; it is that of :func:`numpy.median`. NaN where nothing was counted.
    """
    sums = np.cumsum(counts, axis=-1)
    half = sums[..., -1:] / 2
    lower, upper = (sums >= half).argmax(axis=-1), (sums > half).argmax(axis=-1)
    return np.where(sums[..., -1] > 0, STEP * (lower + upper) / 2, np.nan)


def correlation_from_sums(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation from the sums of (1, x, y, xx, yy, xy), shape (..., 6) to (...); 0 if one is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    spread = np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0)
    varied = spread > 1e-12 * np.maximum(n, 1) ** 4
    return np.where(varied, (n * xy - x * y) / np.sqrt(np.where(varied, spread, 1.0)), 0.0)


SCORES = {
    "offset_error": "median error, s",
    "offset_within": "within 80 ms",
    "offset_correlation": "correlation",
    "diagonality": "diagonality, s",
    "aligned": "aligned, s",
}
"""Name of a score -> its name in print. Errors and distances are better when lower."""


def score_tables(part: Mapping, method: str, score: str) -> tuple[Statistic, np.ndarray]:
    """The statistic of a score, and what it takes of each speaker, shape (S, D).

    Args:
        part: from :meth:`Offsets.to_json`. score: one of :data:`SCORES`.
    """
    if score not in SCORES:
        raise unknown("score", score, SCORES)
    if method not in (methods := (*part["recovered"], NEAREST)):
        raise unknown("method", method, methods)
    if score in ("diagonality", "aligned"):
        return mean, np.array(part[score].get(method, [[0.0, 0]] * len(part["speakers"])))
    pairs = [STEP * rows for rows in offset_pairs(part, method)]
    if score == "offset_error":
        return median_from_histogram, np.stack([_histogram(np.abs(x - y)) for x, y in pairs])
    if score == "offset_within":
        return mean, np.array([[(np.abs(x - y) < NEAR_SECONDS + STEP / 2).sum(), len(x)] for x, y in pairs])
    return correlation_from_sums, np.array([[len(x), *np.sum([x, y, x * x, y * y, x * y], axis=1)] for x, y in pairs])


def offset_pairs(part: Mapping, method: str) -> list[np.ndarray]:
    """True and recovered offsets of each speaker's clips, (2, n) each, in steps of :data:`STEP`."""
    found = part["recovered"].get(method, [[0] * len(true) for true in part["true"]])
    return [np.array(rows, dtype=float) for rows in zip(part["true"], found, strict=True)]


def _histogram(errors: np.ndarray) -> np.ndarray:
    last = round(LONGEST_ERROR / STEP)
    return np.bincount(np.minimum(np.round(errors / STEP).astype(int), last), minlength=last + 1)


def _of_map(map_: AttentionMap, true: float) -> tuple[float, float, float]:
    return recovered_offset(map_), diagonality(map_), diagonality(map_, true)
