"""Is a map over time and frequency right in both? Its cells against regions that have a band.

A cell is inside a region if its center is, in time and in frequency; a region without a band holds all frequencies.
Cells in columns that sound count (within 50 dB of the clip's loudest column), whatever the level of the cell itself.

As in :mod:`sertut.evidence.localization`, a map that is coarse in time is brought to 10 ms frames; one that is coarse
in frequency, with rows of more than 8 mel bands, is brought to mel bands. So a map with a single row, which cannot tell
where in frequency it looks, gets what chance gets.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import Clip, Region, clip_level, read_clip
from sertut.errors import SertutError
from sertut.evidence import scores
from sertut.evidence.localization import COARSE_SECONDS, FRAMES, spread, step_level, why_not
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, score_each
from sertut.signals import log_mel, sounding
from sertut.signals.features import HIGHEST_HZ, LOWEST_HZ, N_MELS

METRICS = {
    "cell_pointing": "pointing game on cells",
    "cell_mass": "mass in region",
    "cell_auroc": "AUROC over cells",
    "band": "mass of the word in its band",
}

COARSE_BANDS = 8
"""A map whose rows hold more mel bands is brought to mel bands before it is scored."""

BANDS = Clock(1.0, -0.5)
"""The clock of the log-mel spectrogram: band b is centered on b."""


def localize_cells(
    clips: Sequence[Clip], maps: Sequence[AttentionMap], others: Mapping[str, Sequence[AttentionMap]] | None = None
) -> ClipScores:
    """Score one map of the voice a clip over its cells, beside the cells' energy and uniform weights.

    Args:
        maps: of the trained network, axes ("time", "frequency"), batch size 1 each. others: method -> further maps of
            the same clips.

    Raises:
        SertutError: a map has no frequency axis, or no clip has a region that could be scored.
    """

    def score(i: int, clip: Clip) -> Found | str:
        frames = clip_level(clip)
        weights, time, bands = _cells(maps[i], len(frames))
        level = step_level(frames, time, len(weights))
        sounds = sounding(torch.from_numpy(level)).numpy()  # (T',)
        valid = np.broadcast_to(sounds[:, None], weights.shape)
        voice = [region for region in clip.regions if region.stream == "voice"]
        region = cells_in(voice, time, bands, weights.shape)
        if not scores.defined(region, valid):
            return why_not(clip, region, valid, "voice", "sounding cell")
        half = (maps[i].clocks["time"].hop / 2, maps[i].clocks["frequency"].hop / 2)
        near = cells_in(voice, time, bands, weights.shape, half)
        methods = {ATTENTION: weights}
        methods |= {name: _cells(theirs[i], len(frames))[0] for name, theirs in (others or {}).items()}
        methods["energy"] = cell_energy(log_mel(read_clip(clip)), time, bands, weights.shape)
        methods["uniform"] = np.full(weights.shape, 1 / weights.size)
        return {method: score_cells(values, region, near, valid) for method, values in methods.items()}

    nothing = (
        "no clip could be scored over time and frequency ({}); use a corpus with known regions, such as planted-band."
    )
    return score_each(clips, score, METRICS, nothing)


def score_cells(values: np.ndarray, region: np.ndarray, near: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    r"""All metrics of one clip, each with its chance level; all arguments (T', F').

    "cell_pointing": 1 if the largest valid cell is within half a cell of the region. "cell_mass" and "cell_auroc": as
    in :mod:`sertut.evidence.scores`, cells instead of steps. "band": of the weight in the columns of the region, the
    share that falls in its band,

    .. math:: \sum_{(t,f) \in S} a_{tf} \Big/ \sum_{t \in S_T} \sum_f a_{tf},

    with S the region's valid cells and :math:`S_T` their columns; chance is the same for equal weights. It asks for
    the frequency alone, the time being right; NaN where the band holds all cells of its columns.

    Args:
        region: bool, cells inside. near: bool, cells inside or within half a cell. valid: bool, cells that count.
    """
    candidates = values[valid]
    word = valid & region.any(axis=1, keepdims=True)
    return {
        "cell_pointing": float(near[valid][candidates == candidates.max()].mean()),
        "cell_pointing_chance": float(near[valid].mean()),
        "cell_mass": scores.mass_in_region(values, region, valid),
        "cell_mass_chance": scores.mass_chance(region, valid),
        "cell_auroc": scores.auroc(values, region, valid),
        "cell_auroc_chance": 0.5,
        "band": scores.mass_in_region(values, region, word),
        "band_chance": scores.mass_chance(region, word),
    }


def cells_in(
    regions: Sequence[Region],
    time: Clock,
    bands: Clock,
    shape: tuple[int, ...],
    tolerance: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Cells whose center lies inside a region, shape (T', F'), bool.

    Args:
        time, bands: clocks of the two axes, seconds and mel bands. shape: (T', F').
        tolerance: by how many seconds and mel bands each region is widened on its four sides.
    """
    seconds, rows = time.centers(shape[0]).numpy(), bands.centers(shape[1]).numpy()
    inside = np.zeros(shape[:2], dtype=bool)
    for region in regions:
        start, end = region.start - tolerance[0], region.end + tolerance[0]
        low = -np.inf if region.low is None else mel_band(region.low) - tolerance[1]
        high = np.inf if region.high is None else mel_band(region.high) + tolerance[1]
        inside |= np.outer((seconds >= start) & (seconds < end), (rows >= low) & (rows < high))
    return inside


def cell_energy(spectrogram: torch.Tensor, time: Clock, bands: Clock, shape: tuple[int, ...]) -> np.ndarray:
    """Look where the spectrogram is bright: mean mel power of each cell's patch, shape (T', F'), sum 1.

    Args:
        spectrogram: shape (T, 64), log-mel, dB.
    """
    rows = torch.arange(spectrogram.shape[1]).numpy()
    which = np.floor((rows - bands.start) / bands.hop + 1e-6)  # the map's row that each mel band belongs to
    power = 10 ** (spectrogram.double() / 10)
    columns = []
    for row, center in enumerate(bands.centers(shape[1]).tolist()):
        mine = which == row
        if not mine.any():  # a row finer than a band, or beyond the last one: the nearest band
            mine = rows == np.abs(rows - center).argmin()
        columns.append(step_level(10 * power[:, mine].mean(dim=1).log10(), time, shape[0]))
    energy = 10 ** (np.stack(columns, axis=1) / 10)
    return energy / energy.sum()


def mel_band(hertz: float, bands: int = N_MELS) -> float:
    """Where a frequency lies among the mel bands of a log-mel spectrogram: b at the center of band b."""
    return float((_mel(hertz) - _mel(LOWEST_HZ)) / (_mel(HIGHEST_HZ) - _mel(LOWEST_HZ)) * (bands + 1) - 1)


def band_hz(bands: int) -> np.ndarray:
    """Center frequency of each mel band, Hz, shape (bands,)."""
    mels = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), bands + 2)[1:-1]
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


def _mel(hertz: float) -> float:
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def _cells(map_: AttentionMap, n_frames: int) -> tuple[np.ndarray, Clock, Clock]:
    """Weights (T', F') of one clip, and the clocks of the two axes; an axis that is too coarse is made fine."""
    if map_.axes != ("time", "frequency"):
        raise SertutError(
            f"the map has the axes {', '.join(map_.axes)}; cells need time and frequency, as in FullyConvolutional."
        )
    weights, time, bands = map_.of(0).double().numpy(), map_.clocks["time"], map_.clocks["frequency"]
    if time.hop > COARSE_SECONDS + 1e-9:
        weights, time = spread(weights, time, FRAMES, n_frames), FRAMES
    if bands.hop > COARSE_BANDS + 1e-9:
        weights, bands = spread(weights.T, bands, BANDS, N_MELS).T, BANDS
    return weights, time, bands
