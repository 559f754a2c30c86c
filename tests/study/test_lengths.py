"""Lengths of a study are pooled as its whole clips are: speakers side by side, seeds apart."""

import pytest

from sertut.errors import SertutError
from sertut.study.lengths import pooled_lengths
from sertut.study.reference import Study

RIGHT, WRONG = [[2, 0], [0, 2]], [[0, 2], [2, 0]]


def result(fold, seed, **extra):
    """A fold of one speaker: right on long pieces, wrong on short ones, half right on whole clips."""
    who = [f"speaker {fold}"]
    part = {"lengths": [0.5, 2.0], "speakers": who, "confusions": [[WRONG], [RIGHT]]}
    report = {"emotions": ["a", "b"], "speakers": who, "confusions": [[[1, 1], [1, 1]]], "localization": None}
    lengths = {"lengths": {"middle": part, "segments": part, "joined": part}} | extra
    return {"corpus": "made", "method": "small", "fold": fold, "seed": seed, "report": report} | lengths


@pytest.fixture
def study():
    return Study("made-study", "?", [result(fold, seed) for fold in (0, 1, 2) for seed in (0, 1)])


def test_scores_at_each_length(study):
    found = pooled_lengths(study, "small", "middle")
    assert list(found) == [0.5, 2.0]
    assert (found[0.5].uar.estimate, found[2.0].uar.estimate) == (0.0, 1.0)
    assert found[2.0].seeds == (0, 1) and len(found[2.0].speakers) == 3


def test_paired_with_whole_clips(study):
    gain = study.pooled("small").difference(pooled_lengths(study, "small", "segments")[0.5])
    assert gain.estimate == 0.5 and gain.low == 0.5


def test_what_is_not_there_is_named(study):
    with pytest.raises(SertutError, match="unknown way of hearing 'segment': did you mean 'segments'"):
        pooled_lengths(study, "small", "segment")
    with pytest.raises(SertutError, match="unknown method 'smal'"):
        pooled_lengths(study, "smal", "middle")
    bare = [{key: value for key, value in row.items() if key != "lengths"} for row in study.results]
    with pytest.raises(SertutError, match=r"holds no lengths of 'small'.*sertut study run"):
        pooled_lengths(Study("regions-planted", "?", bare), "small", "middle")
