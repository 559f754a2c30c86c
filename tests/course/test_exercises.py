"""Every solution passes; every mistake that an exercise knows is called by its name: here those of chapters 1 to 3."""

from collections import Counter
from itertools import product

import pytest
import torch

from sertut.corpora.ravdess import EMOTIONS
from sertut.course.exercises import JUDGES, check
from sertut.errors import SertutError
from sertut.training import metrics
from tests.course.answers import defined, named


def speakers(part):
    return {clip.speaker for clip in part}


def real_mean(features, mask):
    return (features * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)


def in_place(train, train_mask, test, test_mask):
    """It must not disturb what the judge compares with."""
    real = train[train_mask]
    train.zero_()
    return real.mean(0), real.std(0)


def recognized(n, which, taken_for=None):
    """Counts of n clips a class of which `which` are recognized: of some classes all, or a share of each."""
    counts = torch.diag((n * which).long())
    counts[:, n.argmax() if taken_for is None else taken_for] += n - counts.diagonal()
    return counts


@pytest.mark.parametrize("id", sorted(JUDGES))
def test_solution_passes(id):
    feedback = check(id, defined(id))
    assert feedback.passed and feedback.answered and bool(feedback), feedback
    assert repr(feedback).startswith(f"{id} correct: ")


@pytest.mark.parametrize("id", sorted(JUDGES))
@pytest.mark.parametrize("answer", [None, ..., lambda *_: None, lambda *_: ...])
def test_open_exercise_states_its_task(id, answer):
    feedback = check(id, answer)
    assert not feedback and not feedback.answered
    assert "not answered yet" in feedback.message and f"`{JUDGES[id].__name__}(" in feedback.message


def test_without_the_chapters_an_open_exercise_says_what_to_define(monkeypatch):
    def missing(name):
        raise SertutError("no notebooks/")

    monkeypatch.setattr("sertut.course.exercises.find", missing)
    assert "Define `masked_mean`" in check("2.2", None).message


@pytest.mark.parametrize("id", sorted(JUDGES))
def test_an_exception_in_the_answer_is_named_and_not_raised(id):
    def broken(*_):
        raise ZeroDivisionError("oh dear")

    feedback = check(id, broken)
    assert not feedback and "ZeroDivisionError: oh dear" in feedback.message


@pytest.mark.parametrize("id", sorted(JUDGES))
@pytest.mark.parametrize("answer", [7, "text", [], object(), torch.zeros(2), lambda *_: "text", lambda *_: object()])
def test_no_answer_makes_check_raise(id, answer):
    feedback = check(id, answer)
    assert not feedback.passed and feedback.message


def test_unknown_exercise_suggests_the_nearest():
    with pytest.raises(SertutError, match=r"unknown exercise '4.11': did you mean '4.1'"):
        check("4.11", None)


def test_every_chapter_has_two_or_three():
    found = Counter(id.partition(".")[0] for id in JUDGES)
    assert len(found) == 18 and set(found.values()) == {2, 3}


def test_no_other_decisions_set_wa_and_uar_farther_apart():
    """Against all ways to recognize some classes and not the others."""
    for sizes in ([50, 10, 20], [6, 6, 1, 40, 30], [5, 5, 5]):
        n, found = torch.tensor(sizes), []
        for some in product([False, True], repeat=len(n)):
            counts = recognized(n, torch.tensor(some)).numpy()
            found.append(float(metrics.wa(counts) - metrics.uar(counts)))
        counts = defined("3.2")(n).numpy()
        assert float(metrics.wa(counts) - metrics.uar(counts)) == pytest.approx(max(found))


MISTAKES = [
    ("1.1", lambda a, b, c: speakers(a) & speakers(c), "train with test only"),
    ("1.1", lambda a, b, c: speakers(a) & speakers(b) & speakers(c), "all three parts"),
    ("1.1", lambda a, b, c: speakers(a) & (speakers(b) | speakers(c)), "but not dev with test"),
    ("1.1", lambda a, b, c: speakers(a) | speakers(b) | speakers(c), "all speakers"),
    ("1.1", lambda a, b, c: speakers(a) ^ speakers(b) ^ speakers(c), "expected"),
    ("1.1", lambda a, b, c: bool(speakers(a) & speakers(b)), "bare yes or no"),
    ("1.1", lambda a, b, c: set(), "found no shared speaker"),
    ("1.1", lambda a, b, c: a[:1], "returned clips"),
    ("1.1", lambda a, b, c: set("acdf"), "a split that has none"),
    ("1.2", lambda n: (EMOTIONS[n.split("-")[3]], int(n[-6:-4])), "the intensity"),
    ("1.2", lambda n: (EMOTIONS[n.split("-")[1]], int(n[-6:-4])), "the channel"),
    ("1.2", lambda n: (list(EMOTIONS.values())[int(n[6:8])], int(n[-6:-4])), "off by one"),
    ("1.2", lambda n: (n[6:8], int(n[-6:-4])), "emotion's code"),
    ("1.2", lambda n: (EMOTIONS[n[6:8]], n.split("-")[-1]), "cut off `.wav`"),
    ("1.2", lambda n: (EMOTIONS[n[6:8]], int(n.split("-")[5])), "the last field"),
    ("1.2", lambda n: EMOTIONS[n[6:8]], "return two values"),
    ("1.3", lambda c: (max(c) / sum(c), 1 / len(c)), "the other way round"),
    ("1.3", lambda c: (max(c) / sum(c), max(c) / sum(c)), "that UAR is the WA"),
    ("1.3", lambda c: (1 / len(c), 1 / len(c)), "guessing at random"),
    ("1.3", lambda c: (1 / len(c), 1.0), "among all clips"),
    ("2.1", lambda n, t: (n // 160, (200 + 160 * t) / 16000), "stick out"),
    ("2.1", lambda n, t: (1 + n // 160, (200 + 160 * t) / 16000), "padding at both ends"),
    ("2.1", lambda n, t: ((n - 400) // 160, (200 + 160 * t) / 16000), "one is missing"),
    ("2.1", lambda n, t: (n // 400, (200 + 160 * t) / 16000), "whole window"),
    ("2.1", lambda n, t: (1 + (n - 400) // 160, 0.01 * t), "where the frame begins"),
    ("2.1", lambda n, t: (1 + (n - 400) // 160, 0.01 * t + 0.025), "where the frame ends"),
    ("2.1", lambda n, t: (1 + (n - 400) // 160, 0.01 * t + 0.005), "half a hop"),
    ("2.1", lambda n, t: (1 + (n - 400) // 160, 10 * t + 12.5), "milliseconds"),
    ("2.1", lambda n, t: (1 + (n - 400) // 160, (200 + 160 * t) / 16000), "shorter than one frame"),
    ("2.2", lambda f, m: f.mean(1), "padded frames are in your mean"),
    ("2.2", lambda f, m: (f * m.unsqueeze(-1)).mean(1), "divide by T"),
    ("2.2", lambda f, m: f.sum(1) / m.sum(1, keepdim=True), "padded frames are in the sum"),
    ("2.2", lambda f, m: (f * m.unsqueeze(-1)).sum(1), "that is the sum"),
    ("2.2", lambda f, m: (f * m.unsqueeze(-1)).sum(1) / m.sum(), "whole batch"),
    ("2.2", lambda f, m: f[m].mean(0).expand(3, 2), "mixed the clips"),
    ("2.2", lambda f, m: real_mean(f, m)[:, :1], "the shape is (3, 1), it must be (3, 2)"),
    ("2.3", lambda a, m, b, n: (torch.cat([a[m], b[n]]).mean(0), a[m].std(0)), "test frames are in your mean"),
    ("2.3", lambda a, m, b, n: (b[n].mean(0), b[n].std(0)), "used the test part"),
    ("2.3", lambda a, m, b, n: (a.mean((0, 1)), a.flatten(0, 1).std(0)), "zeros of the padding are in your mean"),
    ("2.3", lambda a, m, b, n: (real_mean(a, m).mean(0), a[m].std(0)), "averaged the means of clips"),
    ("2.3", lambda a, m, b, n: (a[m].mean(0), a[m].var(0)), "variance"),
    ("2.3", lambda a, m, b, n: (a[m].mean(0), a.flatten(0, 1).std(0)), "padding are in your standard deviation"),
    ("2.3", lambda a, m, b, n: (a[m].mean(0), torch.cat([a[m], b[n]]).std(0)), "test frames are in your standard"),
    ("2.3", lambda a, m, b, n: (a[m].mean(), a[m].std()), "each feature has a mean of its own"),
    ("3.1", lambda s, m: s[:, -1], "`states[:, -1]`"),
    ("3.1", lambda s, m: s[torch.arange(3), m.sum(1).clamp(max=5)], "one frame too far"),
    ("3.1", lambda s, m: s[torch.arange(3), m.sum(1) - 2], "one frame too early"),
    ("3.1", lambda s, m: s[:, m.sum(1).min() - 1], "the end of the shortest"),
    ("3.1", lambda s, m: s[:, m.sum(1) - 1], "broadcast"),
    ("3.1", lambda s, m: s[:, 0], "first frame"),
    ("3.1", real_mean, "mean pooling"),
    ("3.1", lambda s, m: s[torch.arange(3), m.sum(1)], "IndexError"),
    ("3.2", lambda n: torch.diag(n), "all recalls are equal"),
    ("3.2", lambda n: torch.zeros(len(n), len(n)), "Row i must sum to n[i]"),
    ("3.2", lambda n: recognized(n, n == n.max()), "only the largest class is recognized"),
    ("3.2", lambda n: recognized(n, n < n.float().mean(), n.argmin()), "your UAR is above your WA"),
    ("3.2", lambda n: recognized(n, n > n.float().mean()).T, "it is transposed"),
    ("3.2", lambda n: recognized(n, n > n.min()), "recognizes clips of class 2"),
    ("3.2", lambda n: recognized(n, (n > n.float().mean()) / (1 + (n == 30))), "misses clips of class 4"),
    ("3.2", lambda n: 2 * torch.diag(n) - recognized(n, n > n.max()), "no negative ones"),
    ("3.2", lambda n: n, "of shape (3, 3)"),
]


test_mistake_is_named, test_another_way_passes = named(MISTAKES, ("2.3", in_place))
