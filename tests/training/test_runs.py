"""A run is kept and comes back; nothing that is loaded runs code; what was trained once is not trained again."""

import ctypes
import multiprocessing
import re
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from sertut.attention import AttentionPooling
from sertut.errors import SertutError
from sertut.models import AttentiveLSTM, MultiHead
from sertut.signals import Normalizer
from sertut.tensors import read_tensors, write_tensors
from sertut.training import fit, fit_once, fitting, load_run, predict
from sertut.training.data import Examples
from sertut.training.recipe import make_recipe
from sertut.training.runs import FILE, Run
from tests.models.networks import NETWORKS
from tests.training.conftest import QUICK, interrupted, network, same

STATUS = Path("/proc/self/status")


class Own(AttentiveLSTM):
    """A class that the library does not know."""


def own(**options):
    return Own(64, 2, n_hidden=4, n_channels=8, **options)


def a_run(model=None, faces=False) -> Run:
    """As if the model had been trained."""
    model = model or network()
    statistics = [Normalizer(torch.randn(n), torch.rand(n)) for n in (6, 5)]
    recipe, history = make_recipe(face="hog" if faces else "", epochs=2), [{"epoch": 0, "loss": 1.5, "dev_uar": 0.25}]
    initial = {name: value + 1 for name, value in model.state_dict().items()}
    about = (("a", "b"), recipe, 3, history, 0, initial, 1.5, torch.device("cpu"), statistics[1] if faces else None)
    return Run(model.eval(), statistics[0], *about)


@pytest.mark.parametrize("name", ["lstm, mixture", "fine, cells", "heads, focus", "the voice asks", "front, lstm"])
def test_a_run_is_saved_and_loaded_without_losing_a_bit(tmp_path, name):
    model = NETWORKS[name]()
    model.pretrained = True  # whose trunk has come from photographs
    run = a_run(model, faces=name == "the voice asks")
    run.save(tmp_path)
    found = load_run(tmp_path, device="cpu")
    assert type(found.model) is type(model) and found.model.arguments == model.arguments and not found.model.training
    assert same(found.model.state_dict(), model.state_dict()) and same(found.initial, run.initial)
    assert same(found.untrained().model.state_dict(), run.initial)
    assert same(vars(found.normalizer), vars(run.normalizer))
    assert same(vars(found.face_normalizer or found.normalizer), vars(run.face_normalizer or run.normalizer))
    for field in ("emotions", "recipe", "seed", "history", "best_epoch", "seconds", "device", "precision"):
        assert getattr(found, field) == getattr(run, field), field
    assert found.reused and not run.reused and found.origin != run.origin
    about = read_tensors(tmp_path / FILE)[1]
    assert about["versions"]["torch"] == version("torch") and about["precision"] == "float32"


def own_mechanism():
    return AttentiveLSTM(64, 2, n_hidden=4, n_channels=4, pooling=AttentionPooling(8))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (own, r"class 'tests\.training\.test_runs\.Own', which is not one of sertut's"),
        (own_mechanism, "AttentiveLSTM', which is not one of sertut's or has parts that are not"),
    ],
)
def test_what_is_not_ours_is_refused_and_can_be_given(tmp_path, build, words):
    run = a_run(build())
    run.save(tmp_path)
    with pytest.raises(SertutError, match=words):
        load_run(tmp_path)
    assert same(load_run(tmp_path, "cpu", model=build()).model.state_dict(), run.model.state_dict())
    with pytest.raises(SertutError, match="built otherwise"):  # for "max", the weights of the first would fit
        load_run(tmp_path, "cpu", model=own(pooling="max"))


@pytest.mark.parametrize(
    "name", ["os.system", "sertut.cli.main", "sertut.models.base.Output", "sertut.models.base.Gone"]
)
def test_no_other_name_is_imported_or_called(tmp_path, name):
    a_run().save(tmp_path)
    parts, about = read_tensors(tmp_path / FILE)
    write_tensors(tmp_path / FILE, parts, about | {"network": name})
    with pytest.raises(SertutError, match=f"class '{re.escape(name)}', which is not one of sertut's"):
        load_run(tmp_path)


def test_a_missing_or_damaged_run_is_named(tmp_path, monkeypatch):
    with pytest.raises(SertutError, match=r"run\.safetensors cannot be read"):
        load_run(tmp_path)
    run = a_run()
    run.save(tmp_path)
    kept = (tmp_path / FILE).read_bytes()

    def stopped(tensors, path, about):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("sertut.tensors.save_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        run.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE] and (tmp_path / FILE).read_bytes() == kept
    (tmp_path / FILE).write_bytes(kept[:500])
    with pytest.raises(SertutError, match="cannot be read"):
        load_run(tmp_path)


@pytest.fixture
def fold(shared_tones, cache):
    """Of clips that nobody has trained on."""
    return shared_tones.folds(n=3)[0]


def test_what_was_trained_once_is_loaded(fold, shared_tones, monkeypatch):
    first = fit_once(network(), fold, **QUICK)
    monkeypatch.setattr(fitting, "_one_epoch", lambda *args: 1.0)  # from here on it is enough to see who would train
    again = fit_once(network(), fold, **QUICK)
    assert not first.reused and again.reused and same(first.model.state_dict(), again.model.state_dict())
    others = [
        (network(pooling="max"), fold, {}),
        (network(dropout=0.2), fold, {}),
        (network(), shared_tones.folds(n=3)[1], {}),
        (network(), fold, {"seed": 2}),
        (network(), fold, {"weight_decay": 0.0}),
        (own(), fold, {}),
        (own(), fold, {}),  # nobody knows whether its code is the same
    ]
    for model, other, options in others:
        assert not fit_once(model, other, **QUICK | options).reused
    monkeypatch.setattr(torch, "__version__", "0.0")
    assert not fit_once(network(), fold, **QUICK).reused


def test_a_training_that_was_interrupted_goes_on(fold, monkeypatch):
    with interrupted(monkeypatch):
        fit_once(network(), fold, **QUICK)
    epochs = []
    monkeypatch.setattr(fitting, "_one_epoch", lambda *args: epochs.append(args[5]) or 1.0)
    assert not fit_once(network(), fold, **QUICK).reused and epochs == [QUICK["epochs"] - 1]


def _train(fold, queue):
    torch.set_num_threads(1)
    queue.put(fit_once(network(), fold, **QUICK).reused)


def test_of_two_processes_one_trains_and_one_waits(fold):
    fit(network(), fold, **QUICK | {"epochs": 1})  # features are there
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    both = [context.Process(target=_train, args=(fold, queue)) for _ in range(2)]
    for process in both:
        process.start()
    assert sorted(queue.get(timeout=300) for _ in both) == [False, True]
    for process in both:
        process.join()


def held() -> float:
    """Megabytes that this process holds; what the allocator keeps for later, which depends on earlier tests, is not."""
    getattr(ctypes.CDLL(None), "malloc_trim", int)(0)
    return int(re.search(r"RssAnon:\s+(\d+) kB", STATUS.read_text())[1]) / 1000


@pytest.mark.skipif(not STATUS.exists(), reason="needs /proc/self/status, to see what the process holds")
def test_maps_of_heads_do_not_fill_the_memory():
    """Forty clips of 250 states and eight heads are 80 MB; the process keeps none of it."""
    part = Examples([torch.randn(1000, 9) for _ in range(40)], torch.zeros(40, dtype=torch.long))
    corpus = SimpleNamespace(emotions=("a", "b"), clips=("clip",) * 40, name="long")
    model = MultiHead(8, 2, n_hidden=8, n_heads=8).eval()
    run = SimpleNamespace(model=model, emotions=("a", "b"), device=torch.device("cpu"), examples=lambda corpus: part)
    predict(run, corpus, batch_size=2)
    before = held()
    predictions = predict(run, corpus, batch_size=2)
    assert held() - before < 30
    expected = model(part.batch([7])).maps["attention"].weights
    torch.testing.assert_close(predictions.maps[7]["attention"].weights, expected)
