"""Attention maps: projections to time with a known answer."""

import pytest
import torch

from sertut.attention import AttentionMap, Clock, masked_softmax
from sertut.signals import length_mask

MASK = length_mask(torch.tensor([4, 2]))
CLOCKS = {"time": Clock(0.04, 0.01)}


def test_clock():
    torch.testing.assert_close(Clock(0.04, 0.01).centers(3), torch.tensor([0.03, 0.07, 0.11]))


def test_axes_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        AttentionMap(torch.ones(2, 4), ("time", "frequency"), MASK, CLOCKS)


def test_time_and_frequency_share_one_distribution():
    grid = MASK[:, :, None].expand(2, 4, 3)
    weights = masked_softmax(torch.randn(2, 12), grid.reshape(2, 12)).reshape(2, 4, 3)
    over_time = AttentionMap(weights, ("time", "frequency"), MASK, CLOCKS).over_time()
    assert over_time.axes == ("time",)
    torch.testing.assert_close(over_time.weights, weights.sum(dim=2))
    torch.testing.assert_close(over_time.weights.sum(dim=1), torch.ones(2))


def heads_map(gates=None):
    weights = masked_softmax(torch.randn(2, 3, 4, 4), MASK[:, None, None, :]) * MASK[:, None, :, None]
    clocks = CLOCKS | {"query": Clock(0.04, 0.01)}
    return AttentionMap(weights, ("head", "query", "time"), MASK, clocks, gates)


def test_heads_and_queries_are_averaged_over_real_queries_only():
    map_ = heads_map()
    over_time = map_.over_time()
    torch.testing.assert_close(over_time.weights.sum(dim=1), torch.ones(2))
    torch.testing.assert_close(over_time.weights[1, :2], map_.weights[1, :, :2, :2].mean(dim=(0, 1)))
    assert (over_time.weights[1, 2:] == 0).all()


def test_gates_weigh_the_heads():
    map_ = heads_map(torch.tensor([[0.9, 0.3, 0.6], [0.2, 0.8, 0.5]]))
    over_time = map_.over_time()
    for clip, n in enumerate((4, 2)):
        w = map_.gates[clip] / map_.gates[clip].sum()
        expected = [
            sum(w[h] * map_.weights[clip, h, i, j] for h in range(3) for i in range(n)).item() / n for j in range(4)
        ]
        assert over_time.weights[clip].tolist() == pytest.approx(expected, abs=1e-6)
    torch.testing.assert_close(over_time.weights.sum(dim=1), torch.ones(2))
    assert over_time.gates is None and set(over_time.clocks) == {"time"}


def test_one_head():
    map_ = heads_map(torch.rand(2, 3))
    head = map_.head(2)
    assert head.axes == ("query", "time") and head.gates is None and head.clocks == map_.clocks
    assert torch.equal(head.weights, map_.weights[:, 2])
    torch.testing.assert_close(head.over_time().weights.sum(dim=1), torch.ones(2))
    with pytest.raises(ValueError, match="has no heads"):
        head.head(0)


@pytest.mark.parametrize("gated", [True, False])
def test_a_clip_alone_keeps_its_gates_and_gives_the_same_over_time(gated):
    map_ = heads_map(torch.rand(2, 3) if gated else None)
    for i, n in enumerate((4, 2)):
        alone = map_.alone(i)
        assert alone.weights.shape == (1, 3, n, n) and alone.mask.shape == (1, n) and alone.mask.all()
        assert alone.axes == map_.axes and alone.clocks == map_.clocks
        assert torch.equal(alone.gates, map_.gates[i : i + 1]) if gated else alone.gates is None
        torch.testing.assert_close(alone.over_time().weights[0], map_.over_time().of(i))
        assert torch.equal(map_.of(i), map_.weights[i, :, :n, :n]) and torch.equal(alone.of(0), map_.of(i))
        assert torch.equal(map_.head(0).of(i), map_.weights[i, 0, :n, :n])


def test_queries_of_the_other_stream_are_averaged_under_their_own_mask():
    rows = torch.tensor([[[0.2, 0.8, 0.0, 0.0], [0.6, 0.4, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    asked, asking = torch.tensor([[True, True, False, False]]), torch.tensor([[True, True, False]])
    clocks = {"video": Clock(0.04), "time": Clock(0.04)}
    map_ = AttentionMap(rows, ("video", "time"), asked, clocks, query_mask=asking)
    torch.testing.assert_close(map_.over_time().weights, torch.tensor([[0.4, 0.6, 0.0, 0.0]]))
    longer = AttentionMap(rows, ("video", "time"), torch.tensor([[True] * 3 + [False]]), clocks, query_mask=asking)
    torch.testing.assert_close(longer.over_time().weights, torch.tensor([[0.4, 0.6, 0.0, 0.0]]))  # 2 queries, 3 keys
