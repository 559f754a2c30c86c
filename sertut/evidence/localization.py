"""Is the map right? Attention of many clips against the regions where the emotion is known to be.

A map is scored on its own clock: a step is inside a region if its center is; the energy of a step is the mean over the
frames of its span; a step within 50 dB of the clip's loudest step counts, silence does not.

On the face's clock every frame that shows a face counts, and a frame's motion, how much the face changes, stands in the
place of energy.

A map with steps longer than 50 ms is brought to the 10 ms frames of the features first, where each frame takes the
weight of the step that it lies in. Coarse and fine maps are so judged by the same ruler, and a word that lies between
the centers of two long steps is scored, too.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import Clip, clip_level, load_faces
from sertut.evidence import baselines, scores
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, draws_of, score_each
from sertut.signals import HOP_SECONDS, WINDOW_SECONDS, frame_seconds, sounding

METRICS = {"pointing": "pointing game", "mass": "mass in region", "auroc": "AUROC", "iou": "IoU"}

TOLERANCE_SECONDS = 0.05
"""The pointing game forgives a peak that misses the region by less than this."""

COARSE_SECONDS = 0.05
"""A map whose steps are longer is brought to frames before it is scored."""

FRAMES = Clock(HOP_SECONDS, WINDOW_SECONDS / 2 - HOP_SECONDS / 2)
"""The clock of the features: the first frame is centered on the middle of its window."""


def localize(
    clips: Sequence[Clip],
    maps: Sequence[AttentionMap],
    others: Mapping[str, Sequence[AttentionMap]] | None = None,
) -> ClipScores:
    """Score one map a clip against the regions of the map's own stream, beside what knows nothing of emotion.

    That is energy (voice) or motion (face), and center, uniform, random and shifted maps.

    Args:
        maps: of the trained network, batch size 1 each. A map with the axis "emotion" counts with the mean of its
            emotions: choose one of them with :func:`of_emotions`.
        others: method -> further maps of the same clips, e.g. "untrained network" -> those before training.

    Raises:
        SertutError: no clip has a region that could be scored.
    """
    faces = load_faces(clips, progress=False) if any(map_.stream == "face" for map_ in maps) else None

    def score(i: int, clip: Clip) -> Found | str:
        stream = maps[i].stream
        if faces is not None:
            weights, clock = maps[i].over_time().of(0).double().numpy(), maps[i].clocks["time"]
            valid = maps[i].mask[0, : len(weights)].numpy()
            simple = {"motion": baselines.motion(faces[i].double().numpy(), len(weights))}
        else:
            weights, clock, level, valid = on_clock(clip, maps[i])
            simple = {"energy": baselines.energy(level)}
        region = scores.region_mask(clip.regions, clock.centers(len(weights)).numpy(), stream)
        if not scores.defined(region, valid):
            counts = "sounding step" if stream == "voice" else "frame with a face"
            return why_not(clip, region, valid, stream, counts)
        generator, n = draws_of(clip), len(weights)
        methods = {name: time_weights(theirs[i], n)[0] for name, theirs in (others or {}).items()}
        methods = {ATTENTION: weights, **methods, **simple} | {
            "center": baselines.center(n),
            "uniform": baselines.uniform(n),
            "random, as smooth": baselines.random_smooth(weights, generator),
            "attention, shifted": baselines.shifted(weights, generator),
        }
        steps = round(TOLERANCE_SECONDS / clock.hop)
        return {method: score_clip(values, region, valid, clock.hop, steps) for method, values in methods.items()}

    nothing = "no clip could be scored for localization ({}); use a corpus with known regions, such as planted."
    return score_each(clips, score, METRICS, nothing)


def score_clip(
    values: np.ndarray, region: np.ndarray, valid: np.ndarray, hop: float, tolerance: int = 0
) -> dict[str, float]:
    """All metrics of one clip, each with its chance level; arguments as in :mod:`sertut.evidence.scores`."""
    spans = scores.salient(values, valid, hop)
    return {
        "pointing": scores.pointing_game(values, region, valid, tolerance),
        "pointing_chance": scores.pointing_chance(region, valid, tolerance),
        "mass": scores.mass_in_region(values, region, valid),
        "mass_chance": scores.mass_chance(region, valid),
        "auroc": scores.auroc(values, region, valid),
        "auroc_chance": 0.5,
        "iou": scores.iou(spans, region, valid),
        "iou_chance": scores.iou_chance(spans, region, valid),
    }


def on_clock(clip: Clip, map_: AttentionMap) -> tuple[np.ndarray, Clock, np.ndarray, np.ndarray]:
    """A clip's map over time, its clock, and on that clock the clip's level in dB and whether it sounds; (T,) each."""
    frames = clip_level(clip)
    weights, clock = time_weights(map_, len(frames))
    level = step_level(frames, clock, len(weights))
    return weights, clock, level, sounding(torch.from_numpy(level)).numpy()


def of_emotions(maps: Sequence[AttentionMap], chosen: Sequence[int]) -> list[AttentionMap]:
    """Of each map with the axis "emotion" the weights of the chosen one; other maps stay as they are."""
    pairs = zip(maps, chosen, strict=True)
    return [map_.emotion(index) if "emotion" in map_.axes else map_ for map_, index in pairs]


def time_weights(map_: AttentionMap, n_frames: int) -> tuple[np.ndarray, Clock]:
    """The weights over time of a map of one clip, and their clock: :data:`FRAMES` if its own is coarse."""
    weights, clock = map_.over_time().of(0).double().numpy(), map_.clocks["time"]
    if clock.hop <= COARSE_SECONDS + 1e-9:
        return weights, clock
    return spread(weights, clock, FRAMES, n_frames), FRAMES


def spread(weights: np.ndarray, clock: Clock, target: Clock, n: int) -> np.ndarray:
    """A map on a finer clock: each of `n` steps of `target` takes the weight of the step it lies in, else the nearest.

    Args:
        weights: shape (T, ...), on `clock`.

    Returns:
        shape (n, ...), sum 1.
    """
    step = np.floor((target.centers(n).double().numpy() - clock.start) / clock.hop + 1e-6).astype(int)
    taken = weights[np.clip(step, 0, len(weights) - 1)]
    return taken / taken.sum()


def step_level(level: torch.Tensor, clock: Clock, n: int) -> np.ndarray:
    """Level of each of `n` steps of `clock`, dB, shape (n,): mean power of the frames whose centers lie in the step.

    A step without a frame (at the ends, or on a clock finer than 10 ms) takes the value between its neighbors.

    Args:
        level: shape (T,), dB, one value a 10 ms frame.
    """
    power, seconds = 10 ** (level.double().numpy() / 10), frame_seconds(len(level))
    step = np.floor((seconds - clock.start) / clock.hop + 1e-6).astype(int)
    inside = (step >= 0) & (step < n)
    count = np.bincount(step[inside], minlength=n)
    total = np.bincount(step[inside], weights=power[inside], minlength=n)
    between = np.interp(clock.centers(n).numpy(), seconds, power)
    return 10 * np.log10(np.where(count > 0, total / np.maximum(count, 1), between))


def why_not(clip: Clip, region: np.ndarray, valid: np.ndarray, stream: str, counts: str) -> str:
    """Why a clip cannot be scored; `counts`: what a place that counts is called."""
    if not any(r.stream == stream for r in clip.regions):
        return f"no known region in the {stream}"
    return f"no {counts} inside the region" if not (region & valid).any() else f"the region holds all of the {stream}"
