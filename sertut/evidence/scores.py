"""Does one map point at one region? Four scores, each with what a map that knows nothing would get.

All functions take the steps of one clip:

    scores  (T,)  attention, or anything else that is larger where a method looks
    region  (T,)  bool, True where the emotion is known to be
    valid   (T,)  bool, True on steps that count: no padding, no silence

With V the N valid steps and S the n valid steps inside the region. When the region holds none or all of the valid steps
there is nothing to find; the functions then return NaN, and whoever averages must count those clips.
"""

import math
from collections.abc import Iterable

import numpy as np
import scipy

from sertut.corpora import Region
from sertut.errors import SertutError

SHORTEST_SECONDS = 0.05  # salient spans and gaps shorter than this are noise
_SLACK = 1e-9  # a boundary that falls on a step's edge must not depend on the last bit of a float


def region_mask(regions: Iterable[Region], centers: np.ndarray, stream: str = "voice") -> np.ndarray:
    """Steps whose center lies inside a region of `stream`.

    Args:
        centers: shape (T,), seconds.

    Returns:
        shape (T,), bool.
    """
    inside = np.zeros(len(centers), dtype=bool)
    for region in regions:
        if region.stream == stream:
            inside |= (centers >= region.start) & (centers < region.end)
    return inside


def defined(region: np.ndarray, valid: np.ndarray) -> bool:
    """Whether there is something to find: some valid steps inside the region, and some outside."""
    return bool((region & valid).any() and (~region & valid).any())


def pointing_game(scores: np.ndarray, region: np.ndarray, valid: np.ndarray, tolerance: int = 0) -> float:
    """1 if the largest valid score lies in the region, else 0; on ties the mean over the maximizers.

    Args:
        tolerance: steps by which the region is widened on each side.

    Source: Zhang et al., IJCV 126:1084-1102 (2018), arXiv 1608.00507.
    """
    _same_length(scores, region, valid)
    if not defined(region, valid):
        return math.nan
    widened, candidates = _widened(region, tolerance)[valid], scores[valid]
    return float(widened[candidates == candidates.max()].mean())


def pointing_chance(region: np.ndarray, valid: np.ndarray, tolerance: int = 0) -> float:
    """Pointing game of a random valid step: the share of valid steps in the widened region."""
    return float(_widened(region, tolerance)[valid].mean()) if defined(region, valid) else math.nan


def mass_in_region(scores: np.ndarray, region: np.ndarray, valid: np.ndarray) -> float:
    r"""Share of the attention that falls into the region: :math:`\sum_{t \in S} a_t / \sum_{t \in V} a_t`.

    0 if no attention falls on a valid step. Source: Arras et al., Information Fusion 81:14-40 (2022), "relevance mass
    accuracy".
    """
    _same_length(scores, region, valid)
    if not defined(region, valid):
        return math.nan
    total = scores[valid].sum()
    return float(scores[valid & region].sum() / total) if total > 0 else 0.0


def mass_chance(region: np.ndarray, valid: np.ndarray) -> float:
    """Mass in region of uniform attention: n / N, region over duration."""
    return float(region[valid].mean()) if defined(region, valid) else math.nan


def auroc(scores: np.ndarray, region: np.ndarray, valid: np.ndarray) -> float:
    r"""Probability that a step inside outranks a step outside, :math:`P(a_t > a_u) + \frac12 P(a_t = a_u)`.

    Chance is 0.5. By ranks (Mann-Whitney): :math:`(R_S - n (n + 1) / 2) / (n (N - n))` with :math:`R_S` the sum of the
    ranks inside. Source: Fawcett, Pattern Recognition Letters 27(8), 2006.
    """
    _same_length(scores, region, valid)
    if not defined(region, valid):
        return math.nan
    inside = region[valid]
    n, others = int(inside.sum()), int((~inside).sum())
    rank_sum = scipy.stats.rankdata(scores[valid])[inside].sum()  # ties share their mean rank
    return float((rank_sum - n * (n + 1) / 2) / (n * others))


def salient(scores: np.ndarray, valid: np.ndarray, hop: float) -> np.ndarray:
    r"""The steps that a map calls important, shape (T,), bool: a map made into spans.

    The largest scores, until they hold half of the valid mass; steps that tie with the last one come in too, so that
    the order of equal steps plays no role. Then gaps shorter than 50 ms are closed and pieces shorter than 50 ms
    dropped.

    Args:
        hop: seconds a step.
    """
    inside, total = scores[valid], scores[valid].sum()
    descending = np.sort(inside)[::-1]
    last = int(np.searchsorted(np.cumsum(descending), 0.5 * total * (1 - _SLACK)))
    chosen = scores >= descending[min(last, len(descending) - 1)] if total > 0 else np.zeros_like(valid)
    shortest = math.ceil(SHORTEST_SECONDS / hop - _SLACK)  # steps; a run of fewer lasts less than 50 ms
    around = np.pad(chosen & valid, shortest)  # a rest at either end of the clip is no gap
    closed = scipy.ndimage.binary_closing(around, np.ones(shortest))[shortest:-shortest]
    return scipy.ndimage.binary_opening(closed, np.ones(shortest)) & valid


def iou(spans: np.ndarray, region: np.ndarray, valid: np.ndarray) -> float:
    r"""Intersection over union of the spans of :func:`salient` with the region, on valid steps; 0 without any span.

    It asks for the *extent* of the region: a narrow peak in its midst scores low here, and 1 in the pointing game. A
    uniform map, whose span is the whole clip, gets n / N; compare each map with :func:`iou_chance` of its own spans.
    """
    _same_length(spans, region, valid)
    if not defined(region, valid):
        return math.nan
    return float((spans & region)[valid].sum() / (spans | region)[valid].sum())


def iou_chance(spans: np.ndarray, region: np.ndarray, valid: np.ndarray) -> float:
    """IoU of the same spans in a random place: mean over all N circular shifts along the valid steps."""
    if not defined(region, valid):
        return math.nan
    ours, truth = spans[valid].astype(float), region[valid].astype(float)
    # The intersection with every shift at once is a circular correlation, hence two Fourier transforms.
    overlap = np.round(np.fft.irfft(np.fft.rfft(truth) * np.fft.rfft(ours).conj(), n=len(ours)))
    return float((overlap / (ours.sum() + truth.sum() - overlap)).mean())


def _widened(region: np.ndarray, steps: int) -> np.ndarray:
    """True within `steps` of a True step."""
    return scipy.ndimage.binary_dilation(region, np.ones(2 * steps + 1))


def _same_length(*arrays: np.ndarray) -> None:
    if len({np.shape(array) for array in arrays}) > 1:
        shapes = ", ".join(str(np.shape(array)) for array in arrays)
        raise SertutError(f"scores, region and valid steps must have one shape, not {shapes}; use one clock for all.")
