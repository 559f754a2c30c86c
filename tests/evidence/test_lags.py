"""Offsets between voice and face: ridges of known lag, and networks whose ridge follows the streams or does not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence.lags import (
    SHIFTS,
    delayed,
    diagonality,
    offsets,
    one_row,
    recovered_offset,
    shift_table,
    shift_test,
)
from sertut.evidence.sums import STEP
from sertut.models import Output
from sertut.signals import HOP_SECONDS, WINDOW_SECONDS
from sertut.training.data import Examples
from sertut.video import VIDEO_HOP
from tests.evidence.conftest import a_map

FACE = Clock(0.04)
VOICE = Clock(0.04, WINDOW_SECONDS / 2 - 0.02)  # as AudioVisual has it: 7.5 ms before the face


def ridge(lag, n_face=60, n_voice=58, width=0.0, query="video", face=FACE, voice=VOICE):
    """A map whose ridge has the face `lag` seconds after the voice; width: standard deviation, 0 for one step."""
    lags = face.centers(n_face).double()[:, None] - voice.centers(n_voice).double()[None, :]
    distance = lags - lag
    weights = (
        torch.softmax(-0.5 * (distance / width) ** 2, dim=1)
        if width
        else torch.nn.functional.one_hot(distance.abs().argmin(dim=1), n_voice).double()
    )
    if query == "audio":
        weights = weights.T / weights.T.sum(dim=1, keepdim=True).clamp(min=1e-9)
    clocks = {"video": face, "time": voice} if query == "video" else {"audio": voice, "time": face}
    asking = torch.ones(1, len(weights), dtype=torch.bool)
    stream = "voice" if query == "video" else "face"
    return a_map(weights, (query, "time"), clocks, stream=stream, query_mask=asking)


@pytest.mark.parametrize("query", ["video", "audio"])
@pytest.mark.parametrize("lag", [0.12, -0.32, 0.6, 0.0])
def test_a_ridge_is_found_whoever_asks(lag, query):
    # Where a step's moment lies outside of the clip it takes the last one: a few strays pull by up to 3 ms.
    assert recovered_offset(ridge(lag, query=query, voice=FACE)) == pytest.approx(lag, abs=0.003)
    # Steps of the voice that lie 7.5 ms before the face's put the ridge there, too.
    assert recovered_offset(ridge(lag, query=query)) == pytest.approx(lag, abs=0.0105)


@pytest.mark.parametrize("width", [0.03, 0.1])
@pytest.mark.parametrize("lag", [0.2, -0.47, 0.55])
def test_a_blurred_ridge_is_found_between_steps(lag, width):
    assert recovered_offset(ridge(lag, width=width)) == pytest.approx(lag, abs=0.5 * STEP + 0.2 * width)


def test_clocks_may_differ():
    assert recovered_offset(ridge(0.24, n_voice=240, voice=Clock(0.01, 0.0075))) == pytest.approx(0.24, abs=0.005)
    assert recovered_offset(ridge(0.24, n_face=24, face=Clock(0.1), width=0.05)) == pytest.approx(0.24, abs=0.03)


def test_uniform_attention_says_that_nothing_lags():
    uniform = replace(ridge(0.0), weights=torch.full((1, 60, 58), 1 / 58))
    assert abs(recovered_offset(uniform)) < 0.05
    square = replace(ridge(0.0, n_voice=60, voice=FACE), weights=torch.full((1, 60, 60), 1 / 60))
    assert recovered_offset(square) == pytest.approx(0.0, abs=1e-9)


def test_only_real_query_steps_count():
    map_ = ridge(0.12)
    weights = torch.cat([map_.weights[:, :30], torch.zeros(1, 30, 58)], dim=1)
    asked = torch.arange(60)[None] < 30
    half = replace(map_, weights=weights, query_mask=asked)
    assert half.of(0).shape == (30, 58)
    assert recovered_offset(half) == pytest.approx(recovered_offset(map_), abs=0.005)
    assert diagonality(half, 0.1) == pytest.approx(diagonality(ridge(0.12, n_face=30), 0.1))
    assert np.isnan(recovered_offset(replace(map_, weights=torch.zeros_like(map_.weights))))


def test_diagonality_by_hand():
    weights = [[0.5, 0.5], [0.0, 1.0]]  # lags 0, -0.1; 0.1, 0
    map_ = a_map(weights, ("video", "time"), Clock(0.1), query_mask=torch.ones(1, 2, dtype=torch.bool))
    assert diagonality(map_) == pytest.approx((0.05 + 0.0) / 2)
    assert diagonality(map_, 0.1) == pytest.approx((0.15 + 0.1) / 2)


def test_maps_of_other_kinds_are_refused(right_map):
    with pytest.raises(SertutError, match="needs video and time"):
        recovered_offset(right_map)


@pytest.fixture(scope="module")
def lagging(tiny):
    """Eleven clips with known offsets, one without; and the map that finds each within the 40 ms of its grid."""
    rng = np.random.default_rng(3)
    clips = [replace(clip, details={"offset": float(rng.uniform(-0.6, 0.6))}) for clip in tiny]
    clips[5] = replace(clips[5], details={})
    return clips, [ridge(clip.details.get("offset", 0.0)) for clip in clips]


def test_methods_and_scores(lagging):
    clips, maps = lagging
    found = offsets(clips, maps, {"untrained network": [ridge(0.0, width=0.1)] * 12})
    assert found.methods == ("attention", "untrained network", "nearest time", "random")
    assert found.skipped == {"clip5": "no known offset"} and "1 skipped: no known offset" in str(found)
    true = found.table.query("method == 'attention'")["true"]
    assert found.interval("attention", "offset_error").estimate < 0.025
    assert found.interval("nearest time", "offset_error").estimate == pytest.approx(np.median(np.abs(true)), abs=STEP)
    assert found.interval("attention", "offset_within").estimate == 1
    assert found.interval("attention", "offset_correlation").estimate > 0.99
    assert found.interval("nearest time", "offset_correlation").estimate == 0
    guess = found.table.query("method == 'random'")["recovered"]
    assert guess.abs().max() <= true.abs().max() and guess.nunique() == 11
    assert found.difference("attention", "nearest time", "offset_error").high < 0
    table = found.table.query("method == 'attention'")
    assert (table["aligned"] < 0.15).all() and table["diagonality"].mean() > table["aligned"].mean() + 0.1
    errors = found.table.query("method == 'random'")["error"]
    assert found.interval("random", "offset_error").estimate == pytest.approx(np.median(errors), abs=STEP)
    assert found.interval("random", "offset_within").estimate == pytest.approx((errors <= 0.08).mean(), abs=0.1)


def test_a_guess_does_not_depend_on_the_other_clips(lagging):
    clips, maps = lagging
    whole = offsets(clips, maps).table.query("method == 'random'").set_index("clip")["recovered"]
    part = offsets(clips[::-1], maps[::-1]).table.query("method == 'random'").set_index("clip")["recovered"]
    assert (whole.sort_index() == part.sort_index()).all()


def test_clips_without_a_stream_are_counted(lagging):
    clips, maps = lagging
    empty = replace(maps[0], weights=torch.zeros_like(maps[0].weights))
    assert offsets(clips, [empty, *maps[1:]]).skipped["clip0"] == "one of the streams is missing"
    with pytest.raises(SertutError, match="no known offset"):
        offsets(clips[5:6], maps[5:6])


class Toy(torch.nn.Module):
    """Knows the loudest voice frame and the strongest face frame; puts its ridge `share` of the way to their lag.

    "uniform": there is no ridge. None: there is no map.
    """

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, batch):
        logits = torch.zeros(len(batch), 3)
        if self.share is None:
            return Output(logits)
        n_face, n_voice = batch.face.shape[1], -(-batch.mask.shape[1] // 4)
        face, voice = Clock(VIDEO_HOP), Clock(4 * HOP_SECONDS)
        lag = VIDEO_HOP * batch.face[..., 0].argmax(dim=1) - HOP_SECONDS * batch.features[..., 0].argmax(dim=1)
        lags = face.centers(n_face)[:, None] - voice.centers(n_voice)[None, :]
        mask = batch.mask[:, ::4]
        ridge = lag[:, None, None] * (self.share if self.share != "uniform" else 0.0)
        scores = -0.5 * ((lags - ridge) / (0.03 if self.share != "uniform" else 1e6)) ** 2
        weights = torch.softmax(scores.masked_fill(~mask[:, None, :], -torch.inf), dim=2)
        weights = torch.nan_to_num(weights) * batch.face_mask[..., None]
        clocks = {"video": face, "time": voice}
        map_ = AttentionMap(weights, ("video", "time"), mask, clocks, query_mask=batch.face_mask)
        return Output(logits, {"alignment": map_})


def run_of(share, faces=True):
    def examples(corpus):
        rows, seen = [], []
        for i, _ in enumerate(corpus):
            row, face = torch.zeros(98, 2), torch.zeros(25, 3)
            row[40 + i, 0] = face[12, 0] = 1.0
            face[:, 2] = 1.0
            rows.append(row)
            seen.append(face)
        return Examples(rows, torch.zeros(len(rows), dtype=torch.long), seen if faces else None)

    return SimpleNamespace(model=Toy(share), examples=examples, device="cpu")


def slope(found, method="attention"):
    return found.interval(method, "slope")


@pytest.fixture(scope="module")
def found(tiny):
    return shift_test(run_of(1.0), tiny)


def test_a_ridge_that_follows_has_slope_one(found):
    assert found.settings == SHIFTS
    assert slope(found).estimate == pytest.approx(1.0, abs=0.03) and slope(found).low > 0.95
    for shift in found.settings:
        assert found.at(shift).interval("attention", "change").estimate == pytest.approx(shift, abs=0.02)
        assert found.at(shift).interval("attention", "followed").estimate == 1.0
    assert shift_table(found)["shift, s"].tolist() == list(found.settings)


def test_a_ridge_that_stays_follows_nothing(tiny):
    stays = shift_test(run_of(0.0), tiny)
    assert slope(stays).estimate == pytest.approx(0.0, abs=0.02)
    assert [stays.at(shift).interval("attention", "followed").estimate for shift in (-0.2, 0.0)] == [0, 1]


def test_slope_by_hand(tiny):
    """Least squares through the origin of all clips and shifts at once."""
    found = shift_test(run_of(0.7), tiny)
    x = np.array(found.settings)
    y = np.array([found.at(shift).sums("attention", "change")[0, :, 0] for shift in x]).T / 3  # of each speaker's clips
    expected = np.linalg.lstsq(np.tile(x, len(y))[:, None], y.ravel(), rcond=None)[0][0]
    assert slope(found).estimate == pytest.approx(expected)


def test_what_has_no_ridge_follows_nothing(tiny):
    """Not even because one stream became longer: both last equally long."""
    found = shift_test(run_of("uniform"), tiny)
    assert slope(found).estimate == pytest.approx(0.0, abs=0.06)
    assert found.difference("attention", "control", "slope").estimate == pytest.approx(0.0, abs=0.06)
    assert not found.at(0).sums("attention", "change")[..., 0].any()


def test_who_attends_is_lost_in_the_control(found):
    assert slope(found, "control").estimate < 0.5 and found.difference("attention", "control", "slope").low > 0.5
    weights, asking = [[0.5, 0.5], [0.1, 0.9], [0.0, 0.0]], torch.tensor([[True, True, False]])
    map_ = a_map(weights, ("video", "time"), Clock(0.04), query_mask=asking)
    assert torch.allclose(one_row(map_).weights, torch.tensor([[[0.3, 0.7], [0.3, 0.7], [0.0, 0.0]]]))


def test_delaying_loses_nothing(tiny):
    part = run_of(1.0).examples(tiny)
    for row in part.rows:
        row[:, 1] = torch.arange(98.0)
    later, spoken = delayed(part, tiny.clips, 0.2), delayed(part, tiny.clips, -0.48)
    assert all(len(row) == 98 + 20 for row in later.rows) and all(len(face) == 25 + 5 for face in later.faces)
    assert torch.equal(later.faces[3][5:], part.faces[3]) and torch.equal(later.faces[3][2], part.faces[3][0])
    assert torch.equal(later.rows[3][:98], part.rows[3])
    assert (later.rows[3][98:, 1] >= 90).all()  # a frame of the silence from 0.9 s on
    assert all(len(row) == 98 + 48 for row in spoken.rows) and all(len(face) == 25 + 12 for face in spoken.faces)
    assert torch.equal(spoken.rows[3][48:], part.rows[3]) and torch.equal(spoken.rows[3][0], later.rows[3][98])
    assert torch.equal(spoken.faces[3][:25], part.faces[3]) and torch.equal(spoken.faces[3][30], part.faces[3][24])


def test_clips_without_a_stream_are_left_out(tiny):
    run = run_of(1.0)
    whole = run.examples(tiny)
    whole.faces[4][:] = 0.0
    run.examples = lambda corpus: whole
    found = shift_test(run, tiny)
    assert found.at(0.2).sums("attention", "followed")[..., 1].tolist() == [[3, 2, 3, 3]]
    for face in whole.faces:
        face[:] = 0.0
    with pytest.raises(SertutError, match="has both voice and face"):
        shift_test(run, tiny)


def test_what_it_refuses(found, tiny):
    for run in (run_of(None), run_of(1.0, faces=False)):
        with pytest.raises(SertutError, match="does not align voice and face; train one that does"):
            shift_test(run, tiny)
    with pytest.raises(SertutError, match=r"known are -0\.5, -0\.2"):
        found.at(0.3)
