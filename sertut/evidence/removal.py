"""Does the model use what its attention marks? Remove those steps, and see what it decides.

A map may agree with the level, or with the region of the emotion, and still say nothing of what the decision rests on.
So of each clip a share of its sounding steps is removed in several ways, always the same number of steps:

    attention  those that receive most attention (not for a model without attention)
    loudest    those with the highest level
    random     the control: the pattern of the first row, shifted along the sounding steps by a random number of them,
               so that the removed spans are as long
    region     those nearest the middle of the known region; in a clip without region the random ones

and each feature frame of a removed step is replaced: by the mean of the training frames ("mean"), by the clip's own
quietest frame ("floor"), or by nothing ("cut"). The model decides on what is left.

Source: comprehensiveness of DeYoung et al. (ERASER, arXiv 1911.03429), with a random control.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError, unknown
from sertut.evidence import baselines
from sertut.evidence.intervals import Interval, bootstrap_speakers, mean, paired_difference
from sertut.evidence.length import decide
from sertut.evidence.level import top_count
from sertut.evidence.localization import FRAMES, on_clock, spread
from sertut.evidence.pooled import side_by_side
from sertut.signals import level_db, read_audio, sounding
from sertut.training.data import examples
from sertut.training.prediction import predict
from sertut.training.runs import Run

SHARES = (0.1, 0.2, 0.3, 0.5)
FILLS = ("mean", "floor", "cut")


@dataclass(frozen=True)
class Deletion:
    """What a model decides when a share of each clip is removed; of K seeds, S speakers, C emotions.

    shares: M of them, the first is 0, nothing removed. fill: one of :data:`FILLS`.
    falls: way of choosing -> (K, S, M), sum over a speaker's clips of :math:`p_y(x) - p_y(x \\setminus r)`, with y the
    emotion predicted on the whole clip. right: way -> (K, S, M, C), a speaker's clips of each emotion that are
    recognized. clips: (K, S, C), how many there are.
    """

    shares: tuple[float, ...]
    fill: str
    speakers: tuple[str, ...]
    falls: Mapping[str, np.ndarray]
    right: Mapping[str, np.ndarray]
    clips: np.ndarray

    @property
    def ways(self) -> tuple[str, ...]:
        """How the removed steps were chosen: "attention", "loudest", "random", "region"."""
        return tuple(self.falls)

    def drop(self, what: str, share: float) -> Interval:
        """Mean fall of the probability of the emotion predicted on the whole clip."""
        return bootstrap_speakers(mean, self.sums(what, share))

    def uar(self, what: str, share: float) -> Interval:
        """UAR on what is left."""
        return bootstrap_speakers(_uar, self.sums(what, share, "uar"))

    def difference(self, what: str, other: str, share: float, score: str = "drop") -> Interval:
        """By how much `score`, "drop" or "uar", is higher for one way than for another, paired over speakers, seeds."""
        statistic = mean if score == "drop" else _uar
        return paired_difference(statistic, self.sums(what, share, score), self.sums(other, share, score))

    def sums(self, what: str, share: float, score: str = "drop") -> np.ndarray:
        """(sum, count) of the falls, shape (K, S, 2); for "uar" of the clips recognized, shape (K, S, C, 2)."""
        if what not in self.falls:
            raise unknown("way", what, self.ways)
        if share not in self.shares:
            raise SertutError(
                f"{share:g} of the steps was not removed; known shares: {', '.join(map(str, self.shares))}."
            )
        if score not in ("drop", "uar"):
            raise unknown("score", score, ("drop", "uar"))
        i = self.shares.index(share)
        if score == "drop":
            return np.stack([self.falls[what][:, :, i], self.clips.sum(axis=2)], axis=-1)
        return np.stack([self.right[what][:, :, i], self.clips], axis=-1)

    def to_json(self) -> dict:
        """For the result of a study; of one seed. :func:`pooled_deletion` reads it back."""
        return {
            "shares": list(self.shares),
            "fill": self.fill,
            "speakers": list(self.speakers),
            "falls": {way: table[0].round(6).tolist() for way, table in self.falls.items()},
            "right": {way: table[0].astype(int).tolist() for way, table in self.right.items()},
            "clips": self.clips[0].astype(int).tolist(),
        }


def pooled_deletion(parts: Sequence[Mapping], seeds: Sequence[int]) -> Deletion:
    """Folds side by side and seeds stacked.

    Args:
        parts: from :meth:`Deletion.to_json`, in any order. seeds: the seed of each.

    Raises:
        SertutError: the parts differ in shares, fill or ways, or do not make whole seeds.
    """
    first = parts[0]
    design = lambda part: (part["shares"], part["fill"], list(part["falls"]))  # noqa: E731
    if any(design(part) != design(first) for part in parts):
        raise SertutError("these deletions differ in shares, fill or ways; pool runs of one model and corpus only.")

    def pool(*keys: str) -> tuple[np.ndarray, tuple[str, ...]]:
        rows: dict[int, list] = {seed: [] for seed in sorted(set(seeds))}
        for part, seed in zip(parts, seeds, strict=True):
            table = part
            for key in keys:
                table = table[key]
            rows[seed].append((part["speakers"], table))
        return side_by_side(rows)

    clips, speakers = pool("clips")
    falls, right = ({way: pool(kind, way)[0] for way in first["falls"]} for kind in ("falls", "right"))
    return Deletion(tuple(first["shares"]), first["fill"], speakers, falls, right, clips)


def deletion(run: Run, corpus: Corpus, shares: Sequence[float] = SHARES, fill: str = "mean") -> Deletion:
    """Remove shares of every clip of `corpus` in each way, and let the model decide.

    Args:
        shares: of the sounding steps of a clip, rounded up to whole steps. fill: one of :data:`FILLS`.

    Raises:
        SertutError: unknown fill, or a share that is not between 0 and 1.
    """
    if fill not in FILLS:
        raise unknown("fill", fill, FILLS)
    if not all(0 < share < 1 for share in shares):
        raise SertutError(f"shares of {', '.join(map(str, shares))} cannot be removed; each must be between 0 and 1.")
    whole = predict(run, corpus)
    rows = examples(corpus, run.feature, run.normalizer).rows
    removed = [removals(clip, whole.maps[i].get("attention"), shares, len(rows[i])) for i, clip in enumerate(corpus)]
    labels, said = whole.labels.numpy(), whole.predicted
    who, index = np.array([clip.speaker for clip in corpus]), np.arange(len(corpus))
    speakers = tuple(sorted(set(who.tolist())))
    member = (who == np.array(speakers)[:, None]).astype(float)  # (S, N)
    emotion = np.eye(len(corpus.emotions))[labels]  # (N, C)
    before = whole.probabilities.double().numpy()
    filler = [_filler(row, fill, clip) for row, clip in zip(rows, corpus, strict=True)]
    falls, right = {}, {}
    for way in removed[0]:
        if way == "region" and not any(clip.regions for clip in corpus):
            continue
        left = [before]
        for share in range(len(shares)):
            filled = [_fill(row, removed[i][way][share], filler[i]) for i, row in enumerate(rows)]
            left.append(decide(run, filled).double().numpy())
        after = np.stack(left)  # (M, N, C)
        fall = before[index, said] - after[:, index, said]  # (M, N)
        hit = after.argmax(axis=2) == labels  # (M, N)
        falls[way] = (member @ fall.T)[None]
        right[way] = np.einsum("sn,mn,nc->smc", member, hit, emotion)[None]
    return Deletion((0.0, *shares), fill, speakers, falls, right, (member @ emotion)[None])


def removals(
    clip: Clip, map_: AttentionMap | None, shares: Sequence[float], n_frames: int
) -> dict[str, list[np.ndarray]]:
    """Way -> for each share the feature frames that are removed, shape (T,), bool each.

    Args:
        map_: the attention map of the clip, or None. n_frames: T.
    """
    if map_ is None:
        clock, level = FRAMES, level_db(read_audio(clip.audio)).double().numpy()
        sounds, ranks = sounding(torch.from_numpy(level)).numpy(), {}
    else:
        weights, clock, level, sounds = on_clock(clip, map_)
        ranks = {"attention": weights[sounds]}
    ranks["loudest"] = level[sounds]
    middles = np.array([(r.start + r.end) / 2 for r in clip.regions if r.stream == "voice"])
    seconds = clock.centers(len(level)).double().numpy()[sounds]
    if len(middles):
        ranks["region"] = -np.abs(seconds[:, None] - middles).min(axis=1)
    generator = np.random.default_rng(zlib.crc32(clip.name.encode()))
    found: dict[str, list[np.ndarray]] = {}
    for share in shares:
        k = top_count(int(sounds.sum()), share)
        chosen = {way: _largest(values, k) for way, values in ranks.items()}
        chosen["random"] = baselines.shifted(next(iter(chosen.values())), generator)
        chosen["region"] = chosen.pop("region", chosen["random"])  # comes last
        for way, steps in chosen.items():
            gone = np.zeros(len(level))
            gone[sounds] = steps
            found.setdefault(way, []).append(spread(gone, clock, FRAMES, n_frames) > 0)
    return found


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """True for the `k` largest, of equal ones the first; shape (n,), bool."""
    chosen = np.zeros(len(values), dtype=bool)
    chosen[np.argsort(-values, kind="stable")[:k]] = True
    return chosen


def _filler(row: torch.Tensor, fill: str, clip: Clip) -> torch.Tensor | None:
    """What takes the place of a removed frame of features (T, F): shape (F,), or None for nothing."""
    if fill == "cut":
        return None
    return torch.zeros_like(row[0]) if fill == "mean" else row[int(level_db(read_audio(clip.audio)).argmin())]


def _fill(row: torch.Tensor, gone: np.ndarray, filler: torch.Tensor | None) -> torch.Tensor:
    """The features (T, F) of a clip without the frames `gone` (T,)."""
    lost = torch.from_numpy(gone)
    return row[~lost] if filler is None else torch.where(lost[:, None], filler, row)


def _uar(sums: np.ndarray) -> np.ndarray:
    """UAR from (recognized, clips) of each emotion, shape (..., C, 2) to (...)."""
    return np.nanmean(mean(sums), axis=-1)
