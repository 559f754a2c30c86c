"""Is attention loud? Maps against the level of the recording, on the clock of the map.

Only sounding steps count (within 50 dB of the clip's loudest step): a map that merely tells speech from silence would
agree with the level, too. With :math:`r_j` the level of step j in dB, :math:`a_j` the attention it receives, n sounding
steps and k = ceil(n / 10):

    rank      Spearman's correlation of a and r
    distance  seconds from the peak of a to the peak of r: the only score here that is better when lower
    hit       1 if the loudest step is among the k steps with most attention
    share     the part of a on the k loudest steps

Equal values share a place in the top k; of several peaks the mean counts. So a uniform map gets exactly what chance
gets. Agreement with the level is no merit in itself: :mod:`sertut.evidence.removal` asks whether the model uses it.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import scipy

from sertut.attention import AttentionMap
from sertut.corpora import Clip
from sertut.evidence import baselines
from sertut.evidence.localization import on_clock, time_weights
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, draws_of, score_each

METRICS = {
    "rank": "rank agreement",
    "distance": "seconds between the peaks",
    "hit": "hit rate of the loudest step",
    "share": "mass on the loudest 10 %",
}

TOP = 0.1
"""The part of the sounding steps that counts as loudest, or as attended most."""


def loudness(
    clips: Sequence[Clip], maps: Sequence[AttentionMap], others: Mapping[str, Sequence[AttentionMap]] | None = None
) -> ClipScores:
    """Score one map a clip against its level, and beside it controls.

    These are the map's weights shuffled among the sounding steps; the energy itself, the best that rank, distance and
    hit can get; and the center and uniform maps.

    Args:
        maps: of the trained network, batch size 1 each. others: method -> further maps of the same clips.

    Raises:
        SertutError: no clip has two sounding steps.
    """

    def score(i: int, clip: Clip) -> Found | str:
        weights, clock, level, sounds = on_clock(clip, maps[i])
        if sounds.sum() < 2:
            return "fewer than two sounding steps"
        n = len(weights)
        methods = {ATTENTION: weights} | {
            name: time_weights(theirs[i], n)[0] for name, theirs in (others or {}).items()
        }
        methods |= {
            "attention, shuffled": baselines.shuffled(weights, sounds, draws_of(clip)),
            "energy": baselines.energy(level),
            "center": baselines.center(n),
            "uniform": baselines.uniform(n),
        }
        return {method: score_loudness(values, level, sounds, clock.hop) for method, values in methods.items()}

    nothing = "no clip has two sounding steps, so no map can be compared with the level; use longer clips."
    return score_each(clips, score, METRICS, nothing)


def score_loudness(values: np.ndarray, level: np.ndarray, valid: np.ndarray, hop: float) -> dict[str, float]:
    """All metrics of one clip, each with its chance level, as the head of this module says.

    Args:
        values: shape (T,), the map. level: shape (T,), dB. valid: shape (T,), bool, at least two steps that count.
        hop: seconds a step.
    """
    a, r, steps = values[valid], level[valid], np.flatnonzero(valid)
    k, loudest = top_count(len(a), TOP), r == r.max()
    away = np.abs(steps[:, None] - steps[loudest]).mean(axis=1) * hop  # (n,), of each step from the loudest
    total = a.sum()
    return {
        "rank": spearman(a, r),
        "rank_chance": 0.0,
        "distance": float(away[a == a.max()].mean()),
        "distance_chance": float(away.mean()),
        "hit": float(in_top(a, k)[loudest].mean()),
        "hit_chance": k / len(a),
        "share": float((a * in_top(r, k)).sum() / total) if total > 0 else 0.0,
        "share_chance": k / len(a),
    }


def top_count(n: int, share: float) -> int:
    """How many of `n` steps a share of them is, rounded up."""
    return math.ceil(n * share - 1e-9)


def in_top(values: np.ndarray, k: int) -> np.ndarray:
    """Whether each value is among the `k` largest, shape (n,), sum k; equal values share the places left for them."""
    above = (values[:, None] < values).sum(axis=1)
    return np.clip((k - above) / (values[:, None] == values).sum(axis=1), 0, 1)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the ranks; 0 where one of the two is constant, and so ranks nothing."""
    return float(scipy.stats.spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0
