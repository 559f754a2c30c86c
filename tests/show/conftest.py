"""Clips, maps and reports with known numbers: invented sound and invented weights, through the real types."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle, StepPatch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import Clip, Region
from sertut.evidence import Report
from sertut.signals import SAMPLE_RATE, write_audio
from sertut.training.prediction import Predictions
from sertut.video import VIDEO_HOP, Faces

EMOTIONS = ("neutral", "anger", "sadness")
SECONDS = (2.0, 1.6, 1.2)
PEAK = 1.0  # seconds; where every map of these tests looks
CLOCK = Clock(0.04, -0.0075)  # of every map of the voice


def sound(seconds: float, seed: int) -> np.ndarray:
    """A hum that swells at PEAK, with a little noise."""
    generator = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    swell = 0.1 + 0.6 * np.exp(-0.5 * ((t - PEAK) / 0.1) ** 2)
    return (swell * np.sin(2 * np.pi * 220 * t) + 0.005 * generator.standard_normal(len(t))).astype(np.float32)


def a_map(seconds: float, sharpness: float = 8.0) -> AttentionMap:
    """Weights on 40 ms steps, largest in the step around PEAK."""
    n = int(seconds / 0.04)
    weights = torch.softmax(-sharpness * (CLOCK.centers(n) - PEAK).abs(), dim=0)
    return AttentionMap(weights[None], ("time",), torch.ones(1, n, dtype=torch.bool), {"time": CLOCK})


def mapped(example, weights, gates=None, **clocks):
    """The example with a map of these weights (*axes), whose axes are those of the clocks."""
    mask = torch.ones(1, weights.shape[list(clocks).index("time")], dtype=torch.bool)
    known = {axis: clock for axis, clock in clocks.items() if clock}
    return replace(example, map=AttentionMap(weights[None], tuple(clocks), mask, known, gates))


def changed(example, *regions, **details):
    """The example of a clip with other regions and other details."""
    return replace(example, clip=replace(example.clip, regions=regions, details=details))


def rows(picture):
    """The axes by their labels, from the top."""
    return {axis.get_ylabel().replace("\n", " "): axis for axis in picture.figure.axes}


def legend(picture):
    return [text.get_text() for text in picture.figure.legends[0].get_texts()]


def ticks(axis, across=False):
    """What stands beside an axis, or below it."""
    return [label.get_text() for label in (axis.get_xticklabels() if across else axis.get_yticklabels())]


def dotted(axis, line=":"):
    """The one line that is drawn so."""
    (found,) = [item for item in axis.lines if item.get_linestyle() == line]
    return found


def steps(axis):
    """Weights and borders of the steps drawn on an axis."""
    return next(patch for patch in axis.patches if isinstance(patch, StepPatch)).get_data()[:2]


def mesh(axis):
    """Weights of a heat map and its borders: across, up."""
    found = next(item for item in axis.collections if isinstance(item, QuadMesh))
    corners = found.get_coordinates()
    return np.asarray(found.get_array()).reshape(corners.shape[0] - 1, -1), corners[0, :, 0], corners[:, 0, 1]


def edges(axis, line):
    """Where the edges of spans drawn with this line stand: "-" true regions, "--" decoys; seconds."""
    found = [item for item in axis.lines if item.get_linestyle() == line and len(item.get_xdata()) == 2]
    return sorted(item.get_xdata()[0] for item in found if len(set(item.get_xdata())) == 1)


def above(axis):
    """From where to where the bars above a map go."""
    return [item.get_xdata().tolist() for item in axis.lines if item.get_lw() == 3.5]


def frames(axis, line="-"):
    """(left, bottom, right, top) of each empty box drawn with this line."""
    found = [p for p in axis.patches if isinstance(p, Rectangle) and not p.get_fill() and p.get_linestyle() == line]
    return [tuple(np.ravel(box.get_bbox().get_points())) for box in found]


class Page(HTMLParser):
    """Raises if tags do not close in order; keeps every tag with its attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict]:
        """The attributes of all tags of this name."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Report:
    """Three speakers say each of three emotions once; two of the nine decisions are wrong."""
    folder = tmp_path_factory.mktemp("sound")
    clips, labels, logits, maps = [], [], [], []
    for i in range(9):
        speaker, label = divmod(i, 3)
        path = folder / f"{i}.wav"
        write_audio(path, sound(SECONDS[speaker], seed=i))
        clips.append(Clip(f"clip-{i}", path, f"actor {speaker + 1:02d}", EMOTIONS[label], "one", (Region(0.9, 1.15),)))
        labels.append(label)
        called = 2 if i in (1, 4) else label  # anger of the first two speakers is taken for sadness
        logits.append([4.0 if column == called else 0.0 for column in range(3)])
        maps.append({"attention": a_map(SECONDS[speaker])})
    predictions = Predictions(tuple(clips), EMOTIONS, torch.tensor(logits), torch.tensor(labels), tuple(maps))
    return Report("invented", predictions)


@pytest.fixture(scope="session")
def example(report: Report):
    """The first clip: 2 s, neutral, recognized."""
    return report[0]


FRAME = Clock(VIDEO_HOP)
LOST = slice(30, 33)  # frames in which no face was found
OFFSET = 0.3  # seconds by which the face lags the voice


def on_face(axes: tuple[str, ...] = ("time",), n: int = 50) -> AttentionMap:
    """Weights on the face's clock, largest OFFSET after PEAK, 0 where there is no face; a row an emotion if asked."""
    mask = torch.ones(1, n, dtype=torch.bool)
    mask[:, LOST] = False
    rows = torch.stack([-6.0 * (FRAME.centers(n) - PEAK - OFFSET * k).abs() for k in (1, 2, -1)])  # one an emotion
    scores = rows if "emotion" in axes else rows[0]
    weights = scores.masked_fill(~mask[0], -torch.inf).softmax(dim=-1)[None]
    return AttentionMap(weights, axes, mask, {"time": FRAME}, stream="face")


@pytest.fixture(scope="session")
def seen(example):
    """The first clip with a face, 50 frames of gray level 100 + their number, and attention to it."""
    found = np.ones(50, dtype=bool)
    found[LOST] = False
    crops = np.arange(100, 150, dtype=np.uint8)[:, None, None] * found[:, None, None] * np.ones((1, 48, 48), np.uint8)
    details = {"offset": OFFSET, "decoy_start": 0.2, "decoy_end": 0.5}
    details |= {"decoy_face": (0.4, 0.75), "decoy_emotion": "fear"}
    regions = (Region(0.9, 1.15), Region(1.22, 1.46, "face"))
    clip = replace(example.clip, emotion="anger", regions=regions, details=details)
    return replace(example, clip=clip, map=on_face(), face=Faces(crops, found, FRAME.centers(50).double().numpy()))


@pytest.fixture(scope="session")
def aligned(seen):
    """The clip with a face, whose alignment has a ridge OFFSET above the diagonal."""
    lags = FRAME.centers(50)[:, None] - CLOCK.centers(48)[None, :]
    weights = (-40.0 * (lags - OFFSET).abs()).softmax(dim=1) * seen.map.mask[0, :, None]
    found = mapped(seen, weights, video=FRAME, time=CLOCK).map
    return replace(seen, alignment=replace(found, query_mask=seen.map.mask))
