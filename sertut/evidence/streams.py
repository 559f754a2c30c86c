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

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sertut.attention import Clock
from sertut.attention.alignment import LAG_STEP, MAX_LAG
from sertut.corpora import Clip
from sertut.errors import SertutError, unknown
from sertut.evidence import scores
from sertut.evidence.intervals import Interval, Statistic, bootstrap_speakers, mean, paired_difference
from sertut.evidence.lags import NEAREST, SCORES, Offsets, score_tables, true_offset
from sertut.evidence.level import spearman
from sertut.evidence.localization import Localization, of_emotions, stored
from sertut.evidence.pooled import PooledScores, side_by_side
from sertut.evidence.report import ATTENTION, Report
from sertut.video import VIDEO_HOP

METRICS = {"rank": "rank agreement", "overlap": "overlap (IoU)", "moved": "overlap, face moved by the true offset"}
"""Column of :attr:`Localization.table` -> name in print; ``<column>_chance`` holds that of the shuffled clip."""

LAGS = ("offset_error", "offset_within", "offset_correlation")
"""Scores of the lag; see :data:`sertut.evidence.lags.SCORES`."""

SAME, OTHER = "same clip", "another clip"


@dataclass(frozen=True)
class Streams:
    """Agreement of voice and face on the same clips.

    agreement: methods "same clip" and "another clip", metrics as in :data:`METRICS`. lags: the same methods, or None
    where no true offset is known.
    """

    agreement: Localization
    lags: Offsets | None

    @cached_property
    def scores(self) -> PooledStreams:
        """Means, medians and differences with intervals."""
        return PooledStreams([self.to_json()], [0])

    def to_json(self) -> dict:
        """For the result of a study; :class:`PooledStreams` reads it back."""
        return {"agreement": stored(self.agreement), "lags": self.lags.to_json() if self.lags else None}

    def __str__(self) -> str:
        return f"{self.scores.summary().to_string()}\n{self.agreement.note}"


class PooledStreams:
    """Comparisons over seeds and folds: folds side by side, seeds averaged.

    Args:
        parts: from :meth:`Streams.to_json`, in any order. seeds: the seed of each.
    """

    def __init__(self, parts: Sequence[Mapping], seeds: Sequence[int]) -> None:
        pairs = list(zip(parts, seeds, strict=True))
        self._by_seed = {seed: [part for part, s in pairs if s == seed] for seed in sorted(set(seeds))}
        self._agreement = PooledScores([part["agreement"] for part in parts], seeds)
        held = parts[0]["agreement"]["methods"][SAME]  # without true offsets nothing was moved
        lags = {name: SCORES[name] for name in LAGS if all(part["lags"] for part in parts)}
        self.metrics = {name: title for name, title in METRICS.items() if name in held} | lags

    def interval(self, method: str, metric: str) -> Interval:
        """A metric of "same clip" or "another clip", with an interval that resamples speakers and seeds."""
        return bootstrap_speakers(*self._table(method, metric))

    def difference(self, metric: str) -> Interval:
        """By how much the face of the same clip scores higher than that of another one, paired over speakers, seeds."""
        statistic, same = self._table(SAME, metric)
        return paired_difference(statistic, same, self._table(OTHER, metric)[1])

    def summary(self) -> pd.DataFrame:
        """One row a metric: the same clip, another one, and the difference."""
        rows = {
            title: [self.interval(SAME, name), self.interval(OTHER, name), self.difference(name)]
            for name, title in self.metrics.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=[SAME, OTHER, "difference"])

    def _table(self, method: str, metric: str) -> tuple[Statistic, np.ndarray]:
        if metric not in self.metrics:
            raise unknown("metric", metric, self.metrics)
        if method not in (SAME, OTHER):
            raise unknown("method", method, (SAME, OTHER))
        if metric not in LAGS:
            return mean, self._agreement.sums(method, metric)
        rows = {
            seed: [(part["lags"]["speakers"], score_tables(part["lags"], method, metric)[1]) for part in parts]
            for seed, parts in self._by_seed.items()
        }
        statistic = score_tables(next(iter(self._by_seed.values()))[0]["lags"], method, metric)[0]
        return statistic, side_by_side(rows)[0]


def compare_streams(voice: Report, face: Report) -> Streams:
    """Compare the maps of a network that hears with those of one that sees, on the same clips.

    Where a corpus knows its emotional regions, clips without one are left out: there is nothing to agree on. Of a map
    with the axis "emotion" the weights of the clip's true emotion are taken.

    Raises:
        SertutError: the reports are of different clips, or a map is of the wrong stream, or nothing can be compared.
    """
    clips = voice.predictions.clips
    if [clip.name for clip in clips] != [clip.name for clip in face.predictions.clips]:
        raise SertutError(f"the reports '{voice.name}' and '{face.name}' are of different clips; evaluate on the same.")
    heard, seen = _curves(voice, "voice"), _curves(face, "face")
    located = any(clip.regions for clip in clips)
    reasons = {clip.name: _why_not(clip, heard[i][0], seen[i][0], located) for i, clip in enumerate(clips)}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    kept = [i for i, clip in enumerate(clips) if clip.name not in skipped]
    rows, lags = [], []
    for i in kept:
        clip = clips[i]
        same_emotion = [j for j in kept if clips[j].emotion == clip.emotion and j != i]
        if not same_emotion:
            skipped[clip.name] = "no other clip of its emotion"
            continue
        generator = np.random.default_rng(zlib.crc32(clip.name.encode()))
        stranger, theirs = seen[int(generator.choice(same_emotion))]
        (face_curve, clock), true = seen[i], true_offset(clip)
        edges = clock.start + clock.hop * np.arange(len(face_curve) + 1)
        stretched = theirs.start + theirs.hop * np.linspace(0, len(stranger), len(edges))
        listened = on_steps(*heard[i], edges)
        found = {
            SAME: agreement(listened, face_curve, true),
            OTHER: agreement(listened, on_steps(stranger, theirs, stretched), true),
        }
        about = {"clip": clip.name, "speaker": clip.speaker, "emotion": clip.emotion}
        chance = {f"{name}_chance": found[OTHER][name] for name in METRICS}
        for method, values in found.items():
            rows.append({**about, "method": method, **{name: values[name] for name in METRICS}, **chance})
        if true is not None:
            recovered = {method: values["lag"] for method, values in found.items()} | {NEAREST: 0.0}
            lags += [{**about, "method": m, "true": true, "recovered": lag} for m, lag in recovered.items()]
    if not rows:
        reason = next(iter(skipped.values()), "there are no clips")
        raise SertutError(f"no clip could be compared ({reason}); use a corpus with voice and face, such as planted.")
    return Streams(Localization(pd.DataFrame(rows), skipped, METRICS), _as_offsets(lags, skipped) if lags else None)


def agreement(voice: np.ndarray, face: np.ndarray, offset: float | None = None) -> dict[str, float]:
    """All scores of one pair of curves (T,) on the clock of the face; the lag in seconds; NaN without an offset."""
    everywhere = np.ones(len(voice), dtype=bool)
    ours, theirs = (scores.salient(curve, everywhere, VIDEO_HOP) for curve in (voice, face))
    return {
        "rank": spearman(voice, face),
        "overlap": _iou(ours, theirs),
        "moved": np.nan if offset is None else _iou(ours, _earlier(theirs, round(offset / VIDEO_HOP))),
        "lag": best_lag(voice, face),
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


def _why_not(clip: Clip, heard: np.ndarray, seen: np.ndarray, located: bool) -> str:
    if located and not clip.regions:
        return "no known region"
    return "" if heard.any() and seen.any() else "one of the streams is missing"


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def _earlier(spans: np.ndarray, steps: int) -> np.ndarray:
    """Spans (T,) moved toward the start; what leaves the clip is lost."""
    moved, index = np.zeros_like(spans), np.flatnonzero(spans) - steps
    moved[index[(index >= 0) & (index < len(spans))]] = True
    return moved


def _as_offsets(rows: list[dict], skipped: Mapping[str, str]) -> Offsets:
    table = pd.DataFrame(rows)
    table["error"] = (table["recovered"] - table["true"]).abs()
    return Offsets(table.assign(diagonality=np.nan, aligned=np.nan), skipped)
