"""Hear a clip and see where the model attends: one piece of HTML that needs no network and no kernel."""

from __future__ import annotations

import base64
import html
import io
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from sertut.evidence import Example
from sertut.files import writing
from sertut.show.picture import numbers
from sertut.show.player_page import PAGE
from sertut.show.style import ROLES
from sertut.show.weights import describe, time_weights, uniform_level
from sertut.show.words import decoys, stream_of, true_regions, verdict
from sertut.signals import SAMPLE_RATE

WIDE, TALL, BASE = 600, 200, 172  # the drawing's own units; the page scales it. BASE: where the weights stand
COLUMNS = 300  # vertical strokes of the waveform
LARGEST = 75_000  # bytes of sound, 100 kB as text


@dataclass(frozen=True)
class Player:
    """A clip to hear, or to see and hear; a notebook shows it, `html` is the page's piece of text."""

    html: str
    alt: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.alt

    def save(self, path: Path | str) -> Path:
        """Write it as a page of its own."""
        head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{html.escape(self.alt)}</title>'
        head += '<meta name="viewport" content="width=device-width">'
        with writing(path) as temporary:
            temporary.write_text(f"{head}{self.html}</html>", encoding="utf-8")
        return Path(path)


def player(example: Example, *, title: str | None = None, alt: str | None = None) -> Player:
    """Play a clip while a cursor runs over its waveform, its attention and its true region.

    The page holds everything: sound, drawing and script. A click on the drawing, or the arrow keys on the slider, moves
    to another place. Where scripts are not allowed, the drawing remains.

    Args:
        example: what ``report[i]`` gives.
        title: by default what the clip is, and what the model took it for.
        alt: the text alternative, by default where the attention is.
    """
    samples = numbers(example.samples)
    text = alt or describe(example)
    parts = {
        "id": f"sertut-{uuid.uuid4().hex}",
        "title": html.escape(title or verdict(example)),
        "alt": html.escape(text, quote=True),
        "audio": _audio(samples),
        "seconds": f"{len(samples) / SAMPLE_RATE:.2f}",
        "drawing": _drawing(example, samples),
        "legend": _legend(example),
        "wide": str(WIDE),
        "tall": str(TALL),
    }
    page = PAGE
    for name, value in parts.items():
        page = page.replace(f"%{name}%", value)
    return Player(page, text)


def _audio(samples: np.ndarray) -> str:
    """The sound as a data address: FLAC, which every browser plays, or the much smaller Ogg Vorbis if the clip is long.

    MP3 would do too, but its decoders start up to 50 ms late, and here the time is the point.
    """
    for kind, subtype in (("FLAC", "PCM_16"), ("OGG", "VORBIS")):
        buffer = io.BytesIO()
        soundfile.write(buffer, np.clip(samples, -1, 1), SAMPLE_RATE, format=kind, subtype=subtype)
        if len(buffer.getvalue()) <= LARGEST:
            break
    return f"data:audio/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _drawing(example: Example, samples: np.ndarray) -> str:
    """The inside of the SVG: regions, waveform, attention, uniform level."""
    x = WIDE / (len(samples) / SAMPLE_RATE)  # units a second
    shapes = []
    top = BASE // 2 if stream_of(example) == "face" else 1  # the waveform, above, is the voice's
    for role, regions in (("region", true_regions(example)), ("decoy", decoys(example))):
        dashes = ' stroke-dasharray="5 3"' if role == "decoy" else ""
        for region in regions:
            shapes.append(
                f'<rect class="{role}" x="{region.start * x:.1f}" y="{top}"'
                f' width="{(region.end - region.start) * x:.1f}" height="{TALL - 1 - top}"'
                f' fill="{ROLES[role]}" fill-opacity=".18" stroke="{ROLES[role]}"{dashes}/>'
            )
    loudest = max(float(np.abs(samples).max()), 1e-3)
    strokes = []
    for column, piece in enumerate(np.array_split(samples, min(COLUMNS, len(samples)))):
        at = (column + 0.5) * WIDE / min(COLUMNS, len(samples))
        strokes.append(f"M{at:.1f} {40 - 36 * piece.max() / loudest:.1f}V{40.5 - 36 * piece.min() / loudest:.1f}")
    shapes.append(f'<path d="{"".join(strokes)}" stroke="#555" fill="none"/>')
    if over_time := time_weights(example):
        weights, borders = over_time
        uniform = uniform_level(example)
        high = 85 / max(float(weights.max()), 1.5 * uniform)
        steps = "".join(
            f"L{left * x:.1f} {BASE - weight * high:.1f}H{right * x:.1f}"
            for weight, left, right in zip(weights, borders[:-1], borders[1:], strict=True)
        )
        outline = f"M{borders[0] * x:.1f} {BASE}{steps}V{BASE}"
        blue = ROLES["attention"]
        level = BASE - high * uniform
        shapes.append(f'<path class="attention" d="{outline}" fill="{blue}" fill-opacity=".35" stroke="{blue}"/>')
        shapes.append(f'<path class="uniform" d="M0 {level:.1f}H{WIDE}" stroke="#000" stroke-dasharray="2 3"/>')
    shapes.append(f'<path d="M0 {BASE}H{WIDE}" stroke="#000"/>')
    seconds = len(samples) / SAMPLE_RATE
    every = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 3600) if seconds / step <= 8)
    for tick in np.arange(0, seconds - 0.3 * every, every):
        anchor = "start" if tick == 0 else "middle"
        shapes.append(f'<path d="M{tick * x:.1f} {BASE}v4" stroke="#000"/>')
        shapes.append(
            f'<text x="{tick * x:.1f}" y="{TALL - 5}" text-anchor="{anchor}">{tick:g}{" s" if tick == 0 else ""}</text>'
        )
    return "".join(shapes)


def _legend(example: Example) -> str:
    face = " (face)" if stream_of(example) == "face" else ""
    names = [("attention", f"attention{face}"), ("uniform", "uniform (dotted)")] if example.map is not None else []
    names += [("region", f"true region{face}")] if true_regions(example) else []
    names += [("decoy", "decoy (face, dashed)" if face else "decoy (dashed)")] if decoys(example) else []
    return "".join(f'<span><i style="background:{ROLES[role]}"></i>{name}</span>' for role, name in names)
