"""Voice and face: rates differ, streams are missing, faces are lost; see test_networks for what holds for all."""

from dataclasses import replace

import pytest
import torch

from sertut.attention import HeadGate
from sertut.errors import SertutError
from sertut.models import AudioVisual
from sertut.models.audiovisual import without_streams
from tests.models.networks import FACE, C, F, G, a_model, assert_same, batch_of, clips

BOTH = ("nearest", "alignment", "one lag", "the voice asks", "the voice asks the nearest")


@pytest.fixture
def batch():
    return batch_of(clips("both"))


@pytest.mark.parametrize("name", ["voice", "face", *BOTH])
def test_maps_are_on_the_right_clocks(name, batch):
    model = a_model(name)
    for key, map_ in model(batch).maps.items():
        if key == "alignment":
            axis, stream = ("video", "voice") if model.query == "face" else ("audio", "face")
            assert map_.axes == (axis, "time") and map_.stream == stream
        steps = map_.weights.shape[-1]
        start = 0.02 if map_.stream == "face" else 0.0125  # a state of the voice is centered on every fourth frame
        torch.testing.assert_close(map_.clocks["time"].centers(steps), start + 0.04 * torch.arange(steps))


@pytest.mark.parametrize(("missing", "stream"), [("mask", "features"), ("face_mask", "face")])
@pytest.mark.parametrize("name", BOTH)
def test_a_missing_stream_is_masked_not_filled(name, missing, stream):
    model, rows = a_model(name), clips("both")
    whole = batch_of(rows)
    masks, values = getattr(whole, missing).clone(), getattr(whole, stream).clone()
    masks[0], values[0] = False, 1e3
    output, complete = model(replace(whole, **{missing: masks})), model(whole)
    assert not torch.allclose(output.logits[0], complete.logits[0], atol=1e-3)
    for i in range(1, 4):  # the other clips do not notice
        assert_same(output, i, complete, i)
    # What stands in the place of the missing stream is never read.
    unread = model(replace(whole, **{missing: masks, stream: values}))
    torch.testing.assert_close(unread.logits, output.logits, atol=1e-5, rtol=0)
    # Nor does a clip without the stream depend on how much of it the others have.
    alone = batch_of(rows[:1])
    alone = model(replace(alone, **{missing: torch.zeros_like(getattr(alone, missing))}))
    torch.testing.assert_close(alone.logits[0], output.logits[0], atol=1e-5, rtol=0)


def test_no_clip_loses_both_streams(batch):
    left = [without_streams(batch, 0.4) for _ in range(20)]
    voices, faces = (torch.cat([getattr(part, name).any(dim=1) for part in left]) for name in ("mask", "face_mask"))
    assert (voices | faces).all() and not voices.all() and not faces.all()


def test_frames_without_a_face_get_no_attention_and_keep_their_place(batch):
    lost = batch.face_mask.clone()
    lost[0, 10:14] = False
    map_ = a_model("face")(replace(batch, face_mask=lost)).maps["attention"].alone(0)
    assert map_.weights.shape == (1, FACE[0]) and map_.weights[0, 10:14].abs().sum() == 0
    assert map_.mask[0].tolist() == [t not in range(10, 14) for t in range(FACE[0])]
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
    model = AudioVisual(F, G, C, n_hidden=8, n_channels=12, fusion="nearest")
    model.fuse.gate = HeadGate(4)
    model.reset_parameters()
    assert (model.fuse.gate.excite.bias == 2).all() and (model.fuse.gate.squeeze.bias == 1).all()
    assert model.no_face.std() < 0.2 < model.pool.perceive.embeddings.std()


def test_synchrony_is_asked_in_training_only_by_its_weight(batch):
    model = a_model("one lag")
    assert model(batch).auxiliary is None
    assert a_model("alignment").train()(batch).auxiliary is None
    model.train()
    losses = []
    for model.synchrony in (0.3, 0.6):
        torch.manual_seed(0)
        losses.append(model(batch).auxiliary)
    assert losses[0] > 0
    torch.testing.assert_close(losses[1], 2 * losses[0])


def test_wrong_use_is_explained(batch):
    with pytest.raises(SertutError, match="fusion 'aligment': did you mean 'alignment'"):
        AudioVisual(F, G, C, fusion="aligment")
    with pytest.raises(SertutError, match="this network reads faces, but the batch has none"):
        a_model("one lag")(replace(batch, face=None, face_mask=None))
