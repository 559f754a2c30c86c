"""Marks of the drawings in a page, in a box of 1000 x 100 whose y goes down; and what a page writes beside them."""

import base64
import io

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.colors import to_rgb
from PIL import Image

from sertut.attention import Clock
from sertut.evidence import Example
from sertut.show.picture import numbers
from sertut.show.words import known_spans, length
from sertut.signals import HOP_SECONDS, SAMPLE_RATE, WINDOW

PAGES = Environment(
    loader=PackageLoader("sertut", "show"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

Mark = tuple | str
"""(class, path), (class, picture, x, width), or the name of a mark that no slider changes; in a box of 1000 x 100."""


def percent(part: float) -> str:
    return f"{np.floor(100 * part + 0.5):.0f} %"


def signed(value: float, digits: int) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.{digits}f}"


def weigh(weights: np.ndarray, x: float, dx: float, level: float | None = None) -> list[Mark]:
    """Weights (n,) as steps that start at x and are dx wide, and a line at the uniform `level`, by default 1/n."""
    level = level or 1 / len(weights)
    high = max(float(weights.max()), 1.5 * level)
    tops = (f"V{100 - 100 * weight / high:.2f}H{x + dx * (k + 1):.2f}" for k, weight in enumerate(weights))
    return [("look", f"M{x:.2f} 100{''.join(tops)}V100"), ("uniform", rule(100 - 100 * level / high))]


def line(values: np.ndarray, x: float, dx: float) -> str:
    return "M" + "L".join(f"{x + dx * k:.2f} {value:.2f}" for k, value in enumerate(values))


def rule(y: float) -> str:
    return f"M0 {y:.2f}H1000"


def post(x: float) -> str:
    return f"M{x:.2f} 0V100"


def across(example: Example, clock: Clock) -> tuple[float, float]:
    """Where the first step of a clock starts and how wide a step is, in the drawing's thousandths."""
    return 1000 * clock.start / length(example), 1000 * clock.hop / length(example)


def spans_of(example: Example, stream: str = "voice") -> list[Mark]:
    """True regions and decoys of a stream."""
    x, found = 1000 / length(example), known_spans(example, stream)
    return [(role, f"M{span.start * x:.2f} 0V100H{span.end * x:.2f}V0Z") for role, span in found]


def legend(example: Example) -> tuple[tuple[str, str], ...]:
    names = {"region": "true region", "decoy": "decoy"}
    return tuple((role, names[role]) for role in dict.fromkeys(mark[0] for mark in spans_of(example)))


def seconds(example: Example) -> tuple[str, ...]:
    return tuple(f"{part * length(example):.2f} s" for part in (0, 0.5, 1))


def waveform(samples: np.ndarray) -> Mark:
    samples = numbers(samples)
    pieces = np.array_split(samples, min(250, len(samples)))
    loudest, dx = max(float(np.abs(samples).max()), 1e-3), 1000 / len(pieces)
    strokes = (
        f"M{dx * (k + 0.5):g} {50 - 48 * piece.max() / loudest:.0f}V{50.5 - 48 * piece.min() / loudest:.0f}"
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


def address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png(opacity: np.ndarray, color: str = "black") -> str:
    """A table of opacities, 0 to 1, lowest row first, as the address of a picture of one color."""
    alpha = np.floor(255 * opacity[::-1] + 0.5).astype(np.uint8)
    pixels = np.dstack([np.broadcast_to(np.asarray(rgb(color), np.uint8), (*alpha.shape, 3)), alpha])
    return picture(pixels, "png", optimize=True)


def picture(pixels: np.ndarray, kind: str, **how: int) -> str:
    """Bytes of a picture, (h, w) in gray or (h, w, 3 or 4) in colors, as its address."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **how)
    return address(f"image/{kind}", buffer.getvalue())


def rgb(color: str) -> list[int]:
    return [round(255 * part) for part in to_rgb(color)]
