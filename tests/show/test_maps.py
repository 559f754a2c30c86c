"""What is drawn equals the data, and the text alternative says the right numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.patches import StepPatch

from sertut import show
from sertut.attention import AttentionMap, Clock
from sertut.corpora import Region
from sertut.evidence.cells import band_hz
from sertut.show.maps import describe, time_weights
from sertut.signals import frame_seconds, log_mel


def steps(axis) -> StepPatch:
    """The steps drawn on an axis."""
    return next(patch for patch in axis.patches if isinstance(patch, StepPatch))


def test_attention_draws_the_weights_on_their_own_clock(example):
    axes = show.attention(example).figure.axes
    assert [axis.get_ylabel() for axis in axes] == ["amplitude", "frequency\n(Hz)", "weight\nof a step", "level\n(dB)"]
    values, edges, _ = steps(axes[2]).get_data()
    np.testing.assert_allclose(values, example.map.weights[0].numpy())
    np.testing.assert_allclose(edges, -0.0075 + 0.04 * np.arange(len(values) + 1))


def test_attention_draws_uniform_level_waveform_and_level(example):
    axes = show.attention(example).figure.axes
    dotted = [line for line in axes[2].lines if line.get_linestyle() == ":"]
    assert [line.get_ydata()[0] for line in dotted] == [1 / example.map.weights.shape[1]]
    np.testing.assert_array_equal(axes[0].lines[0].get_ydata(), example.samples)
    np.testing.assert_array_equal(axes[3].lines[0].get_ydata(), example.level.numpy())
    np.testing.assert_allclose(axes[3].lines[0].get_xdata(), frame_seconds(len(example.level)))


def test_attention_marks_the_region_on_all_rows(example):
    for row, axis in enumerate(show.attention(example).figure.axes):
        edges = sorted(line.get_xdata()[0] for line in axis.lines if len(set(line.get_xdata())) == 1)
        assert edges == [0.9, 1.15]
        shaded = [patch for patch in axis.patches if not isinstance(patch, StepPatch)]
        if row == 1:  # on the spectrogram shading would hide the data
            assert not shaded
        else:
            (span,) = shaded
            assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((0.9, 1.15))


def test_attention_marks_the_decoy_and_writes_the_words(example):
    details = {"decoy_start": 0.2, "decoy_end": 0.5, "words": (("the", 0.2, 0.5), ("dog", 0.9, 1.15))}
    picture = show.attention(replace(example, clip=replace(example.clip, details=details)))
    axis = picture.figure.axes[0]
    assert {0.2, 0.5} <= {line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == "--"}
    assert [(text.get_text(), text.get_position()[0]) for text in axis.texts] == [
        ("the", pytest.approx(0.35)),
        ("dog", pytest.approx(1.025)),
    ]
    assert "the true region 0.90 to 1.15 s (decoy 0.20 to 0.50 s)" in picture.alt
    assert "decoy" in [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_spectrogram_is_drawn_upright_with_ticks_at_their_hertz(example):
    axis = show.attention(example).figure.axes[1]
    (image,) = axis.images
    np.testing.assert_array_equal(image.get_array(), example.spectrogram.numpy().T)
    assert image.origin == "lower"
    centers = frame_seconds(len(example.level))
    assert image.get_extent()[:2] == pytest.approx((centers[0] - 0.005, centers[-1] + 0.005))
    hz = band_hz(64)
    ticks = dict(zip([label.get_text() for label in axis.get_yticklabels()], axis.get_yticks(), strict=True))
    assert np.interp(ticks["1k"], np.arange(64), hz) == pytest.approx(1000, rel=0.01)
    assert np.interp(ticks["200"], np.arange(64), hz) == pytest.approx(200, rel=0.01)


def test_band_centers_agree_with_torchaudio():
    """The band that answers most to a pure tone of the band's center is that band."""
    hz = band_hz(64)
    seconds = np.arange(8000) / 16000
    for band in (12, 25, 40, 60):
        tone = np.sin(2 * np.pi * hz[band] * seconds).astype(np.float32)
        assert int(log_mel(tone).mean(dim=0).argmax()) == band


def test_alt_says_where_the_peak_is(example):
    alt = show.attention(example).alt
    values, borders = time_weights(example)
    peak = borders[values.argmax()] + 0.02
    assert alt.startswith("Attention over 2.0 s of a clip of actor 01, neutral: ")
    assert f"the peak at {peak:.2f} s lies inside the true region 0.90 to 1.15 s" in alt
    assert f"{values.max() * len(values):.1f} times the uniform level" in alt
    assert "predicted neutral with probability 0.96" in alt  # softmax of 4, 0, 0


def test_alt_of_a_uniform_map_names_no_peak(example):
    map_ = example.map
    flat = replace(example, map=replace(map_, weights=torch.full_like(map_.weights, 1 / map_.weights.shape[1])))
    assert "every step has the same weight" in describe(flat) and "peak" not in describe(flat)


def test_alt_says_when_the_peak_is_outside(example):
    elsewhere = replace(example, clip=replace(example.clip, regions=(Region(0.1, 0.3),)))
    assert "lies outside the true region 0.10 to 0.30 s" in show.attention(elsewhere).alt


def test_face_regions_are_not_drawn_on_the_voice(example):
    face = replace(example, clip=replace(example.clip, regions=(Region(0.1, 0.3, "face"),)))
    assert "region" not in show.attention(face).alt


def test_clip_without_region_and_model_without_map(example):
    nowhere = show.attention(replace(example, clip=replace(example.clip, regions=())))
    assert "region" not in nowhere.alt
    assert not [p for p in nowhere.figure.axes[0].patches]
    mapless = show.attention(replace(example, map=None))
    assert len(mapless.figure.axes) == 3
    assert "without an attention map" in mapless.alt
    mapless.png  # noqa: B018  (draws)


def test_a_map_with_more_axes_is_projected_to_time(example):
    weights = torch.rand(1, 50, 4)
    weights /= weights.sum()
    map_ = AttentionMap(weights, ("time", "frequency"), torch.ones(1, 50, dtype=torch.bool), {"time": Clock(0.04)})
    axis = show.attention(replace(example, map=map_)).figure.axes[2]
    np.testing.assert_allclose(steps(axis).get_data()[0], weights.sum(dim=2)[0].numpy())


def test_attentions_has_a_row_an_example_and_names_the_rule(report):
    chosen = report.typical(3)
    picture = show.attentions(chosen)
    drawn = [axis for axis in picture.figure.axes if axis.get_ylabel()]
    assert len(drawn) == 3
    for axis, example in zip(drawn, chosen, strict=True):
        np.testing.assert_allclose(steps(axis).get_data()[0], example.map.weights[0].numpy())
        assert axis.get_xlim() == (0, 2.0)  # one scale of seconds, that of the longest clip
    assert chosen.rule in picture.alt
    legend = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert legend == ["attention", "uniform", "true region"]
    assert all(f"clip of {example.clip.speaker}, {example.clip.emotion}" in picture.alt for example in chosen)


def test_mixture_stacks_to_one_and_weighs_by_attention(example):
    n = example.map.weights.shape[1]
    posteriors = torch.rand(n, 3, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    picture = show.mixture(example, posteriors)
    layers = [patch for patch in picture.figure.axes[1].patches if isinstance(patch, StepPatch)]
    np.testing.assert_allclose(layers[-1].get_data()[0], 1.0, rtol=1e-5)
    for column, layer in enumerate(layers):
        top, _, bottom = layer.get_data()
        np.testing.assert_allclose(top - bottom, posteriors[:, column], rtol=1e-4)
    shares = example.map.weights[0] @ posteriors
    labels = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert labels == [f"{emotion} {share:.2f}" for emotion, share in zip(example.emotions, shares, strict=True)]
    best = int(shares.argmax())
    assert f"the clip is {example.emotions[best]} {shares[best]:.2f}" in picture.alt


def test_mixture_takes_weights_for_a_model_without_a_map(example):
    posteriors = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    alt = show.mixture(replace(example, map=None), posteriors, torch.tensor([0.25, 0.75])).alt
    assert "anger 0.75, neutral 0.25" in alt


def test_the_legend_names_what_any_of_the_clips_has(example):
    """The first clip has no region, the second one has."""
    nowhere = replace(example, clip=replace(example.clip, regions=()))
    legend = show.attentions([nowhere, example]).figure.legends[0]
    assert "true region" in [text.get_text() for text in legend.get_texts()]
