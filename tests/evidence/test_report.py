"""The report: scores from known decisions, examples by rule, and a trip through JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from sertut.corpora import Fold, cache
from sertut.errors import SertutError
from sertut.evidence import Report, Tally, evaluate
from sertut.models import AttentiveLSTM
from sertut.signals import n_frames
from sertut.training import fit
from sertut.video import write_video
from tests.evidence.conftest import N_STEPS, a_map

TRUE = [0, 1, 2] * 4
ONE_SPEAKER_WRONG = [0, 1, 2] * 3 + [1, 2, 0]


@pytest.fixture
def report(tiny, predictions_of):
    return Report("tiny", predictions_of(tiny, ONE_SPEAKER_WRONG), predictions_of(tiny, TRUE))


def test_scores_of_known_decisions(report):
    assert report.uar.estimate == pytest.approx(0.75) and report.wa.estimate == pytest.approx(0.75)
    assert report.confusion.tolist() == [[3, 1, 0], [0, 3, 1], [1, 0, 3]]
    assert report.recalls == {"anger": 0.75, "neutral": 0.75, "sadness": 0.75}
    assert report.speakers == ("speaker 0", "speaker 1", "speaker 2", "speaker 3")
    assert np.trace(report.per_speaker, axis1=1, axis2=2).tolist() == [3, 3, 3, 0]
    assert report.uar.low < 0.5 and report.uar.high == 1.0  # one speaker of four decides


def test_it_prints(report):
    assert "12 clips of 4 speakers" in str(report) and "UAR .75" in str(report) and "chance 0.33" in str(report)
    assert "<table" in report._repr_html_() and "recall" in report._repr_html_()


def test_an_example_holds_what_a_figure_needs(report, tiny):
    example = report[5]
    assert example.clip == tiny[5] and example.predicted == "sadness" and example.regions == tiny[5].regions
    assert example.samples.shape == (16_000,)
    assert example.level.shape == (n_frames(16_000),) and example.spectrogram.shape == (n_frames(16_000), 64)
    assert example.probabilities.sum() == pytest.approx(1)
    assert example.map is not None and example.map.weights.shape == (1, 25)


def test_examples_are_chosen_by_rule(report):
    # Probability of the true emotion grows with the clip's number, and the last speaker's is low.
    assert [e.clip.name for e in report.examples("surest", n=3)] == ["clip6", "clip7", "clip8"]
    assert [e.clip.name for e in report.examples("worst", n=3)] == ["clip9", "clip10", "clip11"]
    typical = report.typical(n=2)
    assert [e.clip.emotion for e in typical] == ["anger", "neutral"]
    assert "median" in typical.rule and len(typical) == 2 and typical[0].clip.name in ("clip0", "clip3")
    with pytest.raises(SertutError, match="did you mean 'typical'"):
        report.examples("typicl")


def test_localization_of_a_model_with_right_maps(report):
    assert report.localization.interval("attention", "auroc").estimate == 1.0
    assert report.localization is report.localization  # computed once


def test_why_there_is_no_localization(tiny, predictions_of):
    without_map = Report("tiny", predictions_of(tiny, TRUE, with_maps=False))
    with pytest.raises(SertutError, match="no attention map"):
        _ = without_map.localization
    neutral = tiny.keeping(clip for clip in tiny if clip.emotion == "neutral")
    without_regions = Report("tiny", predictions_of(neutral, [1] * 4))
    with pytest.raises(SertutError, match="no known region in the voice"):
        _ = without_regions.localization
    assert without_map.tally.scored("auroc") == without_map.tally.scored("hit") == ()
    with pytest.raises(SertutError, match="no attention map"):
        _ = without_map.loudness
    found = without_regions.tally  # loudness needs no regions
    assert not found.scored("auroc") and found.sums("energy", "hit").tolist() == [[[1, 1]] * 4]
    assert without_map[0].map is None


def test_json_holds_the_sums(report):
    kept = json.loads(json.dumps(report.tally.to_json()))
    assert np.array(kept["methods"]["model"]["uar"]).sum(axis=0).tolist() == report.confusion.tolist()
    assert kept["speakers"] == list(report.speakers) and kept["emotions"] == list(report.emotions)
    # Two clips of each of the four speakers have a region: the count, once, and then the sums.
    assert kept["methods"]["attention"]["auroc"] == [2, 2, 2, 2, 2]
    back = Tally.pooled([kept], [0])
    assert back.uar == report.uar and back.wa == report.wa
    assert back.scored("auroc") == report.localization.methods and set(back.scored("hit")) == set(
        report.loudness.methods
    )
    assert back.interval("energy", "hit") == report.loudness.interval("energy", "hit") and not back.scored("steps")


def streams_report(tiny, predictions_of, axes=("emotion", "time"), stream="voice"):
    """A report of a network with alignment: each emotion's weights look elsewhere, that of "anger" is right."""
    plain = predictions_of(tiny, ONE_SPEAKER_WRONG)
    right = plain.maps[0]["attention"]
    weights = torch.stack([right.weights, torch.full((1, N_STEPS), 1 / N_STEPS), right.weights.roll(10, 1)], dim=1)
    weights = weights if "emotion" in axes else right.weights
    attention = a_map(weights[0], axes, stream=stream)
    ridge = torch.eye(N_STEPS).roll(3, 0)  # the face 3 steps of 40 ms after the voice
    alignment = a_map(ridge, ("video", "time"), query_mask=right.mask)
    maps = tuple({"attention": attention, "alignment": alignment} for _ in tiny)
    clips = tuple(replace(clip, details={"offset": 0.12}) for clip in tiny)
    predictions = replace(plain, maps=maps, clips=clips)
    return Report("tiny", predictions, predictions)


def test_each_clip_is_scored_by_the_weights_of_its_own_emotion(tiny, predictions_of):
    found = streams_report(tiny, predictions_of).localization
    assert found.methods[:3] == ("attention", "untrained network", "predicted class")
    table = found.table.assign(emotion=[tiny[int(name[4:])].emotion for name in found.table["clip"]])
    mass = table.groupby(["method", "emotion"])["mass"].mean()
    assert mass["attention", "anger"] == pytest.approx(1.0) and mass["attention", "sadness"] == pytest.approx(0.0)
    # Of four clips of anger one is called neutral, whose weights are uniform; of sadness one is called anger.
    chance = table["mass_chance"].iloc[0]
    assert mass["predicted class", "anger"] == pytest.approx((3 + chance) / 4)
    assert mass["predicted class", "sadness"] == pytest.approx(1 / 4)


def test_offsets_of_a_network_with_alignment(tiny, predictions_of):
    report = streams_report(tiny, predictions_of)
    assert report.offsets.interval("attention", "offset_error").estimate == pytest.approx(0.0, abs=0.005)
    assert report.offsets.methods == ("attention", "untrained network", "nearest time", "random")
    kept = report.tally.to_json()["methods"]
    assert kept["nearest time"]["offset_error"] == [[24] * 3] * 4 and "all heads" not in kept
    assert "auroc" in kept["predicted class"] and "hit" in kept["attention"]
    assert report[0].alignment is not None and report[0].face is None


def test_a_network_that_looks_at_faces_has_no_loudness(tiny, predictions_of, cache):
    report = streams_report(tiny, predictions_of, ("time",), "face")
    with pytest.raises(SertutError, match="face, which has no loudness"):
        _ = report.loudness
    with pytest.raises(SertutError, match="no known region in the face"):
        _ = report.localization  # they are known in the voice only
    assert not report.tally.scored("hit") and not report.tally.scored("auroc") and report.tally.scored("offset_error")


def test_why_there_are_no_offsets(report, tiny, predictions_of):
    with pytest.raises(SertutError, match="does not align"):
        _ = report.offsets
    assert not report.tally.scored("offset_error")
    several = streams_report(tiny, predictions_of)
    unknown = replace(several, predictions=replace(several.predictions, clips=tiny.clips))
    with pytest.raises(SertutError, match="no known offset"):
        _ = unknown.offsets


def test_an_example_shows_the_face(tiny, predictions_of, tmp_path):
    write_video(tmp_path / "face.avi", np.full((25, 48, 48), 80, dtype=np.uint8))
    clips = (replace(tiny[0], video=tmp_path / "face.avi"), *tiny.clips[1:])
    face = Report("tiny", replace(predictions_of(tiny, TRUE), clips=clips))[0].face
    assert face is not None and face.crops.shape == (25, 48, 48) and face.found.all()


def test_evaluate_runs_the_network_and_its_untrained_self(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_CACHE", str(tmp_path))  # features of this corpus are nobody else's
    parts = (["speaker 0", "speaker 1"], ["speaker 2"], ["speaker 3"])
    fold = Fold(*(tiny.of_speakers(speakers) for speakers in parts))
    cache._samples.cache_clear()
    cache._level.cache_clear()
    decoded = []
    opened = soundfile.SoundFile
    monkeypatch.setattr(soundfile, "SoundFile", lambda path: decoded.append(path) or opened(path))
    network = AttentiveLSTM(64, 3, n_hidden=8, n_channels=8)
    run = fit(network, fold, epochs=1, device="cpu", progress=False)
    report = evaluate(run, fold.test)
    assert report.tally.scored("auroc") and report.tally.scored("hit") and report[0].clip == fold.test[0]
    assert sorted(decoded) == sorted(clip.audio for clip in tiny)  # once each, whatever is asked of them
    assert len(report) == 3 and report.untrained is not None
    assert not torch.equal(report.predictions.logits, report.untrained.logits)
    assert report.localization.difference("attention", "untrained network", "mass").estimate != 0
    assert "[no interval]" in str(report)  # a single speaker
    assert evaluate(run, fold.test, baselines=False).untrained is None
    mean_pooling = AttentiveLSTM(64, 3, n_hidden=8, n_channels=8, pooling="mean")
    assert evaluate(replace(run, model=mean_pooling), fold.test).untrained is None


def test_heads_are_stored_beside_the_rest(tiny, predictions_of):
    map_ = a_map(np.full((2, N_STEPS, N_STEPS), 1 / N_STEPS), ("head", "query", "time"))
    predictions = replace(predictions_of(tiny, TRUE), maps=({"attention": map_},) * len(tiny))
    stored = Report("tiny", predictions).tally.to_json()["methods"]
    for method, metric in (("all heads", "steps"), ("head 2", "steps"), ("all heads", "steps_chance")):
        assert np.allclose(stored[method][metric], [3, *[3 * N_STEPS] * 4])
    assert "spread" in stored["all heads"] and "spread" not in stored["head 2"]
