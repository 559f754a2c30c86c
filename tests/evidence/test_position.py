"""The rotation control tells a map that follows the sound from one that follows the clock."""

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock, masked_softmax
from sertut.corpora import Clip, Corpus, Region
from sertut.errors import SertutError
from sertut.evidence.removal import rotate
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, write_audio
from tests.conftest import ABOUT, tone
from tests.evidence.conftest import run_of


class Looks(torch.nn.Module):
    """At the highest frequency ("sound") or at one step ("clock")."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def forward(self, batch):
        steps = torch.arange(batch.features.shape[1])
        if self.at == "sound":
            bands = torch.arange(64.0)
            power = (batch.features / 10).exp()
            scores = (power * bands).sum(dim=2) / power.sum(dim=2)  # spectral centroid
            scores = torch.nn.functional.avg_pool1d(scores[:, None], 15, 1, 7)[:, 0]
        else:
            scores = -(steps - 40.0).abs()[None]
        clock = Clock(0.01, WINDOW_SECONDS / 2 - 0.005)
        weights = masked_softmax(scores, batch.mask)
        return Output(torch.zeros(1, 2), {"attention": AttentionMap(weights, ("time",), batch.mask, {"time": clock})})


def test_a_map_that_follows_the_sound(tones):
    found = rotate(run_of(Looks("sound")), tones)
    assert found.table["clip"].nunique() == 24  # clips with a region
    assert found.shares.before > 0.9 and found.shares.follows > 0.9 and found.shares.stays < 0.2
    assert found.difference("follows", "stays", "share").low > 0 and "follows the sound" in str(found)


def test_a_map_that_follows_the_clock(tones):
    found = rotate(run_of(Looks("clock")), tones)
    assert found.shares.stays == found.shares.before > found.shares.follows
    assert found.difference("follows", "stays", "share").high < 0 and "does not clearly follow" in str(found)


class Coarse(torch.nn.Module):
    """A map of cells of 0.1 s, by the share of the upper bands; the clip's start and its last 0.3 s are not seen."""

    hop, first = 10, 6

    def forward(self, batch):
        features = batch.features[:, self.first :]
        n = features.shape[1] // self.hop - 3
        power = (features / 10).exp()[:, : n * self.hop]
        score = power[..., 7:].sum(dim=2).log() - power.sum(dim=2).log()
        cells = score.reshape(1, n, self.hop).mean(dim=2)[..., None].expand(-1, -1, 3)  # three rows of frequency
        mask = torch.ones(1, n, dtype=torch.bool)
        weights = masked_softmax(cells.flatten(1), mask.repeat_interleave(3, dim=1)).view(1, n, 3)
        clocks = {"time": Clock(0.1, WINDOW_SECONDS / 2 - 0.005 + self.first * 0.01), "frequency": Clock(8.0, 0.0)}
        map_ = AttentionMap(weights, ("time", "frequency"), mask, clocks)
        return Output(torch.zeros(1, 2), {"attention": map_})


def test_the_way_back_is_right_where_coarse_cells_do_not_fill_the_clip(tmp_path):
    """The sound of the last half second comes to the start: its way back is longer than all cells together."""
    clips = []
    for i, start in enumerate((0.4, 1.5)):
        pieces = [tone(start, 150.0), tone(0.2, 1500.0), tone(1.8 - start, 150.0)]
        write_audio(tmp_path / f"{i}.wav", np.concatenate(pieces))
        regions = (Region(start, start + 0.2),)
        clips.append(Clip(f"clip {i}", tmp_path / f"{i}.wav", f"speaker {i}", "high", "one", regions))
    found = rotate(run_of(Coarse()), Corpus("two", tuple(clips), ("low", "high"), ABOUT))
    assert found.shares.before == 1.0 and found.shares.follows == 1.0 and found.shares.stays == 0.0


def test_without_regions(tones):
    with pytest.raises(SertutError, match="not known"):
        rotate(run_of(Looks("sound")), tones.keeping(clip for clip in tones if not clip.regions))
