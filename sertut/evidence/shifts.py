r"""The shift test: delay one stream by a known time, and see whether the ridge of the alignment map follows.

A network could know the usual offset by heart, or read it from something other than the two streams' agreement. So the
same clips are shown again with the face delayed by s seconds, or the voice, and the offset that the map tells is held
against the one it told before. With :math:`\hat o_s` the recovered offset at shift s,

.. math:: \text{slope} = \sum s \, (\hat o_s - \hat o_0) \Big/ \sum s^2

over clips and shifts: 1 if the ridge follows, 0 if it stays where it was (as nearest-time fusion does).

Two things could look like following. If one stream became longer than the other, even a map without any ridge would
follow half of the way; so what is put before the one is put after the other, and both last equally long. And a network
that merely avoids silence would look away from what was put there; so the same is asked of a control, each map with
every query step's row replaced by the mean row: what is attended to stays, who attends to it is lost.
Its slope can come near one half, since what was put there lies before the one stream and after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.evidence.intervals import Interval, bootstrap_speakers, mean, paired_difference
from sertut.evidence.lags import ALIGNMENT, NEAR_SECONDS, NOT_ALIGNING, recovered_offset
from sertut.evidence.pooled import side_by_side
from sertut.signals import HOP_SECONDS, level_db, read_audio
from sertut.training.data import Examples
from sertut.training.runs import Run
from sertut.video import VIDEO_HOP

SHIFTS = (-0.5, -0.2, 0.0, 0.2, 0.5)
"""Seconds by which the face is delayed; below 0 the voice."""


@dataclass(frozen=True)
class Shifts:
    """How the recovered offset moves with M known shifts; of K seeds, S speakers.

    shifts: seconds, one of them 0; positive if the face was delayed, negative if the voice. changes: (K, S, M), sums
    over a speaker's clips of what the recovered offset moved by, seconds. followed: (K, S, M), a speaker's clips in
    which it moved by the shift, give or take 80 ms. control: (K, S, M), as `changes`, of the same maps with one row for
    all query steps. clips: (K, S), how many there are.
    """

    shifts: tuple[float, ...]
    speakers: tuple[str, ...]
    changes: np.ndarray
    followed: np.ndarray
    control: np.ndarray
    clips: np.ndarray

    @property
    def slope(self) -> Interval:
        """Slope through the origin of the recovered change on the shift: 1 if the ridge follows, 0 if it stays."""
        return bootstrap_speakers(mean, self._products(self.changes))

    @property
    def control_slope(self) -> Interval:
        """The slope of the control: what follows without any alignment."""
        return bootstrap_speakers(mean, self._products(self.control))

    @property
    def gain(self) -> Interval:
        """By how much the slope is steeper than that of the control, paired over speakers and seeds."""
        return paired_difference(mean, self._products(self.changes), self._products(self.control))

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
            "control": self.control[0].round(4).tolist(),
            "clips": self.clips[0].astype(int).tolist(),
        }

    def __str__(self) -> str:
        n = int(self.clips[0].sum())
        slopes = f"slope {self.slope} (ideal 1, control {self.control_slope})"
        return f"{n} clips of {len(self.speakers)} speakers, {slopes}\n{self.table().to_string()}"

    def _products(self, changes: np.ndarray) -> np.ndarray:
        """Sums of s times change, and of s squared, (K, S, 2): their ratio is the slope."""
        shifts = np.array(self.shifts)
        return np.stack([changes @ shifts, self.clips * (shifts**2).sum()], axis=-1)

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

    speakers = pool("clips")[1]
    changes, followed, control, clips = (pool(what)[0] for what in ("changes", "followed", "control", "clips"))
    return Shifts(tuple(parts[0]["shifts"]), speakers, changes, followed, control, clips)


def shift_test(run: Run, corpus: Corpus, shifts: Sequence[float] = SHIFTS) -> Shifts:
    """Delay the face, or the voice, of every clip by known times; recover the offset each time.

    Delaying puts copies of a frame before one stream and after the other: of the voice its quietest one, of the face
    its first or last one. So nothing is lost. Clips that lack a stream are left out.

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
    found = np.stack([_recovered(run, delayed(part, corpus.clips, shift)) for shift in made])  # (M, N, 2)
    kept = ~np.isnan(found).any(axis=(0, 2))  # (N,)
    if not kept.any():
        raise SertutError(f"no clip of '{corpus.name}' has both voice and face; the shift test needs both.")
    change, control = np.moveaxis((found - found[made.index(0.0)])[:, kept], -1, 0)  # (M, N') each
    right = np.abs(change - np.array(made)[:, None]) <= NEAR_SECONDS
    who = np.array([clip.speaker for clip in corpus])[kept]
    speakers = tuple(sorted(set(who.tolist())))
    member = (who == np.array(speakers)[:, None]).astype(float)  # (S, N')
    changes, followed, controls = ((member @ values.T)[None] for values in (change, right, control))
    return Shifts(made, speakers, changes, followed, controls, member.sum(axis=1)[None])


def delayed(part: Examples, clips: Sequence[Clip], shift: float) -> Examples:
    """The clips with the face `shift` seconds later than the voice, or, below 0, the voice later than the face.

    Both streams last that much longer.
    """
    n_face, n_voice = round(abs(shift) / VIDEO_HOP), round(abs(shift) / HOP_SECONDS)
    rows, faces = [], []
    for clip, row, face in zip(clips, part.rows, part.faces or (), strict=True):
        quiet = row[int(level_db(read_audio(clip.audio)).argmin())].expand(n_voice, -1)
        first, last = (frame.expand(n_face, -1) for frame in (face[0], face[-1]))
        rows.append(torch.cat([row, quiet] if shift >= 0 else [quiet, row]))
        faces.append(torch.cat([first, face] if shift >= 0 else [face, last]))
    return replace(part, rows=rows, faces=faces)


def _rounded(shift: float) -> float:
    hop = VIDEO_HOP if shift >= 0 else HOP_SECONDS
    return round(round(shift / hop) * hop, 6)


@torch.no_grad()
def _recovered(run: Run, part: Examples) -> np.ndarray:
    """The offset that the alignment map of each clip tells, and that of its control; (N, 2), NaN without one stream."""
    found = np.full((len(part), 2), np.nan)
    run.model.eval()
    for indices, batch in part.in_order(64):
        maps = run.model(batch.to(run.device)).maps
        if ALIGNMENT not in maps:
            raise SertutError(NOT_ALIGNING)
        for row, index in enumerate(indices):
            map_ = maps[ALIGNMENT].alone(row)
            found[index] = recovered_offset(map_), recovered_offset(one_row(map_))
    return found


def one_row(map_: AttentionMap) -> AttentionMap:
    """The map of one clip with the mean row of all its real query steps in the place of each of them."""
    asking = (map_.weights.sum(dim=2, keepdim=True) > 0).to(map_.weights)  # (1, T, 1)
    mean_row = map_.weights.sum(dim=1, keepdim=True) / asking.sum(dim=1, keepdim=True).clamp(min=1)
    return replace(map_, weights=asking * mean_row)
