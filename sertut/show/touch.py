"""Figures to touch: sliders that change a picture in the page itself, without a kernel and without network.

Each figure is drawn twice by the same formulas: here, for the still picture that is left where scripts are not allowed
and for the widget where a kernel runs, and in ``touch.js``, in the reader's browser. A test holds the two equal.
"""

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
from sertut.show.marks import Mark
from sertut.show.moments import queries, window
from sertut.show.picture import numbers
from sertut.show.ridges import mouth_darkness
from sertut.show.strips import as_example, face_of
from sertut.show.style import ROLES
from sertut.show.touchable import Control, Drawing, Row, Touchable
from sertut.show.words import known_offset, later, length, true_regions
from sertut.signals import SAMPLE_RATE, WINDOW, frame_seconds
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ, N_FFT

__all__ = ["frames", "lag", "queries", "scale", "softmax", "window"]

WINDOWS, HOPS, BANDS = (5, 25, 100), (5, 10, 40), (16, 40, 64)
"""Milliseconds, milliseconds, mel bands: what the figure of the spectrogram lets one choose from."""
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
        w = softened(np.array(e))
        bars = {f"score{k}": float(weight) for k, weight in enumerate(w)}
        out = {name: f"{marks.signed(v[name], 1)} → {marks.percent(weight)}" for name, weight in bars.items()}
        out["constant"] = marks.signed(v["constant"], 1)
        lost = marks.percent(w[~np.array(real)].sum())
        said = f"Step {w.argmax() + 1} gets most, {marks.percent(w.max())}; padding gets {lost}."
        said += " The constant is in all scores, and no weight has changed by it." if v["constant"] else ""
        return Drawing([], bars, out, said)

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
    for wide in WINDOWS:
        n_fft = max(N_FFT, 1 << (SAMPLE_RATE * wide // 1000 - 1).bit_length())
        at = margin + first + WINDOW // 2 - n_fft // 2
        for bands in BANDS:
            sizes: Any = dict(n_fft=n_fft, win_length=SAMPLE_RATE * wide // 1000, hop_length=step, center=False)
            mel = MelSpectrogram(SAMPLE_RATE, f_min=LOWEST_HZ, f_max=HIGHEST_HZ, n_mels=bands, **sizes)
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the lowest of 64 bands may hold no frequency at all
                power = mel(padded[at : at + SAMPLE_RATE - step + n_fft])
            level = 10 * torch.log10(power.clamp(min=1e-10))
            tables[f"{wide}-{bands}"] = marks.opacity(level.numpy())  # (bands, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyworld asks setuptools for its version, in a way that will go
        import pyworld
    f0, _ = pyworld.dio(samples[first : first + SAMPLE_RATE], SAMPLE_RATE)
    voiced = f0[f0 > 0]
    pitch = f" (the harmonics of this voice are about {np.median(voiced):.0f} Hz apart)" if len(voiced) else ""

    def draw(v: Mapping[str, float]) -> Drawing:
        wide, hop, bands = WINDOWS[int(v["window"])], HOPS[int(v["hop"])], BANDS[int(v["bands"])]
        table = tables[f"{wide}-{bands}"][:, :: hop // HOPS[0]]
        said = f"{table.shape[1]} frames of {bands} bands: {table.size} numbers. Tones closer than about"
        said += f" {1000 / wide:.0f} Hz run together{pitch}, and what is shorter than {wide} ms is smeared."
        out = {"window": f"{wide} ms", "hop": f"{hop} ms", "bands": str(bands)}
        return Drawing([["wave"], [("ink", marks.png(table / 255), 0, 1000)]], {}, out, said)

    choices = ("window", "window", 1), ("hop", "hop", 1), ("bands", "mel bands", 2)
    knobs = tuple(Control(name, label, at, 0, 2) for name, label, at in choices)
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
        return Drawing([["spectrogram", shown, *spans], [*spans, *marks.weigh(time, x, dx)]], {}, out, said)

    rows = (
        Row((("", "gray: spectrogram; blue: weight of each cell"), *marks.legend(example)), 170),
        Row((("look", "weights summed over frequency"), ("uniform", "uniform")), 80, marks.seconds(example)),
    )
    data = {"scores": scores.tolist(), "scale": trained, "lowest": LOWEST_SCALE, "x": x, "dx": dx, "spans": spans}
    data["color"] = marks.rgb(ROLES["attention"])
    alt = f"Attention over {scores.size} cells of {example.clip.name}, with a slider for lambda."
    knob = Control("scale", "lambda", 0, LOWEST_SCALE, 40)
    title = "Turn lambda: from all cells to one"
    return Touchable("scale", title, alt, (knob,), data, draw, rows, {"spectrogram": marks.spectrogram(example)})


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
    lags = np.arange(-MAX_LAG, MAX_LAG + 1)
    r = np.array([pairs.diagonal(-d).sum() / real for d in lags])

    def draw(v: Mapping[str, Any]) -> Drawing:
        d = int(v["lag"])
        seen, wide, dx = v.get("seen", [d]), 1000 / len(lags), 1000 / n
        best = max(seen, key=lambda k: r[k + MAX_LAG])
        tops = 50 - 48 * r / np.abs(r).max()
        bars = (f"M{(k + MAX_LAG) * wide + 1:.2f} 50V{tops[k + MAX_LAG]:.2f}h{wide - 2:.2f}V50Z" for k in seen)
        ends = f"M0 {100 - d * 100 / n:.2f}L1000 {-d * 100 / n:.2f}"
        said = f"Lag {marks.signed(d * LAG_STEP, 2)} s: agreement {marks.signed(r[d + MAX_LAG], 2)}. Best so far:"
        said += f" {marks.signed(r[best + MAX_LAG], 2)} at {marks.signed(best * LAG_STEP, 2)} s."
        said += f" No lag agrees more.{truth}" if best == lags[r.argmax()] else ""
        curves: list[Mark] = [("voice", marks.line(50 - 16 * voice, dx / 2, dx))]
        curves.append(("face", marks.line(50 - 16 * face, dx * (0.5 - d), dx)))
        marked = ("mark", marks.post((d + MAX_LAG + 0.5) * wide))
        agreement: list[Mark] = [("look", "".join(bars)), ("uniform", marks.rule(50)), marked]
        out = {"lag": f"{marks.signed(d * LAG_STEP, 2)} s"}
        return Drawing([curves, ["pairs", ("mark", ends)], agreement], {}, out, said)

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
