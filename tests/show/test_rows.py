"""The composer: one axis of seconds, one legend, one text; and what cannot be drawn says what to do."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from sertut import show
from sertut.errors import SertutError
from sertut.models import FullyConvolutional
from sertut.show.rows import Heat, Row, compose, mark_spans

from .conftest import a_map, legend

WINDOW = torch.ones(3, 48)


def line(label):
    return lambda axis: axis.plot([0, 1], [0, 1], label=label)


@pytest.mark.parametrize("length", [3, 20, 54])
def test_a_legend_is_never_wider_than_its_figure(length):
    names = [f"{'x' * length} {i}" for i in range(6)]
    picture = compose([Row(lambda axis: [axis.plot([0, 1], [i, i], label=n) for i, n in enumerate(names)], 1, 1.0)], "")
    (below,) = picture.figure.legends
    picture.figure.draw_without_rendering()
    box, room = below.get_window_extent(), picture.figure.bbox
    assert room.x0 <= box.x0 and box.x1 <= room.x1 and legend(picture) == names


def test_rows_share_seconds_legend_and_text(example):
    picture = compose(
        [
            Row(lambda axis: mark_spans(axis, example), 1, 2.0, "First.", title="above"),
            Row(line("a"), 2, 2.0, beside=line("b")).also(line("c")),
            Row(line("a"), 1, None, "Last."),
        ],
        "",
        says="Before.",
    )
    first, empty, second, beside, third, _ = picture.figure.axes
    assert picture.alt == "Before. First. Last."
    assert first.get_xlim() == second.get_xlim() == (0, 2.0) != third.get_xlim()
    assert [axis.get_xlabel() for axis in (first, second, third)] == ["", "time (s)", ""]
    assert first.get_title("left") == "above" and not empty.axison and beside.axison
    assert legend(picture) == ["a", "c", "b", "true region"]  # each once, lines first
    ratio = second.get_gridspec().get_height_ratios()
    assert list(ratio) == [1, 2, 1]


def test_a_few_strong_weights_do_not_darken_the_rest():
    weights = np.append(np.linspace(0, 1, 999) ** 4, 100)
    assert Heat(weights).top == pytest.approx(0.995**4, abs=0.01) and Heat(weights, share=1).top == 100
    assert Heat(np.full((4, 50), 0.02)).top == pytest.approx(0.06), "an even map is not drawn in the brightest color"
    picture = compose([Row(lambda axis: Heat(weights).scale_in(axis, "weight"), 1, None)], "")
    (bar,) = picture.figure.axes[0].child_axes
    assert bar.get_xlabel() == "weight" and bar.get_xlim() == (0, pytest.approx(Heat(weights).top))
    assert bar.get_xticks() == pytest.approx(bar.get_xlim()), "in a corner there is room for two: the ends"


def short(it):
    part = replace(it, samples=it.samples[:16000], spectrogram=it.spectrogram[:48])
    return show.receptive_field(FullyConvolutional(3, "small"), part)


REFUSED = [
    ("no attention over time and frequency; use show.attention", show.regions),
    ("no attention over time and frequency; use show.attention", lambda it: show.touch.scale(it, 0.3)),
    ("no attention over heads, queries and time; use show.attention", show.heads),
    ("no attention over heads, queries and time", lambda it: show.received(it, heads=True)),
    ("no attention over heads, queries and time", lambda it: show.focus(it, WINDOW, WINDOW)),
    ("no attention over heads, queries and time", lambda it: show.focus_map(it, WINDOW, WINDOW)),
    ("no attention over heads, queries and time", show.touch.queries),
    ("no attention over heads, queries and time", lambda it: show.touch.window(it, WINDOW, WINDOW)),
    ("no attention map; use a model with attention", lambda it: show.received(replace(it, map=None))),
    ("the heads of this model have no gates", show.gates),
    ("pooling='perception'", show.perception),
    ("does not align voice and face", show.alignment),
    ("the true shares of clip-0 are not known", show.shares),
    ("clip-0 has no video; use a corpus with faces", lambda it: show.filmstrip(replace(it, face=None))),
    ("clip-0 has no video; use a corpus with faces", lambda it: show.watch(it.clip)),
    ("clip-0 has no video; use a corpus with faces", lambda it: show.touch.lag(it.clip)),
    ("the example of the face has no attention to it", lambda it: show.two_streams(it, it)),
    ("1.00 s are too short for one cell of the trunk 'small'", short),
]


@pytest.mark.parametrize(("said", "draw"), REFUSED)
def test_what_cannot_be_drawn_says_what_to_do(seen, said, draw):
    with pytest.raises(SertutError, match=re.escape(said)):
        draw(replace(seen, map=a_map(2.0)))
