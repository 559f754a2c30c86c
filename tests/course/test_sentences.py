"""Sentences made from claims: what holds where, how often trained, and what their intervals resample."""

import pytest

from sertut.course.sentences import across, behind, by_verdict, span, told, verdicts
from sertut.evidence import Claim
from sertut.evidence.intervals import Interval
from sertut.study import Study


def claim(corpus, estimate, low, high, seeds=3, id="C3", statement="Seven are better than one: UAR"):
    effect = Interval(estimate, low, high)
    return Claim(id, statement, "a paper", "paper", corpus, effect, "UAR", seeds)


CLAIMS = [
    claim("planted", 0.031, 0.012, 0.049, seeds=5),
    claim("blend", -0.2, -0.3, -0.1),
    claim("decoy", 0.004, -0.01, 0.02, seeds=1),
    claim("planted", 0.4, 0.3, 0.5, statement="Seven are better than one: AUROC"),
    claim("planted", 0.6, 0.5, 0.7, id="C2"),
]


def test_an_effect_has_its_sign_and_its_interval():
    assert span(CLAIMS[0].effect) == "+.031 [+.012, +.049]"
    assert span(CLAIMS[1].effect) == "-.20 [-.30, -.10]"


def test_each_corpus_stands_under_its_verdict_and_one_training_says_so():
    said = across(CLAIMS, "C3", "one: UAR", verdicts("better", "worse"))
    assert said == (
        "better on `planted` (+.031 [+.012, +.049]); worse on `blend` (-.20 [-.30, -.10]);"
        " neither better nor worse can be shown on `decoy` (+.004 [-.010, +.020], one training)."
    )
    assert across(CLAIMS, "C3", "better", verdicts("higher", "lower"), also="AUROC") == (
        "higher on `planted` (+.40 [+.30, +.50])."
    )
    assert across(CLAIMS, "C3", "faster", verdicts("faster", "slower")) == ""


@pytest.mark.parametrize(("place", "word"), [(0, "yes"), (1, "no"), (2, "unclear")])
def test_the_verdict_chooses_the_sentence(place, word):
    assert by_verdict(CLAIMS[place], "yes", "no", "unclear") == word
    said = told(CLAIMS[place], "yes: EFFECT", "unclear: EFFECT", "no: EFFECT")
    assert said == f"{word}: " + ("+.031 [+.012, +.049]", "-.20 [-.30, -.10]", "+.004 [-.010, +.020]")[place] + " UAR"


def kept(corpus, folds, seeds):
    """A reference: one speaker in each fold, right in one of two clips."""
    about = {"statistics": {"uar": "uar"}, "emotions": ["a", "b"], "methods": {"model": {"uar": [[[1, 0], [1, 0]]]}}}
    cells = [(fold, seed) for fold in range(folds) for seed in range(seeds)]
    return Study(
        "any", "?",
        [
            {"corpus": corpus, "method": "m", "fold": fold, "seed": seed, "report": about | {"speakers": [f"s{fold}"]}}
            for fold, seed in cells
        ],
    )  # fmt: skip


def test_what_stands_behind_is_counted_in_each_reference():
    studies = [kept("planted", 1, 5), None, kept("blend", 3, 2)]
    said = behind(CLAIMS[:2], studies)
    assert "on `planted`: 5 seeds, 1 fold, 1 speakers; `blend`: 2 seeds, 3 folds, 3 speakers." in said
    assert "one training" not in said and "test speakers only" in behind(CLAIMS, studies)
    alone = behind(CLAIMS[2:3], [None])
    assert alone.startswith("What comes from one training") and "Behind" not in alone
