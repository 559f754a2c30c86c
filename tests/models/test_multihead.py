"""Many heads: every setting is independent of batch mates and padding, trained throughout, right on the clock."""

import math

import pytest
import torch
from torch import nn

from sertut.attention import HeadGate
from sertut.errors import SertutError
from sertut.models import MultiHead
from sertut.models.multihead import POSITION, mean_level, positions
from sertut.signals import WINDOW_SECONDS, Batch, length_mask, pad

LENGTHS = (61, 1, 18, 100)
STEPS = [-(-n // 4) for n in LENGTHS]
F = 6
SETTINGS = {
    "front": dict(n_blocks=0),
    "plain": dict(),
    "+FA": dict(focus="learned"),
    "+CA": dict(calibrate=True),
    "+FA+CA": dict(focus="learned", calibrate=True),
    "+loudest": dict(focus="loudest"),
    "two blocks": dict(focus="learned", calibrate=True, n_blocks=2),
}


def rows(lengths=LENGTHS):
    return [torch.randn(n, F + 1) for n in lengths]


def batch_of(rows):
    features, mask = pad(rows)
    return Batch(features, mask, torch.arange(len(rows)) % 3)


def a_model(name="plain", **options):
    """A network whose normalization has met data, and whose gates depend on the clip."""
    model = MultiHead(F, 3, n_hidden=16, **SETTINGS[name] | options)
    for module in model.modules():
        if isinstance(module, HeadGate):
            nn.init.uniform_(module.squeeze.bias, 0.5, 1.0)
    for _ in range(3):
        model(batch_of(rows()))
    return model.eval().requires_grad_(False)


@pytest.fixture(params=SETTINGS)
def model(request):
    return a_model(request.param)


def polluted(batch, more=29):
    """The same clips with more padding, full of numbers."""
    features = nn.functional.pad(batch.features, (0, 0, 0, more))
    mask = nn.functional.pad(batch.mask, (0, more))
    return Batch(torch.where(mask.unsqueeze(-1), features, 700.0), mask, batch.labels)


def test_the_fast_path_equals_the_explicit_one(model):
    for batch in (batch_of(rows()), polluted(batch_of(rows())), batch_of(rows((40,)))):
        fast = model(batch, maps=False)
        assert not fast.maps
        torch.testing.assert_close(fast.logits, model(batch, maps=True).logits, atol=1e-5, rtol=0)


def test_maps_are_drawn_except_in_training():
    model, batch = a_model(), batch_of(rows())
    assert model(batch).maps and not model(batch, maps=False).maps
    model.train()
    assert not model(batch).maps and model(batch, maps=True).maps


def test_the_map(model):
    maps = model(batch_of(rows())).maps
    assert list(maps) == (["attention"] if len(model.blocks) else [])
    for map_ in maps.values():
        assert map_.axes == ("head", "query", "time") and map_.weights.shape == (4, 4, 25, 25)
        torch.testing.assert_close(map_.over_time().weights.sum(dim=1), torch.ones(4))
        assert (map_.over_time().weights[~map_.mask] == 0).all()
        gated = model.blocks[-1].attend.gate is not None
        assert (map_.gates is not None) == gated
        if gated:
            assert map_.gates.shape == (4, 4) and (map_.gates > 0).all() and (map_.gates < 1).all()
            assert map_.gates.std(dim=0).min() > 0
        assert map_.clocks["query"] == map_.clocks["time"] == model.clock(0.010)


def test_the_mean_over_time_of_what_received_attention_says():
    """With the mean at the end, logits are those of the states plus the values weighed by attention received."""
    model, batch = a_model("+CA"), batch_of(rows((61,)))
    output = model(batch)
    states, _, _ = model.encode(batch)
    block, map_ = model.blocks[0], output.maps["attention"]
    values = block.attend.split(block.attend.value(block.norm(states)))[0]  # (H, T', d)
    said = torch.cat([map_.gates[0, h] * map_.head(h).over_time().weights[0] @ values[h] for h in range(4)])
    expected = model.classify(states[0].mean(dim=0) + block.attend.join(said))
    torch.testing.assert_close(output.logits[0], expected, atol=1e-5, rtol=0)


def test_without_blocks_it_is_the_mean_of_the_convolutions():
    model, batch = a_model("front"), batch_of(rows())
    states, mask, _ = model.encode(batch)
    for i, logits in enumerate(model(batch).logits):
        torch.testing.assert_close(logits, model.classify(states[i, mask[i]].mean(dim=0)))


def test_the_level_reaches_nothing_but_the_loudest_focus(model):
    batch = batch_of(rows())
    louder = batch.features.clone()
    louder[..., -1] = torch.randn(louder.shape[:2])
    same = torch.allclose(model(Batch(louder, batch.mask, batch.labels)).logits, model(batch).logits, atol=1e-6)
    loudest = len(model.blocks) and model.blocks[0].attend.focus and model.blocks[0].attend.focus.center == "loudest"
    assert same != bool(loudest)


def test_the_loudest_window_stands_on_the_loudest_moment():
    """A burst around a known frame, whatever the level of the padding."""
    model, clips, at = a_model("+loudest"), rows((61, 18, 100)), (44, 3, 96)
    for clip, frame in zip(clips, at, strict=True):
        clip[max(0, frame - 1) : frame + 2, -1] = 50
    center, width = model.windows(polluted(batch_of(clips)))
    for i, frame in enumerate(at):
        seconds = WINDOW_SECONDS / 2 + 0.010 * frame  # middle of that frame
        assert center[i].unique().numel() == 1
        assert center[i, 0, 0].item() == pytest.approx(seconds, abs=0.02 + 1e-6)  # half a state
    assert width.shape == center.shape and (width[0, :, :16] > 0.040).all()


def test_learned_windows_start_in_the_middle_and_lie_inside_the_clip():
    torch.manual_seed(3)
    model = MultiHead(F, 3, focus="learned").eval()
    batch = batch_of(rows())
    center, width = model.windows(batch)
    for i, n in enumerate(LENGTHS):
        found, wide = center[i, :, : STEPS[i]], width[i, :, : STEPS[i]]
        middle, end = (n - 1) * 0.010 / 2 + WINDOW_SECONDS / 2, (n - 1) * 0.010 + WINDOW_SECONDS
        assert (found > 0).all() and (found < end + 0.040).all()
        assert (wide >= 0.040).all() and (wide <= 0.040 * (STEPS[i] + 1)).all()
        if n > 50:
            assert found.mean().item() == pytest.approx(middle, abs=0.15 * end)
            assert wide.mean().item() == pytest.approx(middle, abs=0.15 * end + 0.040)
    focus = model.blocks[0].attend.focus
    nn.init.zeros_(focus.to_center), nn.init.zeros_(focus.to_width)
    center, width = model.windows(batch)
    assert center[3, 0, 0].item() == pytest.approx(middle, abs=0.040)
    assert width[3, 0, 0].item() == pytest.approx(0.040 * (25 / 2 + 1))


@pytest.mark.parametrize("name", ["+FA", "+loudest", "two blocks"])
def test_the_window_is_the_one_that_the_last_block_used(name):
    """Without keys, the weights of the map are the windows themselves."""
    model, batch = a_model(name), batch_of(rows())
    nn.init.zeros_(model.blocks[-1].attend.key.weight), nn.init.zeros_(model.blocks[-1].attend.key.bias)
    center, width = model.windows(batch)
    map_ = model(batch).maps["attention"]
    for i, n in enumerate(STEPS):
        seconds = map_.clocks["time"].centers(n)
        away = (seconds - center[i, :, :n, None]) / (width[i, :, :n, None] / 2)  # in standard deviations
        torch.testing.assert_close(map_.of(i), (-(away**2) / 2).softmax(dim=2), atol=1e-5, rtol=0)


def test_windows_need_a_focus():
    for name in ("front", "plain", "+CA"):
        with pytest.raises(SertutError, match=r"has no focus; build it with focus='learned' or focus='loudest'"):
            a_model(name).windows(batch_of(rows()))


def test_the_clock_of_the_map():
    """A change at frame 40 reaches the states around frame 40 / 4 and no others."""
    model, clip = a_model(), torch.randn(80, F + 1)
    changed = clip.clone()
    changed[40, :F] += 5
    moved = model.encode(batch_of([changed]))[0] - model.encode(batch_of([clip]))[0]
    steps = moved[0].abs().sum(dim=1).nonzero().squeeze(1).float()
    assert steps.mean().item() == pytest.approx(10, abs=0.5) and len(steps) <= 13
    assert model.clock(0.010).centers(20)[10].item() == pytest.approx(0.0125 + 0.40)  # middle of frame 40


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
    torch.testing.assert_close(positions(500, 64)[:7], positions(7, 64))  # they do not depend on the clip's length
    apart = torch.cdist(positions(500, 64), positions(500, 64)) + torch.eye(500)
    assert apart.min() > 0.05  # no two moments are alike


def test_only_positions_tell_equal_frames_apart():
    model, batch = a_model(), batch_of([torch.ones(100, F + 1)])
    states = model.encode(batch)[0][0, 6:-6]  # far from the ends, which the convolutions notice
    torch.testing.assert_close(states - states[:1], positions(25, 16)[6:-6] - positions(25, 16)[6:7])


def test_errors():
    with pytest.raises(SertutError, match="64 features cannot be shared by 5 heads"):
        MultiHead(F, 3, n_heads=5)
    with pytest.raises(SertutError, match="did you mean 'learned'"):
        MultiHead(F, 3, focus="learnd")
    with pytest.raises(SertutError, match="reads 6 features and the level, but got 6 columns; use a feature"):
        MultiHead(F, 3)(batch_of([torch.randn(9, F)]))
