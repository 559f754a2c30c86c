"""The shift test: toy networks whose ridge follows the streams, half of the way, or not at all."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.errors import SertutError
from sertut.evidence.lags import delayed, one_row, shift_table, shift_test
from sertut.models import Output
from sertut.signals import HOP_SECONDS
from sertut.training.data import Examples
from sertut.video import VIDEO_HOP
from tests.evidence.conftest import a_map


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
    assert found.settings == (-0.5, -0.2, 0.0, 0.2, 0.48)  # half a second is 12 whole frames of a face
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
        with pytest.raises(SertutError, match="does not align"):
            shift_test(run, tiny)
    with pytest.raises(SertutError, match=r"known are -0\.5, -0\.2"):
        found.at(0.3)
