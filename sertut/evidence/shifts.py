r"""The shift test: delay one stream by a known time, and see whether the ridge of the alignment map follows.

A network could know the usual offset by heart, or read it from something other than the two streams' agreement. So the
same clips are shown again with the face delayed by s seconds, or the voice, and the offset that the map tells is held
against the one it told before. With :math:`\hat o_s` the recovered offset at shift s,

.. math:: \text{slope} = \sum s \, (\hat o_s - \hat o_0) \Big/ \sum s^2

over clips and shifts: 1 if the ridge follows, 0 if it stays where it was (as nearest-time fusion does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.evidence.offsets import ALIGNMENT, NEAR_SECONDS, NOT_ALIGNING, recovered_offset
from sertut.evidence.pooled import side_by_side
from sertut.signals import HOP_SECONDS, VIDEO_HOP, level_db, read_audio
from sertut.training.data import Examples
from sertut.training.fit import Run
from sertut.training.metrics import Interval, bootstrap_speakers, mean

SHIFTS = (-0.5, -0.2, 0.0, 0.2, 0.5)
"""Seconds by which the face is delayed; below 0 the voice."""


@dataclass(frozen=True)
class Shifts:
    """How the recovered offset moves with M known shifts; of K seeds, S speakers.

    shifts: seconds, one of them 0; positive if the face was delayed, negative if the voice. changes: (K, S, M), sums
    over a speaker's clips of what the recovered offset moved by, seconds. followed: (K, S, M), a speaker's clips in
    which it moved by the shift, give or take 80 ms. clips: (K, S), how many there are.
    """

    shifts: tuple[float, ...]
    speakers: tuple[str, ...]
    changes: np.ndarray
    followed: np.ndarray
    clips: np.ndarray

    @property
    def slope(self) -> Interval:
        """Slope through the origin of the recovered change on the shift: 1 if the ridge follows, 0 if it stays."""
        shifts = np.array(self.shifts)
        products, squares = self.changes @ shifts, self.clips * (shifts**2).sum()
        return bootstrap_speakers(mean, np.stack([products, squares], axis=-1))  # a ratio of sums, as a mean is

    def change(self, shift: float) -> Interval:
        """Mean change of the recovered offset at one of the shifts, seconds."""
        return self._mean(self.changes, shift)

    def follows(self, shift: float) -> Interval:
        """Share of the clips whose recovered offset moves by `shift`, give or take 80 ms."""
        return self._mean(self.followed, shift)

    def table(self) -> pd.DataFrame:
        """One row a shift: how far the recovered offset moved, and in which share of the clips by the shift."""
        rows = [(shift, self.change(shift), self.follows(shift)) for shift in self.shifts]
        return pd.DataFrame(rows, columns=["shift, s", "recovered change, s", "followed"])

    def to_json(self) -> dict:
        """For the result of a study; of one seed. :func:`pooled_shifts` reads it back."""
        return {
            "shifts": list(self.shifts),
            "speakers": list(self.speakers),
            "changes": self.changes[0].round(4).tolist(),
            "followed": self.followed[0].astype(int).tolist(),
            "clips": self.clips[0].astype(int).tolist(),
        }

    def __str__(self) -> str:
        n = int(self.clips[0].sum())
        return f"{n} clips of {len(self.speakers)} speakers, slope {self.slope} (ideal 1)\n{self.table().to_string()}"

    def _mean(self, sums: np.ndarray, shift: float) -> Interval:
        if shift not in self.shifts:
            raise SertutError(f"no shift of {shift:g} s was made; known are {', '.join(map(str, self.shifts))}.")
        return bootstrap_speakers(mean, np.stack([sums[:, :, self.shifts.index(shift)], self.clips], axis=-1))


def pooled_shifts(parts: Sequence[Mapping], seeds: Sequence[int]) -> Shifts:
    """Folds side by side and seeds stacked.

    Args:
        parts: from :meth:`Shifts.to_json`, in any order. seeds: the seed of each.

    Raises:
        SertutError: the parts have different shifts, or do not make whole seeds.
    """
    if any(part["shifts"] != parts[0]["shifts"] for part in parts):
        raise SertutError("these tests were made with different shifts; pool those of one kind only.")

    def pool(what: str) -> tuple[np.ndarray, tuple[str, ...]]:
        rows: dict[int, list] = {seed: [] for seed in sorted(set(seeds))}
        for part, seed in zip(parts, seeds, strict=True):
            rows[seed].append((part["speakers"], part[what]))
        return side_by_side(rows)

    changes, speakers = pool("changes")
    return Shifts(tuple(parts[0]["shifts"]), speakers, changes, pool("followed")[0], pool("clips")[0])


def shift_test(run: Run, corpus: Corpus, shifts: Sequence[float] = SHIFTS) -> Shifts:
    """Delay the face, or the voice, of every clip by known times; recover the offset each time.

    Delaying puts copies of a frame before the stream: of the voice its quietest one, of the face its first one. So
    nothing is lost. Clips that lack a stream are left out. The control is the same test of ``run.untrained()``.

    Args:
        shifts: seconds, positive to delay the face, negative to delay the voice; rounded to whole frames of the stream
            that is delayed, 40 ms of the face and 10 ms of the voice. 0 is added.

    Raises:
        SertutError: the model does not align voice and face, or no clip has both.
    """
    part = run.examples(corpus)
    if part.faces is None:
        raise SertutError(NOT_ALIGNING)
    made = tuple(sorted({0.0, *(_rounded(shift) for shift in shifts)}))
    found = np.stack([_recovered(run, delayed(part, corpus.clips, shift)) for shift in made])  # (M, N)
    kept = ~np.isnan(found).any(axis=0)  # (N,)
    if not kept.any():
        raise SertutError(f"no clip of '{corpus.name}' has both voice and face; the shift test needs both.")
    change = (found - found[made.index(0.0)])[:, kept]  # (M, N')
    right = np.abs(change - np.array(made)[:, None]) <= NEAR_SECONDS
    who = np.array([clip.speaker for clip in corpus])[kept]
    speakers = tuple(sorted(set(who.tolist())))
    member = (who == np.array(speakers)[:, None]).astype(float)  # (S, N')
    return Shifts(made, speakers, (member @ change.T)[None], (member @ right.T)[None], member.sum(axis=1)[None])


def delayed(part: Examples, clips: Sequence[Clip], shift: float) -> Examples:
    """The clips with the face `shift` seconds later, or, below 0, the voice; whole frames of it."""
    if shift >= 0:
        n = round(shift / VIDEO_HOP)
        return replace(part, faces=[_before(row, row[0], n) for row in part.faces or ()])
    n = round(-shift / HOP_SECONDS)
    quietest = [int(level_db(read_audio(clip.audio)).argmin()) for clip in clips]
    return replace(part, rows=[_before(row, row[i], n) for row, i in zip(part.rows, quietest, strict=True)])


def _before(row: torch.Tensor, frame: torch.Tensor, n: int) -> torch.Tensor:
    """A table (T, F) after `n` copies of `frame` (F,)."""
    return torch.cat([frame.expand(n, -1), row])


def _rounded(shift: float) -> float:
    hop = VIDEO_HOP if shift >= 0 else HOP_SECONDS
    return round(round(shift / hop) * hop, 6)


@torch.no_grad()
def _recovered(run: Run, part: Examples) -> np.ndarray:
    """The offset that the alignment map of each clip tells, (N,); NaN for a clip without one of the streams."""
    found = np.full(len(part), np.nan)
    run.model.eval()
    for indices, batch in part.in_order(64):
        maps = run.model(batch.to(run.device)).maps
        if ALIGNMENT not in maps:
            raise SertutError(NOT_ALIGNING)
        for row, index in enumerate(indices):
            found[index] = recovered_offset(maps[ALIGNMENT].alone(row))
    return found
