"""Clips that were changed find out what a model uses and follows: toy models that use one thing, and look at one."""

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock, masked_softmax
from sertut.corpora import Clip, Corpus, Region
from sertut.errors import SertutError
from sertut.evidence.removal import deletion, removals, rotate
from sertut.models import Output
from sertut.signals import WINDOW_SECONDS, frame_seconds, write_audio
from tests.conftest import ABOUT, tone
from tests.evidence.conftest import CLOCK, N_STEPS, a_map, run_of

SHARES = (0.2, 0.5)


class Marked(torch.nn.Module):
    """Says "anger" if the frames of 0.3 to 0.5 s are not 0, else "neutral"; looks at `looks` (s), or has no map."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks

    def forward(self, batch):
        seconds = frame_seconds(batch.features.shape[1])
        region = torch.from_numpy((seconds >= 0.3) & (seconds < 0.5))
        heard = ((batch.features.abs().sum(dim=2) > 0) & region & batch.mask).sum(dim=1) / region.sum()
        logits = torch.stack([6 * heard - 3, torch.zeros(len(heard)), torch.full((len(heard),), -9.0)], dim=1)
        if self.looks is None:
            return Output(logits)
        steps = CLOCK.centers(N_STEPS)
        weights = torch.softmax(-(((steps - self.looks) / 0.1) ** 2), dim=0).expand(len(batch), -1)
        mask = torch.ones(len(batch), N_STEPS, dtype=torch.bool)
        return Output(logits, {"attention": AttentionMap(weights, ("time",), mask, {"time": CLOCK})})


@pytest.fixture
def look(tiny, cache):
    """Where the model looks -> its deletion on clips with a region."""
    known = tiny.keeping(clip for clip in tiny if clip.regions)
    return lambda looks: deletion(run_of(Marked(looks)), known, SHARES)


def test_attention_on_what_the_model_uses(look):
    found = look(0.4)
    assert tuple(found.tables) == ("attention", "loudest", "random", "region") and found.settings == (0, *SHARES)
    assert found.at(0).interval("attention", "drop").estimate == 0
    assert found.at(0.5).interval("attention", "drop").estimate > 0.8
    fifth = found.at(0.2)
    drops = {way: fifth.interval(way, "drop").estimate for way in fifth.methods}
    assert drops["loudest"] < 0.2  # loudest is 0.6 to 0.7 s, and a step or two elsewhere
    assert drops["region"] == pytest.approx(drops["attention"])
    assert fifth.difference("attention", "loudest", "drop").low > 0.2
    assert fifth.difference("attention", "random", "drop").estimate > 0.2


def test_attention_beside_what_the_model_uses(look):
    found = look(0.8)
    assert found.at(0.2).interval("attention", "drop").estimate == 0
    assert found.at(0.2).difference("region", "attention", "drop").low > 0.05


def test_uar_falls_with_what_is_used(look):
    found = look(0.4)
    assert found.at(0).interval("attention", "uar").estimate == pytest.approx(0.5)  # of anger all, of sadness none
    assert found.at(0.5).interval("attention", "uar").estimate == 0
    assert found.at(0.2).difference("attention", "loudest", "uar").estimate <= 0


def test_a_model_without_attention(look):
    found = look(None)
    assert tuple(found.tables) == ("loudest", "random", "region")
    assert found.at(0.5).interval("region", "drop").estimate > 0.8


def test_every_way_removes_the_same_number_of_steps(tiny, right_map):
    fine = a_map(torch.rand(98), clocks=Clock(0.01, WINDOW_SECONDS / 2 - 0.005))
    for clip in tiny:
        gone = removals(clip, fine, SHARES, 98)
        counts = {way: [int(frames.sum()) for frames in found] for way, found in gone.items()}
        assert set(map(tuple, counts.values())) == {(18, 45)}  # of 90 sounding frames
        assert not any(frames[92:].any() for found in gone.values() for frames in found)  # never silence
        assert removals(clip, fine, SHARES, 98)["random"][0].tolist() == gone["random"][0].tolist()
    coarse = removals(tiny[0], right_map, (0.2,), 98)["attention"][0]
    centers = frame_seconds(98)
    inside = np.abs(centers - 0.4) < 0.06
    assert coarse[inside].all() and not coarse[np.abs(centers - 0.4) > 0.13].any()


def test_the_random_control_keeps_the_pattern(tiny, make_map):
    map_ = make_map(np.exp(-((np.arange(N_STEPS) - 8.0) ** 2)))
    gone = removals(tiny[0], map_, (0.3,), 98)
    runs = lambda row: int((np.diff(np.r_[0, row.astype(int)]) == 1).sum())  # noqa: E731
    assert runs(gone["attention"][0]) == 1 and runs(gone["random"][0]) in (1, 2)  # one, or both ends


def test_clips_without_region_lose_random_steps(tiny, cache):
    found = removals(tiny[1], None, SHARES, 98)  # neutral
    assert all((a == b).all() for a, b in zip(found["region"], found["random"], strict=True))
    neutral = tiny.keeping(clip for clip in tiny if not clip.regions)
    assert "region" not in deletion(run_of(Marked(0.4)), neutral, SHARES).tables


def test_what_it_refuses(look, tiny):
    with pytest.raises(SertutError, match="must be between 0 and 1"):
        deletion(run_of(Marked(0.4)), tiny, (0.2, 1.0))
    with pytest.raises(SertutError, match="did you mean 'random'"):
        look(0.4).at(0.5).interval("randm", "drop")


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
