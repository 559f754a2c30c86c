"""The study of transfer: resumable, the learning rate chosen on dev, starts that differ in the trunk alone."""

import dataclasses
import json

import pytest
import torch

from sertut.errors import SertutError
from sertut.models import FullyConvolutional
from sertut.signals import Batch, length_mask
from sertut.study import starts, transfer
from sertut.study.photographs import Pretrained
from sertut.study.starts import STARTS, Cheaper, build_start, few_speakers
from sertut.study.transfer import SHARES, TRANSFERS, Transfer, chosen_rates, report_transfer, run_transfer


@pytest.fixture
def pretrained(monkeypatch):
    """Trunks "pretrained" in no time: other weights, the same for each seed."""

    def quick(trunk, seed):
        torch.manual_seed(1000 + seed)
        return Pretrained(FullyConvolutional(2, trunk), 0.5, 10, ("none",), [], 0.0)

    monkeypatch.setattr(starts, "after_photographs", quick)


@pytest.fixture
def tiny(tones, cache, pretrained, monkeypatch):
    """Two starts, two learning rates, two seeds, on tones, in this process."""
    plan = Transfer(
        "tiny?", "planted", ("small-random", "small-photographs"), dict(epochs=1), seeds=(0, 1), rates=(1e-3, 3e-3)
    )
    monkeypatch.setattr(transfer, "TRANSFERS", {"transfer-planted": plan})
    monkeypatch.setattr(transfer, "_corpus", lambda name: tones)
    return plan


def test_it_runs_resumes_and_reports(tiny, tmp_path, monkeypatch):
    with pytest.raises(SertutError, match=r"4 of 4 trainings.*sertut study run transfer-planted"):
        chosen_rates("transfer-planted")
    paths = run_transfer("transfer-planted", workers=1, device="cpu")
    assert len(set(paths)) == 2 * 2 * len(SHARES) and all(path.is_file() for path in paths)

    paths[3].unlink()
    with pytest.raises(SertutError, match="1 of 16 trainings"):
        report_transfer("transfer-planted", tmp_path)
    real, trained = transfer.train_one, []
    monkeypatch.setattr(transfer, "train_one", lambda *args: trained.append(args) or real(*args))
    run_transfer("transfer-planted", workers=1, device="cpu")
    assert len(trained) == 1

    study = report_transfer("transfer-planted", tmp_path)
    assert study.starts == tiny.starts
    assert study.at("small-random", 0.5).seeds == (0, 1)
    assert study.curves("small-photographs", 0.1).shape == (2, 1)
    assert [study.speakers(share) for share in SHARES] == [1, 1, 1, 2] or study.speakers(1.0) > study.speakers(0.1)
    here = study.gain("small-photographs", "small-random", 0.25).estimate
    there = study.gain("small-random", "small-photographs", 0.25).estimate
    assert here == pytest.approx(-there)
    assert study.options("small-random") == {
        "epochs": 1,
        "learning_rate": chosen_rates("transfer-planted")["small-random"],
    }


def test_the_rate_is_the_best_on_dev(tiny, monkeypatch):
    scores = {("small-random", 1e-3): 0.5, ("small-random", 3e-3): 0.7}

    def read(name, trainings):
        for training in trainings:
            rate, start = training.options["learning_rate"], training.method.split(",")[0]
            yield {"method": training.method, "options": training.options, "dev_uar": scores.get((start, rate), 0.4)}

    monkeypatch.setattr(transfer, "_read_all", read)
    assert chosen_rates("transfer-planted") == {
        "small-random": 3e-3,
        "small-photographs": 1e-3,
    }  # the smaller of equals


def test_the_choice_is_made_on_a_fold_that_is_not_measured():
    for name, plan in TRANSFERS.items():
        rates = dict.fromkeys(plan.starts, 1e-3)
        assert {training.fold for training in plan.candidates()} == {plan.chooser}
        assert plan.chooser not in {training.fold for training in plan.trainings(rates)}
        assert len({training.key for training in plan.trainings(rates)}) == len(plan.trainings(rates)), name
        assert len(plan.seeds) >= 5 and set(plan.starts) <= set(STARTS)


def test_starts_differ_in_the_trunk_alone(tones, pretrained):
    random, learned = (build_start(f"small-{source}", tones, seed=1) for source in ("random", "photographs"))
    assert not random.pretrained and learned.pretrained
    assert {n: v.shape for n, v in random.state_dict().items()} == {n: v.shape for n, v in learned.state_dict().items()}
    torch.testing.assert_close(
        learned.trunk.state_dict(), starts.after_photographs("small", 1).model.trunk.state_dict()
    )
    with pytest.raises(SertutError, match="did you mean 'small-random'"):
        build_start("small-randm", tones)


def test_few_speakers_mean_as_many_clips(tones):
    fold = tones.folds(n=6)[0]
    part = few_speakers(fold, 0.25, seed=0)
    assert len(part.train.speakers) == 1 and len(part.train) == len(fold.train)


class Probe(torch.nn.Module):
    def forward(self, batch):
        return batch


def test_cheaper_averages_pairs_of_frames():
    features = torch.arange(14.0).view(1, 7, 2)
    mask = length_mask(torch.tensor([7]))
    out = Cheaper(Probe()).eval()(Batch(features, mask, torch.zeros(1, dtype=torch.long)))
    torch.testing.assert_close(
        out.features[0], torch.stack([(features[0, 2 * i] + features[0, 2 * i + 1]) / 2 for i in range(3)])
    )
    assert out.mask.tolist() == [[True] * 3] and out.hop == pytest.approx(0.02)


def test_cheaper_hears_a_whole_part_in_training_and_all_in_testing():
    lengths = torch.tensor([40, 300, 131])
    mask = length_mask(lengths)
    features = (torch.arange(300.0)[None, :, None] * mask.unsqueeze(-1)).expand(-1, -1, 3)
    batch = Batch(features, mask, torch.zeros(3, dtype=torch.long))
    model = Cheaper(Probe(), glimpse=64)
    first, second = model(batch), model(batch)
    assert first.features.shape == (3, 64, 3) and first.lengths.tolist() == [20, 64, 64]
    real = first.features[1, :, 0]
    assert (real.diff() == 2).all() and not torch.equal(
        real, second.features[1, :, 0]
    )  # neighbors, from a random place
    assert model.eval()(batch).lengths.tolist() == [20, 150, 65]


def test_cheaper_does_not_depend_on_batch_mates():
    model = Cheaper(FullyConvolutional(3, "small")).eval()
    lengths = torch.tensor([181, 240])
    batch = Batch(torch.randn(2, 240, 64), length_mask(lengths), torch.zeros(2, dtype=torch.long))
    alone = Batch(batch.features[:1, :181], batch.mask[:1, :181], batch.labels[:1])
    torch.testing.assert_close(model(batch).logits[:1], model(alone).logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", TRANSFERS)
def test_committed_results_belong_to_the_protocols_of_today(name):
    plan = TRANSFERS[name]
    study = transfer.transfer_reference(plan.corpus)
    if study is None:
        pytest.skip(f"no reference results of {name} yet")
    rates = {start: study.options(start)["learning_rate"] for start in plan.starts}
    wanted = {(t.method, t.fold, t.seed, json.dumps(dict(t.options), sort_keys=True)) for t in plan.trainings(rates)}
    found = {(r["method"], r["fold"], r["seed"], json.dumps(r["options"], sort_keys=True)) for r in study.results}
    assert found == wanted
    content = json.loads((transfer.BOOK_RESULTS / f"{name}.json").read_text())["candidates"]
    for start, rate in rates.items():
        tried = [c for c in content if c["method"].startswith(start)]
        assert {c["learning_rate"] for c in tried} == set(plan.rates)
        assert max(c["dev_uar"] for c in tried) == next(c["dev_uar"] for c in tried if c["learning_rate"] == rate)
    assert dataclasses.asdict(plan)["question"] == study.question
