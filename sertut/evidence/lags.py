r"""Does alignment find by how much the face lags the voice? The ridge of the map against the known offset.

Of an alignment map :math:`\alpha` over pairs of a face at :math:`\tau^f` and a voice at :math:`\tau^v` (seconds), each
with the lag :math:`d = \tau^f - \tau^v`:

    recovered    the lag that gets most attention
    diagonality  :math:`\frac1T \sum_t \sum_j \alpha_{tj} |d_{tj}|`, how far from "at the same time" it looks, seconds
    aligned      the same after the true offset o is removed, :math:`|d_{tj} - o|`: 0 for perfect alignment

A positive offset says that the face comes later: what the voice does at t, the face does at t + o.

The shift test: delay one stream by a known time, and see whether the ridge of the map follows. A network could know
the usual offset by heart, or read it from something other than the two streams' agreement. So the same clips are shown
again with the face delayed by s seconds, or the voice, and the offset that the map tells is held against the one it
told before. With :math:`\hat o_s` the recovered offset at shift s,

.. math:: \text{slope} = \sum s \, (\hat o_s - \hat o_0) \Big/ \sum s^2

over clips and shifts: 1 if the ridge follows, 0 if it stays where it was (as nearest-time fusion does).

Two things could look like following. If one stream became longer than the other, even a map without any ridge would
follow half of the way; so what is put before the one is put after the other, and both last equally long. And a network
that merely avoids silence would look away from what was put there; so the same is asked of a control, each map with
every query step's row replaced by the mean row: what is attended to stays, who attends to it is lost.
Its slope can come near one half, since what was put there lies before the one stream and after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from sertut.attention import AttentionMap
from sertut.attention.alignment import LAG_STEP
from sertut.corpora import Clip, Corpus, clip_level
from sertut.errors import SertutError
from sertut.evidence.intervals import sums_by_speaker
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, draws_of, score_each
from sertut.evidence.sums import AT, NEAR_SECONDS, Tally
from sertut.signals import HOP_SECONDS
from sertut.training import Run
from sertut.training.data import Examples
from sertut.video import VIDEO_HOP

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

SHIFTS = (-0.5, -0.2, 0.0, 0.2, 0.48)
"""Seconds by which the face is delayed, or below 0 the voice: whole frames of 40 ms, or of 10 ms."""


def offsets(
    clips: Sequence[Clip], maps: Sequence[AttentionMap], others: Mapping[str, Sequence[AttentionMap]] | None = None
) -> ClipScores:
    """Hold the offset that each alignment map tells against the true one, beside what knows nothing of the clip.

    That is nearest time, 0 s, and a random guess, uniform between the extremes that occur.
    Columns of the table, seconds: true, recovered, error (what they differ by, without sign), diagonality and aligned
    (NaN for a method without a map).

    Args:
        maps: axes ("video", "time") or ("audio", "time"), batch size 1 each. others: method -> further maps of the
            same clips, e.g. "untrained network" -> those of the network before training.

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

        def columns(recovered: float, diagonal: float = np.nan, aligned: float = np.nan) -> dict[str, float]:
            found = {"diagonality": diagonal, "aligned": aligned, "recovered": recovered}
            return found | {"true": true, "error": abs(recovered - true)}

        of_maps = {
            method: columns(recovered_offset(theirs[i]), diagonality(theirs[i]), diagonality(theirs[i], true))
            for method, theirs in {ATTENTION: maps, **(others or {})}.items()
        }
        guess = float(draws_of(clip).uniform(-limit, limit))
        return of_maps | {NEAREST: columns(0.0), "random": columns(guess)}

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


def shift_test(run: Run, corpus: Corpus) -> Tally:
    """Delay the face, or the voice, of every clip by :data:`SHIFTS`; recover the offset each time.

    Delaying puts copies of a frame before one stream and after the other: of the voice its quietest one, of the face
    its first or last one. So nothing is lost. Clips that lack a stream are left out.

    Methods are "attention" and its "control", both with the metric "slope"; of attention, ``moved.at(0.2)`` has the
    mean "change" of the recovered offset at that shift, seconds, and "followed", the share of the clips in which it
    moved by the shift, give or take 80 ms.

    Raises:
        SertutError: the model does not align voice and face, or no clip has both.
    """
    part = run.examples(corpus)
    if part.faces is None:
        raise SertutError(NOT_ALIGNING)
    found = np.stack([_recovered(run, delayed(part, corpus.clips, shift)) for shift in SHIFTS])  # (M, N, 2)
    kept = ~np.isnan(found).any(axis=(0, 2))  # (N,)
    if not kept.any():
        raise SertutError(f"no clip of '{corpus.name}' has both voice and face; the shift test needs both.")
    change, control = np.moveaxis((found - found[SHIFTS.index(0.0)])[:, kept], -1, 0)  # (M, N') each
    who, steps = [clip.speaker for clip, there in zip(corpus, kept, strict=True) if there], np.array(SHIFTS)
    speakers = tuple(sorted(set(who)))
    sums = lambda values: sums_by_speaker(values, who, speakers)[None]  # noqa: E731
    slope = lambda values: sums(values.T @ steps) * np.array([1.0, (steps**2).sum()])  # noqa: E731 - the quotient
    attention = {"slope": slope(change)}
    for shift, moved in zip(SHIFTS, change, strict=True):
        attention[f"change{AT}{shift:g}"] = sums(moved)
        attention[f"followed{AT}{shift:g}"] = sums(np.abs(moved - shift) <= NEAR_SECONDS)
    return Tally(speakers, {ATTENTION: attention, "control": {"slope": slope(control)}})


def shift_table(found: Tally) -> pd.DataFrame:
    """One row a shift: how far the recovered offset moved, and in which share of the clips by the shift."""
    rows = [
        (shift, *(found.at(shift).interval(ATTENTION, metric) for metric in ("change", "followed")))
        for shift in found.settings
    ]
    return pd.DataFrame(rows, columns=["shift, s", "recovered change, s", "followed"])


def delayed(part: Examples, clips: Sequence[Clip], shift: float) -> Examples:
    """The clips with the face `shift` seconds later than the voice, or, below 0, the voice later than the face.

    Both streams last that much longer.
    """
    n_face, n_voice = round(abs(shift) / VIDEO_HOP), round(abs(shift) / HOP_SECONDS)
    rows, faces = [], []
    for clip, row, face in zip(clips, part.rows, part.faces or (), strict=True):
        quiet = row[int(clip_level(clip).argmin())].expand(n_voice, -1)
        first, last = (frame.expand(n_face, -1) for frame in (face[0], face[-1]))
        rows.append(torch.cat([row, quiet] if shift >= 0 else [quiet, row]))
        faces.append(torch.cat([first, face] if shift >= 0 else [face, last]))
    return replace(part, rows=rows, faces=faces)


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
