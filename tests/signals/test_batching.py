"""Padding, masks, and statistics of train only."""

import torch

from sertut.signals import Batch, Normalizer, length_mask, pad


def test_pad_and_mask():
    rows = [torch.ones(2, 3), 2 * torch.ones(4, 3)]
    features, mask = pad(rows)
    assert features.shape == (2, 4, 3)
    assert mask.tolist() == [[True, True, False, False], [True, True, True, True]]
    assert features[0, 2:].abs().sum() == 0
    assert Batch(features, mask, torch.tensor([0, 1])).lengths.tolist() == [2, 4]


def test_length_mask_can_be_longer_than_the_longest():
    assert length_mask(torch.tensor([1, 2]), 3).tolist() == [[True, False, False], [True, True, False]]


def test_normalizer_gives_zero_mean_and_unit_variance_over_all_frames():
    rows = [torch.randn(5, 2) * 3 + 1, torch.randn(50, 2) * 3 + 1]
    normalizer = Normalizer.fit(rows)
    frames = torch.cat([normalizer(row) for row in rows])
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(frames.std(dim=0), torch.ones(2))


def test_a_constant_column_does_not_divide_by_zero():
    assert torch.isfinite(Normalizer.fit([torch.ones(4, 2)])(torch.ones(4, 2))).all()
