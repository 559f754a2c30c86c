"""Figures to touch: sliders that change a picture in the page itself, without a kernel and without network.

Each figure is drawn twice by the same formulas: here, for the still picture that is left where scripts are not allowed
and for the widget where a kernel runs, and in ``touch.js``, in the reader's browser. A test holds the two equal.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torchaudio.transforms import MelSpectrogram

from sertut.attention.alignment import LAG_STEP, MAX_LAG
from sertut.corpora import Clip
from sertut.evidence import Example
from sertut.show.headmaps import Steps, Windows, heads_of
from sertut.show.picture import numbers
from sertut.show.ridges import mouth_darkness
from sertut.show.strips import face_of, unjudged
from sertut.show.style import ROLES
from sertut.show.touchable import (
    Control,
    Drawing,
    Mark,
    Row,
    Touchable,
    across,
    legend,
    line,
    opacity,
    percent,
    png,
    post,
    rgb,
    rule,
    seconds,
    signed,
    spans_of,
    spectrogram,
    steps,
    text,
    waveform,
)
from sertut.show.words import known_offset, later, length, true_regions
from sertut.signals import SAMPLE_RATE, WINDOW, frame_seconds
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ, N_FFT

WINDOWS, HOPS, BANDS = (5, 25, 100), (5, 10, 40), (16, 40, 64)
"""Milliseconds, milliseconds, mel bands: what the figure of the spectrogram lets one choose from."""
FINEST = 65535  # a weight of 1
LOWEST_SCALE = -40  # of the slider of lambda, in twentieths of a power of ten; there it is 0


def softmax(scores: torch.Tensor, mask: torch.Tensor) -> Touchable:
    """Drag the scores of one clip, padding included, and see the weights that the softmax makes of them.

    Args:
        scores: (T,). mask: (T,), True on real steps.
    """
    real = [bool(value) for value in mask]
    names = [f"step {k + 1}{'' if r else ' (padding)'}" for k, r in enumerate(real)]
    knobs = [
        Control(f"score{k}", name, round(float(score), 1), -8, 8, 0.1)
        for k, (name, score) in enumerate(zip(names, scores, strict=True))
    ]
    more = (Control("constant", "constant added to all", 0, -5, 5, 0.1), Control("mask", "mask padding", 0, step=None))

    def draw(v: Mapping[str, float]) -> Drawing:
        e = [v[f"score{k}"] + v["constant"] if r or not v["mask"] else -np.inf for k, r in enumerate(real)]
        w = _softmax(np.array(e))
        bars = {f"score{k}": float(weight) for k, weight in enumerate(w)}
        out = {name: f"{signed(v[name], 1)} → {percent(weight)}" for name, weight in bars.items()}
        out["constant"] = signed(v["constant"], 1)
        said = f"Step {w.argmax() + 1} gets most, {percent(w.max())}; padding gets {percent(w[~np.array(real)].sum())}."
        said += " The constant is in all scores, and no weight has changed by it." if v["constant"] else ""
        return Drawing([], bars, out, said)

    alt = (
        f"Sliders for {len(real)} scores, {real.count(False)} of them on padding; bars show the weights of the softmax."
    )
    title = "Drag a score: each bar is a weight, all bars together are 100 %"
    return Touchable("softmax", title, alt, (*knobs, *more), {"real": real}, draw)


def frames(clip: Clip) -> Touchable:
    """One second of a clip, around its region, through windows of 5 to 100 ms, hops of 5 to 40 ms, 16 to 64 bands."""
    example = unjudged(clip)
    samples = np.asarray(numbers(example.samples), dtype=np.float64)
    spans = true_regions(example)
    middle = (spans[0].start + spans[0].end) / 2 if spans else length(example) / 2
    step = SAMPLE_RATE * HOPS[0] // 1000
    first = max(0, int((middle - 0.5) * SAMPLE_RATE) // step) * step  # the first center, less half of a usual window
    margin = SAMPLE_RATE  # zeros, where a window reaches beyond the clip
    padded = torch.from_numpy(np.pad(samples, (margin, 2 * margin))).float()
    tables = {}
    for window in WINDOWS:
        n_fft = max(N_FFT, 1 << (SAMPLE_RATE * window // 1000 - 1).bit_length())
        at = margin + first + WINDOW // 2 - n_fft // 2
        for bands in BANDS:
            sizes: Any = dict(n_fft=n_fft, win_length=SAMPLE_RATE * window // 1000, hop_length=step, center=False)
            mel = MelSpectrogram(SAMPLE_RATE, f_min=LOWEST_HZ, f_max=HIGHEST_HZ, n_mels=bands, **sizes)
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the lowest of 64 bands may hold no frequency at all
                power = mel(padded[at : at + SAMPLE_RATE - step + n_fft])
            level = 10 * torch.log10(power.clamp(min=1e-10))
            tables[f"{window}-{bands}"] = opacity(level.numpy())  # (bands, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyworld asks setuptools for its version, in a way that will go
        import pyworld
    f0, _ = pyworld.dio(samples[first : first + SAMPLE_RATE], SAMPLE_RATE)
    voiced = f0[f0 > 0]
    pitch = f" (the harmonics of this voice are about {np.median(voiced):.0f} Hz apart)" if len(voiced) else ""

    def draw(v: Mapping[str, float]) -> Drawing:
        window, hop, bands = (
            kinds[int(v[name])] for kinds, name in ((WINDOWS, "window"), (HOPS, "hop"), (BANDS, "bands"))
        )
        table = tables[f"{window}-{bands}"][:, :: hop // HOPS[0]]
        said = f"{table.shape[1]} frames of {bands} bands: {table.size} numbers. Tones closer than about"
        said += f" {1000 / window:.0f} Hz run together{pitch}, and what is shorter than {window} ms is smeared."
        out = {"window": f"{window} ms", "hop": f"{hop} ms", "bands": str(bands)}
        return Drawing([["wave"], [("ink", png(table / 255), 0, 1000)]], {}, out, said)

    knobs = (
        Control("window", "window", 1, 0, 2),
        Control("hop", "hop", 1, 0, 2),
        Control("bands", "mel bands", 2, 0, 2),
    )
    begin = first / SAMPLE_RATE + WINDOW / 2 / SAMPLE_RATE
    axis = tuple(f"{begin + part:.2f} s" for part in (0, 0.5, 1))
    wave = waveform(samples[first + WINDOW // 2 :][:SAMPLE_RATE])
    rows = (
        Row((("", "waveform"),), 60),
        Row((("", "log-mel spectrogram: more ink is louder, low frequencies below"),), 200, axis),
    )
    coded = {name: text(table.T) for name, table in tables.items()}
    data = {"windows": WINDOWS, "hops": HOPS, "bands": BANDS, "pitch": pitch, "tables": coded}
    alt = (
        f"One second of {clip.name} as waveform and as log-mel spectrogram, with sliders for window, hop and mel bands."
    )
    return Touchable("frames", "Choose window, hop and bands", alt, knobs, data, draw, rows, {"wave": wave})


def scale(example: Example, trained: float) -> Touchable:
    """The scores of a real map over time and frequency under other values of lambda.

    Args:
        example: of a model whose map has the axes time and frequency.
        trained: the lambda of that model.
    """
    assert example.map is not None
    x, dx = across(example, example.map.clocks["time"])
    scores = np.log(numbers(example.map.of(0)).T.astype(np.float64) + 1e-30) / trained  # (F', T')
    scores = np.round(scores - scores.max(), 3)
    n, spans = scores.shape[1], spans_of(example)

    def draw(v: Mapping[str, float]) -> Drawing:
        value = 0.0 if v["scale"] <= LOWEST_SCALE else trained * 10 ** (v["scale"] / 20)
        flat = _softmax(value * scores.ravel())
        high, time = flat.max(), flat.reshape(scores.shape).sum(axis=0)
        ranked = np.sort(flat)[::-1].cumsum()
        cells, peak = int((ranked < 0.5 - 1e-6).sum()) + 1, max(time.max(), 1.5 / n)
        said = f"Half of the weight lies on {cells} of {scores.size} cells; the strongest holds {100 * high:.1f} %."
        said += "" if value else " This is mean pooling."
        said += " So the network was trained." if v["scale"] == 0 else ""
        shown = ("map", png(flat.reshape(scores.shape) / high, ROLES["attention"]), x, dx * n)
        over = [*spans, ("look", steps(time, x, dx, peak)), ("uniform", rule(100 - 100 / n / peak))]
        out = {"scale": f"λ = {f'{value:#.2g}'.rstrip('.') if value else 0}"}
        return Drawing([["spectrogram", shown, *spans], over], {}, out, said)

    rows = (
        Row((("", "gray: spectrogram; blue: weight of each cell"), *legend(example)), 170),
        Row((("look", "weights summed over frequency"), ("uniform", "uniform")), 80, seconds(example)),
    )
    data = {"scores": scores.tolist(), "scale": trained, "lowest": LOWEST_SCALE, "x": x, "dx": dx, "spans": spans}
    data["color"] = rgb(ROLES["attention"])
    alt = f"Attention over {scores.size} cells of {example.clip.name}, with a slider for lambda."
    knob = Control("scale", "lambda", 0, LOWEST_SCALE, 40)
    title = "Turn lambda: from all cells to one"
    return Touchable("scale", title, alt, (knob,), data, draw, rows, {"spectrogram": spectrogram(example)})


def queries(example: Example) -> Touchable:
    """Point at a moment of a clip, and see what it asks for: its row in the map of each head.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_ = heads_of(example)
    clock = map_.clocks["time"]
    x, dx = across(example, clock)
    weights = np.round(numbers(map_.of(0)) * FINEST).astype("<u2")  # (H, T', T'): two bytes each
    n, spans, loudest = weights.shape[-1], spans_of(example), Steps.of(example).loudest
    centers = numbers(clock.centers(n)).astype(float)
    regions = true_regions(example)
    inside = (
        np.any([(r.start <= centers) & (centers < r.end) for r in regions], axis=0) if regions else np.zeros(n, bool)
    )

    def draw(v: Mapping[str, float]) -> Drawing:
        head, query = int(v["head"]), int(v["query"])
        w = weights[head] / FINEST
        row, best, top = w[query], int(w[query].argmax()), max(w[query].max(), 1.5 / n)
        at = ("mark", post(x + dx * (query + 0.5)))
        said = f"The step at {centers[query]:.2f} s asks. It looks most at {centers[best]:.2f} s,"
        said += f" {row[best] * n:.1f} times the uniform weight."
        said += f" {percent(row[inside].sum())} of its weight lies in the true region." if regions else ""
        shown = ("map", png(w[::-1] / w.max(), ROLES["attention"]), x, dx * n)
        over = [*spans, ("look", steps(row, x, dx, top)), ("uniform", rule(100 - 100 / n / top)), at]
        drawn: list[list[Mark]] = [[*spans, "wave", at], ["spectrogram", at], over]
        drawn.append([shown, ("mark", rule(100 * (query + 0.5) / n))])
        return Drawing(drawn, {}, {"head": str(head + 1), "query": f"{centers[query]:.2f} s"}, said)

    knobs = (
        Control("query", "who asks", loudest, 0, n - 1),
        Control("head", "head", 0, 0, len(weights) - 1),
    )
    rows = (
        Row((("mark", "who asks"), *legend(example), ("", "point at the waveform")), 70),
        Row((("", "spectrogram"),), 80),
        Row((("look", "whom it asks: its row of the map"), ("uniform", "uniform")), 80, seconds(example)),
        Row((("", "the map of this head: who asks runs down, who is asked runs across"),), 240, seconds(example)),
    )
    kept = {"wave": waveform(example.samples), "spectrogram": spectrogram(example)}
    data = {"weights": text(weights), "finest": FINEST, "n": n, "inside": inside.tolist(), "known": bool(regions)}
    data |= {"start": clock.start, "hop": clock.hop, "x": x, "dx": dx, "spans": spans, "color": rgb(ROLES["attention"])}
    alt = (
        f"Self-attention over {example.clip.name}: sliders for the head and for the moment that asks; its row is drawn."
    )
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
    x, dx = across(example, clock)
    weights = numbers(map_.of(0))[:, query].astype(np.float64)  # (H, T')
    n, spans = weights.shape[1], spans_of(example)
    centers = numbers(clock.centers(n)).astype(np.float64)
    P, Z = (numbers(value)[:, query].astype(np.float64) for value in (center, width))  # (H,)
    scores = (
        np.log(weights + 1e-30) + 2 * ((centers - P[:, None]) / Z[:, None]) ** 2
    )  # what they were without the window
    scores = np.round(scores - scores.max(axis=1, keepdims=True), 3)
    own = [f" (its own: {p:.2f} s, {z:.2f} s wide)" for p, z in zip(P, Z, strict=True)]

    def weigh(w: np.ndarray) -> list[Mark]:
        high = max(w.max(), 1.5 / n)
        return [("look", steps(w, x, dx, high)), ("uniform", rule(100 - 100 / n / high))]

    def draw(v: Mapping[str, float]) -> Drawing:
        head, at, wide = int(v["head"]), v["center"], v["width"]
        G = -2 * ((centers - at) / wide) ** 2
        plain, w = _softmax(scores[head]), _softmax(scores[head] + G)
        best = int(w.argmax())
        said = (
            f"The content alone looks most at {centers[plain.argmax()]:.2f} s; the product, at {centers[best]:.2f} s."
        )
        said += f" {percent(w[np.abs(centers - at) <= wide / 2].sum())} of the weight lies inside the window."
        said += " The content outvotes the window." if abs(centers[best] - at) > wide / 2 else ""
        drawn: list[list[Mark]] = [[*spans, "wave"], weigh(plain)]
        drawn.append([("window", line(100 - 100 * np.exp(G), x + dx / 2, dx))])
        drawn.append([*spans, *weigh(w)])
        return Drawing(
            drawn, {}, {"head": f"{head + 1}{own[head]}", "center": f"{at:.2f} s", "width": f"{wide:.2f} s"}, said
        )

    knobs = (
        Control("center", "center", round(float(P[0]), 2), 0, round(long, 2), 0.01),
        Control("width", "width", round(float(Z[0]), 2), 0.05, round(1.2 * long, 2), 0.01),
        Control("head", "head", 0, 0, len(scores) - 1),
    )
    rows = (
        Row((("", "waveform"), *legend(example)), 60),
        Row((("look", "content alone: the weights without a window"), ("uniform", "uniform")), 80),
        Row((("window", "window: drag it here, too"),), 60),
        Row((("look", "product: what the query looks at"),), 80, seconds(example)),
    )
    data = {"scores": scores.tolist(), "start": clock.start, "hop": clock.hop, "x": x, "dx": dx, "spans": spans}
    data |= {"own": own, "seconds": long}
    alt = (
        f"The weights of one query of {example.clip.name} with and without a window, with sliders for center and width."
    )
    title = f"Move the window of the query at {centers[query]:.2f} s"
    return Touchable("focus", title, alt, knobs, data, draw, rows, {"wave": waveform(example.samples)})


def lag(example: Example | Clip) -> Touchable:
    r"""Slide the face of a clip against its voice, and find the lag at which both agree most.

    The voice is its level, the face the darkness of its mouth, x and y, each with mean 0 and standard deviation 1.
    The agreement at a lag d is :math:`r_d = \frac1T \sum_{t - j = d} y_t x_j`, as in
    :class:`sertut.attention.Alignment` with ``one_lag``.

    Raises:
        SertutError: the clip has no video.
    """
    example = unjudged(example) if isinstance(example, Clip) else example
    faces, level = face_of(example), numbers(example.level)
    level = np.interp(faces.times, frame_seconds(len(level)), np.maximum(level, level.max() - 50))
    mouth, n = mouth_darkness(faces), len(faces)
    voice = np.round((level - level.mean()) / level.std(), 3)
    face = np.round(np.nan_to_num((mouth - np.nanmean(mouth)) / np.nanstd(mouth)), 3)  # without a face: 0
    real, true = int(faces.found.sum()), known_offset(example)
    truth = "" if true is None else f" This clip was made so: the face comes {later(true)} than the voice."
    pairs = np.outer(face, voice)  # (T', T'), a row a frame of the face
    lags = np.arange(-MAX_LAG, MAX_LAG + 1)
    r = np.array([pairs.diagonal(-d).sum() / real for d in lags])

    def draw(v: Mapping[str, Any]) -> Drawing:
        d = int(v["lag"])
        seen, wide, dx = v.get("seen", [d]), 1000 / len(lags), 1000 / n
        best = max(seen, key=lambda k: r[k + MAX_LAG])
        bars = "".join(
            f"M{(k + MAX_LAG) * wide + 1:.2f} 50V{50 - 48 * r[k + MAX_LAG] / np.abs(r).max():.2f}h{wide - 2:.2f}V50Z"
            for k in seen
        )
        ends = f"M0 {100 - d * 100 / n:.2f}L1000 {-d * 100 / n:.2f}"
        said = f"Lag {signed(d * LAG_STEP, 2)} s: agreement {signed(r[d + MAX_LAG], 2)}. Best so far:"
        said += f" {signed(r[best + MAX_LAG], 2)} at {signed(best * LAG_STEP, 2)} s."
        said += f" No lag agrees more.{truth}" if best == lags[r.argmax()] else ""
        curves: list[Mark] = [("voice", line(50 - 16 * voice, dx / 2, dx))]
        curves.append(("face", line(50 - 16 * face, dx * (0.5 - d), dx)))
        marked = ("mark", post((d + MAX_LAG + 0.5) * wide))
        agreement: list[Mark] = [("look", bars), ("uniform", rule(50)), marked]
        return Drawing(
            [curves, ["pairs", ("mark", ends)], agreement], {}, {"lag": f"{signed(d * LAG_STEP, 2)} s"}, said
        )

    rows = (
        Row(
            (("voice", "voice: how loud"), ("face", "face, moved by the lag: how dark the mouth")),
            110,
            seconds(example),
        ),
        Row((("mark", "pairs at this lag"), ("", "voice across, face up; ink where both are high or both low")), 200),
        Row(
            (("look", "agreement at the lags tried so far"),),
            110,
            tuple(f"{signed(k * LAG_STEP, 1)} s" for k in (-30, 0, 30)),
        ),
    )
    kept = {"pairs": ("ink", png(np.clip(0.5 + pairs / 6, 0, 1)), 0, 1000)}
    data = {
        "voice": voice.tolist(),
        "face": face.tolist(),
        "real": real,
        "most": MAX_LAG,
        "hop": LAG_STEP,
        "truth": truth,
    }
    alt = (
        f"Voice and face of {example.clip.name} as curves, with a slider for the lag between them, and their agreement."
    )
    knob = Control("lag", "lag of the face", 0, -MAX_LAG, MAX_LAG)
    return Touchable("lag", "Slide the face until it fits the voice", alt, (knob,), data, draw, rows, kept)


def _softmax(scores: np.ndarray) -> np.ndarray:
    return torch.from_numpy(scores).softmax(dim=0).numpy()
