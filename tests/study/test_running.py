"""Studies that are killed and started again, studies on a Dask cluster, one worker killed; and the time left."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sertut.corpora.emodb import SPEAKERS
from sertut.errors import SertutError
from sertut.signals import write_audio
from sertut.study import Protocol, Training, grid, protocols, report_study, run_study, running
from sertut.study.references import COSTS
from tests.conftest import tone

ROOT = Path(__file__).resolve().parents[2]
COST = {"seconds", *(kept for kept, _, _ in COSTS)}
START = """
from tests.study.test_running import plan_tiny
from sertut.study import run_study
plan_tiny(setattr)
run_study("killed", workers=1, device="cpu")
"""


def plan_tiny(put) -> Protocol:
    """Six trainings on a corpus that any process can load, under four names; ``put`` is setattr or its like."""
    protocol = Protocol("tiny?", ("mean",), seeds=(0, 1, 2), folds=2, corpus="emodb")
    put(protocols, "PROTOCOLS", dict.fromkeys(("here", "killed", "cluster", "timed"), protocol))
    put(protocols, "recipe", lambda corpus, method: dict(epochs=12))
    return protocol


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """EMO-DB with a low and a high tone of each speaker: the environment in which other processes find it."""
    root = tmp_path_factory.mktemp("tiny")
    (root / "emodb").mkdir()
    for i, speaker in enumerate(SPEAKERS):
        for code, times in (("Wa", 2), ("Ta", 1)):
            write_audio(root / "emodb" / f"{speaker}a01{code}.wav", tone(0.8 + 0.01 * i, times * (150 + 10 * i)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERTUT_DATA", str(root))
        patch.setenv("SERTUT_CACHE", str(root / "cache"))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setattr(running, "PATIENCE", 60)
        plan_tiny(patch.setattr)
        grid._corpus.cache_clear()
        yield root
        grid._corpus.cache_clear()


@pytest.fixture(scope="module")
def here(tiny):
    """The study, run from end to end by this process."""
    run_study("here", workers=1, device="cpu")
    return report_study("here", tiny)


def same(study, here):
    """Equal to the last digit, but for what the trainings cost."""
    results, wanted = ([{k: v for k, v in r.items() if k not in COST} for r in s.results] for s in (study, here))
    assert results == wanted
    titles = ["seconds a training", *(title for _, title, _ in COSTS)]
    assert study.table().drop(columns=titles).equals(here.table().drop(columns=titles))
    assert sorted((r["fold"], r["seed"]) for r in study.results) == [*itertools.product((0, 1), (0, 1, 2))]
    assert study.pooled("mean").sums("model", "uar").sum() == 2 * 2 * 3  # 2 folds of 2 clips, by 3 seeds


def written(root, name):
    return [path for path in (root / "cache" / "study" / name).glob("*.json") if path.name[0] != "."]


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def test_a_killed_study_goes_on_where_it_was(tiny, here):
    """SIGKILL to all its processes in the middle; what was finished is not trained again."""
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", START], cwd=ROOT, start_new_session=True)
    try:
        wait_for(lambda: written(tiny, "killed") or process.poll() is not None)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in written(tiny, "killed")}
    assert 1 <= len(before) < 6
    run_study("killed", workers=1, device="cpu")
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
    same(report_study("killed", tiny), here)


@contextlib.contextmanager
def cluster(folder):
    """A scheduler, a worker in a process of its own, which shares no folder, and one in this process."""
    from distributed import LocalCluster

    local = dict(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None)
    with LocalCluster(host="127.0.0.1", **local) as here:
        line = [sys.executable, "-W", "ignore", "-m", "dask", "worker", here.scheduler_address, "--name", "other"]
        line += ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        environment = os.environ | {"SERTUT_CACHE": str(folder / "other")}
        other = subprocess.Popen(line, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: len(here.scheduler.workers) == 2)
            yield here.scheduler, other
        finally:
            other.kill()
            other.wait()


def test_a_cluster_whose_worker_is_killed_loses_nothing(tiny, here, tmp_path):
    lost = []
    with cluster(tmp_path) as (scheduler, other):

        def kill_when_busy():
            worker = next(worker for worker in list(scheduler.workers.values()) if worker.name == "other")
            wait_for(lambda: lost.extend(task.key for task in list(worker.processing)) or lost)
            other.kill()

        thread = threading.Thread(target=kill_when_busy, daemon=True)
        thread.start()
        paths = run_study("cluster", device="cpu", scheduler=scheduler.address)
        thread.join()
        wait_for(lambda: len(scheduler.workers) == 1)
    assert lost and set(lost) < {path.stem for path in paths}  # it was training; the one here did it in its place
    assert sorted(written(tiny, "cluster")) == sorted(paths)
    assert not [*tmp_path.glob("*/study")]  # results came over the network
    same(report_study("cluster", tiny), here)


@pytest.fixture
def ask(tiny, tmp_path, monkeypatch):
    """``ask(train)``: what a cluster whose workers are threads of this process answers for one training."""
    from distributed import LocalCluster

    def answer(train, **options):
        monkeypatch.setattr(grid, "train_one", train)
        with LocalCluster(processes=False, dashboard_address=None, **options) as local:
            missing = [(Training("emodb", "mean", 0, 0), tmp_path / "result.json")]
            list(running.on_cluster(missing, "cpu", local.scheduler_address))
        return json.loads((tmp_path / "result.json").read_text())

    return answer


ONE = dict(n_workers=1, threads_per_worker=1)


def test_one_worker_is_enough_and_this_machine_does_not_train(ask):
    found = ask(lambda training, device: {"on": device, "by": threading.current_thread().name}, **ONE)
    assert found["on"] == "cpu" and "Dask" in found["by"]


def test_what_goes_wrong_on_a_cluster_is_one_sentence(ask, monkeypatch):
    def fails(training, device):
        raise SertutError("the loss is no longer a finite number.")

    def dies(training, device):
        from distributed import KilledWorker

        raise KilledWorker("task", SimpleNamespace(address="tcp://192.0.2.1:1"), 3)

    with pytest.raises(SertutError, match="the loss is no longer"):
        ask(fails, **ONE)
    with pytest.raises(SertutError, match="result was given up"):
        ask(dies, **ONE)
    with pytest.raises(SertutError, match="has no workers yet; start some: `dask worker"):
        ask(fails, n_workers=0)
    with pytest.raises(SertutError, match=r"has 2 threads.*--nthreads 1"):
        ask(fails, n_workers=1, threads_per_worker=2)
    with pytest.raises(SertutError, match="another code for 'mean' on 'emodb'"):
        here = grid.digests_here(Training("emodb", "mean", 0, 0))
        running.train_alike(Training("emodb", "mean", 0, 0), "cpu", here | {"code": "of another day"})


def test_a_scheduler_out_of_reach_and_a_missing_package_are_one_sentence(monkeypatch):
    monkeypatch.setattr(running, "PATIENCE", 0.3)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        with pytest.raises(SertutError, match=f"no scheduler answers at '{address}'"):
            list(running.on_cluster([], "cpu", address))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SertutError, match=r"pip install .*\[cluster\]"):
        list(running.on_cluster([], "cpu", "tcp://127.0.0.1:8786"))


def test_the_time_left_is_that_of_the_trainings_that_are_missing(tiny, monkeypatch, capsys):
    """Two of six are there already and took no time: after two more in 2 minutes, two are left, and 2 minutes."""
    monkeypatch.setenv("SERTUT_STATIC", "0")
    clock = itertools.count()
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])

    def train(training, device):
        if next(clock) == 2:
            raise KeyboardInterrupt
        now[0] += 60
        return {}

    for training in protocols.PROTOCOLS["timed"].trainings()[:2]:
        running.write(grid.result_path("timed", training), "{}")
    monkeypatch.setattr(grid, "train_one", train)
    with pytest.raises(KeyboardInterrupt):
        run_study("timed", workers=1, device="cpu")
    assert "4/6 [02:00<02:00" in capsys.readouterr().err
