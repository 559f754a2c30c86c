"""Studies: resumable, run again when something that they depend on changes, rates chosen inside each fold."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.models import AttentiveLSTM
from sertut.study import Protocol, Training, grid, load_study, protocols, report_study, run_study, running
from sertut.study.methods import METHODS, Method
from sertut.training import fit
from sertut.training.metrics import uar
from sertut.video import write_video


@pytest.fixture
def three(tones, monkeypatch):
    """The tones, cut into three folds, in the place of every corpus."""
    pairs = [({i, i + 1}, {(i + 2) % 6, (i + 3) % 6}) for i in (0, 2, 4)]
    named = tuple(tuple(frozenset(f"speaker {i}" for i in part) for part in pair) for pair in pairs)
    corpus = replace(tones, published_folds=named)
    monkeypatch.setattr(grid, "_corpus", lambda name: corpus)
    return corpus


@pytest.fixture
def plan(three, monkeypatch):
    """Puts a protocol into the place of all others: ``plan(methods, ...)`` is the study "tiny", of one epoch."""
    monkeypatch.setattr(protocols, "recipe", lambda corpus, method: dict(epochs=1))

    def put(*methods, **options):
        protocol = Protocol("tiny?", methods, **options)
        monkeypatch.setattr(protocols, "PROTOCOLS", {"tiny": protocol})
        return protocol

    return put


def test_a_study_runs_resumes_and_reports(plan, three, tmp_path, monkeypatch):
    plan("attention", folds=3, seeds=(0, 1))
    paths = run_study("tiny", workers=1, device="cpu")
    assert len(set(paths)) == 6 and all(path.is_file() for path in paths)

    first = json.loads(paths[1].read_text())
    assert first["report"]["speakers"] == list(three.folds()[first["fold"]].test.speakers)
    paths[1].unlink()
    assert {result["seed"] for result in report_study("tiny", tmp_path).results} == {1}  # the one that is whole
    paths[4].unlink()
    with pytest.raises(SertutError, match=r"2 of 6 trainings.*sertut study run tiny"):
        report_study("tiny", tmp_path)
    real, trained = grid.train_one, []
    monkeypatch.setattr(grid, "train_one", lambda *args: trained.append(real(*args)) or trained[-1])
    run_study("tiny", workers=1, device="cpu")
    assert len(trained) == 2

    study = report_study("tiny", tmp_path)
    assert study.results == load_study("tiny", tmp_path).results
    pooled = study.pooled("attention")
    assert pooled.seeds == (0, 1) and len(pooled.speakers) == 6
    assert pooled.sums("model", "uar").sum() == 2 * 48  # every clip is tested once a seed
    raw = [json.loads(path.read_text()) for path in paths]
    assert {result["precision"] for result in raw} == {"float32"}  # what ran, not what was asked for
    assert all(result["real_time_factor"] > 0 for result in raw)  # seconds of computation a second of speech
    assert study.table()["real-time factor"].notna().all()
    tables = [r["report"]["methods"]["model"]["uar"] for r in raw if r["fold"] == 1]
    assert study.scores("attention", 1) == pytest.approx([float(uar(np.sum(table, axis=0))) for table in tables])
    assert list(study.table().method) == ["attention"] and study.folds == (0, 1, 2)
    assert trained[0]["report"] == first["report"]  # the same training gives the same result
    with pytest.raises(SertutError, match="ran the folds 0, 1, 2, not 4"):
        study.scores("attention", 4)
    with pytest.raises(SertutError, match="did you mean 'tiny'"):
        run_study("tinny")


def test_peers_stand_in_the_study_beside_networks(plan, three, tmp_path):
    """On the same folds, once each; a difference from a network has an interval like one between networks."""
    plan("mean", peers=("most-frequent", "statistics"), folds=3, seeds=(0, 1))
    assert len(run_study("tiny", workers=1, device="cpu")) == 3 * (2 + 2)
    study = report_study("tiny", tmp_path)
    peer, network = study.pooled("statistics"), study.pooled("mean")
    assert peer.speakers == network.speakers == three.speakers and study.table().method.tolist()[-1] == "mean"
    difference = network.against(peer)
    assert difference.estimate == pytest.approx(network.of_each_seed("uar").mean() - peer.uar.estimate)
    assert study.pooled("most-frequent").uar.estimate == peer.chance == 0.5
    assert study.scores_of_folds("most-frequent") == {0: [0.5], 1: [0.5], 2: [0.5]}
    for result in study.cell("statistics"):
        assert result["seed"] is None and result["dev_uar"] == max(uar for _, uar in result["tried"])
        assert result["C"] == min(C for C, uar in result["tried"] if uar == result["dev_uar"])


EVERYWHERE = ("signals", "corpora", "attention", "models", "training", "evidence", "study/grid.py", "study/starts.py")


@pytest.mark.parametrize("changed", [*EVERYWHERE, "study/peers.py", "planted"])
def test_changed_code_makes_older_what_depends_on_it(changed, monkeypatch):
    """That of peers only them, and what makes a corpus only what was trained on it."""
    cells = [(corpus, method) for corpus in ("ravdess", "planted") for method in ("mean", "statistics")]

    def digests_of(changed):
        monkeypatch.setattr(grid, "code_of", lambda *names: {name: name == changed for name in names})
        grid.code_digest.cache_clear()
        return [grid.plan_digests(*cell) for cell in cells]

    before, after = digests_of("nothing"), digests_of(changed)
    grid.code_digest.cache_clear()
    asked = {"study/peers.py": "statistics", "planted": "planted"}.get(changed)  # None: all
    assert [cell for cell, a, b in zip(cells, before, after, strict=True) if a != b] == [
        cell for cell in cells if asked is None or asked in cell
    ]


@pytest.mark.parametrize("what", ["recipe", "method", "label", "region", "recording", "code", "torch"])
def test_a_result_is_missing_when_something_it_depends_on_has_changed(three, what, monkeypatch):
    training = Training("planted", "mean", 0, 0, {"epochs": 3})
    before = grid.result_path("tiny", training)
    assert grid.result_path("tiny", replace(training)) == before
    clip = three[0]
    changed = {"label": replace(clip, emotion="high"), "region": replace(clip, regions=(Region(0.1, 0.2),))}.get(what)
    if what == "recipe":
        training = replace(training, options={"epochs": 4})
    elif what == "method":
        monkeypatch.setitem(METHODS, "mean", Method("recurrent", dict(pooling="max")))
    elif what == "recording":
        clip.audio.write_bytes(clip.audio.read_bytes()[:-2])
    elif what == "code":
        monkeypatch.setattr(grid, "code_digest", lambda made: "other")
    elif what == "torch":
        monkeypatch.setattr(grid, "version", lambda package: "9.9")
    else:
        corpus = replace(three, clips=(changed, *three.clips[1:]))
        monkeypatch.setattr(grid, "_corpus", lambda name: corpus)
    assert grid.result_path("tiny", training) != before


def test_a_learning_rate_is_chosen_inside_each_fold(plan, tmp_path):
    """Its candidates hear no speaker that the fold tests, and every result says what it was chosen from."""
    made = plan("small-random, 50%", "small-random, 100%", folds=2, seeds=(0,), rates=(1e-3, 1e-2))
    assert {t.fold for t in made.candidates()} == {0, 1} and {t.seed for t in made.candidates()} == {0}
    with pytest.raises(SertutError, match="4 of 4 trainings"):
        report_study("tiny", tmp_path)
    run_study("tiny", workers=1, device="cpu")
    study = report_study("tiny", tmp_path)
    candidates = grid.finished("tiny", made.candidates())
    for result in study.results:
        tried = [candidate for candidate in candidates if candidate["fold"] == result["fold"]]
        assert result["choice"]["fold"] == result["fold"]
        assert [rate for rate, _ in result["choice"]["dev_uar"]] == [c["options"]["learning_rate"] for c in tried]
        best = max(tried, key=lambda candidate: candidate["dev_uar"])  # the first, smaller one of equals
        assert result["options"]["learning_rate"] == best["options"]["learning_rate"]
    assert {result["speakers"] for result in study.results} == {1, 2} and len(study.choices()) == 2
    assert all(len(result["dev_curve"]) == 1 for result in study.results)


def test_the_rate_is_the_best_on_dev_of_its_own_fold():
    def candidate(fold, start, rate, dev_uar):
        options = {"learning_rate": rate}
        return {"fold": fold, "method": f"{start}, 50%", "options": options, "dev_uar": dev_uar}

    rows = [candidate(0, "a", 1e-3, 0.5), candidate(0, "a", 3e-3, 0.7), candidate(1, "a", 1e-3, 0.9)]
    rows += [candidate(1, "a", 3e-3, 0.2), candidate(0, "b", 3e-3, 0.4), candidate(0, "b", 1e-3, 0.4)]
    found = {cell: chosen["learning_rate"] for cell, chosen in grid.chosen_rates(rows).items()}
    assert found == {(0, "a"): 3e-3, (1, "a"): 1e-3, (0, "b"): 1e-3}  # the smaller of equals


def test_trainings_take_all_gpus_in_turn(plan, monkeypatch):
    used = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(grid, "train_one", lambda training, device: used.append(device))
    plan("mean", folds=2, seeds=(0, 1))
    run_study("tiny", workers=1, device="cuda")
    assert used == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert running.spread("auto") == ["cuda:0", "cuda:1"]
    assert running.spread("cuda:1") == ["cuda:1"] and running.spread("cpu") == ["cpu"]


def test_what_is_kept_of_two_streams(three, tmp_path, monkeypatch):
    """Offsets and shifts where two streams are aligned; mixtures, and voice against face, where one is read."""
    frames = np.random.default_rng(0).integers(0, 255, (25, 48, 48)).astype(np.uint8)
    write_video(tmp_path / "face.avi", frames)
    shown = {"video": tmp_path / "face.avi", "regions": (Region(0.2, 0.5), Region(0.4, 0.7, "face"))}
    details = {"offset": 0.2, "shares": {"low": 0.25, "high": 0.75}}
    details["faces"] = [["low", 0.0, 0.3], ["high", 0.5, 0.9]]
    seen = replace(three, clips=tuple(replace(clip, details=details, **shown) for clip in three))
    monkeypatch.setattr(grid, "_corpus", lambda name: seen)
    kept = {}
    for method in ("face", "nearest", "align+lag"):
        training = Training("planted", method, 0, 0, dict(epochs=1, face="hog_relative"))
        kept[method] = grid.train_one(training, "cpu")
    for method, result in kept.items():
        aligned = method in ("nearest", "align+lag")
        assert ("nearest time" in result["report"]["methods"]) == aligned
        assert ("shifts" in result) == (method == "align+lag")
        assert ("mixture" in result) == ("moments" in result) == ("course" in result) == (not aligned)
        assert ("streams" in result) == (method == "face")
    # Two classes, told .25 and .75: whoever says p is wrong by |p - .25|, and half and half by .25.
    mixtures = Tally.pooled([kept["face"]["mixture"]], [0])
    assert mixtures.interval("half and half", "variation").estimate == pytest.approx(0.25)
    assert mixtures.sums("model", "variation")[..., 1].sum() == len(three.folds()[0].test)
    offset_error = Tally.pooled([kept["nearest"]["report"]], [0]).interval("nearest time", "offset_error").estimate
    assert offset_error == pytest.approx(0.2, abs=0.005)
    found = Tally.pooled([kept["face"]["report"]], [0])
    assert found.interval("uniform", "mass").estimate == pytest.approx(0.3, abs=0.03)  # 0.3 s of 1 s
    # A mixture decides by its moments, so that both readings of it are one; of attention they differ.
    mixed = grid.train_one(Training("planted", "face-mixture", 0, 0, dict(epochs=1, face="hog_relative")), "cpu")
    ours, theirs = (Tally.pooled([mixed[part]], [0]).sums("model", "variation") for part in ("moments", "mixture"))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)
    moments = Tally.pooled([kept["face"]["moments"]], [0]).sums("model", "variation")
    assert np.abs(moments - mixtures.sums("model", "variation")).max() > 1e-5
    course = Tally.pooled([kept["face"]["course"]], [0])
    assert course.interval("course", "auroc_chance").estimate == 0.5
    assert course.sums("what is said", "auroc")[..., 1].sum() == len(three.folds()[0].test)


def test_what_is_kept_of_heads_and_of_attention(three, monkeypatch):
    monkeypatch.setattr(grid, "_corpus", lambda name: replace(three, name="planted"))
    options = dict(epochs=1, feature="log_mel_level")
    kept = {name: grid.train_one(Training("planted", name, 0, 0, options), "cpu") for name in ("plain", "+CA")}
    kept["attention"] = grid.train_one(Training("planted", "attention", 0, 0, dict(epochs=1)), "cpu")
    for name, result in kept.items():
        removed = Tally.pooled([result["deletion"]], [0])
        assert removed.settings == ((0, 0.1) if name == "attention" else (0, 0.1, 0.2, 0.3, 0.5))
        assert removed.at(0).interval("random", "drop").estimate == 0 and not removed.scored("uar at 0.1")
        assert ("gates" in result) == (name == "+CA")
    gates, report = (Tally.pooled([kept["+CA"][part]], [0]) for part in ("gates", "report"))
    assert (gates.sums("own gates", "uar") == report.sums("model", "uar")).all()
    own = gates.interval("own gates", "spread").estimate
    assert own == pytest.approx(report.interval("all heads", "spread").estimate, abs=1e-6)
    assert own != gates.interval("untrained", "spread").estimate


def test_memory_is_counted_anew_each_time():
    """64 MiB that were held show in the first figure, and not in the one after it."""
    cpu = torch.device("cpu")
    first = grid.watch_memory(cpu)
    if first() is None:
        pytest.skip("this system cannot start its high-water mark anew")
    before = first()
    np.ones(2**26, np.uint8)
    assert 60 <= first() - before <= 80
    assert grid.watch_memory(cpu)() <= before + 16


def test_memory_is_not_guessed_and_of_a_gpu_that_of_its_tensors(monkeypatch):
    monkeypatch.setattr(grid, "CLEAR", Path("/no/such/file"))
    assert grid.watch_memory(torch.device("cpu"))() is None
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**20)
    assert grid.watch_memory(torch.device("cuda:1"))() == 3


def test_the_real_time_factor_of_a_network_that_takes_its_time(tones, monkeypatch):
    """A network that takes 20 ms a clip of about 1.2 s; clips come one at a time, and evenly taken."""
    fold, sizes, now = tones.folds()[0], [], [0.0]
    run = fit(AttentiveLSTM(64, 2), fold, epochs=1, device="cpu", progress=False)

    class Slow(torch.nn.Module):
        def forward(self, batch):
            sizes.append(len(batch))
            now[0] += 0.02
            return SimpleNamespace(logits=torch.zeros(len(batch), 2))

    monkeypatch.setattr(grid, "CLIPS", 4)
    monkeypatch.setattr(grid, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    found = grid.real_time_factor(replace(run, model=Slow()), fold.test)
    assert sizes == [1] * 4
    assert 0.02 / 1.5 < found < 0.02 / 0.8
