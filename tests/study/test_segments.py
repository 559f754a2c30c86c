"""Networks that learn from segments: what they hear in training, and that a test hears all."""

import torch

import sertut
from sertut.evidence.length import frames
from sertut.models import FullyConvolutional
from sertut.signals import Batch, length_mask
from sertut.study import build
from sertut.study.segments import OnSegments, random_segments


def numbered(*lengths: int) -> Batch:
    """Clips whose frame t holds the number t; behind their ends, zeros."""
    mask = length_mask(torch.tensor(lengths), max(lengths))
    rows = (torch.arange(float(max(lengths))) * mask).unsqueeze(-1).expand(-1, -1, 64)
    return Batch(rows.clone(), mask, torch.zeros(len(lengths), dtype=torch.long))


def test_a_segment_is_a_run_of_frames_of_its_own_clip_from_any_place():
    torch.manual_seed(0)
    starts = {4: set(), 9: set()}
    for _ in range(200):
        cut = random_segments(numbered(4, 9), 3)
        assert cut.mask.all() and cut.features.shape == (2, 3, 64)
        for length, row in zip((4, 9), cut.features[..., 0], strict=True):
            torch.testing.assert_close(row - row[0], torch.arange(3.0))
            starts[length].add(int(row[0]))
    assert starts == {4: {0, 1}, 9: set(range(7))}  # every place, and nothing behind the end


def test_a_clip_that_is_no_longer_than_a_segment_stays_whole():
    whole = numbered(2, 5)
    cut = random_segments(whole, 5)
    torch.testing.assert_close(cut.features, whole.features)
    assert torch.equal(cut.mask, whole.mask)
    assert random_segments(whole, 50).features.shape == whole.features.shape


def test_it_hears_segments_in_training_only():
    torch.manual_seed(0)
    network, heard = OnSegments(7, segments=1.0, trunk="small", pooling="mean", dropout=0.0), []
    network.trunk[0].register_forward_hook(lambda layer, given, out: heard.append(given[0].shape[-1]))
    batch = Batch(torch.randn(2, 250, 64), length_mask(torch.tensor([250, 180]), 250), torch.zeros(2, dtype=torch.long))
    network.train()(batch)
    twin = FullyConvolutional(7, trunk="small", pooling="mean", dropout=0.0)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(batch).logits, twin.eval()(batch).logits)
    assert heard == [frames(1.0), 250]


def test_the_study_compares_it_with_the_same_network_on_whole_clips():
    corpus = sertut.load("planted")
    ours, theirs = (build(name, corpus) for name in ("small-mean-segments", "small-mean"))
    assert [(n, x.shape) for n, x in ours.named_parameters()] == [(n, x.shape) for n, x in theirs.named_parameters()]
    longer, recipe = (sertut.study.recipe("planted", name) for name in ("small-mean-segments", "small-mean"))
    assert longer == recipe | {"epochs": 45}  # 18 times 2.5: a segment is shorter than a clip by as much
