"""Running what is missing of a study, here or on a cluster; each result is written at once, so that it is kept."""

from __future__ import annotations

import itertools
import json
import os
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path

import joblib
import torch

from sertut.errors import SertutError
from sertut.files import write
from sertut.progress import progress_bar
from sertut.study import grid
from sertut.study.protocols import Training, protocol
from sertut.training import pick_device

PATIENCE = 5
"""Seconds that a scheduler has to answer."""

ALONE = threading.Lock()
"""Whoever trains holds it: trainings in one process would draw from one another's random numbers."""

Missing = Sequence[tuple[Training, Path]]


def run_study(name: str, workers: int | None = None, device: str = "auto", scheduler: str | None = None) -> list[Path]:
    """Run what is missing of a study, the candidates for its learning rates first; the grid's result files.

    A result is missing when there is none for this corpus, method, recipe, code and torch, to the last byte. Each is
    written on this machine as soon as it is there, so a study may be killed and started again.

    Args:
        name: one of :data:`~sertut.study.protocols.PROTOCOLS`.
        workers: trainings at a time on this machine; by default one for each CPU core, each on one thread.
        device: passed on to :func:`sertut.fit`; "cuda" means all GPUs of this machine, in turn.
        scheduler: address of a Dask cluster whose workers train instead, each on the `device` that it finds.

    Raises:
        SertutError: the study is unknown; the cluster is out of reach, or its workers are not as this machine is.
    """
    plan = protocol(name)
    _run_missing(name, plan.candidates(), workers, device, scheduler)
    trainings = plan.trainings(grid.chosen_rates(grid.finished(name, plan.candidates())))
    return _run_missing(name, trainings, workers, device, scheduler)


def _run_missing(
    name: str, trainings: Sequence[Training], workers: int | None, device: str, scheduler: str | None
) -> list[Path]:
    paths = [grid.result_path(name, training) for training in trainings]
    missing = [pair for pair in zip(trainings, paths, strict=True) if not pair[1].is_file()]
    if not missing:
        return paths
    done = on_cluster(missing, device, scheduler) if scheduler else _here(missing, workers, device)
    # Smoothing 0: the time left comes from all trainings of this call, since methods differ in how long they take.
    before = len(trainings) - len(missing)
    for _ in progress_bar(done, total=len(trainings), initial=before, desc=name, smoothing=0):
        pass
    return paths


def _here(missing: Missing, workers: int | None, device: str) -> Iterable[None]:
    """Run trainings in processes of this machine; one item for each that is done."""
    grid.load_inputs([training for training, _ in missing])
    where = itertools.cycle(spread(device))
    jobs = (joblib.delayed(_train_and_keep)(training, path, next(where)) for training, path in missing)
    return joblib.Parallel(n_jobs=workers or os.cpu_count(), return_as="generator_unordered", batch_size=1)(jobs)


def _train_and_keep(training: Training, path: Path, device: str) -> None:
    """In the process that trains, so that the result is kept even if the one that waits for it is killed."""
    if not path.is_file():  # the same study, started again, may have been faster
        write(path, json.dumps(grid.train_one(training, device)))


def spread(device: str) -> list[str]:
    """The devices that trainings take in turn: every GPU where "cuda" is asked for or found, else `device` itself."""
    found = pick_device(device)
    if found.type == "cuda" and found.index is None:
        return [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    return [device]


def on_cluster(missing: Missing, device: str, scheduler: str) -> Iterator[None]:
    """Run trainings by the workers of a Dask cluster, and write their results here; one item for each that is done.

    When a worker dies, the scheduler gives its trainings to another one; workers may join at any time. Futures are
    used directly, and not through joblib's backend: where a cluster has one worker that one runs everything on this
    machine, and it waits for ever for a training that the scheduler has given up.

    Raises:
        SertutError: the extra "cluster" is not installed; the scheduler is out of reach or lost; it has no worker, or
            one with several threads; a training has killed several workers.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise SertutError(
            "a cluster needs the package 'distributed'; install it: pip install -c constraints.txt -e '.[cluster]'."
        ) from None
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except Exception as problem:  # of many kinds: what answers may be no scheduler
        raise SertutError(
            f"no scheduler answers at '{scheduler}'; start one with `dask scheduler` and pass the address that it"
            " prints, such as tcp://192.0.2.1:8786."
        ) from problem
    with client:
        threads = client.nthreads()
        if not threads:
            raise SertutError(f"{scheduler} has no workers yet; start some: `dask worker {scheduler} --nthreads 1`.")
        if wide := [worker for worker, n in threads.items() if n > 1]:
            raise SertutError(
                f"the worker {wide[0]} has {threads[wide[0]]} threads, which can only train in turn; start it with"
                " --nthreads 1, and with --nworkers for more trainings at a time."
            )
        paths = {
            client.submit(train_alike, training, device, grid.digests_here(training), key=path.stem): path
            for training, path in missing
        }
        for future in as_completed(list(paths), loop=client.loop):
            path = paths.pop(future)
            try:
                result = future.result()
            except KilledWorker as problem:
                raise SertutError(
                    f"{path.stem} was given up: every worker that tried it died; see its log."
                ) from problem
            except CancelledError as problem:
                raise SertutError(
                    f"the scheduler at {scheduler} was lost; what is finished is kept, run the same again."
                ) from problem
            del future  # or the scheduler would have it computed again when that worker dies
            write(path, json.dumps(result))
            yield


def train_alike(training: Training, device: str, digests: Mapping[str, str]) -> dict:
    """:func:`~sertut.study.grid.train_one` on a worker, if it is as the machine that asks.

    Args:
        digests: of all that the result depends on, over there.

    Raises:
        SertutError: this worker has other recordings, other code or another PyTorch.
    """
    with ALONE:
        found = grid.digests_here(training)
        if other := [what for what, value in digests.items() if found.get(what) != value]:
            raise SertutError(
                f"the worker on {platform.node()} has another {', another '.join(other)} for '{training.method}' on"
                f" '{training.corpus}'; give all machines the same sertut, PyTorch and recordings."
            )
        return grid.train_one(training, device)
