"""Two emotions at two moments: questions that prefer their own or none, and curves of known worth, moment by moment."""

import numpy as np
import pytest
import torch

from sertut.attention import Clock
from sertut.corpora import Clip, Region
from sertut.errors import SertutError
from sertut.evidence.preference import judge_courses, own_preference, read_moments, two_shown
from sertut.models import AttentiveLSTM, AudioVisual
from sertut.models.audiovisual import Stream
from sertut.training import Predictions, predict
from tests.evidence.conftest import CLOCK, EMOTIONS, HOP, N_STEPS, a_map, run_of

A, B = slice(5, 8), slice(15, 17)  # steps of the moments of anger and of sadness
UNIFORM = np.full(N_STEPS, 1 / N_STEPS)


def seconds(steps):
    return CLOCK.start + HOP * steps.start, CLOCK.start + HOP * steps.stop


BOTH = ("anger", *seconds(A)), ("sadness", *seconds(B))


def clip(name="clip", regions=(), **details):
    return Clip(name, f"{name}.wav", "somebody", "anger", "a sentence", regions, details=details)


def told(*rows, clips=None):
    """Predictions of one clip a (K, T) table of weights."""
    clips = clips or [clip(f"clip{i}", faces=BOTH) for i in range(len(rows))]
    maps = tuple({"attention": a_map(row, ("emotion", "time") if np.ndim(row) == 2 else ("time",))} for row in rows)
    zeros = torch.zeros(len(rows), len(EMOTIONS))
    return Predictions(tuple(clips), EMOTIONS, zeros, zeros[:, 0].long(), maps)


def question(on_a, on_b):
    row = np.full(N_STEPS, (1 - on_a - on_b) / (N_STEPS - 5))
    row[A], row[B] = on_a / 3, on_b / 2
    return row


DETECTORS = np.stack([question(0.8, 0.0), question(0.4, 0.4), question(0.0, 0.8)])


def test_detectors_prefer_their_own_and_a_shared_question_nothing():
    shared = np.stack([question(0.6, 0.2)] * 3)
    found = own_preference(told(DETECTORS, DETECTORS[::-1].copy(), shared))
    assert found.table["preference"].tolist() == pytest.approx([1.0, -1.0, 0.0], abs=1e-6)
    assert found.table["under_others"].tolist() == pytest.approx([0.5, 0.5, 0.75], abs=1e-6)
    assert found.table["on_both"].tolist() == pytest.approx([0.8] * 3, abs=1e-6)
    assert found.interval("attention", "preference").estimate == pytest.approx(0.0, abs=1e-6)


def test_the_shares_are_those_of_the_weight_on_both_moments():
    table = np.stack([question(0.3, 0.1), question(0.2, 0.2), question(0.1, 0.4)])
    found = own_preference(told(table))
    row = found.table.iloc[0]
    assert (row["under_a"], row["under_b"]) == pytest.approx((0.75, 0.2), abs=1e-6)
    assert row["preference"] == pytest.approx(0.55, abs=1e-6)
    assert row["on_both"] == pytest.approx((0.4 + 0.5) / 2, abs=1e-6)
    # Which of the two is called A does not matter.
    assert own_preference(told(table, clips=[clip(faces=BOTH[::-1])])).table["preference"][0] == pytest.approx(
        0.55, abs=1e-6
    )


def test_a_decoy_is_a_second_emotion_and_what_shows_one_is_left_out():
    regions = Region(*seconds(A), "face"), Region(0.1, 0.2, "voice")
    decoyed = clip("decoyed", regions, decoy_emotion="sadness", decoy_face=seconds(B))
    assert two_shown(decoyed) == {"anger": [seconds(A)], "sadness": [seconds(B)]}
    assert two_shown(clip(faces=BOTH[:1])) == {}
    found = own_preference(told(DETECTORS, DETECTORS, clips=[decoyed, clip("alone")]))
    assert found.table["preference"].tolist() == pytest.approx([1.0])
    assert found.skipped == {"alone": "it shows no two emotions"}


def test_without_two_emotions_or_without_rows_it_says_so():
    with pytest.raises(SertutError, match=r"it shows no two emotions.*planted-blend"):
        own_preference(told(DETECTORS, clips=[clip()]))
    with pytest.raises(SertutError, match="one row for all emotions"):
        own_preference(told(question(0.5, 0.3)))


def says(on_a, on_b, elsewhere=(0.0, 1.0, 0.0)):
    said = np.tile(np.asarray(elsewhere, dtype=float), (N_STEPS, 1))
    said[A], said[B] = on_a, on_b
    return said


def judged(said, weights=UNIFORM, clips=None, stream="voice"):
    clips = clips or [clip(cues=BOTH)]
    return judge_courses(clips, EMOTIONS, [(said, weights)] * len(clips), CLOCK, stream)


RIGHT = says((0.9, 0.0, 0.1), (0.2, 0.0, 0.8))


def test_moments_that_speak_of_their_own_emotion_are_right_and_apart():
    right = judged(RIGHT)
    assert right.interval("what is said", "auroc").estimate == 1.0 == right.interval("course", "auroc").estimate
    assert right.interval("what is said", "apart").estimate == pytest.approx(0.7)
    wrong = judged(says((0.1, 0.0, 0.9), (0.8, 0.0, 0.2)))
    assert wrong.interval("what is said", "auroc").estimate == 0.0
    same = judged(says((0.5, 0.0, 0.5), (0.5, 0.0, 0.5)))
    assert same.interval("what is said", "auroc").estimate == 0.5
    assert same.interval("what is said", "apart").estimate == 0.0


def test_the_auroc_is_a_count_of_pairs_among_emotional_moments():
    said = RIGHT + np.random.default_rng(0).random(RIGHT.shape)
    weights = np.where(np.arange(N_STEPS) >= 15, 0.1, 1e-6)  # next to nothing in the moments of anger
    found = judged(said, weights)
    assert found.difference("course", "what is said", "auroc").estimate != 0
    for method, curves in (("what is said", said), ("course", weights[:, None] * said)):
        pairs = [(curves[i, 0], curves[j, 0]) for i in range(5, 8) for j in (15, 16)]
        anger = np.mean([own > other for own, other in pairs])
        sadness = np.mean([curves[j, 2] > curves[i, 2] for i in range(5, 8) for j in (15, 16)])
        assert found.interval(method, "auroc").estimate == pytest.approx((anger + sadness) / 2)


def test_each_stream_has_its_own_moments_and_what_shows_one_emotion_is_skipped():
    seen = clip("seen", faces=BOTH)
    found = judged(RIGHT, clips=[seen, clip("heard", cues=BOTH)], stream="face")
    assert found.table["clip"].tolist() == ["seen", "seen"] and list(found.skipped) == ["heard"]
    with pytest.raises(SertutError, match=r"shows no two emotions.*planted-blend"):
        judged(RIGHT, clips=[seen])


def test_moments_at_which_nothing_was_seen_are_not_judged():
    said = RIGHT.copy()
    said[6] = said[16] = (0.0, 1.0, 0.0)  # would be wrong, but the face was lost
    weights = np.where(np.isin(np.arange(N_STEPS), (6, 16)), 0.0, 0.04)
    found = judged(said, weights)
    assert found.interval("what is said", "auroc").estimate == 1.0 == found.interval("course", "auroc").estimate
    assert found.interval("what is said", "apart").estimate == pytest.approx(0.7)
    assert judged(said).interval("what is said", "auroc").estimate < 1.0


def test_a_lost_face_moves_no_moment(tiny, monkeypatch):
    torch.manual_seed(0)
    model, mask = AudioVisual(64, 384, len(EMOTIONS), streams="face", pooling="attention"), torch.ones(12, 25).bool()
    mask[:, 8:12], mask[:, 22:] = False, False
    stream = Stream("face", torch.randn(12, 25, 64), mask, Clock(0.04))
    monkeypatch.setattr(model, "see", lambda batch: stream)
    for said, weights in read_moments(run_of(model), tiny):
        assert said.shape == (22, 3) and ((weights == 0) == ~mask[0, :22].numpy()).all()


@pytest.mark.parametrize("pooling", ["attention", "mixture"])
def test_what_moments_say_adds_up(tiny, pooling):
    torch.manual_seed(0)
    run = run_of(AudioVisual(64, 384, len(EMOTIONS), streams="voice", pooling=pooling).eval())
    moments, whole = read_moments(run, tiny), predict(run, tiny)
    for (said, weights), maps in zip(moments, whole.maps, strict=True):
        assert said.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        assert weights == pytest.approx(maps["attention"].weights[0].numpy(), abs=1e-6)
    if pooling == "mixture":
        added = np.array([weights @ said for said, weights in moments])
        assert added == pytest.approx(whole.probabilities.numpy(), abs=1e-5)
    else:  # what is mixed are states: the logits are linear in them, so log-odds add up, too
        odds = [weights @ (np.log(said) - np.log(said[:, :1])) for said, weights in moments]
        assert np.array(odds) == pytest.approx((whole.logits - whole.logits[:, :1]).detach().numpy(), abs=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        AudioVisual(64, 384, 3),
        AudioVisual(64, 384, 3, streams="voice", pooling="mean"),
        AudioVisual(64, 384, 3, streams="voice", pooling="attention", front=4),
        AttentiveLSTM(64, 3),
    ],
)
def test_other_networks_have_no_such_moments(tiny, model):
    with pytest.raises(SertutError, match="one stream"):
        read_moments(run_of(model), tiny)
