"""Make what the first page and the README show: `python book/cover.py`, about a minute on a CPU.

`python book/cover.py map` makes only the map of the chapters, in a second: do it when book/_toc.yml changes.

The network of chapter 4, its first fold and seed. The clips of the game: of each of the first three test speakers, in
the order of the corpus, the first clip in anger. The clip of the picture: the first typical one that has a region.
"""

import base64
import io
import json
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import yaml
from PIL import Image

import sertut
from sertut.evidence import Example
from sertut.signals import SAMPLE_RATE
from sertut.study import build, recipe

IMAGES = Path(__file__).parent / "images"
BARS = 150
COLORS = ("#0072b2", "#b34700", "#00664b", "#8a3d6b")


def sound(samples: np.ndarray) -> str:
    """The sound as a data address: AAC in MP4, which every browser plays and in which every place is found again."""
    buffer = io.BytesIO()
    whole = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1).astype(np.float32)[None], format="fltp", layout="mono")
    whole.sample_rate, whole.pts = SAMPLE_RATE, 0
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 40_000
        stream.codec_context.open()
        cut = av.AudioResampler("fltp", "mono", SAMPLE_RATE, stream.codec_context.frame_size)
        for piece in (*cut.resample(whole), *cut.resample(None), None):
            container.mux(stream.encode(piece))
    return f"data:audio/mp4;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def clip(example: Example) -> dict:
    """What the game needs of a clip: its sound, its words, how loud it is, where the network looked."""
    samples = np.asarray(example.samples, dtype=float)
    weights, edges = sertut.show.weights.time_weights(example)
    region = next(region for region in example.clip.regions if region.stream == "voice")
    peak = float(edges[weights.argmax()] + edges[weights.argmax() + 1]) / 2
    loud = [float(np.abs(part).max()) for part in np.array_split(samples, BARS)]
    words = [[text, round(start, 3), round(end, 3)] for text, start, end in example.clip.details["words"]]

    def word_at(second: float) -> int:
        """The word that is spoken then, or the nearest one."""
        return min(range(len(words)), key=lambda i: max(words[i][1] - second, second - words[i][2], 0.0))

    return {
        "audio": sound(samples),
        "seconds": round(len(samples) / SAMPLE_RATE, 2),
        "speaker": example.clip.speaker,
        "words": words,
        "bars": [round(bar / max(loud), 2) for bar in loud],
        "weights": [round(float(weight) / float(weights.max()), 3) for weight in weights],
        "edges": [round(float(edge), 3) for edge in edges],
        "region": [region.start, region.end],
        "angry": word_at((region.start + region.end) / 2),
        "network": word_at(peak),
        "loudest": word_at((int(np.argmax(loud)) + 0.5) / BARS * len(samples) / SAMPLE_RATE),
    }


def book_map() -> str:
    """The chapters as a map: a trunk, a branch for each paper, an end; made from the table of contents."""
    parts = yaml.safe_load((IMAGES.parent / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    found = [(p["caption"], [c["file"] for c in p["chapters"] if c["file"].startswith("notebooks/")]) for p in parts]
    (_, trunk), *branches, (_, end) = [(caption.partition(" · ")[2], pages) for caption, pages in found if pages]
    wide, step = 400, 84
    lines, stations = [], []

    def station(page: str, x: float, y: float, color: str) -> None:
        number, _, name = page.removeprefix("notebooks/").partition("-")
        words = textwrap.wrap(name.replace("-", " "), 14)
        text = "".join(f'<tspan x="{x:g}" dy="12">{line}</tspan>' for line in words)
        stations.append(
            f'<a href="../{page}.html" aria-label="Chapter {int(number)}: {name.replace("-", " ")}">'
            f'<circle cx="{x:g}" cy="{y:g}" r="13" fill="{color}" stroke="currentColor" stroke-width="1.5"/>'
            f'<text x="{x:g}" y="{y + 4.5:g}" font-size="13" font-weight="700" class="number">{int(number)}</text>'
            f'<text y="{y + 16:g}" font-size="11">{text}</text></a>'
        )

    def line(points: list[tuple[float, float]], color: str) -> None:
        d = " ".join(f"{x:g},{y:g}" for x, y in points)
        lines.append(f'<polyline points="{d}" fill="none" stroke="{color}" stroke-width="5" stroke-linejoin="round"/>')

    fork, columns = 92.0, [wide * (i + 0.5) / len(branches) for i in range(len(branches))]
    depth = fork + 62 + step * max(len(pages) for _, pages in branches)
    for (caption, pages), x, color in zip(branches, columns, COLORS, strict=True):
        line([(wide / 2, 24), (wide / 2, fork - 14), (x, fork), (x, depth - 14), (wide / 2, depth)], color)
        words = textwrap.wrap(caption, 13)
        for row, text in enumerate(words):
            stations.append(
                f'<text x="{x:g}" y="{fork + 15 + 13 * row:g}" font-size="11" font-weight="700">{text}</text>'
            )
        for row, page in enumerate(pages):
            station(page, x, fork + 58 + step * row, color)
    for pages, y in ((trunk, 24), (end, depth + 4)):
        line([(wide * 0.17, y), (wide * 0.83, y)], "#666666")
        for i, page in enumerate(pages):
            station(page, wide * (0.17 + 0.66 * i / max(1, len(pages) - 1)), y, "#555555")
    return (
        f'<div class="book-map"><svg viewBox="0 0 {wide} {depth + 50:g}" text-anchor="middle" role="group"'
        f' aria-label="A map of the chapters">{"".join(lines)}{"".join(stations)}</svg></div>\n'
    )


(IMAGES / "map.html").write_text(book_map(), encoding="utf-8")
if "map" in sys.argv:
    sys.exit()

corpus = sertut.load("planted")
fold = corpus.folds()[0]
run = sertut.fit_once(build("attention", corpus), fold, seed=0, **recipe("planted"))
report = sertut.evaluate(run, fold.test)

first: dict[str, Example] = {}
for i in range(len(report)):
    if report[i].clip.emotion == "anger":
        first.setdefault(report[i].clip.speaker, report[i])
clips = [clip(example) for example in [*first.values()][:3]]
script = f'<script type="application/json" id="game-clips">{json.dumps(clips, separators=(",", ":"))}</script>\n'
(IMAGES / "game-clips.html").write_text(script, encoding="utf-8")
for shown in clips:
    print(shown["speaker"], [shown["words"][shown[who]][0] for who in ("angry", "network", "loudest")])

example = next(e for e in report.typical(len(corpus.emotions)) if e.regions)
picture = sertut.show.attention(example)
whole = Image.open(io.BytesIO(picture.png)).convert("RGB")
whole.quantize(256, dither=Image.Dither.NONE).save(IMAGES / "attention.png", optimize=True)
print(picture.alt)
