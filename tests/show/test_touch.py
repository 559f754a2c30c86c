"""Figures to touch: the still, the widget and the page's script show the library's numbers."""

import base64
import html
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sertut.attention import Clock
from sertut.attention.alignment import MAX_LAG, SHARPNESS, lag_profile
from sertut.attention.focus import gaussian_bias
from sertut.show import touch
from sertut.show.touchable import sliders
from sertut.signals import HOP, log_mel, read_audio, write_audio

from .conftest import CLOCK, Page, mapped

SCORES, REAL = torch.tensor([0.5, 2.4, -1.0, 2.0, 0.5, 0.5]), torch.tensor([True] * 4 + [False] * 2)
WIDGET = "application/vnd.jupyter.widget-view+json"
P, Z = torch.full((2, 48), 1.2), torch.full((2, 48), 0.9)  # seconds


@pytest.fixture(scope="module")
def cells(example):
    """48 steps by 8 bands, made with lambda 0.3."""
    scores = torch.randn(48, 8, generator=torch.Generator().manual_seed(0)) * 5
    return mapped(example, (0.3 * scores).flatten().softmax(dim=0).view(48, 8), time=CLOCK, frequency=Clock(8.0))


@pytest.fixture(scope="module")
def content():
    """Scores (H, T', T') of two heads, without a window."""
    return torch.randn(2, 48, 48, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def heads(example, content):
    """Two heads, whose windows stand at 1.2 s, 0.9 s wide."""
    bias = gaussian_bias((P[None] - CLOCK.start) / CLOCK.hop - 0.5, Z[None] / CLOCK.hop)[0]
    return mapped(example, (content + bias).softmax(dim=-1), head=None, query=CLOCK, time=CLOCK)


@pytest.fixture(scope="module")
def figures(example, cells, heads, seen):
    """One of each kind."""
    made = touch.softmax(SCORES, REAL), touch.frames(example.clip), touch.scale(cells, 0.3), touch.queries(heads)
    return {figure.model: figure for figure in (*made, touch.window(heads, P, Z), touch.lag(seen))}


def drawn(figure, **changes):
    return figure.draw(figure.values | changes)


def heights(row, look="look"):
    """Of the steps drawn with a look: how high each is, the highest 1."""
    (path,) = (mark[1] for mark in row if mark[0] == look)
    high = 100 - np.array([float(value) for value in re.findall(r"V([-.\d]+)H", path)])
    return high / high.max()


def opacities(row, look):
    (address,) = (mark[1] for mark in row if mark[0] == look)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))[::-1, :, 3]


def test_weights_are_the_softmax_of_the_scores_that_one_drags(figures):
    figure = figures["softmax"]
    assert list(drawn(figure).bars.values()) == pytest.approx(SCORES.softmax(dim=0).tolist())
    assert drawn(figure, constant=3.0).bars == pytest.approx(drawn(figure).bars)
    masked = drawn(figure, mask=True)
    assert list(masked.bars.values()) == pytest.approx([*SCORES[:4].softmax(dim=0).tolist(), 0, 0])
    assert "padding gets 0 %" in masked.said and "padding gets 14 %" in drawn(figure).said
    assert "Step 3 gets most, 99 %" in drawn(figure, score2=8.0).said


def test_usual_frames_are_those_of_the_library(figures, example):
    figure = figures["frames"]
    shown = opacities(drawn(figure, window=1, hop=1, bands=2).rows[1], "ink")  # 25 ms, 10 ms, 64 bands
    first = round((float(figure.rows[1].axis[0].split()[0]) * 16_000 - 200) / HOP)
    table = log_mel(read_audio(example.clip.audio)).T[:, first : first + 100].numpy()
    assert shown.shape == (64, 100)
    there = np.clip(1 + (table - table.max()) / 70, 0, 1)
    np.testing.assert_allclose(shown[:, : there.shape[1]] / 255, there, atol=0.02)


def test_long_windows_blur_what_is_sudden(example, tmp_path):
    clicks = np.zeros(16_000, dtype=np.float32)
    clicks[8_040] = 1.0  # the center of a frame
    write_audio(tmp_path / "click.wav", clicks)
    figure = touch.frames(replace(example.clip, audio=tmp_path / "click.wav", regions=()))
    tables = [opacities(drawn(figure, window=w, hop=0).rows[1], "ink") for w in range(3)]
    wide = [5 * int((table.max(axis=0) > 200).sum()) for table in tables]
    assert wide[0] < wide[1] < wide[2] and wide[2] > 50  # ms


def test_lambda_goes_from_all_cells_to_one(figures, cells):
    figure, weights = figures["scale"], cells.map.weights[0].numpy()
    as_trained, time = drawn(figure), weights.sum(axis=1)
    np.testing.assert_allclose(heights(as_trained.rows[1]), time / time.max(), atol=2e-3)
    np.testing.assert_allclose(opacities(as_trained.rows[0], "map") / 255, weights.T / weights.max(), atol=4e-3)
    assert "So the network was trained" in as_trained.said
    even = drawn(figure, scale=touch.LOWEST_SCALE)
    assert "on 192 of 384 cells" in even.said and "mean pooling" in even.said and even.out["scale"] == "λ = 0"
    assert "on 1 of 384 cells" in drawn(figure, scale=40).said and drawn(figure, scale=40).out["scale"] == "λ = 30"


def test_a_query_shows_its_row(figures, heads):
    figure, weights = figures["queries"], heads.map.weights[0].numpy()
    for head, query in ((0, 3), (1, 40)):
        row = weights[head, query]
        np.testing.assert_allclose(heights(drawn(figure, head=head, query=query).rows[2]), row / row.max(), atol=2e-3)
    inside = weights[1, 40][(CLOCK.centers(48) >= 0.9) & (CLOCK.centers(48) < 1.15)].sum()
    assert f" {100 * inside:.0f} % of its weight lies in the true region" in drawn(figure, head=1, query=40).said


def test_the_window_is_a_factor_on_the_weights_of_the_content(figures, heads, content):
    figure = figures["focus"]
    query = round((float(figure.title.split()[-2]) - 0.0125) / 0.04)
    moved = gaussian_bias(torch.tensor([[[0.5 / 0.04 - 0.3125]]]).expand(1, 1, 48), torch.tensor([[[5.0]]]))[0, 0, 0]
    rows, elsewhere = drawn(figure, head=1).rows, drawn(figure, head=1, center=0.5, width=0.2).rows
    own, plain = heads.map.weights[0, 1, query], content[1, query].softmax(dim=0)
    for row, weights in ((rows[3], own), (rows[1], plain), (elsewhere[3], (content[1, query] + moved).softmax(dim=0))):
        np.testing.assert_allclose(heights(row), weights / weights.max(), atol=3e-3)


def test_agreement_is_the_vote_of_a_diagonal(figures, seen):
    figure = figures["lag"]
    voice, face = (torch.tensor(figure.data[name]) for name in ("voice", "face"))
    n = len(voice)
    lags = 0.04 * (torch.arange(n)[:, None] - torch.arange(n)[None, :])
    found, heard = torch.from_numpy(seen.face.found), torch.ones(n, dtype=torch.bool)
    votes = lag_profile(torch.outer(face * found, voice), found, heard, lags) / SHARPNESS
    for lag in (-MAX_LAG, -3, 0, 17):
        (agreement,) = re.findall(r"agreement ([-+.\d]+)\. ", drawn(figure, lag=lag).said.replace("−", "-"))
        assert float(agreement) == pytest.approx(float(votes[lag + MAX_LAG]), abs=0.0051)
    best = int(votes.argmax()) - MAX_LAG
    assert "0.30 s later than the voice" in figure.data["truth"]
    said = "No lag agrees more"
    assert said in drawn(figure, lag=best).said and said not in drawn(figure, lag=best + 5).said
    assert said in drawn(figure, lag=best + 5, seen=[best, best + 5]).said


def test_a_page_is_well_formed_light_and_its_own(figures, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "1")
    for figure in figures.values():
        text = figure.html
        page, again = Page(text), Page(figure.html)
        ids = [given["id"] for _, given in page.tags if "id" in given]
        assert len(ids) == len(set(ids)) and not {given.get("id") for _, given in again.tags} & set(ids)
        assert all(re.fullmatch(r"sertut-[0-9a-f]{32}(-\w+)?", name) for name in ids)
        knobs = {given["id"] for given in page.named("input")}
        assert knobs and knobs == {given["for"] for given in page.named("label")}, "every slider has a name"
        bare = re.sub(r"base64,[^\"]+", "", text)
        assert "//" not in re.sub(r'": "[^"]*"', "", bare), "an address"
        code = re.findall(r"<style>.*?</style>|<script>\s*/.*?</script>", bare, re.S)
        assert len(code) == 2 and len("".join(code)) <= 20_000 and len(text) < 200_000
        shown = figure._repr_mimebundle_()
        assert shown["text/plain"] == repr(figure) == figure.alt and WIDGET not in shown


def test_a_name_of_a_clip_is_not_code(heads):
    evil = replace(heads, clip=replace(heads.clip, name='</script><script>"&x'))
    assert len(Page(touch.queries(evil).html).named("script")) == 2


def test_with_a_kernel_sliders_redraw(figures, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "0")
    figure = figures["lag"]
    *knobs, page = sliders(figure).children
    (knob,) = knobs
    knob.value = 7
    assert drawn(figure, lag=7, seen=[0, 7]).said in html.unescape(page.value) and "<script" not in page.value
    assert "+0.28 s</span>" in page.value and not Page(page.value).named("input")
    assert WIDGET in figure._repr_mimebundle_()


CASES = {
    "softmax": ({}, {"mask": 1.0}, {"constant": -2.0, "score1": 7.3}),
    "frames": ({}, {"window": 0, "hop": 0, "bands": 0}, {"window": 2, "hop": 2}),
    "scale": ({}, {"scale": -40}, {"scale": 40}, {"scale": -7}),
    "queries": ({}, {"head": 1, "query": 11}),
    "focus": ({}, {"head": 1, "center": 0.4, "width": 0.2}),
    "lag": ({}, {"lag": -12, "seen": [-12, -11, 4]}),
}
DRIVE = """([cases, datas]) => {
  const found = cases.map(([name, values]) => sertutTouch.models[name](datas[name], values));
  const groups = [...document.querySelectorAll(".sertut-touch")];
  const said = () => groups.map(group => group.querySelector(".sertut-said").textContent), before = said();
  const knob = groups[5].querySelector("input"), svg = groups[3].querySelector("svg");
  knob.value = 9; knob.dispatchEvent(new Event("input"));
  const box = svg.getBoundingClientRect();
  svg.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 2, clientY: box.top + 5}));
  return {found, before, after: said(), asks: groups[3].querySelector('[data-name="query"]').value};
}"""


def test_the_script_draws_what_the_library_draws(figures, chromium):
    """In a real browser: numbers, sentences, a slider that is moved, a moment that is pointed at."""
    cases = [(name, figures[name].values | changes) for name, given in CASES.items() for changes in given]
    datas = {name: json.loads(json.dumps(figure.data)) for name, figure in figures.items()}
    page = chromium.new_page()
    page.set_content("<!doctype html><meta charset=utf-8>" + "".join(figure.html for figure in figures.values()))
    state = page.evaluate(DRIVE, [cases, datas])
    for (name, values), found in zip(cases, state["found"], strict=True):
        here = figures[name].draw(values)
        assert found["said"] == here.said and found["out"] == here.out
        assert found["bars"] == pytest.approx(here.bars)
        for theirs, ours in zip(found["rows"], here.rows, strict=True):
            for mark, own in zip(theirs["marks"], ours, strict=True):
                if isinstance(own, str):
                    assert mark == own
                elif isinstance(mark[1], str):
                    both = [[float(x) for x in re.findall(r"-?\d+\.?\d*", path)] for path in (mark[1], own[1])]
                    assert mark[0] == own[0] and both[0] == pytest.approx(both[1], abs=0.011)
                else:
                    np.testing.assert_allclose(255 * np.array(mark[1]), opacities([own], own[0]), atol=0.6)
    first = [figure.draw(figure.values).said for figure in figures.values()]
    assert state["before"] == first, "the page starts as the still does"
    asked, moved = drawn(figures["queries"], query=25).said, drawn(figures["lag"], lag=9, seen=list(range(10))).said
    assert state["after"] == [*first[:3], asked, first[4], moved], "no figure moves another"
    assert int(state["asks"]) == 25  # 1.0 s of 2 s, on steps of 40 ms that start at -7.5 ms
