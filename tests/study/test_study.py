"""Studies: resumable, collected only when whole, and their reports pool what the trainings wrote."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Tally
from sertut.study import PROTOCOLS, Protocol, Training, build, load_study, recipe, report_study, run_study
from sertut.study import grid as run_module
from sertut.study.reference import BOOK_RESULTS
from sertut.training.metrics import uar
from sertut.video import write_video


@pytest.fixture
def tiny(tones, monkeypatch):
    """A study of 2 seeds x 3 folds x 2 methods on tones, in this process."""
    import sertut.study.protocols as protocols
    import sertut.study.reference as report

    plan = Protocol("tiny?", ("planted",), ("mean", "attention"), seeds=(0, 1), folds=3)
    for module in (protocols, report):
        monkeypatch.setattr(module, "PROTOCOLS", {"tiny": plan})
    monkeypatch.setattr(protocols, "RECIPES", {"planted": dict(epochs=1, device="cpu")})
    monkeypatch.setattr(protocols, "recipe", lambda corpus, method: dict(epochs=1))

    class Three:  # the tones cut into three folds
        emotions = tones.emotions

        def folds(self):
            return tones.folds(n=3)

        def __iter__(self):
            return iter(tones)

    monkeypatch.setattr(run_module, "_corpus", lambda name: Three())
    return plan


def test_a_study_runs_resumes_and_reports(tiny, tmp_path, cache, monkeypatch):
    paths = run_study("tiny", workers=1)
    assert len(paths) == 12 and all(path.is_file() for path in paths)

    paths[3].unlink()
    with pytest.raises(SertutError, match=r"1 of 12 trainings.*sertut study run tiny"):
        report_study("tiny", tmp_path)
    real, trained = run_module.train_one, []
    monkeypatch.setattr(run_module, "train_one", lambda *args: trained.append(args) or real(*args))
    run_study("tiny", workers=1)
    assert len(trained) == 1

    study = report_study("tiny", tmp_path)
    assert study.results == load_study("tiny", tmp_path).results
    pooled = study.pooled("attention")
    assert pooled.seeds == (0, 1) and len(pooled.speakers) == 6
    assert pooled.sums("model", "uar").sum() == 2 * 48  # every clip is tested once a seed
    of_fold = study.scores("attention", 1)
    raw = [json.loads(path.read_text()) for path in paths]
    expected = [
        float(uar(np.sum(r["report"]["methods"]["model"]["uar"], axis=0)))
        for r in raw
        if (r["method"], r["fold"]) == ("attention", 1)
    ]
    assert of_fold == pytest.approx(expected)
    low, high = study.band("attention", 1)
    assert low < min(of_fold) and max(of_fold) < high
    assert list(study.table().method) == ["mean", "attention"]
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        study.pooled("atention")
    assert study.folds == (0, 1, 2)
    with pytest.raises(SertutError, match="ran the folds 0, 1, 2, not 4"):
        study.band("attention", 4)


def test_the_same_training_gives_the_same_result(tiny, tmp_path):
    training = tiny.trainings()[0]
    first = run_module.train_one(training, tmp_path / "a")
    second = run_module.train_one(training, tmp_path / "b")
    assert first["report"] == second["report"]


def test_options_change_the_name_of_the_result():
    training = Training("planted", "mean", 0, 0, {"epochs": 3})
    assert training.key != replace(training, options={"epochs": 4}).key
    assert training.key == replace(training).key


def test_grids_are_whole():
    for name, plan in PROTOCOLS.items():
        trainings = plan.trainings()
        assert len({training.key for training in trainings}) == len(trainings), name
        assert len(plan.seeds) >= 5, name


def test_unknown_names():
    with pytest.raises(SertutError, match="did you mean 'regions-planted'"):
        run_study("region-planted")
    with pytest.raises(SertutError, match="did you mean 'mean'"):
        build("meen", None)


@pytest.mark.parametrize("method", ["plain", "+FA", "+CA", "+FA+CA", "+loudest"])
def test_networks_of_heads_are_small_on_ravdess(method):
    network = build(method, SimpleNamespace(name="ravdess", emotions=range(8)))
    assert network.n_features == 128 and sum(p.numel() for p in network.parameters()) <= 300_000


def test_a_study_without_result_says_how_to_make_it(tmp_path):
    with pytest.raises(SertutError, match="sertut study run regions-planted"):
        load_study("regions-planted", tmp_path)


COMMITTED = sorted(path for path in BOOK_RESULTS.glob("*.json") if not path.stem.startswith("transfer-"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_results_belong_to_the_protocols_of_today(path):
    """A reference that the code would no longer produce is a defect."""
    study = load_study(path.stem)
    wanted = {training.key: training for training in PROTOCOLS[path.stem].trainings()}
    found = {
        Training(r["corpus"], r["method"], r["fold"], r["seed"], r["options"]).key: r["parameters"]
        for r in study.results
    }
    assert set(found) == set(wanted)
    assert all(training.options == recipe(training.corpus, training.method) for training in wanted.values())


@pytest.fixture
def seen(tones, tmp_path, monkeypatch):
    """Tones with faces that tell nothing, known spans and a known offset, in the place of planted and planted-blend."""
    frames = np.random.default_rng(0).integers(0, 255, (25, 48, 48)).astype(np.uint8)
    write_video(tmp_path / "face.avi", frames)
    clips = [
        replace(
            clip,
            video=tmp_path / "face.avi",
            regions=(Region(0.2, 0.5), Region(0.4, 0.7, "face")),
            details={"offset": 0.2, "shares": {"low": 0.25, "high": 0.75}},
        )
        for clip in tones
    ]
    corpus = replace(tones, clips=tuple(clips))

    class Three:
        emotions = corpus.emotions

        def folds(self):
            return corpus.folds(n=3)

        def __iter__(self):
            return iter(corpus)

    monkeypatch.setattr(run_module, "_corpus", lambda name: Three())
    return corpus


def test_what_is_kept_of_two_streams(seen, tmp_path):
    """Offsets and shifts where two streams are aligned; mixtures, and voice against face, where one is read."""
    kept = {}
    for method in ("face", "voice-mixture", "nearest", "align+lag"):
        training = Training("planted", method, 0, 0, dict(epochs=1, face="hog_relative"))
        kept[method] = run_module.train_one(training, tmp_path / "results", "cpu")
    test = seen.folds(n=3)[0].test
    for method, result in kept.items():
        aligned = method in ("nearest", "align+lag")
        assert ("nearest time" in result["report"]["methods"]) == aligned
        assert ("shifts" in result) == (method == "align+lag")
        assert ("mixture" in result) == (not aligned)
        assert ("streams" in result) == (method == "face")
    # Two classes, told .25 and .75: whoever says p is wrong by |p - .25|, and half and half by .25.
    mixtures = Tally.pooled([kept["face"]["mixture"]], [0])
    assert mixtures.interval("half and half", "variation").estimate == pytest.approx(0.25)
    assert mixtures.sums("model", "variation")[..., 1].sum() == len(test)
    near = Tally.pooled([kept["nearest"]["report"]], [0])
    assert near.interval("nearest time", "offset_error").estimate == pytest.approx(0.2, abs=0.005)
    found = Tally.pooled([kept["face"]["report"]], [0])
    assert found.interval("uniform", "mass").estimate == pytest.approx(0.3, abs=0.03)  # 0.3 s of 1 s
