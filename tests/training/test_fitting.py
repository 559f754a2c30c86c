"""Training: deterministic, resumable without changing a bit, selected on dev, and it learns."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from sertut.attention import AttentionPooling
from sertut.corpora import load_features
from sertut.errors import SertutError
from sertut.models import Output, redraw
from sertut.signals import FEATURES, Normalizer, feature
from sertut.training import fit, fitting, pick_device, predict
from sertut.training.data import Examples, distorted
from sertut.training.fitting import class_weights
from sertut.training.recipe import make_recipe
from tests.conftest import tone
from tests.training.conftest import DISTORTED, QUICK, interrupted, network, same


def weights(run):
    return run.model.state_dict()


def test_the_same_seed_gives_the_same_bits(run, fold):
    torch.manual_seed(456)  # what happened before must not matter
    again = fit(network(), fold, seed=1, **QUICK, **DISTORTED)
    assert same(weights(run), weights(again)) and run.history == again.history
    assert not same(weights(run), weights(fit(network(), fold, seed=2, **QUICK, **DISTORTED)))


def test_what_is_taken_apart_on_the_cpu_is_a_copy(run):
    for ours, theirs in zip(run.on_cpu().parameters(), run.model.parameters(), strict=True):
        assert ours.device.type == "cpu" and torch.equal(ours, theirs) and ours.data_ptr() != theirs.data_ptr()


@pytest.mark.parametrize("extra", [{}, dict(average=0.9, similar=True, keep="last")], ids=["plain", "all"])
def test_resuming_changes_no_bit(run, fold, tmp_path, monkeypatch, extra):
    whole = fit(network(), fold, seed=1, **QUICK, **DISTORTED, **extra) if extra else run
    options = dict(seed=1, checkpoint=tmp_path / "c.safetensors", **QUICK, **DISTORTED, **extra)
    with interrupted(monkeypatch):
        fit(network(), fold, **options)
    resumed = fit(network(), fold, **options)
    assert same(weights(whole), weights(resumed))
    assert [h["loss"] for h in whole.history] == [h["loss"] for h in resumed.history]
    assert [path.name for path in tmp_path.glob("*safetensors*")] == ["c.safetensors"]


@pytest.fixture
def scripted(monkeypatch):
    """``scripted([.2, .6])``: an epoch moves the weights without training, and dev gets these UARs, then the last one.

    Returns the examples that were tested, and the weights that they were tested with.
    """

    def script(uars):
        parts, tested = [], []

        def moved(model, *args):
            with torch.no_grad():
                next(model.parameters()).add_(1.0)
            return 1.0

        def told(model, part, *args):
            parts.append(part)
            tested.append({name: value.clone() for name, value in model.state_dict().items()})
            return uars[min(len(tested), len(uars)) - 1]

        monkeypatch.setattr(fitting, "_one_epoch", moved)
        monkeypatch.setattr(fitting, "_uar_on", told)
        return parts, tested

    return script


def test_the_best_epoch_on_dev_is_kept_of_equals_the_last(fold, scripted):
    parts, tested = scripted([0.2, 0.6, 0.6, 0.1, 0.9, 0.1])
    run, last = (fit(network(), fold, keep=keep, **QUICK | {"epochs": 4}) for keep in ("best", "last"))
    assert run.best_epoch == 2 and same(weights(run), tested[2]) and not same(weights(run), tested[3])
    assert last.best_epoch == 3 and same(weights(last), tested[7])  # nothing is chosen on dev
    dev = run.examples(fold.dev)
    assert all(torch.equal(*pair) for pair in zip(parts[0].rows, dev.rows, strict=True))


def test_a_checkpoint_of_another_training_is_refused(fold, tones, tmp_path, scripted):
    """Another fold, whose training speakers are tested here; another pooling, with the same weights; ..."""
    scripted([0.5])
    path, mean = tmp_path / "c.safetensors", network(pooling="mean")
    fit(mean, fold, seed=1, checkpoint=path, **QUICK)
    others = {
        "clips": (mean, tones.folds(n=3)[1], 1, {}),
        "network": (network(pooling="max"), fold, 1, {}),
        "seed": (mean, fold, 2, {}),
        "recipe": (mean, fold, 1, {"learning_rate": 1e-3}),
    }
    for what, (model, other, seed, options) in others.items():
        with pytest.raises(SertutError, match=f"another training, with other .*{what}"):
            fit(model, other, seed=seed, checkpoint=path, **QUICK | options)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SertutError, match="cannot be read"):
        fit(mean, fold, seed=1, checkpoint=path, **QUICK)


def test_it_learns_what_can_be_learned(fold):
    run = fit(network(), fold, seed=0, **{**QUICK, **DISTORTED, "epochs": 25})
    predictions = predict(run, fold.test)
    assert (predictions.predicted == predictions.labels.numpy()).mean() > 0.9
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_the_given_model_stays_untrained_and_so_does_the_control(fold, scripted):
    scripted([0.5])
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run, again = (fit(model, fold, seed=1, **QUICK) for _ in range(2))
    assert same(before, model.state_dict())
    assert same(weights(run.untrained()), weights(again.untrained())) and not same(weights(run.untrained()), before)
    assert not same(weights(run.untrained()), weights(run))


def test_the_average_of_the_weights_follows_by_its_decay(fold, monkeypatch):
    """A second implementation: step by step, w' = d w' + (1 - d) w, from the first step's weights on."""
    steps, real = [], fitting.AveragedModel.update_parameters

    def recorded(self, model):
        steps.append([p.detach().clone() for p in model.parameters()])
        real(self, model)

    monkeypatch.setattr(fitting.AveragedModel, "update_parameters", recorded)
    run = fit(network(), fold, seed=0, **QUICK, average=0.8, keep="last")
    expected = steps[0]
    for weights in steps[1:]:
        expected = [0.8 * e + 0.2 * w for e, w in zip(expected, weights, strict=True)]
    torch.testing.assert_close([parameter.detach() for parameter in run.model.parameters()], expected)


class Told(torch.nn.Module):
    """Its logits are the mean of each clip's columns; nothing in it depends on a batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, batch):
        return Output(self.weight * (batch.features * batch.mask.unsqueeze(-1)).sum(dim=1) / batch.lengths[:, None])


def an_epoch(rows, epoch=0):
    """Its mean loss and what should have come out of `rows`, two clips a batch; nothing is learned."""
    part, recipe = Examples(rows, torch.tensor([0, 1, 1, 0, 1])), make_recipe(batch_size=2)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    loss = fitting._one_epoch(Told(), part, optimizer, recipe, 0, epoch, torch.device("cpu"), None)
    expected = cross_entropy(torch.stack(rows).mean(dim=1), part.labels, label_smoothing=recipe.label_smoothing)
    return loss, expected.item()


def test_the_loss_of_an_epoch_is_the_mean_over_its_clips():
    """Also where the last batch is smaller; and if it explodes in any one step, this is said, with the epoch."""
    rows = list(torch.randn(5, 3, 2))
    loss, expected = an_epoch(rows)
    assert loss == pytest.approx(expected)
    for i in range(5):
        exploding = [row * torch.inf if i == j else row for j, row in enumerate(rows)]
        with pytest.raises(SertutError, match="no longer a finite number in epoch 1; lower learning_rate"):
            an_epoch(exploding, epoch=1)


def test_float32_is_what_runs_unless_asked_for_otherwise(fold, monkeypatch):
    """On every processor, also on one that could do otherwise; in bfloat16 the loss differs, and only a little."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    losses = []
    for options, ran in (({}, "float32"), ({"precision": "auto"}, "float32"), ({"precision": "bfloat16"}, "bfloat16")):
        seen = []
        model = network()
        model.pool.classify.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output.dtype))
        run = fit(model, fold, **QUICK | {"epochs": 1} | options)
        assert run.precision == ran and seen[0] == getattr(torch, ran)
        assert all(parameter.dtype == torch.float32 for parameter in run.model.parameters())
        losses.append(run.history[0]["loss"])
    assert losses[0] == losses[1] != losses[2] and losses[2] == pytest.approx(losses[0], abs=0.05)


def test_batches_of_similar_length_have_no_padding():
    rows = [torch.full((10 + 3 * i, 4), float(i)) for i in range(50)]
    part = Examples(rows, torch.arange(50))
    batches = list(part.shuffled(make_recipe(batch_size=8, similar=True), torch.Generator().manual_seed(0)))
    assert all(batch.mask.all() for batch in batches)
    assert sorted(torch.cat([batch.labels for batch in batches]).tolist()) == list(range(50))
    assert all((batch.features[:, 0, 0] == batch.labels).all() for batch in batches)  # features stay with their labels
    assert sum(batch.mask.sum().item() for batch in batches) > 0.8 * sum(len(row) for row in rows)
    lengths = [batch.features.shape[1] for batch in batches]
    assert lengths != sorted(lengths)  # short batches do not always come first


def test_batches_of_one_tempo_are_stretched_to_one_length_and_lose_nothing():
    """A row counts up from 0 to 1: what is left of it shows how far it was stretched, and that no end was cut."""
    lengths = [100 + 3 * i for i in range(96)]
    part = Examples([torch.linspace(0, 1, n).unsqueeze(1).expand(n, 4) for n in lengths], torch.arange(96))
    recipe = make_recipe(batch_size=8, similar=True, whole=True, stretch=0.2)
    tempos, generator = [], torch.Generator().manual_seed(0)
    for _ in range(20):
        batches = list(part.shuffled(recipe, generator))
        assert sorted(torch.cat([batch.labels for batch in batches]).tolist()) == list(range(96))
        for batch in batches:
            assert batch.mask.all() and (batch.features[:, 0] <= 0.01).all() and (batch.features[:, -1] >= 0.99).all()
            tempos += [lengths[label] / batch.features.shape[1] for label in batch.labels]
    tempos = torch.tensor(tempos)
    assert 0.7 <= tempos.min() <= 0.85 and 1.15 <= tempos.max() <= 1.35 and abs(tempos.mean() - 1) < 0.02
    assert ((tempos - 1).abs() <= 0.2).float().mean() > 0.98  # the longest and the shortest may have to go further
    padded = list(part.shuffled(make_recipe(batch_size=8, similar=True, whole=True), generator))
    assert sum(int(batch.mask.sum()) for batch in padded) == sum(lengths)  # without a change of tempo: padding


def test_statistics_come_from_train_only(run, fold):
    expected = Normalizer.fit(load_features(fold.train))
    torch.testing.assert_close(run.normalizer.mean, expected.mean)
    torch.testing.assert_close(run.normalizer.std, expected.std)


def test_predictions_are_in_the_order_of_the_corpus(run, fold):
    predictions = predict(run, fold.test)
    assert [clip.name for clip in predictions.clips] == [clip.name for clip in fold.test]
    for i in (0, 5):
        alone = predict(run, fold.test.keeping([fold.test[i]]))
        torch.testing.assert_close(predictions.logits[i], alone.logits[0], atol=1e-5, rtol=0)
        found, expected = (told["attention"].weights for told in (predictions.maps[i], alone.maps[0]))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    with pytest.raises(SertutError, match="low, high, but the corpus 'tones' has low, high, fear; evaluate"):
        predict(run, dataclasses.replace(fold.test, emotions=("low", "high", "fear")))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (dict(epoch=3), "did you mean 'epochs'"),
        (dict(feature="mfc"), "did you mean 'mfcc'"),
        (dict(face="hogg"), "feature of the face 'hogg': did you mean 'hog'"),
        (dict(keep="bets"), "did you mean 'best'"),
        (dict(precision="float16"), "did you mean 'bfloat16'"),
        # It was bfloat16 on some processors and float32 on others.
        (dict(precision="fast"), "'fast': .*known are float32, bfloat16, auto"),
        (dict(whole=True), "set similar=True"),
        (dict(face="hog", stretch=0.1), "stretch would move the voice against the face"),
        (dict(feature="mfcc_level", frequency_mask=3), "'mfcc_level' has no mel bands"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(fold, options, sentence):
    with pytest.raises(SertutError, match=sentence):
        fit(network(), fold, **options)


def test_devices():
    assert pick_device("cpu") == torch.device("cpu") and pick_device("cpu:0").type == "cpu"
    for name in ("gpu", "cuda:x", "cpu:", "meta"):
        with pytest.raises(SertutError, match=f"unknown device '{name}': .*known are auto, cpu, cuda, mps"):
            pick_device(name)
    absent = {"cpu:1": 1, f"cuda:{torch.cuda.device_count()}": torch.cuda.device_count()}
    if not torch.backends.mps.is_available():
        absent |= {"mps": 0, "mps:0": 0}
    for name, count in absent.items():
        with pytest.raises(SertutError, match=f"'{name}' was asked for, but of [a-z]+ there are {count} here"):
            pick_device(name)


@pytest.mark.parametrize("similar", [False, True])
def test_batches_are_made_on_the_device_without_asking_it(similar):
    """Tensors on "meta" have no numbers: whoever asked for one, as a GPU would have to be waited for, would fail."""
    rows, faces = [torch.randn(40 + i, 129) for i in range(20)], [torch.randn(10 + i, 5) for i in range(20)]
    voices = [torch.randn(3, *row.shape).half() for row in rows]
    how = dict(voices=0.5, gain=0.2, frequency_mask=8, time_mask=8, batch_size=8, similar=similar)
    for seen, stretch in ((None, 0.1), (faces, 0.0)):
        recipe = make_recipe(feature="log_mel_relative_level", stretch=stretch, **how)
        part = Examples(rows, torch.arange(20), seen, voices)
        there = part.to(torch.device("meta"))
        for name in ("rows", "voices", *["faces"] * (seen is not None)):  # whatever a clip may have has come along
            found = [(x.device.type, x.shape) for x in getattr(there, name)]
            assert found == [("meta", x.shape) for x in getattr(part, name)]
        batches = (each.shuffled(recipe, torch.Generator().manual_seed(0)) for each in (part, there))
        for ours, theirs in zip(*batches, strict=True):
            assert theirs.features.device.type == "meta" and theirs.features.shape == ours.features.shape
            assert torch.equal(theirs.mask, ours.mask) and torch.equal(theirs.labels, ours.labels)
            assert seen is None or theirs.face.device.type == "meta"


def test_what_cannot_be_drawn_anew_is_named():
    with pytest.raises(SertutError, match="Told"):
        redraw(Told())


def test_augment_does_what_it_says():
    row, generator = torch.randn(100, 129), torch.Generator().manual_seed(0)
    torch.testing.assert_close(distorted(row, make_recipe(), generator), row)
    lengths = {len(distorted(row, make_recipe(stretch=0.2), generator)) for _ in range(50)}
    assert min(lengths) >= 83 and max(lengths) <= 125 and len(lengths) > 10
    one_frame = distorted(row[:1], make_recipe(stretch=0.2, gain=1, frequency_mask=5, time_mask=5), generator)
    assert one_frame.shape == (1, 129) and torch.isfinite(one_frame).all()
    recipe = make_recipe(frequency_mask=10, feature="log_mel_relative_level")
    for _ in range(50):  # a band is masked in both halves of the table, the level never
        masked = distorted(row, recipe, generator)
        blank = (masked == 0).all(dim=0)
        assert torch.equal(blank[:64], blank[64:128]) and blank[:64].sum() <= 20 and not blank[128]
        assert torch.equal(masked[:, ~blank], row[:, ~blank])


@pytest.mark.parametrize("name", FEATURES)
def test_gain_moves_what_a_louder_recording_moves(name):
    """And all of that by as much."""
    samples = tone(0.5) + 0.02 * np.random.default_rng(0).normal(size=8000).astype(np.float32)
    table = feature(name)(samples)
    heard = (feature(name)(2 * samples) - table).abs().amax(dim=0) > 0.01
    moved = distorted(table, make_recipe(gain=1.0, feature=name), torch.Generator().manual_seed(0)) - table
    assert heard.any() and (moved[:, ~heard] == 0).all()
    moved = moved[:, heard]
    torch.testing.assert_close(moved, moved[:1, :1].expand(moved.shape), atol=1e-4, rtol=0)
    assert moved.abs().min() > 1e-3


def test_a_share_of_the_clips_is_heard_in_another_voice():
    rows = [torch.full((5, 64), float(i)) for i in range(3)]
    voices = [torch.stack([row + 0.25 * (v + 1) for v in range(4)]).half() for row in rows]
    part, generator = Examples(rows, torch.zeros(3, dtype=torch.long), voices=voices), torch.Generator().manual_seed(0)
    heard = torch.tensor([float(part.heard(1, make_recipe(voices=0.6), generator)[0, 0]) for _ in range(400)])
    assert set(heard.tolist()) == {1.0, 1.25, 1.5, 1.75, 2.0}
    assert (heard != 1.0).float().mean() == pytest.approx(0.6, abs=0.08)
    assert all((part.heard(1, make_recipe(), generator) == rows[1]).all() for _ in range(20))
    halved = part.normalized(Normalizer(torch.ones(64), 2 * torch.ones(64)))
    torch.testing.assert_close(halved.voices[2].float(), (voices[2].float() - 1) / 2)


def test_balanced_classes_have_the_same_say():
    weights = class_weights(torch.tensor([0, 1, 1, 1, 3, 3]), 5)  # 1 on average over the clips
    torch.testing.assert_close(weights, torch.tensor([2.0, 2 / 3, 0.0, 1.0, 0.0]))  # a class without clips has no say


def test_a_map_that_looks_at_padding_is_told(run, fold, monkeypatch):
    def without_mask(self, states, mask):
        return torch.softmax(self.score(torch.tanh(self.project(states))).squeeze(-1), dim=-1)

    assert len({len(row) for row in run.examples(fold.test).rows}) > 1
    monkeypatch.setattr(AttentionPooling, "weights", without_mask)
    with pytest.raises(SertutError, match=r"'attention' of s\S+ looks at padding.*give its softmax the mask"):
        predict(run, fold.test)
