"""What holds for every network: batch mates and padding change nothing, maps are distributions, all weights train."""

import pytest
import torch
from torch import nn

from sertut.models import AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead, redraw
from sertut.models.base import architecture
from sertut.models.layers import states_clock
from tests.models.networks import FACE, LONG, NETWORKS, VOICE, C, F, G, a_model, assert_same, batch_of, clips, longer


@pytest.fixture(scope="module", params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    torch.manual_seed(0)
    return a_model(name)


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


FRONTS = {
    "lstm": lambda: AttentiveLSTM(F, C).encoder.front,
    "heads": lambda: MultiHead(F, C).front,
    "both": lambda: AudioVisual(F, G, C).voice.front,
    "ear": lambda: AudioVisual(F, G, C).ear,
}


@pytest.mark.parametrize("which", FRONTS)
def test_a_change_reaches_the_states_where_the_clock_says(which):
    """A change at frame 40 reaches the states around frame 40 / 4 and no others."""
    front, clip = FRONTS[which](), torch.randn(80, F)
    changed = clip.clone()
    changed[40] += 5
    before, after = (front.eval()(row[None], torch.ones(1, 80) > 0)[0][0] for row in (clip, changed))
    moved = (after - before).abs().sum(dim=1).nonzero().squeeze(1).float()
    assert moved.mean().item() == pytest.approx(10, abs=0.5) and len(moved) <= 13
    assert states_clock(0.010).centers(20)[10].item() == pytest.approx(0.0125 + 0.40)  # middle of frame 40


def test_a_network_is_built_again_from_its_arguments(name):
    model = NETWORKS[name]()
    assert architecture(type(model)(**model.arguments)) == architecture(model)
