"""What heads do: uniform heads, heads that look at themselves, and gates, all with known answers."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap
from sertut.errors import SertutError
from sertut.evidence.reach import head_use, use_of
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
