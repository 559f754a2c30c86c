"""Figures to touch of many heads: point at a moment and see whom it asks, move the window through which it looks."""

from collections.abc import Mapping

import numpy as np
from scipy.special import softmax

from sertut.evidence import Example
from sertut.show import marks
from sertut.show.headmaps import Steps, Windows, heads_of
from sertut.show.marks import Mark
from sertut.show.picture import numbers
from sertut.show.style import ROLES
from sertut.show.touchable import Control, Drawing, Row, Touchable
from sertut.show.words import length, true_regions

FINEST = 65535  # a weight of 1


def queries(example: Example) -> Touchable:
    """Point at a moment of a clip, and see what it asks for: its row in the map of each head.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_ = heads_of(example)
    clock = map_.clocks["time"]
    x, dx = marks.across(example, clock)
    weights = np.round(numbers(map_.of(0)) * FINEST).astype("<u2")  # (H, T', T'): two bytes each
    n, spans, loudest = weights.shape[-1], marks.spans_of(example), Steps.of(example).loudest
    centers = numbers(clock.centers(n)).astype(float)
    regions = true_regions(example)
    inside = np.zeros(n, dtype=bool)
    for region in regions:
        inside |= (region.start <= centers) & (centers < region.end)

    def draw(v: Mapping[str, float]) -> Drawing:
        head, query = int(v["head"]), int(v["query"])
        w = weights[head] / FINEST
        row, best = w[query], int(w[query].argmax())
        at = ("mark", marks.post(x + dx * (query + 0.5)))
        said = f"The step at {centers[query]:.2f} s asks. It looks most at {centers[best]:.2f} s,"
        said += f" {row[best] * n:.1f} times the uniform weight."
        said += f" {marks.percent(row[inside].sum())} of its weight lies in the true region." if regions else ""
        shown = ("map", marks.png(w[::-1] / w.max(), ROLES["attention"]), x, dx * n)
        asks = ("mark", marks.rule(100 * (query + 0.5) / n))
        drawn: list[list[Mark]] = [[*spans, "wave", at], ["spectrogram", at]]
        drawn += [[*spans, *marks.weigh(row, x, dx), at], [shown, asks]]
        return Drawing(drawn, {}, {"head": str(head + 1), "query": f"{centers[query]:.2f} s"}, said)

    knobs = Control("query", "who asks", loudest, 0, n - 1), Control("head", "head", 0, 0, len(weights) - 1)
    rows = (
        Row((("mark", "who asks"), *marks.legend(example), ("", "point at the waveform")), 70),
        Row((("", "spectrogram"),), 80),
        Row((("look", "whom it asks: its row of the map"), ("uniform", "uniform")), 80, marks.seconds(example)),
        Row((("", "the map of this head: who asks runs down, who is asked runs across"),), 240, marks.seconds(example)),
    )
    kept = {"wave": marks.waveform(example.samples), "spectrogram": marks.spectrogram(example)}
    data = {"weights": marks.text(weights), "finest": FINEST, "n": n, "inside": inside.tolist(), "known": bool(regions)}
    data |= {"start": clock.start, "hop": clock.hop, "x": x, "dx": dx, "spans": spans}
    data |= {"color": marks.rgb(ROLES["attention"])}
    alt = f"Self-attention over {example.clip.name}: sliders for the head and for the moment that asks;"
    alt += " its row is drawn."
    return Touchable("queries", "Point at a moment: whom does it ask?", alt, knobs, data, draw, rows, kept)


def window(example: Example, center: Windows, width: Windows) -> Touchable:
    """Move the focus window over the scores of a real query, that of the loudest step, and see what the product keeps.

    Args:
        center, width: (H, T'), seconds, of this clip, as in :func:`sertut.show.focus`.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_, query, long = heads_of(example), Steps.of(example).loudest, length(example)
    clock = map_.clocks["time"]
    x, dx = marks.across(example, clock)
    weights = numbers(map_.of(0))[:, query].astype(np.float64)  # (H, T')
    spans, centers = marks.spans_of(example), numbers(clock.centers(weights.shape[1])).astype(np.float64)
    P, Z = (numbers(value)[:, query].astype(np.float64) for value in (center, width))  # (H,)
    bias = -2 * ((centers - P[:, None]) / Z[:, None]) ** 2
    scores = np.log(weights + 1e-30) - bias  # what they were without the window
    scores = np.round(scores - scores.max(axis=1, keepdims=True), 3)
    own = [f" (its own: {p:.2f} s, {z:.2f} s wide)" for p, z in zip(P, Z, strict=True)]

    def draw(v: Mapping[str, float]) -> Drawing:
        head, at, wide = int(v["head"]), v["center"], v["width"]
        G = -2 * ((centers - at) / wide) ** 2
        plain, w = softmax(scores[head]), softmax(scores[head] + G)
        best = int(w.argmax())
        said = f"The content alone looks most at {centers[plain.argmax()]:.2f} s;"
        said += f" the product, at {centers[best]:.2f} s."
        said += f" {marks.percent(w[np.abs(centers - at) <= wide / 2].sum())} of the weight lies inside the window."
        said += " The content outvotes the window." if abs(centers[best] - at) > wide / 2 else ""
        curve = ("window", marks.line(100 - 100 * np.exp(G), x + dx / 2, dx))
        drawn: list[list[Mark]] = [[*spans, "wave"], marks.weigh(plain, x, dx), [curve]]
        drawn.append([*spans, *marks.weigh(w, x, dx)])
        out = {"head": f"{head + 1}{own[head]}", "center": f"{at:.2f} s", "width": f"{wide:.2f} s"}
        return Drawing(drawn, {}, out, said)

    knobs = (
        Control("center", "center", round(float(P[0]), 2), 0, round(long, 2), 0.01),
        Control("width", "width", round(float(Z[0]), 2), 0.05, round(1.2 * long, 2), 0.01),
        Control("head", "head", 0, 0, len(scores) - 1),
    )
    rows = (
        Row((("", "waveform"), *marks.legend(example)), 60),
        Row((("look", "content alone: the weights without a window"), ("uniform", "uniform")), 80),
        Row((("window", "window: drag it here, too"),), 60),
        Row((("look", "product: what the query looks at"),), 80, marks.seconds(example)),
    )
    data = {"scores": scores.tolist(), "start": clock.start, "hop": clock.hop, "x": x, "dx": dx, "spans": spans}
    data |= {"own": own, "seconds": long}
    alt = f"The weights of one query of {example.clip.name} with and without a window,"
    alt += " with sliders for center and width."
    title = f"Move the window of the query at {centers[query]:.2f} s"
    return Touchable("focus", title, alt, knobs, data, draw, rows, {"wave": marks.waveform(example.samples)})
