"""What a figure to touch is made of: sliders, rows of marks, numbers; how they become a page, a still, a widget."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.colors import to_rgb
from PIL import Image

from sertut.attention import Clock
from sertut.evidence import Example
from sertut.progress import static
from sertut.show.picture import numbers
from sertut.show.widgets import sliders
from sertut.show.words import decoys, length, true_regions
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, WINDOW

PAGES = Environment(
    loader=PackageLoader("sertut", "show"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

Mark = tuple | str
"""(class, path), (class, picture, x, width), or the name of a mark that no slider changes; in a box of 1000 x 100."""


class Control(NamedTuple):
    """A slider, or without a step a box to tick."""

    name: str
    label: str
    value: float
    low: float = 0
    high: float = 1
    step: float | None = 1


class Row(NamedTuple):
    """One drawing of a figure: its legend as (class, text), its height in pixels, the marks of its axis."""

    says: tuple[tuple[str, str], ...]
    tall: int
    axis: tuple[str, ...] = ()


class Drawing(NamedTuple):
    """What the sliders make of a figure: marks of each row, lengths of bars, a text for each slider, a sentence."""

    rows: list[list[Mark]]
    bars: dict[str, float]
    out: dict[str, str]
    said: str


@dataclass(frozen=True, eq=False)
class Touchable:
    """A figure to touch: with a kernel a widget, in a book that is read without one a piece of HTML with a script."""

    model: str
    title: str
    alt: str
    controls: tuple[Control, ...]
    data: Mapping[str, Any]
    draw: Callable[[Mapping[str, float]], Drawing] = field(repr=False)
    rows: tuple[Row, ...] = ()
    kept: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float]:
        """Where the sliders stand at first."""
        return {control.name: control.value for control in self.controls}

    @property
    def html(self) -> str:
        """The page's piece of text: still picture, sliders, numbers, script."""
        drawn, name = self.draw(self.values), f"sertut-{uuid.uuid4().hex}"
        return str(_template().page(name, self, drawn, self.values, _script(), dict(self.data)))

    def still(self, values: Mapping[str, float]) -> str:
        """The picture alone, for some places of the sliders."""
        return str(_template().bare("", self, self.draw(values), values))

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        shown = {} if static() else dict(sliders(self)._repr_mimebundle_() or {})
        return shown | {"text/html": self.html, "text/plain": self.alt}


def softened(scores: np.ndarray) -> np.ndarray:
    """The softmax of scores (n,)."""
    return torch.from_numpy(scores).softmax(dim=0).numpy()


def percent(part: float) -> str:
    return f"{np.floor(100 * part + 0.5):.0f} %"


def signed(value: float, digits: int) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.{digits}f}"


def steps(values: np.ndarray, x: float, dx: float, top: float) -> str:
    tops = (f"V{100 - 100 * value / top:.2f}H{x + dx * (k + 1):.2f}" for k, value in enumerate(values))
    return f"M{x:.2f} 100{''.join(tops)}V100"


def line(values: np.ndarray, x: float, dx: float) -> str:
    return "M" + "L".join(f"{x + dx * k:.2f} {value:.2f}" for k, value in enumerate(values))


def rule(y: float) -> str:
    return f"M0 {y:.2f}H1000"


def post(x: float) -> str:
    return f"M{x:.2f} 0V100"


def across(example: Example, clock: Clock) -> tuple[float, float]:
    """Where the first step of a clock starts and how wide a step is, in the drawing's thousandths."""
    return 1000 * clock.start / length(example), 1000 * clock.hop / length(example)


def spans_of(example: Example) -> list[Mark]:
    """True regions and decoys of the voice."""
    found = [("region", span) for span in true_regions(example, "voice")]
    found += [("decoy", span) for span in decoys(example, "voice")]
    x = 1000 / length(example)
    return [(role, f"M{span.start * x:.2f} 0V100H{span.end * x:.2f}V0Z") for role, span in found]


def legend(example: Example) -> tuple[tuple[str, str], ...]:
    names = {"region": "true region", "decoy": "decoy"}
    return tuple((role, names[role]) for role in dict.fromkeys(mark[0] for mark in spans_of(example)))


def seconds(example: Example) -> tuple[str, ...]:
    return tuple(f"{part * length(example):.2f} s" for part in (0, 0.5, 1))


def waveform(samples: np.ndarray) -> Mark:
    samples = numbers(samples)
    pieces, loudest = np.array_split(samples, 250), max(float(np.abs(samples).max()), 1e-3)
    strokes = (
        f"M{4 * k + 2} {50 - 48 * piece.max() / loudest:.0f}V{50.5 - 48 * piece.min() / loudest:.0f}"
        for k, piece in enumerate(pieces)
    )
    return "wave", "".join(strokes)


def spectrogram(example: Example) -> Mark:
    table = numbers(example.spectrogram).T
    x = 1000 * (WINDOW / SAMPLE_RATE - HOP_SECONDS) / 2 / length(example)
    return "ink", png(0.75 * (opacity(table) / 255)), x, 1000 * HOP_SECONDS * table.shape[1] / length(example)


def opacity(decibels: np.ndarray) -> np.ndarray:
    """Levels as bytes: the loudest 255, 70 dB less 0."""
    return np.round(255 * np.clip(1 + (decibels - decibels.max()) / 70, 0, 1)).astype(np.uint8)


def text(table: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(table).tobytes()).decode()


def png(opacity: np.ndarray, color: str = "black") -> str:
    """A table of opacities, 0 to 1, lowest row first, as the address of a picture of one color."""
    alpha = np.floor(255 * opacity[::-1] + 0.5).astype(np.uint8)
    pixels = np.dstack([np.broadcast_to(np.asarray(rgb(color), np.uint8), (*alpha.shape, 3)), alpha])
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", optimize=True)
    return f"data:image/png;base64,{text(np.frombuffer(buffer.getvalue(), np.uint8))}"


def rgb(color: str) -> list[int]:
    return [round(255 * part) for part in to_rgb(color)]


@cache
def _template() -> Any:
    return PAGES.get_template("touch.html").module


@cache
def _script() -> str:
    return files("sertut.show").joinpath("touch.js").read_text(encoding="utf-8")
