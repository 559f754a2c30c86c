"""Many heads, focus and gates: what is drawn equals the map, and the text alternative says the right numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.patches import StepPatch
from scipy.stats import spearmanr

from sertut import show
from sertut.corpora import Region
from sertut.errors import SertutError
from sertut.evidence import Report
from sertut.evidence.localization import step_level
from sertut.evidence.reach import use_of
from sertut.show.headmaps import head_style
from sertut.signals import level_db, write_audio
from sertut.training.prediction import Predictions

from .conftest import CLOCK, above, changed, edges, frames, legend, mapped, mesh, steps

H, T = 3, 48
SECONDS = -0.0075 + 0.04 * (np.arange(T) + 0.5)


def many(example, gates=None):
    """The example with a map of three heads; most attention goes to step 10, at 0.4125 s."""
    scores = torch.randn(H, T, T, generator=torch.Generator().manual_seed(0))
    scores[..., 10] += 4
    return mapped(example, scores.softmax(dim=2), gates, head=None, query=CLOCK, time=CLOCK)


def windows():
    """Head h looks 0.1 h s behind the query, 0.5 (h + 1) s wide."""
    center = SECONDS + 0.1 * np.arange(H)[:, None]
    return torch.from_numpy(center), torch.from_numpy(np.repeat(0.5 * np.arange(1, H + 1), T).reshape(H, T))


def marked(axis, marker):
    """Where this marker stands."""
    (line,) = [line for line in axis.lines if line.get_marker() == marker]
    return line.get_xdata()[0], line.get_ydata()[0]


def panels(picture):
    return [axis for axis in picture.figure.axes if axis.get_title("left").startswith("head")]


def test_heads_draws_queries_down_and_keys_across_on_one_scale(example):
    shown = many(example)
    picture = show.heads(shown)
    found = panels(picture)
    assert len(found) == H
    for h, axis in enumerate(found):
        weights, keys, queries = mesh(axis)
        np.testing.assert_allclose(weights, shown.map.weights[0, h])  # rows are queries
        np.testing.assert_allclose(keys, -0.0075 + 0.04 * np.arange(T + 1))
        np.testing.assert_allclose(queries, keys)
        scale = axis.collections[0].get_clim()
        assert scale == (0, pytest.approx(np.quantile(shown.map.weights, 0.995)))
        low, high = axis.get_ylim()
        assert low > high  # the first query on top, as tensors are printed
    alt = "Maps of 3 heads, 48 queries by 48 keys, over 2.0 s of a clip of actor 01, neutral; "
    alt += f"the loudest step is at {SECONDS[loudest(shown)]:.2f} s; the true region is 0.90 to 1.15 s."
    for h, use in enumerate(use_of(shown.map)[0]):
        times = shown.map.weights[0, h].mean(dim=0).max() * T
        alt += f" Head {h + 1} gives most to the key at 0.41 s ({times:.1f} times uniform),"
        alt += f" looks {use['distance']:.2f} s away on average and at {use['steps']:.1f} steps at a time."
    assert picture.alt == alt


def test_heads_marks_region_decoy_loudest_step_and_gates(example):
    gated = many(example, torch.tensor([[0.25, 0.5, 0.75]]))
    shown = changed(gated, Region(0.9, 1.15), decoy_start=0.2, decoy_end=0.5)
    picture = show.heads(shown)
    for axis, gate in zip(panels(picture), ("0.25", "0.50", "0.75"), strict=True):
        assert above(axis) == [[0.9, 1.15], [0.2, 0.5]] and not frames(axis) + frames(axis, "--")
        assert edges(axis, "-") == [0.9, 1.15] and edges(axis, "--") == [0.2, 0.5]
        upright = [item for item in axis.lines if len(set(item.get_xdata())) == 1 and item.get_marker() == "None"]
        assert all(item.get_lw() < 1 for item in upright)
        assert axis.get_title("left").endswith(f", gate {gate}") and f"; its gate is {gate}." in picture.alt
        assert marked(axis, "^")[0] == pytest.approx(SECONDS[loudest(shown)])
    assert legend(picture) == ["loudest step", "true region", "decoy"]


def loudest(example):
    return int(step_level(example.level, CLOCK, T).argmax())


def test_received_draws_attention_and_level_with_both_peaks(example):
    shown = many(example, torch.tensor([[0.2, 0.4, 0.6]]))
    picture = show.received(shown, heads=True)
    top, bottom = picture.figure.axes
    drawn = [patch.get_data()[0] for patch in top.patches if isinstance(patch, StepPatch)]
    received = shown.map.over_time().of(0)
    np.testing.assert_allclose(drawn[0], received)
    for values, weights in zip(drawn[2:], shown.map.weights[0], strict=True):  # [1] is the outline of [0]
        np.testing.assert_allclose(values, weights.mean(dim=0))
        assert values.max() < top.get_ylim()[1]
    np.testing.assert_array_equal(bottom.lines[0].get_ydata(), shown.level)
    level, step = step_level(shown.level, CLOCK, T), loudest(shown)
    assert marked(top, "o") == pytest.approx((SECONDS[10], float(received[10])))
    assert marked(top, "^") == pytest.approx((SECONDS[step], float(received[step])))
    assert marked(bottom, "o") == pytest.approx((SECONDS[10], level[10]))
    assert marked(bottom, "^") == pytest.approx((SECONDS[step], level[step]))
    names = ["attention", "uniform", "most attention", "loudest step", "head 1", "head 2", "head 3"]
    assert legend(picture) == [*names, "level of a step", "true region"]
    np.testing.assert_allclose(steps(bottom)[0], level)  # by which a step is the loudest


def test_received_says_both_peaks_their_distance_and_the_rank_correlation(example):
    shown = many(example)
    level, step = step_level(shown.level, CLOCK, T), loudest(shown)
    alt = show.received(shown).alt
    assert f"attention peaks at 0.41 s, the mean level of a step of 0.04 s at {SECONDS[step]:.2f} s," in alt
    assert f" {SECONDS[step] - SECONDS[10]:.2f} s apart; over the 48 steps" in alt
    rank = spearmanr(shown.map.over_time().of(0), level).statistic
    assert f"over the 48 steps that sound their rank correlation is {rank:.2f}; the true region is 0.90" in alt
    flat = replace(shown, map=replace(shown.map, weights=torch.full((1, H, T, T), 1 / T)))
    assert "every step has the same weight" in show.received(flat).alt
    assert "attention peaks at 1.01 s" in show.received(example).alt  # any map over time


def test_received_leaves_silence_out_of_the_peaks(example, tmp_path):
    samples = example.samples.copy()
    samples[:12000] = 0
    write_audio(tmp_path / "half.wav", samples)
    clip = replace(example.clip, audio=tmp_path / "half.wav")
    picture = show.received(replace(many(example), clip=clip, samples=samples, level=level_db(samples)))
    assert marked(picture.figure.axes[0], "o")[0] > 0.7  # step 10 has most attention, and is silent
    assert "silence" in legend(picture) and "silence" not in legend(show.received(many(example)))


def test_heads_differ_in_more_than_color():
    styles = [head_style(h) for h in range(8)]
    assert len({(style["color"], str(style["ls"])) for style in styles}) == 8
    assert len({str(style["ls"]) for style in styles[:4]}) == 4
    assert ":" not in {style["ls"] for style in styles}  # that is the uniform level


def test_focus_draws_the_gaussian_of_each_head_for_the_loudest_step(example):
    center, width = windows()
    shown = many(example)
    step = loudest(shown)
    picture = show.focus(shown, center, width)
    factor = next(axis for axis in picture.figure.axes if axis.get_ylabel() == "window")
    curves = [line for line in factor.lines if len(line.get_xdata()) > 1]
    assert len(curves) == H
    for h, line in enumerate(curves):
        t, deviation = line.get_xdata(), float(width[h, step]) / 2
        np.testing.assert_allclose(line.get_ydata(), np.exp(-0.5 * ((t - float(center[h, step])) / deviation) ** 2))
        assert f"head {h + 1} at {SECONDS[step] + 0.1 * h:.2f} s, width {0.5 * (h + 1):.2f} s" in picture.alt
    assert marked(factor, "X")[0] == pytest.approx(SECONDS[step])
    assert f"query, {SECONDS[step]:.2f} s" in legend(picture)
    assert f"Windows of 3 heads for the query at {SECONDS[step]:.2f} s of 2.0 s of a clip of actor 01, n" in picture.alt
    assert f"loudest step is at {SECONDS[step]:.2f} s, most attention received at 0.41 s; the true" in picture.alt


def test_focus_refuses_windows_of_other_clips(example):
    center, width = windows()
    with pytest.raises(SertutError, match="without batch axis"):
        show.focus(many(example), center[None], width[None])
    with pytest.raises(SertutError, match="3 heads and 48 queries"):
        show.focus_map(many(example), center, width[:, :40])


def test_focus_map_draws_centers_over_queries(example):
    center, width = (values.numpy() for values in windows())
    picture = show.focus_map(many(example), center, width)
    for h, axis in enumerate(panels(picture)):
        assert marked(axis, "^")[1] == pytest.approx(SECONDS[loudest(example)])
        line = next(line for line in axis.lines if len(line.get_xdata()) == T)
        np.testing.assert_allclose(line.get_xdata(), SECONDS, rtol=1e-6)
        np.testing.assert_allclose(line.get_ydata(), center[h])
        (band,) = axis.collections
        low, high = band.get_paths()[0].vertices[:, 1].min(), band.get_paths()[0].vertices[:, 1].max()
        assert {"center", "± half width"} <= set(legend(picture))
        assert (low, high) == pytest.approx((center[h, 0] - width[h, 0] / 2, center[h, -1] + width[h, 0] / 2))
        assert f"{0.1 * h:.2f} s from itself on average, mean width {0.5 * (h + 1):.2f} s" in picture.alt


def test_gates_of_one_clip(example):
    values = torch.tensor([[0.25, 0.5, 0.8125]])
    picture = show.gates(many(example, values))
    (axis,) = picture.figure.axes
    np.testing.assert_allclose(axis.lines[0].get_xdata(), values[0])
    assert axis.get_xlim() == (0, 1) and axis.get_xlabel() == "gate"
    assert "head 1 0.25, head 2 0.50 and head 3 0.81; the largest is 0.56 above the smallest" in picture.alt
    assert not [line for line in axis.lines if line.get_linestyle() == ":"]  # one clip does not know where it started


def test_gates_over_a_report_before_and_after_training(example):
    def predicted(rows):
        maps = tuple({"attention": replace(many(example).map, gates=torch.tensor([row]))} for row in rows)
        clips = tuple(replace(example.clip, name=str(i)) for i in range(len(rows)))
        n = len(rows)
        return Predictions(clips, ("anger", "fear"), torch.zeros(n, 2), torch.zeros(n, dtype=torch.long), maps)

    report = Report("invented", predicted([[0.1, 0.9], [0.3, 0.8], [0.5, 0.4], [0.7, 0.3]]))
    assert legend(show.gates_over(report)) == ["after training"]
    picture = show.gates_over(replace(report, untrained=predicted([[0.7, 0.9], [0.8, 0.9], [0.8, 0.9], [0.9, 0.9]])))
    (axis,) = picture.figure.axes
    before, after = axis.containers  # (marks, caps, bars) each
    np.testing.assert_allclose(after[0].get_xdata(), [0.4, 0.6], rtol=1e-6)
    np.testing.assert_allclose(before[0].get_xdata(), [0.8, 0.9], rtol=1e-6)
    (bar, _) = after[2][0].get_segments()
    np.testing.assert_allclose(bar[:, 0], [0.4 - 0.05**0.5, 0.4 + 0.05**0.5], rtol=1e-6)
    expected = "over 4 clips: head 1 0.800 (sd 0.0707) before training and 0.400 (sd 0.2236) after training; head 2"
    assert expected in picture.alt
    with pytest.raises(SertutError, match="no gates"):
        show.gates_over(replace(report, predictions=replace(report.predictions, maps=({}, {}, {}, {}))))
