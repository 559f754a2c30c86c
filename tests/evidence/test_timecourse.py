"""The course of emotions: curves of known worth, a plain count of pairs, and readings that add up to the decision."""

import numpy as np
import pytest
import torch

from sertut.attention import Clock
from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence.preference import judge_courses, read_moments
from sertut.models import AttentiveLSTM, AudioVisual
from sertut.models.audiovisual import Stream
from sertut.training import predict
from tests.evidence.conftest import CLOCK, EMOTIONS, HOP, N_STEPS, run_of

A, B = slice(5, 8), slice(15, 17)  # steps of the moments of anger and of sadness
UNIFORM = np.full(N_STEPS, 1 / N_STEPS)


def seconds(steps):
    return CLOCK.start + HOP * steps.start, CLOCK.start + HOP * steps.stop


def clip(name="clip", stream="cues", speaker="s"):
    shown = [("anger", *seconds(A)), ("sadness", *seconds(B))]
    return Clip(name, f"{name}.wav", speaker, "anger", "", (), details={stream: shown})


def says(on_a, on_b, elsewhere=(0.0, 1.0, 0.0)):
    said = np.tile(np.asarray(elsewhere, dtype=float), (N_STEPS, 1))
    said[A], said[B] = on_a, on_b
    return said


def judged(said, weights=UNIFORM, clips=None, stream="voice"):
    clips = clips or [clip()]
    return judge_courses(clips, EMOTIONS, [(said, weights)] * len(clips), CLOCK, stream)


def test_moments_that_speak_of_their_own_emotion_are_right_and_apart():
    right = judged(says((0.9, 0.0, 0.1), (0.2, 0.0, 0.8)))
    assert right.interval("what is said", "auroc").estimate == 1.0 == right.interval("course", "auroc").estimate
    assert right.interval("what is said", "apart").estimate == pytest.approx(0.7)
    wrong = judged(says((0.1, 0.0, 0.9), (0.8, 0.0, 0.2)))
    assert wrong.interval("what is said", "auroc").estimate == 0.0
    same = judged(says((0.5, 0.0, 0.5), (0.5, 0.0, 0.5)))
    assert same.interval("what is said", "auroc").estimate == 0.5
    assert same.interval("what is said", "apart").estimate == 0.0


def test_weights_on_one_emotion_alone_spoil_the_course_of_the_other():
    weights = np.where(np.arange(N_STEPS) >= 15, 0.1, 1e-6)  # next to nothing in the moments of anger
    found = judged(says((0.9, 0.0, 0.1), (0.2, 0.0, 0.8)), weights)
    assert found.interval("what is said", "auroc").estimate == 1.0
    assert found.interval("course", "auroc").estimate == 0.5  # anger 0, sadness 1
    assert found.difference("course", "what is said", "auroc").estimate == -0.5


def test_the_auroc_is_a_count_of_pairs_among_emotional_moments():
    rng = np.random.default_rng(0)
    said, weights = rng.dirichlet(np.ones(3), size=N_STEPS), rng.dirichlet(np.ones(N_STEPS))
    found = judged(said, weights)
    for method, curves in (("what is said", said), ("course", weights[:, None] * said)):
        pairs = [(curves[i, 0], curves[j, 0]) for i in range(5, 8) for j in (15, 16)]
        anger = np.mean([own > other for own, other in pairs])
        sadness = np.mean([curves[j, 2] > curves[i, 2] for i in range(5, 8) for j in (15, 16)])
        assert found.interval(method, "auroc").estimate == pytest.approx((anger + sadness) / 2)


def test_each_stream_has_its_own_moments_and_what_shows_one_emotion_is_skipped():
    said = says((0.9, 0.0, 0.1), (0.2, 0.0, 0.8))
    seen = clip("seen", "faces")
    found = judged(said, clips=[seen, clip("heard")], stream="face")
    assert found.table["clip"].tolist() == ["seen", "seen"] and list(found.skipped) == ["heard"]
    with pytest.raises(SertutError, match=r"shows no two emotions.*planted-blend"):
        judged(said, clips=[seen])


def test_moments_at_which_nothing_was_seen_are_not_judged():
    said = says((0.9, 0.0, 0.1), (0.2, 0.0, 0.8))
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
