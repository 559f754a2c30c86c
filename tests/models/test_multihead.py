"""Many heads: the fast path, gates, windows in seconds, positions; see test_networks for what holds for all."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from sertut.errors import SertutError
from sertut.models import MultiHead
from sertut.models.multihead import POSITION, mean_level, positions
from sertut.signals import WINDOW_SECONDS, length_mask
from tests.models.networks import NETWORKS, VOICE, F, G, a_model, batch_of, clips, longer

STEPS = [-(-n // 4) for n in VOICE]
HEADS = [name for name in NETWORKS if name.startswith("heads")]


@pytest.fixture(params=HEADS)
def model(request):
    return a_model(request.param)


@pytest.fixture
def batch():
    return batch_of(clips("heads"))


def test_the_fast_path_equals_the_explicit_one(model, batch):
    for given in (batch, longer(batch)):
        fast = model(given, maps=False)
        assert not fast.maps
        torch.testing.assert_close(fast.logits, model(given, maps=True).logits, atol=1e-5, rtol=0)


def test_maps_are_drawn_except_in_training(batch):
    model = a_model("heads, plain")
    assert model(batch).maps and not model(batch, maps=False).maps
    model.train()
    assert not model(batch).maps and model(batch, maps=True).maps


def test_the_map_has_the_gates_of_its_heads(model, batch):
    maps = model(batch).maps
    assert list(maps) == (["attention"] if len(model.blocks) else [])
    for map_ in maps.values():
        assert map_.axes == ("head", "query", "time")
        assert map_.clocks["query"] == map_.clocks["time"] == model.clock(0.010)
        gated = model.blocks[-1].attend.gate is not None
        assert (map_.gates is not None) == gated
        assert not gated or map_.gates.std(dim=0).min() > 0


def test_the_mean_over_time_of_what_received_attention_says(batch):
    """With the mean at the end, logits are those of the states plus the values weighed by attention received."""
    model = a_model("heads, gates, loudest")
    output, (states, mask, _) = model(batch), model.encode(batch)
    block, map_ = model.blocks[0], output.maps["attention"]
    for i in range(len(batch)):
        values = block.attend.split(block.attend.value(block.norm(states[i : i + 1])))[0]  # (H, T', d)
        said = torch.cat([map_.gates[i, h] * map_.head(h).over_time().weights[i] @ values[h] for h in range(4)])
        expected = model.classify(states[i, mask[i]].mean(dim=0) + block.attend.join(said))
        torch.testing.assert_close(output.logits[i], expected, atol=1e-5, rtol=0)


def test_without_blocks_it_is_the_mean_of_the_convolutions(batch):
    model = a_model("heads, none")
    states, mask, _ = model.encode(batch)
    for i, logits in enumerate(model(batch).logits):
        torch.testing.assert_close(logits, model.classify(states[i, mask[i]].mean(dim=0)))


def test_the_level_reaches_nothing_but_the_loudest_focus(model, batch):
    louder = batch.features.clone()
    louder[..., -1] = torch.randn(louder.shape[:2])
    same = torch.allclose(model(replace(batch, features=louder)).logits, model(batch).logits, atol=1e-6)
    loudest = len(model.blocks) and model.blocks[0].attend.focus and model.blocks[0].attend.focus.center == "loudest"
    assert same != bool(loudest)


def test_the_loudest_window_stands_on_the_loudest_moment():
    """A burst around a known frame, whatever the level of the padding."""
    model, rows, at = a_model("heads, gates, loudest"), clips("heads"), (44, 3, 16, 96)
    for (voice, _), frame in zip(rows, at, strict=True):
        voice[max(0, frame - 1) : frame + 2, -1] = 50
    center, _ = model.windows(longer(batch_of(rows)))
    for i, frame in enumerate(at):
        seconds = WINDOW_SECONDS / 2 + 0.010 * frame  # middle of that frame
        assert center[i].unique().numel() == 1
        assert center[i, 0, 0].item() == pytest.approx(seconds, abs=0.02 + 1e-6)  # half a state


@pytest.mark.parametrize("name", ["heads, focus", "heads, gates, loudest", "heads, two blocks"])
def test_the_window_is_the_one_that_the_last_block_used(name, batch):
    """Without keys, the weights of the map are the windows themselves."""
    model = a_model(name)
    nn.init.zeros_(model.blocks[-1].attend.key.weight), nn.init.zeros_(model.blocks[-1].attend.key.bias)
    center, width = model.windows(batch)
    map_ = model(batch).maps["attention"]
    for i, n in enumerate(STEPS):
        seconds = map_.clocks["time"].centers(n)
        away = (seconds - center[i, :, :n, None]) / (width[i, :, :n, None] / 2)  # in standard deviations
        torch.testing.assert_close(map_.of(i), (-(away**2) / 2).softmax(dim=2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["heads, none", "heads, plain"])
def test_windows_need_a_focus(name, batch):
    with pytest.raises(SertutError, match=r"has no focus; build it with focus='learned' or focus='loudest'"):
        a_model(name).windows(batch)


def test_mean_level_is_that_of_five_frames_around_each_state():
    level, mask = torch.randn(3, 22), length_mask(torch.tensor([22, 1, 13]))
    found = mean_level(torch.where(mask, level, 1e3), mask)
    assert found.shape == (3, 6)
    for i, n in enumerate((22, 1, 13)):
        expected = [level[i, max(0, 4 * u - 2) : min(n, 4 * u + 3)].mean().item() for u in range(-(-n // 4))]
        assert found[i, : len(expected)].tolist() == pytest.approx(expected, abs=1e-5)


def test_positions():
    found = positions(7, 6)
    assert found.shape == (7, 6)
    for u in range(7):
        for k in range(3):
            angle = u / 10_000 ** (2 * k / 6)
            assert found[u, k].item() == pytest.approx(POSITION * math.sin(angle), abs=1e-6)
            assert found[u, k + 3].item() == pytest.approx(POSITION * math.cos(angle), abs=1e-6)


def test_only_positions_tell_equal_frames_apart():
    states = a_model("heads, plain").encode(batch_of([(torch.ones(100, F), torch.ones(1, G))]))[0]
    states = states[0, 6:-6]  # far from the ends, which the convolutions notice
    torch.testing.assert_close(states - states[:1], positions(25, 16)[6:-6] - positions(25, 16)[6:7])


def test_errors(batch):
    with pytest.raises(SertutError, match="64 features cannot be shared by 5 heads"):
        MultiHead(6, 3, n_heads=5)
    with pytest.raises(SertutError, match="did you mean 'learned'"):
        MultiHead(6, 3, focus="learnd")
    with pytest.raises(SertutError, match="reads 6 features and the level, but got 64 columns; use a feature"):
        MultiHead(6, 3)(batch)
