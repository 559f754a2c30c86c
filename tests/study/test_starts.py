"""Starts that differ in the trunk alone, fewer speakers with as many clips, and crops to train on."""

import pytest
import torch

from sertut.errors import SertutError
from sertut.models import FullyConvolutional
from sertut.signals import Batch, length_mask
from sertut.study import build, starts
from sertut.study.photographs import Pretrained
from sertut.study.starts import RandomCrops, few_speakers


def test_starts_differ_in_the_trunk_alone(tones, monkeypatch):
    def quick(trunk, seed):
        torch.manual_seed(1000 + seed)
        return Pretrained(FullyConvolutional(2, trunk), 0.5, 10, ("none",), [], 0.0)

    monkeypatch.setattr(starts, "pretrained_trunk", quick)
    random, learned = (build(f"small-{source}, 10%", tones, seed=1) for source in ("random", "photographs"))
    assert not random.pretrained and learned.pretrained
    assert {n: v.shape for n, v in random.state_dict().items()} == {n: v.shape for n, v in learned.state_dict().items()}
    torch.testing.assert_close(learned.trunk.state_dict(), quick("small", 1).model.trunk.state_dict())
    with pytest.raises(SertutError, match="did you mean 'small-random, 10%'"):
        build("small-randm, 10%", tones)


def test_few_speakers_mean_as_many_clips(tones):
    fold = tones.folds(n=6)[0]
    part = few_speakers(fold, 0.25, seed=0)
    assert len(part.train.speakers) == 1 and len(part.train) == len(fold.train)


class Probe(torch.nn.Module):
    def forward(self, batch):
        return batch


def test_pairs_of_frames_are_averaged():
    features = torch.arange(14.0).view(1, 7, 2)
    mask = length_mask(torch.tensor([7]))
    out = RandomCrops(Probe()).eval()(Batch(features, mask, torch.zeros(1, dtype=torch.long)))
    torch.testing.assert_close(out.features[0], features[0, :6].view(3, 2, 2).mean(dim=1))
    assert out.mask.tolist() == [[True] * 3] and out.hop == pytest.approx(0.02)


def test_a_whole_part_is_heard_in_training_and_all_in_testing():
    mask = length_mask(torch.tensor([40, 300, 131]))
    features = (torch.arange(300.0)[None, :, None] * mask.unsqueeze(-1)).expand(-1, -1, 3)
    batch = Batch(features, mask, torch.zeros(3, dtype=torch.long))
    model = RandomCrops(Probe(), crop=64)
    first, second = model(batch), model(batch)
    assert first.features.shape == (3, 64, 3) and first.lengths.tolist() == [20, 64, 64]
    real = first.features[1, :, 0]
    assert (real.diff() == 2).all()  # neighbors, from a random place
    assert not torch.equal(real, second.features[1, :, 0])
    assert model.eval()(batch).lengths.tolist() == [20, 150, 65]


def test_a_clip_does_not_depend_on_its_batch_mates():
    model = RandomCrops(FullyConvolutional(3, "small")).eval()
    batch = Batch(torch.randn(2, 240, 64), length_mask(torch.tensor([181, 240])), torch.zeros(2, dtype=torch.long))
    alone = Batch(batch.features[:1, :181], batch.mask[:1, :181], batch.labels[:1])
    torch.testing.assert_close(model(batch).logits[:1], model(alone).logits, rtol=1e-5, atol=1e-5)
