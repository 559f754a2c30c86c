"""results.json: what is written can be read, and nonsense is refused."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from sertut.course.results import KEYS, read_results, versions, write_results
from sertut.errors import SertutError
from sertut.evidence.claims import Claim
from sertut.evidence.intervals import Interval

CLAIM = Claim("D2", "attention finds the region", "a paper", "paper", "planted", Interval(0.4, 0.3, 0.5), "AUROC", 5)


def write(path, **changes) -> dict:
    values = dict(chapter="01-x", parameters={"corpus": "planted", "seed": 0, "device": "cpu"}, metrics={"uar": 0.5})
    return write_results(**{**values, "started": time.time() - 2, "path": path / "results.json", **changes})


def test_written_and_read(tmp_path):
    metrics = {"a": np.float32(0.5), "b": torch.tensor(0.25), "n": 3}
    bands = [{"metric": "a", "value": 0.5, "low": 0.4, "high": 0.6}]
    written = write(tmp_path, metrics=metrics, claims=[CLAIM], bands=bands)
    assert read_results(tmp_path / "results.json") == written
    assert set(KEYS) <= set(written)
    assert written["metrics"] == {"a": 0.5, "b": 0.25, "n": 3}
    assert written["seconds"] >= 2 and written["device"] == "cpu" and written["corpus"] == "planted"
    assert written["versions"]["torch"] == torch.__version__.split("+")[0]
    assert {"python", "sertut", "numpy", "pyworld"} <= set(written["versions"]) and "papermill" in versions("book")
    assert written["claims"][0]["verdict"] == "supported"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_auto_is_resolved(tmp_path):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert write(tmp_path, parameters={"device": "auto"})["device"] == device


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        *((dict(metrics={"uar": value}), "metric 'uar' is") for value in (math.nan, math.inf, "high", None)),
        (dict(claims=[replace(CLAIM, effect=Interval(math.inf, 0, 1))]), "effect of claim 'D2' is inf"),
        (dict(bands=[dict(metric="uar", value=math.nan, low=0, high=1)]), "value of band 'uar' is nan"),
    ],
)
def test_nonsense_is_refused(tmp_path, changes, says):
    with pytest.raises(SertutError, match=says):
        write(tmp_path, **changes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "says"), [(None, "is missing or not"), ("{", "not valid JSON"), ('{"chapter": "x"}', "lacks corpus, seed")]
)
def test_reading_what_is_not_there_or_not_right(tmp_path, text, says):
    path = tmp_path / "results.json"
    if text:
        path.write_text(text)
    with pytest.raises(SertutError, match=says):
        read_results(path)
