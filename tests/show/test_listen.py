"""A clip without a network, and scores of protocols."""

import re

import pytest

from sertut.evidence.intervals import Interval
from sertut.show.listen import listen
from sertut.show.splits import splits


def test_a_clip_plays_without_a_decision(example):
    player = listen(example.clip)
    assert "data:audio/flac;base64," in player.html and 'class="attention"' not in player.html
    assert "Predicted" not in player.html and not re.search(r"%[a-z]+%", player.html)
    assert player.alt == "2.0 s of actor 01, neutral: one; the emotional region is 0.90 to 1.15 s"


def test_the_title_can_be_chosen_and_is_escaped(example):
    assert "a &lt; b" in listen(example.clip, title="a < b").html


def test_bars_have_the_given_lengths():
    intervals = {"random split": Interval(0.8, 0.7, 0.9), "speaker split": Interval(0.5, 0.4, 0.6)}
    picture = splits({"random split": [0.78, 0.82], "speaker split": [0.5]}, intervals, chance=0.25, title="here")
    axis = picture.figure.axes[0]
    assert [patch.get_width() for patch in axis.patches] == pytest.approx([0.8, 0.5])
    assert [text.get_text() for text in axis.get_yticklabels()] == ["random split", "speaker split"]
    assert picture.alt.startswith("here: UAR, random split .80 [.70, .90] over 2 partitions; speaker split .50")
    assert len(picture.png) > 1000
