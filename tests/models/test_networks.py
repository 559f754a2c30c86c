"""What holds for every network: batch mates and padding change nothing, maps are distributions, all weights train."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from sertut.models import POOLINGS, TRUNKS, AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead, redraw
from sertut.models.base import architecture
from sertut.signals import Batch, pad

F, G, C = 64, 5, 3  # columns of the voice's table, of the face's, emotions
VOICE, FACE = (61, 5, 18, 100), (30, 9, 1, 25)  # frames: neither rate nor duration is the same
LONG = (70, 211, 67, 130)  # where a trunk asks for more
STREAMS = dict(n_hidden=8, n_channels=12)
NETWORKS = {
    **{f"lstm, {name}": lambda name=name: AttentiveLSTM(F, C, 8, 12, pooling=name) for name in POOLINGS},
    **{
        f"{trunk}, {name}": lambda trunk=trunk, name=name: FullyConvolutional(C, trunk, name, scale=1.0)
        for trunk in TRUNKS
        for name in ("attention", "mean")
    },
    "heads, none": lambda: MultiHead(F - 1, C, 16, n_blocks=0),
    "heads, plain": lambda: MultiHead(F - 1, C, 16),
    "heads, focus": lambda: MultiHead(F - 1, C, 16, focus="learned"),
    "heads, gates, loudest": lambda: MultiHead(F - 1, C, 16, focus="loudest", calibrate=True),
    "heads, two blocks": lambda: MultiHead(F - 1, C, 16, focus="learned", calibrate=True, n_blocks=2),
    "voice": lambda: AudioVisual(F, G, C, "voice", pooling="attention", **STREAMS),
    "face": lambda: AudioVisual(F, G, C, "face", pooling="mixture", **STREAMS),
    "nearest": lambda: AudioVisual(F, G, C, fusion="nearest", pooling="mean", **STREAMS),
    "alignment": lambda: AudioVisual(F, G, C, pooling="attention", score="additive", **STREAMS),
    "one lag": lambda: AudioVisual(F, G, C, fusion="one lag", synchrony=0.3, **STREAMS),
    "the voice asks": lambda: AudioVisual(F, G, C, fusion="one lag", query="voice", pooling="one embedding", **STREAMS),
    "front, lstm": lambda: AttentiveLSTM(F, C, 8, front=2),
    "front, heads": lambda: MultiHead(F - 1, C, 16, focus="loudest", calibrate=True, front=2),
    "front, cells": lambda: FullyConvolutional(C, "front", scale=1.0, width=2),
    "front, voice": lambda: AudioVisual(F, G, C, "voice", pooling="perception", front=2, **STREAMS),
    "front, both": lambda: AudioVisual(F, G, C, pooling="attention", front=2, **STREAMS),
    "the voice asks the nearest": lambda: AudioVisual(F, G, C, fusion="nearest", query="voice", **STREAMS),
}


def clips(name):
    voices = LONG if name.split(",")[0] in TRUNKS else VOICE
    return [(torch.randn(n, F), torch.randn(m, G)) for n, m in zip(voices, FACE, strict=True)]


def batch_of(clips):
    (voices, mask), (faces, face_mask) = pad([v for v, _ in clips]), pad([f for _, f in clips])
    return Batch(voices, mask, torch.arange(len(clips)) % C, face=faces, face_mask=face_mask)


def longer(batch, by=37):
    """More padding, in both streams, and values on all of it that must not matter."""

    def polluted(values, mask):
        mask = nn.functional.pad(mask, (0, by))
        return nn.functional.pad(values, (0, 0, 0, by)).where(mask[..., None], torch.tensor(700.0)), mask

    (voices, mask), (faces, face_mask) = polluted(batch.features, batch.mask), polluted(batch.face, batch.face_mask)
    return replace(batch, features=voices, mask=mask, face=faces, face_mask=face_mask)


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    """Drawn anew, and its normalization has met data."""
    model = NETWORKS[name]()
    redraw(model)
    for parameter in (p for key, p in model.named_parameters() if key.startswith("trunk") and key.endswith("bias")):
        nn.init.uniform_(parameter, -0.5, 0.5)  # a bias turns padding into something
    with torch.no_grad():
        for _ in range(3):
            model(batch_of(clips(name)))
    return model.eval().requires_grad_(False)


def assert_same(output, i, other, j):
    torch.testing.assert_close(output.logits[i], other.logits[j], atol=1e-5, rtol=0)
    assert output.maps.keys() == other.maps.keys()
    for key, map_ in output.maps.items():
        torch.testing.assert_close(map_.of(i), other.maps[key].of(j), atol=1e-5, rtol=0)
        if map_.gates is not None:
            torch.testing.assert_close(map_.gates[i], other.maps[key].gates[j], atol=1e-5, rtol=0)


def test_neither_batch_mates_nor_padding_change_a_clip(name, model):
    rows = clips(name)
    together, padded = model(batch_of(rows)), model(longer(batch_of(rows)))
    for i, clip in enumerate(rows):
        assert_same(together, i, model(batch_of([clip])), 0)
        assert_same(together, i, padded, i)


def test_maps_are_distributions_over_real_steps(name, model):
    batch = batch_of(clips(name))
    maps = model(batch).maps
    pooling = getattr(model.pool, "pooling", "") if hasattr(model, "pool") else ""
    plain = pooling in ("last", "mean", "max") or getattr(model, "attend", 0) is None or name == "heads, none"
    assert ("attention" in maps) == (not plain)
    for key, map_ in maps.items():
        attended = [1 + map_.axes.index(axis) for axis in ("time", "frequency") if axis in map_.axes]
        sums = map_.weights.sum(dim=attended)
        asked = map_.query_mask if map_.query_mask is not None else map_.mask if "query" in map_.axes else None
        expected = torch.ones_like(sums)
        if asked is not None:  # padded queries ask nothing
            expected = asked.float() if sums.dim() == 2 else asked.float()[:, None].expand_as(sums)
        torch.testing.assert_close(sums, expected)
        assert (map_.weights.movedim(attended[0], 1)[~map_.mask] == 0).all(), key
        step = 8 if name.startswith("front") else 4
        steps = {"voice": [-(-n // step) for n in VOICE], "face": list(FACE)}[map_.stream]
        if name != "front, cells" and isinstance(model, FullyConvolutional):
            steps = model.time.size(torch.tensor(LONG)).tolist()
            assert map_.weights.shape[2] == model.frequency.size(torch.tensor(F))
        assert map_.mask.sum(dim=1).tolist() == steps


def test_every_parameter_is_trained(name):
    model = NETWORKS[name]()
    redraw(model)
    if hasattr(model, "missing"):
        model.missing = 0.3  # each clip is now and then without voice, or without face
    for _ in range(6 if hasattr(model, "missing") else 1):
        batch = batch_of(clips(name))
        output = model(batch)
        loss = nn.functional.cross_entropy(output.logits, batch.labels)
        (loss + (output.auxiliary if output.auxiliary is not None else 0.0)).backward()
    for key, parameter in model.named_parameters():
        largest = 0.0 if parameter.grad is None else parameter.grad.abs().max().item()
        if key.startswith("blocks") and key.endswith("key.bias"):  # the softmax takes it away: see test_selfattention
            assert largest < 1e-6
        else:
            assert largest > 1e-7, key


def test_the_seed_draws_every_weight_and_statistics_are_forgotten(name):
    model = NETWORKS[name]()
    new = architecture(model)
    model(batch_of(clips(name)))

    def drawn(seed):
        torch.manual_seed(seed)
        redraw(model)
        return {key: value.clone() for key, value in model.state_dict().items()}

    first, again, other = drawn(0), drawn(0), drawn(1)
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    for key, value in first.items():
        if key.rsplit(".", 1)[-1] in ("running_mean", "running_var", "num_batches_tracked"):
            assert (value == (1 if key.endswith("running_var") else 0)).all(), key
        elif value.unique().numel() > 1:
            assert not torch.equal(value, other[key]), key
    assert architecture(model) == new == architecture(NETWORKS[name]()), "weights are no part of it"


def test_no_two_networks_have_one_architecture():
    found = [architecture(build()) for build in NETWORKS.values()]
    assert len(set(found)) == len(found)


def test_a_network_is_built_again_from_its_arguments(name):
    model = NETWORKS[name]()
    assert architecture(type(model)(**model.arguments)) == architecture(model)
