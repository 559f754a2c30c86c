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


def test_rows_apart_add_up_to_what_a_state_is_made_of():
    features, mask = torch.randn(2, 50, 64), torch.ones(2, 50, dtype=torch.bool)
    together, apart = Front(width=3).eval(), Front(width=3, apart=True).eval()
    together.load_state_dict(apart.state_dict())  # the same names and shapes
    heard = {}
    for name, front in (("together", together), ("apart", apart)):
        front.norm.register_forward_pre_hook(lambda _, inputs, name=name: heard.update({name: inputs[0]}))
        front(features, mask)
    torch.testing.assert_close(heard["apart"].sum(2).transpose(1, 2), heard["together"])
    assert (heard["apart"][:, :, 1] - heard["apart"][:, :, 6]).abs().mean() > 1e-3  # a row has weights of its own


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
