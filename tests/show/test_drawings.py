"""The drawings of mechanisms: valid, told in words, nothing cut, what is drawn is true, and where they belong."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import sertut
from sertut.course.catalog import repository
from sertut.errors import SertutError
from sertut.show.drawings import DRAWINGS
from sertut.show.sheet import TEXT

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.55 * TEXT  # the mean width of a letter of Arial, lower case, is about half its size


def parsed(name):
    return ElementTree.fromstring(sertut.show.mechanism(name)._repr_html_()).find(f"{SVG}svg")


def values(svg, kind="weights", key="data-value"):
    """The numbers of each set of rectangles of this kind: values, or another of their attributes."""
    groups = [group for group in svg.iter(f"{SVG}g") if group.get("class") == kind]
    return [np.array([float(box.get(key)) for box in group.findall(f"{SVG}rect")]) for group in groups]


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_is_told_in_words_and_nothing_is_cut(name):
    svg, drawing = parsed(name), sertut.show.mechanism(name)
    assert svg.get("role") == "img" and svg.get("aria-label") == f"{name}: {drawing.alt}"
    assert drawing.alt == repr(drawing) and len(drawing.alt) > 150
    _, _, wide, tall = map(float, svg.get("viewBox").split())
    assert TEXT * 320 / wide >= 11, "too small on a phone, whose column is at least 320 pixels wide"
    for text in svg.iter(f"{SVG}text"):
        x, long = float(text.get("x")), LETTER * len(text.text)
        start = x - long / 2 if text.get("text-anchor") == "middle" else x
        assert start >= 0 and start + long <= wide, text.text
        assert TEXT <= float(text.get("y")) <= tall - 3, text.text
    for box in svg.iter(f"{SVG}rect"):
        x, y, w, h = (float(box.get(key)) for key in ("x", "y", "width", "height"))
        assert min(x, y) >= 0.5 and x + w + 0.5 <= wide and y + h + 0.5 <= tall, "with its line, which is 1 wide"


@pytest.mark.parametrize("name", sorted(set(DRAWINGS) - {"calibration", "front"}))
def test_weights_sum_to_one(name):
    groups = values(parsed(name))
    assert groups and all(weights.min() >= 0 and abs(weights.sum() - 1) < 1e-3 for weights in groups)


def test_a_bar_is_as_high_as_its_weight():
    svg = parsed("soft attention")
    (high,), (weights,) = values(svg, key="height"), values(svg)
    np.testing.assert_allclose(high / high.max(), weights / weights.max(), atol=0.01)


@pytest.mark.parametrize(("name", "strongest"), [("focus", 6), ("synchrony", 0)])
def test_the_claims_of_the_text_are_drawn(name, strongest):
    """A window moves the weight to its center; the own voice gets the most."""
    (weights,) = values(parsed(name))
    assert int(weights.argmax()) == strongest


def test_the_mixture_is_the_sum_of_the_weighed_opinions():
    svg = parsed("mixture")
    (weights,), opinions, (mixed,) = values(svg), np.array(values(svg, "opinion")), values(svg, "mixture")
    np.testing.assert_allclose(opinions.sum(axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(weights @ opinions, mixed, atol=1e-3)
    assert list(opinions.argmax(axis=1)) == [2, 2, 0, 0, 1, 1] and mixed.argmax() == 0  # as its text says


def test_an_unknown_mechanism_names_the_nearest():
    with pytest.raises(SertutError, match="unknown mechanism 'soft atention': did you mean 'soft attention'"):
        sertut.show.mechanism("soft atention")


def test_the_chapters_show_the_drawings_in_their_order():
    chapters = sorted((repository() / "notebooks").glob("*.ipynb"))
    text = "".join(path.read_text(encoding="utf-8") for path in chapters)
    assert re.findall(r'sertut\.show\.mechanism\(\\"(.+?)\\"\)', text) == list(DRAWINGS)
