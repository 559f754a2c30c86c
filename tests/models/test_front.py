"""The front: two channels, strides that the clock knows, cells that keep their place in frequency."""

import pytest
import torch

from sertut.models import AttentiveLSTM, FullyConvolutional
from sertut.models.front import STEP, Front, front_clock, two_channels
from sertut.signals import HOP_SECONDS, Batch, pad


def test_pairs_of_frames_as_they_are_and_relative_to_their_clip():
    rows = [torch.randn(9, 64), torch.randn(4, 64)]
    features, mask = pad(rows)
    cells, real = two_channels(features, mask)
    assert cells.shape == (2, 2, 64, 5)
    assert real.sum(1).tolist() == [5, 2]
    torch.testing.assert_close(cells[1, 0, :, 1], rows[1][2:4].mean(0))
    torch.testing.assert_close(cells[0, 0, :, 4], rows[0][8])  # the odd one stands alone
    for clip, n in ((0, 5), (1, 2)):
        plain, relative = cells[clip, :, :, :n]
        expected = (plain - plain.mean(1, keepdim=True)) / (plain.std(1, correction=0, keepdim=True) + 0.2)
        torch.testing.assert_close(relative, expected)
        assert not cells[clip, :, :, n:].any()


def test_a_louder_recording_moves_the_first_channel_only():
    features, mask = torch.randn(1, 40, 64), torch.ones(1, 40, dtype=torch.bool)
    cells, louder = two_channels(features, mask)[0], two_channels(features + 0.7, mask)[0]
    torch.testing.assert_close(louder[:, 0], cells[:, 0] + 0.7)
    torch.testing.assert_close(louder[:, 1], cells[:, 1])


def test_a_state_is_where_its_clock_says():
    """Filters of ones answer an impulse most in the state whose center is nearest, as early as late."""
    front = Front(width=1).double().eval()
    for convolution in front.convolutions:
        torch.nn.init.ones_(convolution.weight)
    mask = torch.ones(1, 400, dtype=torch.bool)
    quiet, clock = front.cells(torch.zeros(1, 400, 64).double(), mask)[0], front_clock(HOP_SECONDS)
    centers = clock.centers(quiet.shape[-1]) / HOP_SECONDS - 1.25  # frames; half a window is 1.25 of them
    for frame in (160, 161, 197, 226):
        features = torch.zeros(1, 400, 64).double()
        features[0, frame - frame % 2 : frame - frame % 2 + 2, 32] = 1.0
        answer = (front.cells(features, mask)[0] - quiet).clamp(min=0)[0].sum(dim=(0, 1))
        assert abs((answer * centers).sum() / answer.sum() - (frame - frame % 2 + 0.5)) < STEP / 2
        assert abs(centers[answer.argmax()] - frame) <= STEP / 2 + 1


def test_equal_shares_change_nothing_and_a_share_of_one_hears_one_row():
    front, features, mask = Front(width=3).eval(), torch.randn(2, 50, 64), torch.ones(2, 50, dtype=torch.bool)
    cells, real = front.cells(features, mask)
    equal = torch.full((2, real.shape[1], front.n_rows), 1 / front.n_rows)
    torch.testing.assert_close(front.states(cells, real, equal), front(features, mask)[0])
    only = torch.zeros_like(equal).index_fill(2, torch.tensor([5]), 1.0)
    other = cells.clone()
    other[:, :, :5] += 1.0
    torch.testing.assert_close(front.states(other, real, only), front.states(cells, real, only))
    assert not torch.allclose(front.states(other, real), front.states(cells, real))


def test_weights_over_cells_say_what_is_heard_and_when():
    """Against a loop over columns; uniform weights give what mean pooling gives."""
    model = FullyConvolutional(5, "front", scale=1.0, width=2).eval()
    features, mask = torch.randn(1, 60, 64), torch.ones(1, 60, dtype=torch.bool)
    cells, real = model.trunk.cells(features, mask)
    output = model(Batch(features, mask, torch.zeros(1, dtype=torch.long)))
    weights = output.maps["attention"].weights[0]  # (T', F')
    states = []
    for t in range(len(weights)):
        heard = torch.cat([8 * weights[t, f] / weights[t].sum() * cells[0, :, f, t] for f in range(8)])
        states.append(torch.relu(model.trunk.norm(model.trunk.project(heard)[None, None], real[:, :1]))[0, 0])
    states, times = torch.stack(states), weights.sum(1)
    mean = times @ states
    pooled = torch.cat([mean, (times @ states**2 - mean**2).clamp(min=1e-5).sqrt()])
    torch.testing.assert_close(model.classify(pooled), output.logits[0], atol=1e-5, rtol=1e-4)
    plain = FullyConvolutional(5, "front", "mean", width=2).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    model.attend.scale = 0.0
    batch = Batch(features, mask, torch.zeros(1, dtype=torch.long))
    torch.testing.assert_close(model(batch).logits, plain(batch).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("width", "most"), [(12, 130_000), (16, 165_000), (24, 300_000)])
def test_no_more_parameters_than_were_meant(width, most):
    assert sum(p.numel() for p in AttentiveLSTM(64, 8, 48, front=width).parameters()) < most


def test_cells_have_a_clock_and_bands():
    model = FullyConvolutional(5, "front")
    assert model.clock().hop == pytest.approx(0.08)
    assert model.clock().centers(3) == pytest.approx(front_clock(HOP_SECONDS).centers(3))
    assert model.clock().field == pytest.approx(0.315)  # a third of a second
    assert (model.bands().hop, model.bands().field) == (8, 33)
    batch = Batch(torch.randn(1, 1, 64), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, dtype=torch.long))
    assert model.eval()(batch).logits.isfinite().all()  # one frame is enough
