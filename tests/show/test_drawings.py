"""The drawings of mechanisms: valid, told in words, nothing cut, what is drawn is true, and where they belong."""

from xml.etree import ElementTree

import numpy as np
import pytest

import sertut
from sertut.course.catalog import repository
from sertut.errors import SertutError
from sertut.show.drawings import DRAWINGS
from sertut.show.sheet import TEXT

SVG = "{http://www.w3.org/2000/svg}"
PLACES = {
    "03": "LSTM in both directions",
    "04": "soft attention",
    "06": "mixture",
    "07": "fully convolutional network",
    "08": "attention over time and frequency",
    "10": "many heads",
    "11": "focus",
    "12": "calibration",
    "13": "alignment",
    "14": "synchrony",
    "15": "perception",
    "17": "front",
}
LETTER = 0.55 * TEXT  # the mean width of a letter of Arial, lower case, is about half its size


def parsed(name):
    return ElementTree.fromstring(sertut.show.mechanism(name)._repr_html_()).find(f"{SVG}svg")


def of_weights(svg):
    """Each set of weights that is drawn: its rectangles."""
    return [group.findall(f"{SVG}rect") for group in svg.iter(f"{SVG}g") if group.get("class") == "weights"]


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_is_told_in_words(name):
    svg, drawing = parsed(name), sertut.show.mechanism(name)
    assert svg.get("role") == "img" and svg.get("aria-label") == f"{name}: {drawing.alt}"
    assert drawing.alt == repr(drawing)
    assert len(drawing.alt) > 150


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_cut(name):
    svg = parsed(name)
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
    groups = of_weights(parsed(name))
    assert groups
    for boxes in groups:
        values = np.array([float(box.get("data-value")) for box in boxes])
        assert values.min() >= 0 and abs(values.sum() - 1) < 1e-3


def test_a_bar_is_as_high_as_its_weight():
    (boxes,) = of_weights(parsed("soft attention"))
    high, values = (np.array([float(box.get(key)) for box in boxes]) for key in ("height", "data-value"))
    np.testing.assert_allclose(high / high.max(), values / values.max(), atol=0.01)


def test_the_claims_of_the_text_are_drawn():
    """A window moves the weight to its center; the own voice gets the most."""
    (focus,) = of_weights(parsed("focus"))
    assert int(np.argmax([float(box.get("data-value")) for box in focus])) == 6
    (match,) = of_weights(parsed("synchrony"))
    assert int(np.argmax([float(box.get("data-value")) for box in match])) == 0


def test_the_mixture_is_the_sum_of_the_weighed_opinions():
    svg = parsed("mixture")
    groups = {name: [g for g in svg.iter(f"{SVG}g") if g.get("class") == name] for name in ("opinion", "mixture")}
    opinions, mixed = (
        np.array([[float(box.get("data-value")) for box in group.findall(f"{SVG}rect")] for group in groups[name]])
        for name in groups
    )
    weights = np.array([float(box.get("data-value")) for box in of_weights(svg)[0]])
    np.testing.assert_allclose(opinions.sum(axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(weights @ opinions, mixed[0], atol=1e-3)
    assert list(opinions.argmax(axis=1)) == [2, 2, 0, 0, 1, 1]  # as its text says
    assert mixed[0].argmax() == 0


def test_an_unknown_mechanism_names_the_nearest():
    with pytest.raises(SertutError, match="unknown mechanism 'soft atention': did you mean 'soft attention'"):
        sertut.show.mechanism("soft atention")


@pytest.mark.parametrize("number", PLACES)
def test_each_chapter_shows_its_drawing(number):
    assert set(PLACES.values()) == set(DRAWINGS)
    (path,) = (repository() / "notebooks").glob(f"{number}-*.ipynb")
    assert f'sertut.show.mechanism(\\"{PLACES[number]}\\")' in path.read_text(encoding="utf-8")
