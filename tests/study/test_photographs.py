"""The transfer that needs no download: patches are what they claim to be, and the task is learned."""

import torch

from sertut.models import FullyConvolutional
from sertut.study import photographs
from sertut.study.photographs import HELD_OUT, SIDE, patches, sample_photographs, sizes, split
from sertut.training import fit


def test_the_tested_stripe_is_not_learned_from_and_sizes_go_down_to_a_patch():
    image = torch.arange(200.0).expand(100, 200)  # every column has its own number
    known, unseen = split(image)
    columns = [set(part.unique().tolist()) for part in (*known, *unseen)]
    assert sum(map(len, columns)) == 200 == len(set.union(*columns))
    assert len(columns[2]) == 200 * HELD_OUT
    shapes = [tuple(copy.shape) for copy in sizes(torch.rand(256, 300))]
    assert shapes[0] == (256, 300) and SIDE <= min(shapes[-1]) < SIDE * 2 ** (1 / 3)


def test_a_patch_is_turned_by_as_much_as_is_said():
    """In a picture that gets brighter downward, the bright side tells the number of quarter turns."""
    image = torch.linspace(0, 1, 128)[:, None].expand(128, 160)
    pixels, turns = patches([sizes(image)], 40, torch.Generator().manual_seed(0))
    for patch, turn in zip(pixels, turns.tolist(), strict=True):
        sides = torch.stack([patch[-1].mean(), patch[:, -1].mean(), patch[0].mean(), patch[:, 0].mean()])
        assert int(sides.argmax()) == turn  # rot90 takes bottom to right, right to top, top to left
    assert set(turns.tolist()) == {0, 1, 2, 3}


def test_the_libraries_bring_photographs_whose_patches_look_like_normalized_features():
    found = sample_photographs()
    assert {"china.jpg", "flower.jpg"} <= set(found)
    assert all(image.dim() == 2 and 0 <= image.min() < image.max() <= 1 for image in found.values())
    pixels, _ = patches([sizes(image) for image in found.values()], 64, torch.Generator().manual_seed(0))
    assert pixels.shape == (64, SIDE, SIDE) and torch.isfinite(pixels).all()
    assert pixels.mean(dim=(1, 2)).abs().max() < 1e-4 and 0.6 < pixels.std(dim=(1, 2)).mean() < 1.4


def test_it_is_deterministic_and_leaves_the_model_alone(tones, monkeypatch):
    """What is learned is the trunk: whoever trains with it starts from there, and draws the rest."""
    few = lambda images, n, generator: patches(images, min(n, 32), generator)  # noqa: E731
    monkeypatch.setattr(photographs, "patches", few)
    model = FullyConvolutional(2, "small")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    options = dict(steps=3, batch_size=8, progress=False)
    first, again, other = (photographs.pretrain_on_photographs(model, seed=seed, **options) for seed in (3, 3, 4))
    assert (first.accuracy, first.history) == (again.accuracy, again.history) and first.n == 32
    trunk, *others = (run.model.trunk[0].weight for run in (first, again, other))
    assert torch.equal(trunk, others[0]) and not torch.equal(trunk, others[1])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert first.model.pretrained and not model.pretrained
    fold = tones.folds(n=3)[0]
    runs = [fit(first.model, fold, seed=seed, epochs=1, progress=False, device="cpu") for seed in (0, 1)]
    assert all(torch.equal(run.initial["trunk.0.weight"], trunk) for run in runs)
    assert not torch.equal(runs[0].initial["classify.weight"], runs[1].initial["classify.weight"])


def test_the_task_is_learned():
    model = FullyConvolutional(2, "small")
    found = photographs.pretrain_on_photographs(model, steps=100, batch_size=32, progress=False)
    assert len(found.history) == 100 and sum(found.history[-10:]) < 0.95 * sum(found.history[:10])
    assert found.n == 1024 and found.photographs == tuple(sample_photographs()) and found.chance == 0.25
    guessing = (found.chance * (1 - found.chance) / found.n) ** 0.5
    assert found.accuracy > found.chance + 3 * guessing
