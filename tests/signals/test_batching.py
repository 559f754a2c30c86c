"""Padding, masks, and statistics of train only."""

import torch

from sertut.signals import Batch, Normalizer, length_mask, pad


def test_pad_and_mask():
    features, mask = pad([torch.ones(2, 3), 2 * torch.ones(4, 3)])
    assert features.sum(dim=2).tolist() == [[3, 3, 0, 0], [6, 6, 6, 6]] and torch.equal(mask, features[..., 0] > 0)
    assert Batch(features, mask, torch.tensor([0, 1])).lengths.tolist() == [2, 4]
    longer = length_mask(torch.tensor([1, 2]), 3)
    assert longer.tolist() == [[True, False, False], [True, True, False]]


def test_normalizer_gives_zero_mean_and_unit_variance_over_all_frames():
    rows = [torch.randn(5, 2) * 3 + 1, torch.randn(50, 2) * 3 + 1]
    normalizer = Normalizer.fit(rows)
    frames = torch.cat([normalizer(row) for row in rows])
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(frames.std(dim=0), torch.ones(2))
    constant = torch.ones(4, 2)
    assert torch.isfinite(Normalizer.fit([constant])(constant)).all()
