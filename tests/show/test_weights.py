"""What is drawn equals the data, each stream keeps its own spans, and the text alternative says the right numbers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from sertut import show
from sertut.corpora import Region
from sertut.evidence.cells import band_hz
from sertut.show.weights import describe, time_weights
from sertut.signals import frame_seconds

from .conftest import changed, dotted, edges, frames, legend, on_face, rows, steps, ticks

LABELS = ["amplitude", "frequency (Hz)", "weight of a step", "level (dB)"]


def test_attention_draws_sound_weights_and_level_on_their_own_clocks(example):
    picture = show.attention(example)
    drawn = rows(picture)
    assert list(drawn) == LABELS and picture.alt == describe(example)
    assert all(axis.get_xlim() == (0, 2.0) for axis in drawn.values())
    values, borders = steps(drawn["weight of a step"])
    np.testing.assert_allclose(values, example.map.weights[0].numpy())
    np.testing.assert_allclose(borders, -0.0075 + 0.04 * np.arange(len(values) + 1))
    assert dotted(drawn["weight of a step"]).get_ydata()[0] == 1 / len(values)
    np.testing.assert_array_equal(drawn["amplitude"].lines[0].get_ydata(), example.samples)
    np.testing.assert_allclose(drawn["amplitude"].lines[0].get_xdata()[-1], 2.0, atol=1e-4)
    level = drawn["level (dB)"].lines[0]
    np.testing.assert_array_equal(level.get_ydata(), example.level.numpy())
    np.testing.assert_allclose(level.get_xdata(), frame_seconds(len(example.level)))


def test_spectrogram_is_drawn_upright_with_ticks_at_their_hertz(example):
    axis = rows(show.attention(example))["frequency (Hz)"]
    (image,) = axis.images
    np.testing.assert_array_equal(image.get_array(), example.spectrogram.numpy().T)
    centers = frame_seconds(len(example.level))
    assert image.origin == "lower"
    assert image.get_extent()[:2] == pytest.approx((centers[0] - 0.005, centers[-1] + 0.005))
    places = dict(zip(ticks(axis), axis.get_yticks(), strict=True))
    for name, hertz in (("1k", 1000), ("200", 200)):
        assert np.interp(places[name], np.arange(64), band_hz(64)) == pytest.approx(hertz, rel=0.01)


def test_each_row_has_the_spans_of_its_own_stream(seen):
    picture = show.attention(seen)
    for label, axis in rows(picture).items():
        if label == "frequency (Hz)":  # on the spectrogram shading would hide the data
            assert frames(axis) == [pytest.approx((0.9, -0.5, 1.15, 63.5))]
            assert frames(axis, "--") == [pytest.approx((0.2, -0.5, 0.5, 63.5))]
            continue
        region, decoy = ([1.22, 1.46], [0.4, 0.75]) if label == "weight of a frame" else ([0.9, 1.15], [0.2, 0.5])
        assert edges(axis, "-") == region and edges(axis, "--") == decoy
        shaded = [patch for patch in axis.patches if hasattr(patch, "get_x")]
        for patch, span, role in zip(shaded, (region, decoy), ("region", "decoy"), strict=True):
            assert [patch.get_x(), patch.get_x() + patch.get_width()] == pytest.approx(span)
            assert to_hex(patch.get_facecolor()).upper() == show.ROLES[role]
    assert legend(picture) == ["attention", "uniform", "true region", "decoy"]
    assert picture.alt.startswith("Attention to the face over 2.0 s")


def written(example, *words, regions=()):
    """The axis of the waveform, and where each word (word, start, end) stands: its middle in seconds, its box."""
    figure = show.attention(changed(example, *regions, words=words)).figure
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    return figure.axes[0], {text.get_text(): (text.get_position()[0], text.get_window_extent()) for text in texts}


def test_the_words_stand_above_the_waveform_and_do_not_run_into_each_other(example):
    _, two = written(example, ("the", 0.2, 0.5), ("dog", 0.9, 1.15))
    assert {word: at for word, (at, _) in two.items()} == {"the": pytest.approx(0.35), "dog": pytest.approx(1.025)}
    said = (("the", 0.5, 0.6), ("gardener", 0.6, 0.9), ("watered", 0.9, 1.1), ("and", 1.1, 1.12), ("all", 1.12, 1.14))
    _, five = written(example, *said)
    assert list(five) == ["the", "gardener", "watered", "and"]  # for "all" there is no room
    assert not any(a.overlaps(b) for (_, a), (_, b) in itertools.combinations(five.values(), 2))


def test_a_word_stands_inside_the_axes_and_beside_the_edge_of_a_span(example):
    said = (("Notwithstanding", 0.0, 0.1), ("an", 0.85, 0.9), ("owl", 0.95, 1.15))
    axis, found = written(example, *said, regions=example.clip.regions)
    assert found["Notwithstanding"][1].x0 >= axis.get_window_extent().x0
    begin = axis.transData.transform((0.9, 0))[0]
    assert found["an"][1].x1 < begin < found["owl"][1].x0, "the true region begins at 0.9 s"


def test_alt_says_where_the_peak_is_and_what_was_decided(example):
    values, borders = time_weights(example)
    assert describe(example) == (
        f"Attention over 2.0 s of a clip of actor 01, neutral: the peak at {borders[values.argmax()] + 0.02:.2f} s lies"
        f" inside the true region 0.90 to 1.15 s; it is {values.max() * len(values):.1f} times the uniform level;"
        " predicted neutral with probability 0.96."  # softmax of 4, 0, 0
    )
    outside = describe(changed(example, Region(0.1, 0.3), decoy_start=0.9, decoy_end=1.2))
    assert "lies outside the true region 0.10 to 0.30 s (decoy 0.90 to 1.20 s)" in outside


def test_a_uniform_map_has_no_peak(example):
    flat = replace(example.map, weights=torch.full_like(example.map.weights, 1 / example.map.weights.shape[1]))
    alt = describe(replace(example, map=flat))
    assert "every step has the same weight; the true region is 0.90 to 1.15 s" in alt and "peak" not in alt


def test_clip_without_region_and_model_without_map(example):
    for nowhere in (changed(example), changed(example, Region(0.1, 0.3, "face"))):
        picture = show.attention(nowhere)
        assert "region" not in picture.alt and not rows(picture)["amplitude"].patches
    mapless = show.attention(replace(example, map=None))
    assert list(rows(mapless)) == [label for label in LABELS if "weight" not in label]
    assert "without an attention map; the true region is 0.90 to 1.15 s" in mapless.alt


def test_attention_by_emotion_is_that_for_the_predicted_one(seen):
    shown = replace(seen, map=on_face(("emotion", "time")))  # neutral was predicted
    other = replace(shown, predicted="anger")
    for index, one in enumerate((shown, other)):
        np.testing.assert_allclose(time_weights(one)[0], shown.map.weights[0, index])
    assert describe(other).startswith("Attention to the face for anger over 2.0 s")


def test_attentions_has_a_row_an_example_and_names_the_rule(report):
    chosen = report.typical(3)
    picture = show.attentions(chosen)
    drawn = [axis for axis in picture.figure.axes if axis.get_ylabel().startswith("weight")]
    for axis, example in zip(drawn, chosen, strict=True):
        np.testing.assert_allclose(steps(axis)[0], example.map.weights[0].numpy())
        assert axis.get_xlim() == (0, 2.0)  # one scale of seconds, that of the longest clip
        assert axis.get_title("left").startswith(f"{example.clip.speaker}, {example.clip.emotion}. Predicted: ")
        assert f"clip of {example.clip.speaker}, {example.clip.emotion}" in picture.alt
    assert picture.alt.startswith(f"3 clips. {chosen.rule} Attention over")
    assert legend(picture) == ["attention", "uniform", "true region"]  # each once
