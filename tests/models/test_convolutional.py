"""The fully convolutional network: what one cell sees, by the published table and PyTorch; clocks; clear errors."""

import itertools

import pytest
import torch
from torch import nn

from sertut.errors import SertutError
from sertut.models import TRUNKS, FullyConvolutional, redraw
from sertut.models.convolutional import build_trunk
from sertut.models.geometry import FREQUENCY, TIME, Geometry, Window
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


# The windows of AlexNet, which "small" has: receptive field, stride, center of cell 0, size of a 200 x 300 input
ALEXNET = [
    (11, 4, 3, (49, 74)),  # conv1
    (19, 8, 7, (24, 36)),  # pool1
    (51, 8, 7, (24, 36)),  # conv2
    (67, 16, 15, (11, 17)),  # pool2
    (99, 16, 15, (11, 17)),  # conv3
    (131, 16, 15, (11, 17)),  # conv4
    (163, 16, 15, (11, 17)),  # conv5
    (195, 32, 31, (5, 8)),  # pool5
]


def trunk_of(name):
    return build_trunk(name)[0]


def sizes(trunk, axis, n):
    return Geometry.of(trunk, axis).size(torch.tensor(n)).tolist()


def test_small_has_the_windows_of_alexnet():
    trunk = trunk_of("small")
    ends = [i + 1 for i, module in enumerate(trunk) if Window.of(module, TIME)]
    assert len(ends) == len(ALEXNET)
    for end, (field, stride, center, size) in zip(ends, ALEXNET, strict=True):
        for axis in (FREQUENCY, TIME):
            found = Geometry.of(trunk[:end], axis)
            assert (found.field, found.stride, found.first) == (field, stride, center)
        assert (sizes(trunk[:end], FREQUENCY, 200), sizes(trunk[:end], TIME, 300)) == size


def test_known_sizes_and_shortest_inputs():
    trunk = trunk_of("small")
    assert sizes(trunk, TIME, [400, 128, 64, 40]) == [11, 3, 1, 0]
    assert Geometry.of(trunk, TIME).shortest == 63


@pytest.mark.parametrize(
    "layer",
    [
        *(
            nn.MaxPool2d(k, s, p, ceil_mode=c)
            for k, s, p, c in itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True))
        ),
        *(nn.Conv2d(1, 1, k, s, p) for k, s, p in itertools.product((1, 3, 5), (1, 2, 4), (0, 2))),
        nn.Conv2d(1, 1, (5, 3), (2, 1), (2, 0)),
    ],
    ids=str,
)
def test_number_of_windows_equals_pytorch(layer):
    lengths = torch.arange(301)
    for axis in (FREQUENCY, TIME):
        counted = Window.of(layer, axis).size(lengths).tolist()
        for n in (*range(1, 14), 63, 64, 67, 195, 299, 300):
            shape = [16, 16]
            shape[axis] = n
            try:
                there = layer(torch.zeros(1, 1, *shape)).shape[2 + axis]
            except RuntimeError:  # not even one window fits
                there = 0
            assert counted[n] == there, n
        assert (torch.diff(torch.tensor(counted)) >= 0).all() and counted[0] >= 0


def test_a_layer_without_a_window_changes_nothing():
    assert Window.of(nn.ReLU(), TIME) is None and Window.of(MaskedNorm2d(3), TIME) is None
    assert Geometry.of([nn.ReLU()], TIME).field == Geometry.of([nn.ReLU()], TIME).stride == 1
    assert Window.of(trunk_of("squeezenet")[3], TIME) == Window(3, 1, 1)
