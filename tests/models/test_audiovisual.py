"""Voice and face: rates differ, streams are missing, faces are lost; see test_networks for what holds for all."""

from dataclasses import replace

import pytest
import torch

from sertut.attention import HeadGate
from sertut.errors import SertutError
from sertut.models import AudioVisual
from sertut.signals import Batch, length_mask, pad

VOICE, FACE = (61, 5, 18, 100), (30, 9, 1, 25)  # frames: neither rate nor duration is the same
F, G = 6, 5
SETTINGS = {
    "voice": dict(streams="voice", pooling="attention"),
    "face": dict(streams="face", pooling="mixture"),
    "nearest": dict(fusion="nearest", pooling="mean"),
    "alignment": dict(pooling="attention"),
    "one lag": dict(fusion="one lag", synchrony=0.3),
    "the voice asks": dict(fusion="one lag", query="voice", pooling="one embedding"),
    "the voice asks the nearest": dict(fusion="nearest", query="voice"),
}


def rows():
    return [(torch.randn(n, F), torch.randn(m, G)) for n, m in zip(VOICE, FACE, strict=True)]


def batch_of(clips):
    (voices, mask), (faces, face_mask) = pad([v for v, _ in clips]), pad([f for _, f in clips])
    return Batch(voices, mask, torch.arange(len(clips)) % 3, face=faces, face_mask=face_mask)


def a_model(name="one lag", **options):
    """A network whose normalization has met data."""
    model = AudioVisual(F, G, 3, n_hidden=8, n_channels=12, **SETTINGS[name] | options)
    model.reset_parameters()
    for _ in range(3):
        model(batch_of(rows()))
    return model.eval().requires_grad_(False)


def assert_same(output, i, other, j):
    torch.testing.assert_close(output.logits[i], other.logits[j], atol=1e-5, rtol=0)
    for name, map_ in output.maps.items():
        torch.testing.assert_close(map_.of(i), other.maps[name].of(j), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SETTINGS)
def test_maps_are_on_the_right_clocks(name):
    model = a_model(name)
    for name, map_ in model(batch_of(rows())).maps.items():
        if name == "alignment":
            axis, stream = ("video", "voice") if model.query == "face" else ("audio", "face")
            assert map_.axes == (axis, "time") and map_.stream == stream
        steps = map_.weights.shape[-1]
        centers = map_.clocks["time"].centers(steps)
        if map_.stream == "face":
            torch.testing.assert_close(centers, 0.02 + 0.04 * torch.arange(steps))
        else:  # a state is centered on every fourth frame, 25 ms long and 10 ms apart
            torch.testing.assert_close(centers, 0.0125 + 0.04 * torch.arange(steps))


@pytest.mark.parametrize("name", ["nearest", "alignment", "one lag", "the voice asks", "the voice asks the nearest"])
def test_a_missing_stream_is_masked_not_filled(name):
    model, clips = a_model(name), rows()
    whole = batch_of(clips)
    for missing in ("mask", "face_mask"):
        masks = getattr(whole, missing).clone()
        masks[0] = False
        batch = replace(whole, **{missing: masks})
        output = model(batch)
        assert output.logits.isfinite().all()
        assert not torch.allclose(output.logits[0], model(whole).logits[0], atol=1e-3)
        for i in range(1, 4):  # the other clips do not notice
            assert_same(output, i, model(whole), i)
        # What stands in the place of the missing stream is never read.
        stream = "features" if missing == "mask" else "face"
        values = getattr(batch, stream).clone()
        values[0] = 1e3
        torch.testing.assert_close(model(replace(batch, **{stream: values})).logits, output.logits, atol=1e-5, rtol=0)
        # Nor does a clip without the stream depend on how much of it the others have.
        alone = batch_of([clips[0]])
        alone = replace(alone, **{missing: torch.zeros_like(getattr(alone, missing))})
        torch.testing.assert_close(model(alone).logits[0], output.logits[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(output.maps["attention"].weights[0].sum(dim=-1).max(), torch.tensor(1.0)) if (
            "attention" in output.maps
        ) else None


def test_frames_without_a_face_get_no_attention_and_keep_their_place():
    model, batch = a_model("face", pooling="attention"), batch_of(rows())
    lost = batch.face_mask.clone()
    lost[0, 10:14] = False
    map_ = model(replace(batch, face_mask=lost)).maps["attention"].alone(0)
    assert map_.weights.shape == (1, 30) and map_.weights[0, 10:14].abs().sum() == 0
    assert map_.mask[0].tolist() == [t not in range(10, 14) for t in range(30)]
    torch.testing.assert_close(map_.weights.sum(), torch.tensor(1.0))


@pytest.mark.parametrize("rate", [12.5, 29.97, 60.0])
def test_any_rate_of_video_keeps_its_clock(rate):
    n = round(2 * rate)
    batch = replace(batch_of([(torch.randn(200, F), torch.randn(n, G))]), face_hop=1 / rate)
    map_ = a_model("nearest").forward(batch).maps["alignment"]
    taken = map_.clocks["time"].centers(map_.weights.shape[2])[map_.weights[0].argmax(dim=1)]
    assert ((taken - map_.clocks["video"].centers(n)).abs()[:-1] <= 0.0201).all()  # half a state of the voice


def test_what_a_part_sets_when_it_is_drawn_stays():
    """No child is drawn behind the back of its parent: a gate inside would lose the biases that keep it open."""
    model = AudioVisual(F, G, 3, n_hidden=8, n_channels=12, fusion="nearest")
    model.fuse.gate = HeadGate(4)
    model.reset_parameters()
    assert (model.fuse.gate.excite.bias == 2).all() and (model.fuse.gate.squeeze.bias == 1).all()
    assert model.no_face.std() < 0.2 < model.pool.perceive.embeddings.std()


def test_synchrony_is_asked_in_training_only():
    model, batch = a_model("one lag"), batch_of(rows())
    assert model(batch).auxiliary is None
    assert model.train()(batch).auxiliary > 0
    assert a_model("alignment").train()(batch).auxiliary is None


def test_wrong_use_is_explained():
    with pytest.raises(SertutError, match="fusion 'aligment': did you mean 'alignment'"):
        AudioVisual(F, G, 3, fusion="aligment")
    batch = batch_of(rows())
    with pytest.raises(SertutError, match="face"):
        a_model()(Batch(batch.features, batch.mask, batch.labels))
    assert length_mask(torch.tensor([2])).tolist() == [[True, True]]
