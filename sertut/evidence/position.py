"""Does the map follow the sound, or the clock? The control for position bias.

Each clip's features are rotated in time by half its length (half of the map's steps, rounded down): what was in the
middle comes to the edge. A map that follows the sound moves along; a map that always looks at the same place stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from sertut.corpora import Corpus
from sertut.errors import SertutError
from sertut.evidence.intervals import Interval, bootstrap_speakers, mean, sums_by_speaker
from sertut.evidence.localization import FRAMES
from sertut.evidence.scores import region_mask
from sertut.signals import HOP_SECONDS, Batch, pad
from sertut.training.data import examples
from sertut.training.runs import Run


@dataclass(frozen=True)
class Rotation:
    """Where the peaks of a map are, before and after its clips were rotated.

    table: one row a clip: speaker, ``before`` (the peak is in the region), ``follows`` (after the rotation it is on the
    region's sound), ``stays`` (it is where the region was before), ``chance`` (the region's share of the clip).
    """

    table: pd.DataFrame

    @property
    def difference(self) -> Interval:
        """Share of clips whose peak follows, minus share whose peak stays; above 0 it follows the sound."""
        gain = (self.table.follows - self.table.stays).tolist()
        speakers = self.table.speaker.tolist()
        return bootstrap_speakers(mean, sums_by_speaker(gain, speakers, tuple(sorted(set(speakers))))[None])

    @property
    def shares(self) -> pd.Series:
        """Mean over the clips of each column of :attr:`table`."""
        return self.table.drop(columns=["clip", "speaker"]).mean()

    def __str__(self) -> str:
        share = self.shares
        verdict = "follows the sound" if self.difference.low > 0 else "does not clearly follow the sound"
        return (
            f"{len(self.table)} clips: rotated, the peak is on the moved sound in {share.follows:.0%} and at the"
            f" old place in {share.stays:.0%} (chance {share.chance:.0%}); difference {self.difference}: it {verdict}."
        )


def rotate(run: Run, corpus: Corpus, name: str = "attention") -> Rotation:
    """Rotate every clip with a known region by half its length, and see where the map's peak goes.

    Args:
        name: of the map.

    Raises:
        SertutError: the corpus has no known regions, or the model no such map.
    """
    located = [clip for clip in corpus if clip.regions]
    if not located:
        raise SertutError(f"the emotional regions of '{corpus.name}' are not known; use planted or a spliced corpus.")
    part = examples(corpus.keeping(located), run.feature, run.normalizer)
    rows = []
    for clip, row in zip(located, part.rows, strict=True):
        map_, weights = _weights(run, row, name)
        n, clock = len(weights), map_.clocks["time"]
        ratio = round(clock.hop / HOP_SECONDS)  # feature frames a step of the map
        shift = n // 2
        turned = _weights(run, row.roll(ratio * shift, dims=0), name)[1]
        seconds = clock.centers(n).double().numpy()
        inside = region_mask(clip.regions, seconds)
        before, after = int(weights.argmax()), int(turned.argmax())
        # What is heard at the new peak was heard `moved` seconds earlier before; the clip's end went to its start. The
        # steps of a map need not fill the clip, so the way back is counted in seconds, not in steps.
        moved, duration = clock.hop * shift, HOP_SECONDS * len(row)
        source = FRAMES.start + (seconds[after] - FRAMES.start - moved) % duration
        rows.append(
            {
                "clip": clip.name,
                "speaker": clip.speaker,
                "before": float(inside[before]),
                "follows": float(region_mask(clip.regions, np.array([source]))[0]),
                "stays": float(inside[after]),
                "chance": float(np.mean(inside)),
            }
        )
    return Rotation(pd.DataFrame(rows))


@torch.no_grad()
def _weights(run: Run, row: torch.Tensor, name: str):
    """The map of one clip, features (T, F), and its weights over time (T',)."""
    features, mask = pad([row])
    maps = run.model(Batch(features, mask, torch.zeros(1, dtype=torch.long)).to(run.device)).maps
    if name not in maps:
        raise SertutError(f"the model has no map '{name}'; train one with attention, e.g. pooling='attention'.")
    map_ = maps[name].over_time()
    return map_, map_.of(0).cpu()
