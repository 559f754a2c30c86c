"""The picture object, and the one look."""

import base64
import itertools
import json

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb

from sertut import show
from sertut.show.picture import Picture, chart, listed
from sertut.show.style import EMOTIONS, ROLES, STREAMS


@pytest.fixture
def picture():
    """A line."""
    with chart(height=1) as (figure, axis):
        axis.plot([0, 1])
    return Picture(figure, "what it shows")


def test_a_notebook_shows_it_once_with_its_text_and_keeps_its_own_settings(picture):
    before = dict(matplotlib.rcParams)
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    data, metadata = formatter.format(picture)
    json.dumps([data, metadata])  # goes into a notebook
    image = base64.b64decode(data.pop("image/png"))
    assert image.startswith(b"\x89PNG\r\n\x1a\n") and data == {"text/plain": "what it shows"}
    assert metadata == {"image/png": {"alt": "what it shows", "width": 638}}
    assert int.from_bytes(image[16:20], "big") == 2 * 638  # the width in a PNG's header: two pixels for one of the page
    assert pyplot.get_fignums() == []  # nothing is left that a backend would show again
    assert dict(matplotlib.rcParams) == before


def test_listed():
    assert [listed(list(letters)) for letters in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


# Brettel, Vienot and Mollon's reduction for deuteranopes, on linear RGB (Vienot et al., Color Res. Appl. 24, 1999).
DEUTERANOPIA = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def lab(color: str, simulate: np.ndarray | None = None) -> np.ndarray:
    """CIE L*a*b* of a color, as a deuteranope sees it if asked for."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if simulate is not None:
        linear = np.clip(simulate @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("table", [ROLES, STREAMS, EMOTIONS], ids=["roles", "streams", "emotions"])
@pytest.mark.parametrize("simulate", [None, DEUTERANOPIA], ids=["all cones", "deuteranopia"])
def test_colors_can_be_told_apart(table, simulate):
    """A difference of 2.3 is just noticeable side by side; 10 can be told apart at a glance."""
    for (a, first), (b, second) in itertools.combinations(table.items(), 2):
        assert np.linalg.norm(lab(first, simulate) - lab(second, simulate)) > 10, f"{a} and {b} look alike"


def test_every_emotion_of_every_corpus_has_a_color():
    from sertut.corpora import emodb, ravdess

    planted = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    for emotion in [*emodb.EMOTIONS.values(), *ravdess.EMOTIONS.values(), *planted]:
        assert emotion in EMOTIONS
    assert show.emotion_color("nostalgia") not in EMOTIONS.values()
