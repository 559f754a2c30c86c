"""What heads do: uniform heads, heads that look at themselves, and gates that are known or frozen."""

import copy
import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap
from sertut.errors import SertutError
from sertut.evidence import reach
from sertut.evidence.reach import freeze_gates, gate_use, gates_of, head_use, use_of
from sertut.models import MultiHead
from sertut.training import fit, predict
from tests.evidence.conftest import HOP, a_map

N = 5
UNIFORM, ITSELF = torch.full((N, N), 1 / N), torch.eye(N)
FIRST = torch.zeros(N, N).index_fill_(1, torch.tensor([0]), 1.0)


def map_of(*heads, gates=None):
    gates = None if gates is None else torch.tensor([gates])
    return a_map(torch.stack(heads), ("head", "query", "time"), gates=gates)


def test_each_head_alone():
    (uniform, itself, first), together = use_of(map_of(UNIFORM, ITSELF, FIRST))
    assert (
        uniform["distance"] == pytest.approx((N**2 - 1) / (3 * N) * HOP) == pytest.approx(together["distance_chance"])
    )
    assert uniform["steps"] == pytest.approx(N) == together["steps_chance"]
    assert (itself["distance"], itself["steps"], itself["seconds"]) == (0, 1, HOP)
    assert first["distance"] == pytest.approx(2 * HOP) and first["steps"] == 1
    assert np.isnan(first["spread"]) and first["gate"] == 1
    assert together["steps"] == pytest.approx((N + 2) / 3) and together["spread"] == 0


def test_heads_that_receive_alike_are_not_unlike():
    assert use_of(map_of(UNIFORM, ITSELF))[1]["unlike"] < 1e-7  # each key receives 1 / N under both
    assert use_of(map_of(UNIFORM, FIRST))[1]["unlike"] == pytest.approx(1 - 1 / N)
    assert use_of(map_of(FIRST, FIRST.roll(1, dims=1)))[1]["unlike"] == 1
    assert use_of(map_of(FIRST))[1]["unlike"] == 0


def test_gates_weigh_the_heads():
    each, together = use_of(map_of(UNIFORM, ITSELF, gates=[0.2, 0.6]))
    assert together["steps"] == pytest.approx((0.2 * N + 0.6) / 0.8)
    assert together["gate"] == pytest.approx(0.4) and together["spread"] == pytest.approx(0.4)
    assert [head["gate"] for head in each] == pytest.approx([0.2, 0.6])


def test_padding_does_not_count():
    map_ = map_of(UNIFORM, FIRST)
    weights = torch.zeros(1, 2, N + 3, N + 3)
    weights[..., :N, :N] = map_.weights
    padded = AttentionMap(weights, map_.axes, torch.arange(N + 3)[None] < N, map_.clocks)
    assert str(use_of(padded)) == str(use_of(map_))


def test_over_clips_and_what_it_refuses(make_map):
    clips = [SimpleNamespace(name=str(i), speaker=f"speaker {i % 2}") for i in range(4)]
    found = head_use(clips, [map_of(UNIFORM, ITSELF)] * 4)
    assert found.methods == ("all heads", "head 1", "head 2")
    assert found.difference("head 1", "head 2", "steps").estimate == pytest.approx(N - 1)
    assert "effective seconds" in str(found)
    with pytest.raises(SertutError, match="axes time"):
        head_use(clips[:1], [make_map(np.ones(N))])


@pytest.fixture
def fold(tones):
    return tones.folds(n=3)[0]


def a_run(fold, calibrate=True):
    torch.manual_seed(0)
    network = MultiHead(64, len(fold.test.emotions), calibrate=calibrate)
    return fit(network, fold, epochs=1, feature="log_mel_level", device="cpu", progress=False)


def with_gate(run, weight, bias):
    """The gates of the run follow from a weight for what the clip holds and a bias (H,)."""
    model = copy.deepcopy(run.model)
    gate = model.blocks[-1].attend.gate
    with torch.no_grad():
        gate.excite.weight.fill_(weight)
        gate.excite.bias.copy_(bias)
    return dataclasses.replace(run, model=model)


def test_gates_that_do_not_depend_on_the_clip_lose_nothing_when_frozen(fold):
    bias = torch.linspace(-1, 1, 4)
    run = with_gate(a_run(fold), 0.0, bias)
    found = gate_use(run, fold)
    ends = torch.sigmoid(bias[[0, -1]])
    assert found.interval("own gates", "spread").estimate == pytest.approx(float(ends[1] - ends[0]), abs=1e-6)
    assert (found.sums("own gates", "uar") == found.sums("frozen gates", "uar")).all()
    assert found.difference("own gates", "frozen gates", "uar").estimate == 0.0


def test_frozen_gates_are_plain_attention_with_another_output_matrix(fold):
    run, values = a_run(fold), torch.tensor([0.9, 0.5, 0.2, 0.7])
    frozen = predict(freeze_gates(run, values), fold.test)
    assert torch.allclose(gates_of(frozen), values.expand(len(fold.test), -1))
    model = copy.deepcopy(run.model)
    attend = model.blocks[-1].attend
    attend.gate = None
    with torch.no_grad():
        attend.join.weight.mul_(values.repeat_interleave(attend.join.in_features // 4))
    plain = predict(dataclasses.replace(run, model=model), fold.test)
    torch.testing.assert_close(frozen.logits, plain.logits)
    own = gates_of(predict(run, fold.test))
    assert not torch.allclose(own, values.expand_as(own))  # the run itself is as it was


def test_what_is_frozen_are_the_means_over_dev_and_the_control_is_untrained(fold, monkeypatch):
    run, frozen = with_gate(a_run(fold), 3.0, torch.tensor([-2.0, 0.0, 0.0, 2.0])), []
    monkeypatch.setattr(reach, "freeze_gates", lambda run, means: frozen.append(means) or freeze_gates(run, means))
    found = gate_use(run, fold)
    of_dev, of_test = (gates_of(predict(run, part)).mean(dim=0) for part in (fold.dev, fold.test))
    torch.testing.assert_close(frozen, [of_dev])
    assert not torch.allclose(of_dev, of_test)
    labels = predict(freeze_gates(run, of_dev), fold.test).predicted
    right = sum(fold.test.label(clip) == label for clip, label in zip(fold.test, labels, strict=True))
    assert found.sums("frozen gates", "uar").trace(axis1=-2, axis2=-1).sum() == right
    before = gates_of(predict(run.untrained(), fold.test))
    expected = float((before.amax(dim=1) - before.amin(dim=1)).mean())
    assert found.interval("untrained", "spread").estimate == pytest.approx(expected, abs=1e-6)


def test_a_network_without_gates_says_so(fold):
    with pytest.raises(SertutError, match="calibrate=True"):
        gate_use(a_run(fold, calibrate=False), fold)
