"""Does the map follow the sound, or the clock? The control for position bias.

Each clip's features are rotated in time by half its length (half of the map's steps, rounded down): what was in the
middle comes to the edge. A map that follows the sound moves along; a map that always looks at the same place stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.evidence.localization import FRAMES
from sertut.evidence.perclip import ATTENTION, NOT_ATTENDING, ClipScores, Found, score_each
from sertut.evidence.scores import region_mask
from sertut.signals import HOP_SECONDS, Batch, pad
from sertut.training.runs import Run


@dataclass(frozen=True)
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
