"""What a machine with a GPU runs unattended must run: here on the CPU, in small."""

import copy
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

FILE = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu.py"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gpu():
    spec = importlib.util.spec_from_file_location("benchmarks_gpu", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def small(gpu):
    return replace(gpu.REHEARSAL, clips=36, seconds=0.0, minutes=1e4)


def test_another_network_disagrees(gpu, small):
    """One weight that differs a little is told; a bound that nothing breaks would say nothing."""
    for family in ("AttentiveLSTM", "MultiHead"):
        work = gpu.task(family, small)
        other = copy.deepcopy(work.model)
        with torch.no_grad():
            next(p for name, p in other.named_parameters() if "classify" in name)[0, 0] += 0.05
        here, again, there = (gpu.trace(w, 2, CPU) for w in (work, work, replace(work, model=other)))
        assert gpu.compared(here, again)["agrees"] and here == again and len(here["losses"]) == 2
        told = gpu.compared(here, there)
        assert not told["agrees"] and told["largest_difference_of_logits"] > told["bounds"]["logits"]
    lost = here | {"losses": [here["losses"][0], float("nan")]}
    assert not gpu.compared(here, lost)["agrees"]


@pytest.mark.parametrize("family", ["FullyConvolutional", "AudioVisual"])
def test_nothing_is_drawn_at_random_where_devices_are_compared(gpu, small, family):
    work = gpu.task(family, small)
    model, batch = gpu.undisturbed(copy.deepcopy(work.model)).train(), work.part(8).batch(range(8))
    with torch.no_grad():
        assert torch.equal(model(batch).logits, model(batch).logits)
        assert not torch.equal(work.model.train()(batch).logits, work.model(batch).logits)


def test_one_file_tells_all(gpu, small, tmp_path, monkeypatch):
    """Every part in one family; one piece fails, and one does not fit into the time."""
    monkeypatch.setattr(gpu, "FAMILIES", {"AttentiveLSTM": "ear-attention"})
    real = gpu.pieces

    def pieces(settings):
        yield from (piece for piece in real(settings) if piece[0] != "busy")
        yield "busy", "2 at a time", 1, lambda: gpu.busy("AttentiveLSTM", settings, 0)
        yield "speed", "broken", 1, lambda: 1 / 0
        yield "speed", "endless", 1e9, dict

    monkeypatch.setattr(gpu, "pieces", pieces)
    found = gpu.measured(small, tmp_path / "gpu.json")
    assert found == json.loads((tmp_path / "gpu.json").read_text()) and found["finished"]
    assert found["skipped"] == ["speed, endless"] and found["failed"] == {
        "speed, broken": "ZeroDivisionError: division by zero"
    }
    assert not gpu.good(found) and gpu.good(found | {"failed": {}})
    assert found["about"]["device"] == "cpu" and found["tables"]["corpus"] == "noise"
    assert found["agreement"]["AttentiveLSTM"]["agrees"]
    speed = found["speed"]["AttentiveLSTM"]
    assert speed["steps_a_second"] > 0 and speed["loading_share"] > 0 and speed["waits_a_step"] is None
    half = found["precision"]["AttentiveLSTM"]
    assert half["losses"]["float32"] != half["losses"]["bfloat16"]
    assert abs(half["loss_difference"]) < 0.1 and abs(half["uar_difference"]) <= 1
    assert found["busy"]["2 at a time"]["busy_percent"] is None


def test_an_interruption_leaves_what_was_measured(gpu, small, tmp_path, monkeypatch):
    def pieces(settings):
        yield "speed", "first", 1, lambda: {"steps_a_second": 1.0}
        yield "speed", "second", 1, lambda: (_ for _ in ()).throw(KeyboardInterrupt)

    monkeypatch.setattr(gpu, "pieces", pieces)
    monkeypatch.setattr(gpu, "prepared", lambda settings: (settings, {}))
    with pytest.raises(KeyboardInterrupt):
        gpu.measured(small, tmp_path / "gpu.json")
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["speed"] == {"first": {"steps_a_second": 1.0}} and not found["finished"]


def test_noise_takes_the_place_of_a_corpus_that_cannot_be_made(gpu, small, monkeypatch):
    monkeypatch.setattr(gpu, "FAMILIES", {"AttentiveLSTM": "ear-attention"})

    def no_engine(name):
        raise OSError("no engine")

    monkeypatch.setattr(gpu.sertut, "load", no_engine)
    settings, told = gpu.prepared(replace(small, corpus="planted"))
    assert settings.corpus == told["corpus"] == "noise" and told["why"] == "OSError: no engine"


def test_several_trainings_at_a_time(gpu, small):
    """In processes of their own, which start together."""
    found = gpu.busy("AttentiveLSTM", small, 1)
    assert found["trainings"] == 1 and found["steps_a_second"] > 0 and found["samples"] == 0
