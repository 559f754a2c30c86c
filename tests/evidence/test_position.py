"""The rotation control tells a map that follows the sound from one that follows the clock."""

from types import SimpleNamespace

import pytest
import torch

from sertut.attention import AttentionMap, Clock, masked_softmax
from sertut.errors import SertutError
from sertut.evidence import rotate
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, Normalizer


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


def run_of(at):
    neutral = Normalizer(torch.zeros(64), torch.ones(64))
    return SimpleNamespace(model=Looks(at), feature="log_mel", normalizer=neutral, device="cpu")


def test_a_map_that_follows_the_sound(tones):
    found = rotate(run_of("sound"), tones)
    assert len(found.table) == 24  # clips with a region
    assert found.shares.before > 0.9 and found.shares.follows > 0.9 and found.shares.stays < 0.2
    assert found.difference.low > 0 and "follows the sound" in str(found)


def test_a_map_that_follows_the_clock(tones):
    found = rotate(run_of("clock"), tones)
    assert found.shares.stays == found.shares.before > found.shares.follows
    assert found.difference.high < 0 and "does not clearly follow" in str(found)


def test_without_regions(tones):
    with pytest.raises(SertutError, match="not known"):
        rotate(run_of("sound"), tones.keeping(clip for clip in tones if not clip.regions))
