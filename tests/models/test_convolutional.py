"""The fully convolutional network: padding touches nothing at any layer; clocks of maps are right; errors are clear."""

import pytest
import torch
from torch import nn

from sertut.errors import SertutError
from sertut.models import TRUNKS, FullyConvolutional, redraw
from sertut.models.layers import MaskedNorm2d
from sertut.signals import WINDOW_SECONDS, Batch, length_mask, log_mel, mfcc, pad
from tests.models.networks import F, a_model


def batch_of(*rows):
    features, mask = pad(rows)
    return Batch(features, mask, torch.arange(len(rows)) % 3)


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize(("frame", "band"), [(150, 20), (3, 62)])
def test_only_cells_whose_field_covers_a_change_move(trunk, frame, band):
    model, clip = a_model(f"{trunk}, cells"), torch.randn(300, F)
    cells = lambda clip: model.encode(batch_of(clip))[0][0]  # noqa: E731
    clocks, before = model(batch_of(clip)).maps["attention"].clocks, cells(clip)

    changed = clip.clone()
    changed[frame] += 20
    moved = (cells(changed) - before).abs().sum(dim=(0, 1)) > 1e-4
    start = frame * 0.010  # the frame is cut from the samples between start and start + WINDOW_SECONDS
    centers, half = clocks["time"].centers(before.shape[2]), clocks["time"].field / 2
    covers = (centers - half <= start + 1e-4) & (centers + half >= start + WINDOW_SECONDS - 1e-4)
    assert moved.tolist() == covers.tolist() and covers.any()

    changed = clip.clone()
    changed[:, band] += 20
    moved = (cells(changed) - before).abs().sum(dim=(0, 2)) > 1e-4
    centers, half = clocks["frequency"].centers(before.shape[1]), (clocks["frequency"].field - 1) / 2
    assert moved.tolist() == ((centers - band).abs() <= half).tolist()


def test_a_pretrained_trunk_is_kept_when_the_rest_is_drawn():
    model = FullyConvolutional(3, "fine")
    before, model.pretrained = {name: value.clone() for name, value in model.state_dict().items()}, True
    redraw(model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("trunk."), name


def test_too_short_a_clip_is_said_in_seconds():
    model = FullyConvolutional(3, "small").eval()
    assert model.shortest_seconds == pytest.approx(0.645)
    samples = torch.randn(round(model.shortest_seconds * 16000)).numpy()
    shortest, shorter = log_mel(samples), log_mel(samples[:-1])
    assert model(batch_of(shortest)).maps["attention"].weights.shape == (1, 1, 1)
    with pytest.raises(SertutError, match=r"a clip lasts 0\.635 s, but the trunk 'small' needs at least 0\.645 s"):
        model(batch_of(torch.randn(200, F), shorter))


def test_too_few_features():
    samples = torch.randn(16000).numpy()
    batch = batch_of(mfcc(samples))
    with pytest.raises(SertutError, match="'small' needs at least 63 rows of features and got 40; use log_mel, or"):
        FullyConvolutional(3, "small")(batch)
    assert FullyConvolutional(3, "fine").eval()(batch).logits.shape == (1, 3)


def test_unknown_names():
    with pytest.raises(SertutError, match="did you mean 'small'"):
        FullyConvolutional(3, "smal")
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        FullyConvolutional(3, "fine", "atention")


@pytest.mark.parametrize("lengths", [(5, 2, 7), (7, 7, 7)], ids=["padding", "no padding"])
def test_masked_norm_equals_the_plain_one_on_the_real_columns(lengths):
    lengths = torch.tensor(lengths)
    mask = length_mask(lengths)
    values = torch.randn(3, 4, 6, 7) * 3 + 1
    ours, plain = MaskedNorm2d(4), nn.BatchNorm2d(4)
    for norm in (ours, plain):
        nn.init.constant_(norm.weight, 1.3)
        nn.init.constant_(norm.bias, 0.2)
    for training in (True, True, False):
        real = torch.cat([values[i, :, :, :n] for i, n in enumerate(lengths)], dim=-1)[None]  # (1, C, F', N)
        expected = torch.relu(plain.train(training)(real))
        result = ours.train(training)(values, mask)
        found = torch.cat([result[i, :, :, :n] for i, n in enumerate(lengths)], dim=-1)[None]
        torch.testing.assert_close(found, expected)
        assert (result.permute(0, 3, 2, 1)[~mask] == 0).all()
    torch.testing.assert_close(dict(ours.named_buffers()), dict(plain.named_buffers()))
