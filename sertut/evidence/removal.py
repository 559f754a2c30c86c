"""Clips that were changed: does the model use what its attention marks, and does the map follow the sound?

**Removal.** A map may agree with the level, or with the region of the emotion, and still say nothing of what the
decision rests on. So of each clip a share of its sounding steps is removed in several ways, always the same number:

    attention  those that receive most attention (not for a model without attention)
    loudest    those with the highest level
    random     the control: the pattern of the first row, shifted along the sounding steps by a random number of them,
               so that the removed spans are as long
    region     those nearest the middle of the known region; in a clip without region the random ones

and each feature frame of a removed step is replaced by the mean of the training frames. The model decides on what is
left.

Source: comprehensiveness of DeYoung et al. (ERASER, arXiv 1911.03429), with a random control.

**Rotation**, the control for position bias. Each clip's features are rotated in time by half its length (half of the
map's steps, rounded down): what was in the middle comes to the edge. A map that follows the sound moves along; a map
that always looks at the same place stays.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Corpus, clip_level
from sertut.errors import SertutError
from sertut.evidence import baselines
from sertut.evidence.intervals import confusions_by_speaker, sums_by_speaker
from sertut.evidence.length import decide
from sertut.evidence.level import top_count
from sertut.evidence.localization import FRAMES, on_clock, spread
from sertut.evidence.perclip import ATTENTION, NOT_ATTENDING, ClipScores, Found, draws_of, score_each
from sertut.evidence.scores import region_mask
from sertut.evidence.sums import AT, Tally
from sertut.signals import HOP_SECONDS, Batch, pad, sounding
from sertut.training import Run, predict

SHARES = (0.1, 0.2, 0.3, 0.5)


def deletion(run: Run, corpus: Corpus, shares: Sequence[float] = SHARES) -> Tally:
    r"""Remove shares of every clip of `corpus` in each way, and let the model decide.

    Of the result, ``removed.at(0.3)`` is what happens when .3 of the steps are removed, ``removed.at(0)`` nothing.
    Methods are the ways, with two metrics each: "drop", :math:`p_y(x) - p_y(x \setminus r)`, the fall of the
    probability of the emotion y that was predicted on the whole clip; and "uar" on what is left.

    Args:
        shares: of the sounding steps of a clip, rounded up to whole steps.

    Raises:
        SertutError: a share that is not between 0 and 1.
    """
    if not all(0 < share < 1 for share in shares):
        raise SertutError(f"shares of {', '.join(map(str, shares))} cannot be removed; each must be between 0 and 1.")
    whole, rows = predict(run, corpus), run.examples(corpus).rows
    removed = [removals(clip, whole.maps[i].get(ATTENTION), shares, len(rows[i])) for i, clip in enumerate(corpus)]
    labels, said = whole.labels.numpy(), whole.predicted
    who, index = [clip.speaker for clip in corpus], np.arange(len(corpus))
    before = whole.probabilities.double().numpy()
    tables = {}
    for way in removed[0]:
        if way == "region" and not any(clip.regions for clip in corpus):
            continue
        drops, right = {}, {}
        for i, share in enumerate((0.0, *shares)):
            after = before
            if i:
                gone = [torch.from_numpy(clip[way][i - 1]) for clip in removed]
                left = [row.masked_fill(lost[:, None], 0.0) for row, lost in zip(rows, gone, strict=True)]
                after = decide(run, left).double().numpy()  # (N, C)
            table, _ = confusions_by_speaker(labels, after.argmax(axis=1), who, len(corpus.emotions))
            fall = before[index, said] - after[index, said]  # (N,)
            drops[f"drop{AT}{share:g}"] = sums_by_speaker(fall, who, corpus.speakers)[None]
            hits = np.diagonal(table, axis1=1, axis2=2)  # (S, C)
            right[f"uar{AT}{share:g}"] = np.stack([hits, table.sum(axis=2)], axis=-1)[None]
        tables[way] = {**drops, **right}
    return Tally(corpus.speakers, tables, {"uar": "macro"})


def removals(
    clip: Clip, map_: AttentionMap | None, shares: Sequence[float], n_frames: int
) -> dict[str, list[np.ndarray]]:
    """Way -> for each share the feature frames that are removed, shape (T,), bool each.

    Args:
        map_: the attention map of the clip, or None. n_frames: T.
    """
    if map_ is None:
        clock, level = FRAMES, clip_level(clip).double().numpy()
        sounds, ranks = sounding(torch.from_numpy(level)).numpy(), {}
    else:
        weights, clock, level, sounds = on_clock(clip, map_)
        ranks = {ATTENTION: weights[sounds]}
    ranks["loudest"] = level[sounds]
    middles = np.array([(r.start + r.end) / 2 for r in clip.regions if r.stream == "voice"])
    seconds = clock.centers(len(level)).double().numpy()[sounds]
    if len(middles):
        ranks["region"] = -np.abs(seconds[:, None] - middles).min(axis=1)
    generator = draws_of(clip)
    found: dict[str, list[np.ndarray]] = {}
    for share in shares:
        k = top_count(int(sounds.sum()), share)
        # The k largest; of equal ones the first.
        chosen = {way: scipy.stats.rankdata(-values, method="ordinal") <= k for way, values in ranks.items()}
        chosen["random"] = baselines.shifted(next(iter(chosen.values())), generator)
        chosen["region"] = chosen.pop("region", chosen["random"])  # comes last
        for way, steps in chosen.items():
            gone = np.zeros(len(level))
            gone[sounds] = steps
            found.setdefault(way, []).append(spread(gone, clock, FRAMES, n_frames) > 0)
    return found


class Rotation(ClipScores):
    """Where the peaks of a map are, before and after its clips were rotated: the share of clips, by "method".

    Methods: "before" (the peak is in the region), "follows" (after the rotation it is on the region's sound), "stays"
    (it is where the region was before), "chance" (the region's share of the clip).
    """

    @property
    def shares(self) -> pd.Series:
        """Mean over the clips of each method."""
        return pd.Series({method: float(self.of_each_seed("share", method)[0]) for method in self.methods})

    def __str__(self) -> str:
        share, gain = self.shares, self.difference("follows", "stays", "share")
        verdict = "follows the sound" if gain.low > 0 else "does not clearly follow the sound"
        return (
            f"{self.table['clip'].nunique()} clips: rotated, the peak is on the moved sound in {share.follows:.0%} and"
            f" at the old place in {share.stays:.0%} (chance {share.chance:.0%}); difference {gain}: it {verdict}."
        )


def rotate(run: Run, corpus: Corpus) -> Rotation:
    """Rotate every clip with a known region by half its length, and see where the peak of its attention goes.

    Raises:
        SertutError: the corpus has no known regions, or the model no attention.
    """
    part = run.examples(corpus)

    def score(i: int, clip: Clip) -> Found | str:
        if not clip.regions:
            return "no known region"
        row = part.rows[i]
        map_, weights = _weights(run, row)
        n, clock = len(weights), map_.clocks["time"]
        ratio = round(clock.hop / HOP_SECONDS)  # feature frames a step of the map
        shift = n // 2
        turned = _weights(run, row.roll(ratio * shift, dims=0))[1]
        seconds = clock.centers(n).double().numpy()
        inside = region_mask(clip.regions, seconds)
        before, after = int(weights.argmax()), int(turned.argmax())
        # What is heard at the new peak was heard `moved` seconds earlier before; the clip's end went to its start. The
        # steps of a map need not fill the clip, so the way back is counted in seconds, not in steps.
        moved, duration = clock.hop * shift, HOP_SECONDS * len(row)
        source = FRAMES.start + (seconds[after] - FRAMES.start - moved) % duration
        share = {
            "before": inside[before],
            "follows": region_mask(clip.regions, np.array([source]))[0],
            "stays": inside[after],
            "chance": np.mean(inside),
        }
        return {method: {"share": float(value)} for method, value in share.items()}

    nothing = f"the emotional regions of '{corpus.name}' are not known; use planted or a spliced corpus."
    found = score_each(corpus.clips, score, {"share": "share of clips"}, nothing)
    return Rotation.of(found.table, found.skipped, found.metrics)


@torch.no_grad()
def _weights(run: Run, row: torch.Tensor) -> tuple[AttentionMap, torch.Tensor]:
    """The map of one clip, features (T, F), and its weights over time (T',)."""
    features, mask = pad([row])
    maps = run.model(Batch(features, mask, torch.zeros(1, dtype=torch.long)).to(run.device)).maps
    if ATTENTION not in maps:
        raise SertutError(NOT_ATTENDING)
    map_ = maps[ATTENTION].over_time()
    return map_, map_.of(0).cpu()
