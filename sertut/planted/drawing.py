"""Drawing a face: numbers in, gray pixels out.

Many frames are drawn at once. Each part of the face is a shape given by its signed distance, in pixels,
negative inside: the edge of a shape is one pixel of slope across distance 0, which is what a camera would see of a
sharp edge. Parts are painted one over the other, from the back to the front.

Coordinates: u to the right, v down, in pixels of an upright face of 48 x 48, (0, 0) at the center, on the bridge of
the nose. A head that sways or tilts is the same face looked up at other coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

SIZE = 48
"""Pixels on each side: the size of the crops that :func:`sertut.video.find_faces` makes."""

AT_ONCE = 16  # frames: with more, the pictures leave the processor's cache and drawing slows down

UNITS = ("AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU15", "AU20", "AU23", "AU26")
"""Action units of the Facial Action Coding System that this face has; see :mod:`sertut.planted.expressions`."""


@dataclass(frozen=True)
class Look:
    """A person at rest. Lengths in pixels of a 48 x 48 face, gray levels 0 (black) .. 1 (white)."""

    width: float  # half the width of the head at the eyes
    chin: float  # v of the chin
    jaw: float  # width of the jaw, as a share of the head's
    hairline: float  # v of the hair above the forehead
    parting: float  # u where the hair is parted
    hair_length: float  # v down to which hair frames the face
    eye_distance: float  # u of the right eye
    eye_height: float  # v of the eyes
    eye_width: float  # half the width of an eye
    eye_opening: float  # from lid to lid
    brow_height: float  # v of the brows
    brow_thickness: float
    brow_arch: float  # rise of the brow between its ends
    brow_slant: float  # the outer end lies higher by this
    nose: float  # v of the tip
    nose_width: float  # half the width of the nose at its wings
    mouth: float  # v of the closed mouth
    mouth_width: float  # half its width
    mouth_curve: float  # corners at rest lie higher by this
    lips: float  # thickness of the lower lip
    skin: float  # gray level, as the next ones
    hair: float
    iris: float
    lip_level: float  # of the lips, as a share of the skin's
    background: float


@dataclass(frozen=True)
class Movement:
    """What a face does, frame by frame; T frames.

    units: (13, 2, T), how far each of :data:`UNITS` is contracted, 0..1 and a little more, on the left and on the right
    side of the picture. speech: (T,), opening of the mouth by talking, 0..1. lids: (T,), 1 where a blink has closed
    the eyes. gaze: (2, T), pixels right and down. shift: (2, T), the head's, pixels right and down. tilt: (T,),
    radians. scale: (T,), size of the face. light: (3, T), brightness, and its change per pixel to the right and down.
    """

    units: np.ndarray
    speech: np.ndarray
    lids: np.ndarray
    gaze: np.ndarray
    shift: np.ndarray
    tilt: np.ndarray
    scale: np.ndarray
    light: np.ndarray


def draw(look: Look, movement: Movement) -> np.ndarray:
    """The pictures of a moving face, shape (T, 48, 48), float32, 0 (black) .. 1 (white) and, in strong light, above."""
    pictures = np.empty((len(movement.speech), SIZE, SIZE), dtype=np.float32)
    for i in range(0, len(pictures), AT_ONCE):
        some = slice(i, i + AT_ONCE)
        pictures[some] = _draw(look, Movement(*(_per_frame(getattr(movement, f.name), some) for f in fields(Movement))))
    return pictures


def _draw(look: Look, m: Movement) -> np.ndarray:
    au = dict(zip(UNITS, m.units, strict=True))  # name -> (2, T, 1, 1)
    canvas = _canvas(look, m)
    opening = _opening(au, m.speech)
    _head(canvas, look, 0.45 * opening)
    _nose(canvas.window(14, 37, 13, 35), look, au)
    for side, columns in ((-1, (0, 30)), (1, (18, SIZE))):
        one = {name: unit[(side + 1) // 2] for name, unit in au.items()}  # name -> (T, 1, 1)
        _eye(canvas.window(8, 31, *columns), look, side, one, m)
        _brow(canvas.window(3, 26, *columns), look, side, one)
    _mouth(canvas.window(23, SIZE, 7, 41), look, au, opening)
    _hair(canvas, look)
    return canvas.pixels * (m.light[0] + m.light[1] * canvas.u + m.light[2] * canvas.v)


@dataclass(frozen=True)
class _Canvas:
    """Pixels (T, h, w) and where on the face they lie: u and v, of the same shape."""

    pixels: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def window(self, top: int, bottom: int, left: int, right: int) -> _Canvas:
        """A part of the canvas: what is painted there is painted on the whole."""
        part = (slice(None), slice(top, bottom), slice(left, right))
        return _Canvas(self.pixels[part], self.u[part], self.v[part])

    def paint(self, distance, level, opacity=1.0, edge: float = 1.0) -> None:
        """Lay a shape over the picture; its edge is a slope of `edge` pixels."""
        cover = np.clip(0.5 - distance / edge, 0.0, 1.0) * opacity
        self.pixels[...] += cover * (level - self.pixels)

    def shade(self, distance, amount, edge: float = 1.0) -> None:
        """Darken by a share of what is there, as folds and shadows do; a negative amount lights up."""
        self.pixels[...] *= 1.0 - np.clip(0.5 - distance / edge, 0.0, 1.0) * amount


def _per_frame(values: np.ndarray, some: slice) -> np.ndarray:
    """(..., T) -> (..., t, 1, 1), to be combined with pictures (t, h, w): some of the frames."""
    return np.asarray(values[..., some], dtype=np.float32)[..., None, None]


def _canvas(look: Look, m: Movement) -> _Canvas:
    x = np.arange(SIZE, dtype=np.float32) + np.float32(0.5 - SIZE / 2)
    right, down = x - m.shift[0], x[:, None] - m.shift[1]  # (T, 1, 48), (T, 48, 1)
    cos, sin = np.cos(m.tilt) / m.scale, np.sin(m.tilt) / m.scale
    u, v = right * cos + down * sin, down * cos - right * sin  # (T, 48, 48)
    return _Canvas(np.full_like(u, look.background), u, v)


def _radius(x, y):
    return np.sqrt(x * x + y * y)  # np.hypot is many times slower


def _stroke(position, end, thickness):
    """Distance to a line: `position` is the signed distance across it, `end` the one beyond its ends."""
    return np.maximum(np.abs(position) - thickness / 2, end)


def _opening(au: dict[str, np.ndarray], speech: np.ndarray) -> np.ndarray:
    """From lip to lip, pixels, shape (T, 1, 1)."""
    both = {name: unit.mean(axis=0) for name, unit in au.items()}
    still = 0.9 * both["AU12"] + 1.6 * both["AU20"] + 0.5 * both["AU10"] + 4.2 * both["AU26"]
    return still + 4.8 * speech * (1 - 0.2 * both["AU23"])


def _head(c: _Canvas, look: Look, drop: np.ndarray) -> None:
    """Hair behind the head, ears, and the head, its chin lowered by `drop`."""
    top = 21.0
    hair = _radius(c.u / (look.width + 2.5), np.minimum(c.v, 0) / (top + 2.5)) - 1
    c.paint(np.maximum(hair * look.width, c.v - look.hair_length), look.hair)
    neck = c.window(28, SIZE, 4, 44)
    neck.paint(np.maximum(np.abs(neck.u) - 0.62 * look.width, look.chin - 6 - neck.v), 0.72 * look.skin)
    ears = c.window(14, 36, 0, SIZE)
    distance = _radius((np.abs(ears.u) - look.width) / 2.2, (ears.v - 1.5) / 4.5) - 1
    ears.paint(2.2 * distance, 0.85 * look.skin)
    low = np.maximum(c.v, 0) / (look.chin + drop)  # 0 at the eyes .. 1 at the chin
    reach = low + np.minimum(c.v, 0) / top
    width = look.width * (1 - (1 - look.jaw) * low * np.sqrt(np.minimum(low, 1)))
    round_ = (c.u / width) ** 2 + reach**2
    level = look.skin * (1.04 - 0.24 * round_ * round_)
    c.paint((np.sqrt(round_) - 1) * look.width * 0.9, level)


def _hair(c: _Canvas, look: Look) -> None:
    """Hair over the forehead, with a gloss."""
    hair = c.window(0, 30, 0, SIZE)
    line = look.hairline + 0.018 * (hair.u - look.parting) ** 2
    head = (_radius(hair.u / (look.width + 2.5), hair.v / 23.5) - 1) * look.width
    hair.paint(np.maximum(hair.v - line, head), look.hair, edge=1.5)
    hair.shade(np.maximum(np.abs(head + 3.0) - 0.4, hair.v - line), -0.35, edge=2.5)


def _nose(c: _Canvas, look: Look, au: dict[str, np.ndarray]) -> None:
    wrinkle = au["AU9"].mean(axis=0)
    tip = look.nose - 1.1 * wrinkle
    side = np.abs(c.u)
    flank = np.maximum(look.eye_height - 1 - c.v, c.v - tip)
    c.shade(_stroke(side - 1.6 - 0.16 * (c.v - look.eye_height), flank, 0.8), 0.13, edge=2.0)
    c.shade(np.maximum(side - 0.8, flank), -0.07, edge=1.5)  # the ridge catches the light
    wing = _radius(side - look.nose_width, c.v - tip) - 1.0
    c.shade(wing, 0.22 + 0.25 * wrinkle, edge=1.5)
    c.paint(_radius((side - 0.55 * look.nose_width) / 1.2, c.v - tip - 0.5) - 0.75, 0.3 * look.skin, 0.8)
    # Wrinkles run down from the bridge to both sides.
    folds = np.abs(np.abs(c.v - look.eye_height - 2.0 - 0.5 * side) - 1.3)
    c.shade(np.maximum(folds - 0.4, side - 2.6), 0.4 * wrinkle, edge=1.2)


def _brow(c: _Canvas, look: Look, side: int, au: dict[str, np.ndarray]) -> None:
    length = look.eye_width + 1.0
    knit = 1.2 * au["AU4"]  # towards the nose
    x = (side * c.u - look.eye_distance + knit) / length  # -1 at the inner end .. 1 at the outer one
    inner, outer = 0.5 - 0.5 * np.clip(x, -1.2, 1.2), 0.5 + 0.5 * np.clip(x, -1.2, 1.2)
    drop_inner = -2.6 * au["AU1"] + 2.2 * au["AU4"] + 0.9 * au["AU9"]
    drop_outer = -2.7 * au["AU2"] + 0.7 * au["AU4"] + 0.4 * au["AU6"]
    middle = look.brow_arch + 0.5 * au["AU2"] - 0.3 * au["AU4"]
    line = look.brow_height - look.brow_slant * x + drop_inner * inner + drop_outer * outer
    line = line - middle * (1 - x * x)
    thickness = look.brow_thickness * (1.1 - 0.35 * outer)
    c.paint(_stroke(c.v - line, (np.abs(x) - 1) * length, thickness), 0.85 * look.hair, 0.9)
    # Skin folds over a raised brow, and stands in a line beside a lowered one.
    raised = 0.35 * au["AU1"] + 0.35 * au["AU2"]
    c.shade(_stroke(c.v - line + 3.6, (np.abs(x) - 0.9) * length, 0.8), 0.45 * raised)
    upright = np.maximum(look.brow_height - 0.8 - c.v, c.v - look.brow_height - 3.0)
    c.shade(_stroke(side * c.u - 1.5, upright, 0.7), 0.35 * au["AU4"], edge=1.3)


def _eye(c: _Canvas, look: Look, side: int, au: dict[str, np.ndarray], m: Movement) -> None:
    x = side * c.u - look.eye_distance  # outwards
    bow = 1 - (x / look.eye_width) ** 2
    open_ = 1 - m.lids
    above = look.eye_opening * (0.66 + 0.36 * au["AU5"] - 0.1 * au["AU4"] - 0.12 * au["AU7"]) * open_
    below = look.eye_opening * (0.34 - 0.24 * au["AU7"] - 0.26 * au["AU6"]) - 0.15 * m.lids
    slant = 0.22 * (au["AU1"] * au["AU15"]) * x  # the upper lid follows a brow raised at its inner end
    upper = look.eye_height + slant - above * bow
    lower = look.eye_height + 0.3 * slant + below * bow
    c.shade(_radius(x / (look.eye_width + 1.2), (c.v - look.eye_height + 1.5) / 3.4) - 1, 0.14, edge=1.2)
    inside = np.maximum(np.maximum(upper - c.v, c.v - lower), np.abs(x) - look.eye_width)
    c.paint(inside, 0.42 + 0.55 * look.skin)
    off = _radius(c.u - side * look.eye_distance - m.gaze[0], c.v - look.eye_height - m.gaze[1] + 0.3)
    c.paint(np.maximum(inside, off - 1.65), look.iris)
    c.paint(np.maximum(inside, off - 0.8), 0.04)
    ends = np.abs(x) - look.eye_width
    c.paint(_stroke(c.v - upper + 0.2, ends, 0.8), 0.12, 0.9)
    c.shade(_stroke(c.v - lower - 0.3, ends, 0.6), 0.25 + 0.15 * au["AU7"])
    c.shade(_stroke(c.v - upper + 1.4, ends, 0.6), 0.2)  # the crease of the lid
    bag = look.eye_height + 2.9 - 0.7 * au["AU6"] - 0.4 * au["AU7"]
    c.shade(_stroke(c.v - bag + 0.06 * x * x, ends, 0.8), 0.1 + 0.45 * au["AU6"] + 0.2 * au["AU7"])
    feet = np.abs(x - look.eye_width - 1.6) - 1.2  # crow's feet
    c.shade(_stroke(np.abs(c.v - look.eye_height - 0.4) - 0.35 * (x - look.eye_width), feet, 0.6), 0.4 * au["AU6"])


def _mouth(c: _Canvas, look: Look, au: dict[str, np.ndarray], opening: np.ndarray) -> None:
    both = {name: unit.mean(axis=0) for name, unit in au.items()}
    wide = 1 + 0.22 * both["AU12"] + 0.3 * both["AU20"] - 0.18 * both["AU23"] - 0.22 * both["AU26"]
    width = np.maximum(look.mouth_width * wide - 0.16 * opening, 2.0)
    left, right = (-3.2 * au["AU12"] + 2.6 * au["AU15"] + 0.5 * au["AU20"]) - look.mouth_curve
    corner = look.mouth + 0.25 * opening + (left + right) / 2 + (right - left) / 2 * np.clip(c.u / width, -1, 1)
    upper = look.mouth - 0.12 * opening - 1.3 * both["AU10"] - 0.6 * both["AU9"] - 0.4 * both["AU15"]
    bow = np.maximum(1 - (c.u / width) ** 2, 0)
    top = corner + (upper - corner) * bow  # where the upper lip ends
    bottom = corner + (upper + opening - corner) * bow  # where the lower lip begins
    full = np.sqrt(bow) * look.lips * (1 - 0.75 * both["AU23"]) * (1 - 0.15 * both["AU12"])
    ends = np.abs(c.u) - width
    _folds(c, look, both, corner, width)
    lips = np.maximum(np.maximum(top - 0.75 * full - c.v, c.v - bottom - full), ends)
    c.paint(lips, look.lip_level * look.skin)
    c.shade(_stroke(c.v - bottom - full - 1.0, ends + 2.5, 1.0), 0.25, edge=1.6)  # the shadow of the lower lip
    inside = np.maximum(np.maximum(top - c.v, c.v - bottom), ends)
    c.paint(inside, 0.07)
    bare = 0.25 + 0.5 * both["AU12"] + 0.45 * both["AU20"] + 0.4 * both["AU10"]
    c.paint(np.maximum(inside + 0.4, c.v - top - 1.5), 0.88, np.clip(bare, 0, 0.9))
    c.paint(_stroke(c.v - top, ends, 0.7), 0.25 * look.skin, 0.85)  # the line between the lips
    c.shade(_radius(np.abs(c.u) - width, c.v - corner) - 0.7, 0.3)


def _folds(c: _Canvas, look: Look, both: dict[str, np.ndarray], corner: np.ndarray, width: np.ndarray) -> None:
    """The folds from the wings of the nose to the corners of the mouth."""
    start, end = look.nose, corner - 0.5
    along = np.clip((c.v - start) / np.maximum(end - start, 1), 0, 1)
    inner, outer = look.nose_width + 1.2, width + 2.0
    at = inner + (outer - inner) * np.sqrt(along)
    depth = 0.08 + 0.17 * both["AU12"] + 0.17 * both["AU10"] + 0.1 * both["AU9"] + 0.08 * both["AU20"]
    c.shade(_stroke(np.abs(c.u) - at, np.maximum(start - c.v, c.v - end), 1.0), depth, edge=2.0)
