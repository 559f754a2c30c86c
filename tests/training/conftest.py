"""A small network, and clips whose features are computed once for all tests of this folder."""

import contextlib

import pytest
import torch

from sertut.models import AttentiveLSTM
from sertut.training import fit, fitting

QUICK = dict(epochs=3, device="cpu", progress=False, batch_size=8)
DISTORTED = dict(stretch=0.1, frequency_mask=4, time_mask=4)


def network(**options):
    return AttentiveLSTM(64, 2, **dict(n_hidden=8, n_channels=16) | options)


def same(a, b):
    """Whether two sets of named tensors are equal to the last bit."""
    return all(torch.equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


@contextlib.contextmanager
def interrupted(monkeypatch):
    """Training stops when its last epoch begins."""
    real = fitting._one_epoch

    def stopped(*args):
        if args[5] == QUICK["epochs"] - 1:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fitting, "_one_epoch", stopped)
        yield


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A cache that the tests of this folder share."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def tones(shared_tones, kept, monkeypatch):
    monkeypatch.setenv("SERTUT_CACHE", str(kept))
    return shared_tones


@pytest.fixture
def fold(tones):
    return tones.folds(n=3)[0]


@pytest.fixture(scope="session")
def trained():
    """What :func:`run` has trained, for all tests."""
    return []


@pytest.fixture
def run(trained, fold):
    """A training with everything in it; nobody may change it."""
    if not trained:
        trained.append(fit(network(), fold, seed=1, **QUICK, **DISTORTED))
    return trained[0]
