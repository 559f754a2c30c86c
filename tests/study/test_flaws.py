"""What each flaw spoils, and that nothing else changes."""

from dataclasses import replace

import numpy as np
import torch

from sertut.corpora import load_features
from sertut.evidence import Tally
from sertut.models import AttentiveLSTM
from sertut.signals import Batch, Normalizer
from sertut.study.flaws import Restated, over_partitions, spoil
from sertut.training import fit
from tests.study.test_grid import three  # noqa: F401

HOW = dict(feature="log_mel", epochs=3, average=0.5, keep="last")


def listener(corpus):
    return AttentiveLSTM(64, len(corpus.emotions), 8, 8)


def test_the_random_split_hears_test_speakers_in_training_and_tests_each_clip_once(three):  # noqa: F811
    tested = []
    for index, strict in enumerate(three.folds()):
        _, fold, options = spoil("random split", listener(three), three, index, 3, HOW)
        assert options == HOW and [len(x) for x in fold.parts.values()] == [len(x) for x in strict.parts.values()]
        assert set(fold.test.speakers) & set(fold.train.speakers) and not strict.leaks.speakers
        tested += [clip.name for clip in fold.test]
    assert sorted(tested) == sorted(clip.name for clip in three)
    other = spoil("random split", listener(three), three, 0, 4, HOW)[1]
    assert [c.name for c in other.test] != tested[: len(other.test)]  # another deal for another seed


def test_statistics_over_all_are_those_of_all_clips(three):  # noqa: F811
    torch.manual_seed(0)
    model = listener(three).eval()
    spoiled, fold, _ = spoil("statistics over all", model, three, 1, 0, HOW)
    assert isinstance(spoiled, Restated) and [c.name for c in fold.test] == [c.name for c in three.folds()[1].test]
    row = load_features(fold.test)[0]
    ours, every = Normalizer.fit(load_features(fold.train)), Normalizer.fit(load_features(three))
    batch = Batch(ours(row)[None], torch.ones(1, len(row), dtype=torch.bool), torch.zeros(1, dtype=torch.long))
    pad = torch.nn.functional.pad
    padded = replace(batch, features=pad(batch.features, (0, 0, 0, 9)), mask=pad(batch.mask, (0, 9)))
    with torch.no_grad():
        wanted = model(replace(batch, features=every(row)[None])).logits
        torch.testing.assert_close(spoiled(batch).logits, wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(spoiled(padded).logits, wanted, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(model(batch).logits, wanted, atol=1e-4)


def test_an_epoch_chosen_on_test_is_the_same_training_stopped_where_test_speakers_were_best(three):  # noqa: F811
    model, fold, options = spoil("epoch chosen on test", listener(three), three, 0, 0, HOW)
    assert set(fold.dev.speakers) == set(fold.test.speakers) and options == HOW | {"keep": "best"}
    spoiled = fit(model, fold, seed=0, progress=False, **options)
    strict = fit(listener(three), three.folds()[0], seed=0, progress=False, **HOW)
    assert [e["loss"] for e in spoiled.history] == [e["loss"] for e in strict.history]
    on_test = [e["dev_uar"] for e in spoiled.history]
    assert on_test[spoiled.best_epoch] == max(on_test) >= on_test[-1]


def test_folds_are_put_together_by_speaker():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 5, (2, 2, 3, 2, 2))  # seeds, folds, speakers, classes

    def result(seed, fold, speakers):
        report = Tally(speakers, {"model": {"uar": counts[seed, fold][None]}}, {"uar": "uar"}, (seed,), ("low", "high"))
        return {"seed": seed, "fold": fold, "report": report.to_json()}

    twice = [result(seed, fold, ("a", "b", "c")) for seed in (0, 1) for fold in (0, 1)]
    assert (over_partitions(twice).sums("model", "uar") == counts.sum(axis=1)).all()
    once = [result(seed, fold, ("abc", "def")[fold]) for seed in (0, 1) for fold in (0, 1)]
    strict = Tally.pooled([r["report"] for r in once], [r["seed"] for r in once])
    assert (over_partitions(once).sums("model", "uar") == strict.sums("model", "uar")).all()
