"""Starts that differ in the trunk alone, fewer speakers with as many clips, and parts of clips to learn from."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

import sertut
from sertut.errors import CorpusError, SertutError
from sertut.evidence.length import frames
from sertut.models import FullyConvolutional
from sertut.signals import Batch, length_mask
from sertut.study import build, recipe, starts
from sertut.study.photographs import Pretrained
from sertut.study.starts import OnSegments, RandomCrops, few_speakers, random_segments


def test_starts_differ_in_the_trunk_alone(tones, monkeypatch):
    def quick(trunk, seed):
        torch.manual_seed(1000 + seed)
        return Pretrained(FullyConvolutional(2, trunk), 0.5, 10, ("none",), [], 0.0)

    monkeypatch.setattr(starts, "pretrained_trunk", quick)
    random, learned = (build(f"small-{source}, 10%", tones, seed=1) for source in ("random", "photographs"))
    assert not random.pretrained and learned.pretrained
    assert {n: v.shape for n, v in random.state_dict().items()} == {n: v.shape for n, v in learned.state_dict().items()}
    assert_close(learned.trunk.state_dict(), quick("small", 1).model.trunk.state_dict())
    with pytest.raises(SertutError, match="did you mean 'small-random, 10%'"):
        build("small-randm, 10%", tones)


@pytest.fixture
def fold(tones):
    return tones.folds(n=6)[0]  # 4 training speakers


def test_shares_are_nested_and_as_many_clips_are_drawn_from_few_speakers_equally_often(fold):
    parts = [few_speakers(fold, share, seed=1) for share in (0.01, 0.25, 0.5, 0.75, 1.0)]
    speakers = [set(part.train.speakers) for part in parts]
    assert [len(names) for names in speakers] == [1, 1, 2, 3, 4]
    assert all(few <= many for few, many in itertools.pairwise(speakers))
    assert parts[2].name == f"{fold.name}, 2 of 4 training speakers"
    for part, names in zip(parts, speakers, strict=True):
        assert (part.dev, part.test) == (fold.dev, fold.test) and len(part.train) == len(fold.train)
        times = Counter(clip.audio for clip in part.train)
        assert set(times) == {clip.audio for clip in fold.train if clip.speaker in names}
        assert max(times.values()) - min(times.values()) <= 1
    chosen = [few_speakers(fold, 0.25, seed).train.speakers for seed in (*range(12), 0)]
    assert len(set(chosen)) > 1 and chosen[0] == chosen[-1]


def test_impossible_shares_and_a_lost_emotion_are_named(fold):
    for share in (0, -0.1, 1.1):
        with pytest.raises(CorpusError, match=f"you asked for {share}"):
            few_speakers(fold, share, 0)
    only = fold.train.speakers[0]
    train = fold.train.keeping(clip for clip in fold.train if clip.speaker == only or clip.emotion == "low")
    seed = next(s for s in range(20) if only not in few_speakers(fold, 0.5, s).train.speakers)
    with pytest.raises(CorpusError, match="leave no clip of high"):
        few_speakers(replace(fold, train=train), 0.5, seed)


def numbered(*lengths: int) -> Batch:
    """Clips whose frame t holds the number t; behind their ends, zeros."""
    mask = length_mask(torch.tensor(lengths), max(lengths))
    rows = (torch.arange(float(max(lengths))) * mask).unsqueeze(-1).expand(-1, -1, 64)
    return Batch(rows.clone(), mask, torch.zeros(len(lengths), dtype=torch.long))


def test_a_segment_is_a_run_of_frames_of_its_own_clip_from_any_place():
    found = {4: set(), 9: set()}
    for _ in range(200):
        cut = random_segments(numbered(4, 9), 3)
        assert cut.mask.all() and cut.features.shape == (2, 3, 64)
        for length, row in zip((4, 9), cut.features[..., 0], strict=True):
            assert_close(row - row[0], torch.arange(3.0))
            found[length].add(int(row[0]))
    assert found == {4: {0, 1}, 9: set(range(7))}  # every place, and nothing behind the end


def test_a_clip_that_is_no_longer_than_a_segment_stays_whole():
    whole = numbered(2, 5)
    for n in (5, 50):
        cut = random_segments(whole, n)
        assert_close(cut.features, whole.features)
        assert torch.equal(cut.mask, whole.mask)


def test_it_hears_segments_in_training_only():
    network, heard = OnSegments(7, segments=1.0, trunk="small", pooling="mean", dropout=0.0), []
    network.trunk[0].register_forward_hook(lambda layer, given, out: heard.append(given[0].shape[-1]))
    batch = replace(numbered(250, 180), features=torch.randn(2, 250, 64))
    network.train()(batch)
    twin = FullyConvolutional(7, trunk="small", pooling="mean", dropout=0.0)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert_close(network.eval()(batch).logits, twin.eval()(batch).logits)
    assert heard == [frames(1.0), 250]


def test_the_study_compares_it_with_the_same_network_on_whole_clips():
    corpus, names = sertut.load("planted"), ("small-mean-segments", "small-mean")
    ours, theirs = ([(n, x.shape) for n, x in build(name, corpus).named_parameters()] for name in names)
    assert ours == theirs
    longer, options = (recipe("planted", name) for name in names)
    assert longer == options | {"epochs": 45}  # 18 times 2.5: a segment is shorter than a clip by as much


class Probe(torch.nn.Module):
    def forward(self, batch):
        return batch


def test_crops_are_of_averaged_pairs_in_training_and_all_is_heard_in_testing():
    batch = numbered(40, 301, 131)
    model = RandomCrops(Probe(), crop=64)
    first, second = model(batch), model(batch)
    assert first.features.shape == (3, 64, 64) and first.lengths.tolist() == [20, 64, 64]
    real = first.features[1, :, 0]
    assert (real.diff() == 2).all()  # neighbors, from a random place
    assert not torch.equal(real, second.features[1, :, 0])
    whole = model.eval()(batch)
    assert whole.lengths.tolist() == [20, 150, 65] and whole.hop == pytest.approx(0.02)
    assert_close(whole.features[1, :, 0], torch.arange(150) * 2 + 0.5)


def test_a_clip_does_not_depend_on_its_batch_mates():
    model = RandomCrops(FullyConvolutional(3, "small")).eval()
    batch = replace(numbered(181, 240), features=torch.randn(2, 240, 64))
    alone = Batch(batch.features[:1, :181], batch.mask[:1, :181], batch.labels[:1])
    assert_close(model(batch).logits[:1], model(alone).logits, rtol=1e-5, atol=1e-5)
