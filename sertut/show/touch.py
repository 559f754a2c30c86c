"""Figures to touch: sliders that change a picture in the page itself, without a kernel and without network.

Each figure is drawn twice by the same formulas: here, for the still picture that is left where scripts are not allowed
and for the widget where a kernel runs, and in ``touch.js``, in the reader's browser. A test holds the two equal.
"""

import itertools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.special import softmax as softened
from torchaudio.transforms import MelSpectrogram

from sertut.attention.alignment import LAG_STEP, MAX_LAG
from sertut.corpora import Clip
from sertut.evidence import Example
from sertut.show import marks
from sertut.show.cellmaps import cells_of
from sertut.show.headmaps import Steps, Windows, heads_of
from sertut.show.marks import Mark
from sertut.show.picture import numbers
from sertut.show.ridges import mouth_darkness
from sertut.show.strips import as_example, face_of
from sertut.show.style import ROLES
from sertut.show.touchable import Control, Drawing, Row, Touchable
from sertut.show.words import known_offset, later, length, true_regions
from sertut.signals import SAMPLE_RATE, WINDOW, frame_seconds
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ, N_FFT

WINDOWS, HOPS, BANDS = (5, 25, 100), (5, 10, 40), (16, 40, 64)
"""Milliseconds, milliseconds, mel bands: what the figure of the spectrogram lets one choose from."""
LOWEST_SCALE = -40  # of the slider of lambda, in twentieths of a power of ten; there it is 0
FINEST = 65535  # a weight of 1


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
        w = softened(np.array(e))
        bars = {f"score{k}": float(weight) for k, weight in enumerate(w)}
        out = {name: f"{marks.signed(v[name], 1)} → {marks.percent(weight)}" for name, weight in bars.items()}
        out["constant"] = marks.signed(v["constant"], 1)
        lost = marks.percent(w[~np.array(real)].sum())
        said = f"Step {w.argmax() + 1} gets most, {marks.percent(w.max())}; padding gets {lost}."
        said += " The constant is in all scores, and no weight has changed by it." if v["constant"] else ""
        return Drawing([], out, said, bars)

    alt = f"Sliders for {len(real)} scores, {real.count(False)} of them on padding;"
    alt += " bars show the weights of the softmax."
    title = "Drag a score: each bar is a weight, all bars together are 100 %"
    return Touchable("softmax", title, alt, (*knobs, *more), {"real": real}, draw)


def frames(clip: Clip) -> Touchable:
    """One second of a clip, around its region, through windows of 5 to 100 ms, hops of 5 to 40 ms, 16 to 64 bands."""
    example = as_example(clip)
    samples = np.pad(np.asarray(numbers(example.samples), dtype=np.float64), (0, SAMPLE_RATE))  # the second is whole
    spans = true_regions(example)
    middle = (spans[0].start + spans[0].end) / 2 if spans else length(example) / 2
    step = SAMPLE_RATE * HOPS[0] // 1000
    first = max(0, int((middle - 0.5) * SAMPLE_RATE) // step) * step  # the first center, less half of a usual window
    margin = SAMPLE_RATE  # zeros, where a window reaches beyond the clip
    padded = torch.from_numpy(np.pad(samples, (margin, 2 * margin))).float()
    tables = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the lowest of 64 bands may hold no frequency at all
        for wide, bands in itertools.product(WINDOWS, BANDS):
            n_fft = max(N_FFT, 1 << (SAMPLE_RATE * wide // 1000 - 1).bit_length())
            at = margin + first + WINDOW // 2 - n_fft // 2
            sizes: Any = dict(n_fft=n_fft, win_length=SAMPLE_RATE * wide // 1000, hop_length=step, center=False)
            mel = MelSpectrogram(SAMPLE_RATE, f_min=LOWEST_HZ, f_max=HIGHEST_HZ, n_mels=bands, **sizes)
            level = 10 * torch.log10(mel(padded[at : at + SAMPLE_RATE - step + n_fft]).clamp(min=1e-10))
            tables[f"{wide}-{bands}"] = marks.opacity(level.numpy())  # (bands, 200)
        import pyworld  # it asks setuptools for its version, in a way that will go
    f0, _ = pyworld.dio(samples[first : first + SAMPLE_RATE], SAMPLE_RATE)
    voiced = f0[f0 > 0]
    pitch = f" (the harmonics of this voice are about {np.median(voiced):.0f} Hz apart)" if len(voiced) else ""

    def draw(v: Mapping[str, float]) -> Drawing:
        wide, hop, bands = WINDOWS[int(v["window"])], HOPS[int(v["hop"])], BANDS[int(v["bands"])]
        table = tables[f"{wide}-{bands}"][:, :: hop // HOPS[0]]
        said = f"{table.shape[1]} frames of {bands} bands: {table.size} numbers. Tones closer than about"
        said += f" {1000 / wide:.0f} Hz run together{pitch}, and what is shorter than {wide} ms is smeared."
        out = {"window": f"{wide} ms", "hop": f"{hop} ms", "bands": str(bands)}
        return Drawing([["wave"], [("ink", marks.png(table / 255), 0, 1000)]], out, said)

    knobs = Control("window", "window", 1, 0, 2), Control("hop", "hop", 1, 0, 2), Control("bands", "mel bands", 2, 0, 2)
    begin = first / SAMPLE_RATE + WINDOW / 2 / SAMPLE_RATE
    axis = tuple(f"{begin + part:.2f} s" for part in (0, 0.5, 1))
    wave = marks.waveform(samples[first + WINDOW // 2 :][:SAMPLE_RATE])
    rows = (
        Row((("", "waveform"),), 60),
        Row((("", "log-mel spectrogram: more ink is louder, low frequencies below"),), 200, axis),
    )
    coded = {name: marks.text(table.T) for name, table in tables.items()}
    data = {"windows": WINDOWS, "hops": HOPS, "bands": BANDS, "pitch": pitch, "tables": coded}
    alt = f"One second of {clip.name} as waveform and as log-mel spectrogram,"
    alt += " with sliders for window, hop and mel bands."
    return Touchable("frames", "Choose window, hop and bands", alt, knobs, data, draw, rows, {"wave": wave})


def scale(example: Example, trained: float) -> Touchable:
    """The scores of a real map over time and frequency under other values of lambda.

    Args:
        example: of a model whose map has the axes time and frequency.
        trained: the lambda of that model, above 0.

    Raises:
        SertutError: the model has no map with the axes time and frequency.
    """
    weights, place = cells_of(example)  # (T', F')
    x, dx = marks.across(example, place.time)
    scores = np.log(weights.T.astype(np.float64) + 1e-30) / trained  # (F', T')
    scores = np.round(scores - scores.max(), 3)
    n, spans = scores.shape[1], marks.spans_of(example)

    def draw(v: Mapping[str, float]) -> Drawing:
        value = 0.0 if v["scale"] <= LOWEST_SCALE else trained * 10 ** (v["scale"] / 20)
        flat = softened(value * scores.ravel())
        high, time = flat.max(), flat.reshape(scores.shape).sum(axis=0)
        ranked = np.sort(flat)[::-1].cumsum()
        cells = int((ranked < 0.5 - 1e-6).sum()) + 1
        said = f"Half of the weight lies on {cells} of {scores.size} cells; the strongest holds {100 * high:.1f} %."
        said += "" if value else " This is mean pooling."
        said += " So the network was trained." if v["scale"] == 0 else ""
        shown = ("map", marks.png(flat.reshape(scores.shape) / high, ROLES["attention"]), x, dx * n)
        out = {"scale": f"λ = {f'{value:#.2g}'.rstrip('.') if value else 0}"}
        return Drawing([["spectrogram", shown, *spans], [*spans, *marks.weigh(time, x, dx)]], out, said)

    rows = (
        Row((("", "gray: spectrogram; blue: weight of each cell"), *marks.legend(example)), 170),
        Row((("look", "weights summed over frequency"), ("uniform", "uniform")), 80, marks.seconds(example)),
    )
    data = {"scores": scores.tolist(), "scale": trained, "lowest": LOWEST_SCALE, "x": x, "dx": dx, "spans": spans}
    data["color"] = marks.rgb(ROLES["attention"])
    alt = f"Attention over {scores.size} cells of {example.clip.name}, with a slider for lambda."
    knobs, kept = (Control("scale", "lambda", 0, LOWEST_SCALE, 40),), {"spectrogram": marks.spectrogram(example)}
    return Touchable("scale", "Turn lambda: from all cells to one", alt, knobs, data, draw, rows, kept)


def queries(example: Example) -> Touchable:
    """Point at a moment of a clip, and see what it asks for: its row in the map of each head.

    Raises:
        SertutError: the model has no map with the axes head, query and time.
    """
    map_ = heads_of(example)
    clock = map_.clocks["time"]
    x, dx = marks.across(example, clock)
    weights = np.round(numbers(map_.of(0)) * FINEST).astype("<u2")  # (H, T', T'): two bytes each
    n, spans, loudest = weights.shape[-1], marks.spans_of(example), Steps(example).loudest
    centers = numbers(clock.centers(n)).astype(float)
    regions = true_regions(example)
    inside = np.array([any(region.start <= at < region.end for region in regions) for at in centers])

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
        out = {"head": str(head + 1), "query": f"{centers[query]:.2f} s"}
        steps: list[Mark] = [*spans, *marks.weigh(row, x, dx), at]
        return Drawing([[*spans, "wave", at], ["spectrogram", at], steps, [shown, asks]], out, said)

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
    map_, query, long = heads_of(example), Steps(example).loudest, length(example)
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
        plain, w = softened(scores[head]), softened(scores[head] + G)
        best = int(w.argmax())
        said = f"The content alone looks most at {centers[plain.argmax()]:.2f} s;"
        said += f" the product, at {centers[best]:.2f} s."
        said += f" {marks.percent(w[np.abs(centers - at) <= wide / 2].sum())} of the weight lies inside the window."
        said += " The content outvotes the window." if abs(centers[best] - at) > wide / 2 else ""
        curve = ("window", marks.line(100 - 100 * np.exp(G), x + dx / 2, dx))
        steps: list[Mark] = [*spans, *marks.weigh(w, x, dx)]
        out = {"head": f"{head + 1}{own[head]}", "center": f"{at:.2f} s", "width": f"{wide:.2f} s"}
        return Drawing([[*spans, "wave"], marks.weigh(plain, x, dx), [curve], steps], out, said)

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


def lag(example: Example | Clip) -> Touchable:
    r"""Slide the face of a clip against its voice, and find the lag at which both agree most.

    The voice is its level, the face the darkness of its mouth, x and y, each with mean 0 and standard deviation 1.
    The agreement at a lag d is :math:`r_d = \frac1T \sum_{t - j = d} y_t x_j`, as in
    :class:`sertut.attention.Alignment` with ``one_lag``.

    Raises:
        SertutError: the clip has no video.
    """
    example = as_example(example)
    faces, level = face_of(example), numbers(example.level)
    level = np.interp(faces.times, frame_seconds(len(level)), np.maximum(level, level.max() - 50))
    mouth, n = mouth_darkness(faces), len(faces)
    voice = np.round((level - level.mean()) / level.std(), 3)
    face = np.round(np.nan_to_num((mouth - np.nanmean(mouth)) / np.nanstd(mouth)), 3)  # without a face: 0
    real, true = int(faces.found.sum()), known_offset(example)
    truth = "" if true is None else f" This clip was made so: the face comes {later(true)} than the voice."
    pairs = np.outer(face, voice)  # (T', T'), a row a frame of the face
    r = {d: pairs.diagonal(-d).sum() / real for d in range(-MAX_LAG, MAX_LAG + 1)}
    most, best_of_all = max(map(abs, r.values())), max(r, key=r.__getitem__)

    def draw(v: Mapping[str, Any]) -> Drawing:
        d = int(v["lag"])
        seen, wide, dx = v.get("seen", [d]), 1000 / len(r), 1000 / n
        best = max(seen, key=r.__getitem__)
        tops = ((f"M{(k + MAX_LAG) * wide + 1:.2f}", 50 - 48 * r[k] / most) for k in seen)
        bars = "".join(f"{left} 50V{top:.2f}h{wide - 2:.2f}V50Z" for left, top in tops)
        said = f"Lag {marks.signed(d * LAG_STEP, 2)} s: agreement {marks.signed(r[d], 2)}. Best so far:"
        said += f" {marks.signed(r[best], 2)} at {marks.signed(best * LAG_STEP, 2)} s."
        said += f" No lag agrees more.{truth}" if best == best_of_all else ""
        heard, looked = marks.line(50 - 16 * voice, dx / 2, dx), marks.line(50 - 16 * face, dx * (0.5 - d), dx)
        ends = f"M0 {100 - d * 100 / n:.2f}L1000 {-d * 100 / n:.2f}"
        now = ("mark", marks.post((d + MAX_LAG + 0.5) * wide))
        tried: list[Mark] = [("look", bars), ("uniform", marks.rule(50)), now]
        drawn: list[list[Mark]] = [[("voice", heard), ("face", looked)], ["pairs", ("mark", ends)], tried]
        return Drawing(drawn, {"lag": f"{marks.signed(d * LAG_STEP, 2)} s"}, said)

    moved = ("voice", "voice: how loud"), ("face", "face, moved by the lag: how dark the mouth")
    ticks = tuple(f"{marks.signed(d * LAG_STEP, 1)} s" for d in (-MAX_LAG, 0, MAX_LAG))
    rows = (
        Row(moved, 110, marks.seconds(example)),
        Row((("mark", "pairs at this lag"), ("", "voice across, face up; ink where both are high or both low")), 200),
        Row((("look", "agreement at the lags tried so far"),), 110, ticks),
    )
    kept = {"pairs": ("ink", marks.png(np.clip(0.5 + pairs / 6, 0, 1)), 0, 1000)}
    data = {"voice": voice.tolist(), "face": face.tolist(), "real": real, "truth": truth}
    data |= {"most": MAX_LAG, "hop": LAG_STEP}
    alt = f"Voice and face of {example.clip.name} as curves,"
    alt += " with a slider for the lag between them, and their agreement."
    knob = Control("lag", "lag of the face", 0, -MAX_LAG, MAX_LAG)
    return Touchable("lag", "Slide the face until it fits the voice", alt, (knob,), data, draw, rows, kept)
