"""Maps that know nothing of emotion. A learned map is worth its score minus theirs.

Each returns scores (T,) on the clock of the map it is compared with. The sixth baseline, the untrained network, is no
function: it is ``run.untrained()``, sent through the same :func:`sertut.training.prediction`.
"""

import math

import numpy as np
import scipy
from scipy.special import entr, softmax


def uniform(n: int) -> np.ndarray:
    """Every step the same, 1 / n."""
    return np.full(n, 1.0 / n)


def energy(level: np.ndarray) -> np.ndarray:
    """Look where the voice is loud: proportional to RMS squared.

    Args:
        level: shape (T,), dB.
    """
    power = 10 ** ((level - level.max()) / 10)
    return power / power.sum()


def motion(face: np.ndarray, n: int) -> np.ndarray:
    """Look where the face moves: mean absolute change of its features, to the frame before and to the one after.

    Args:
        face: shape (T, F + 1), as :func:`sertut.corpora.load_faces` gives them; the last column is 1 where a face was
            found, and only between two such frames is a change seen. n: steps wanted; beyond T nothing moves.

    Returns:
        shape (n,), sum 1; uniform where nothing moves at all.
    """
    both = face[1:, -1] * face[:-1, -1]
    change = np.abs(np.diff(face[:, :-1], axis=0)).mean(axis=1) * both  # (T - 1,)
    moved = np.zeros(n + 1)
    moved[1 : len(face)] = change[:n]
    moved = moved[:-1] + moved[1:]
    return moved / moved.sum() if moved.sum() > 0 else uniform(n)


def center(n: int) -> np.ndarray:
    """Look at the middle: a Gaussian at n / 2 with a standard deviation of n / 6."""
    weights = np.exp(-0.5 * ((np.arange(n) + 0.5 - n / 2) / (n / 6)) ** 2)
    return weights / weights.sum()


def random_smooth(like: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    r"""A random map as smooth and as peaked as `like`, :math:`\propto \exp(s \cdot \text{filtered noise})`.

    The filter's width follows from the correlation r of neighboring log weights in `like` (white noise after a Gaussian
    filter has :math:`r = e^{-1/(4 \sigma^2)}`); the scale s is found by bisection, so that the entropy is the same.

    Args:
        like: shape (T,), a distribution over time.
    """
    logs = np.log(np.maximum(like, 1e-12))
    spread = logs - logs.mean()
    correlation = (spread[1:] * spread[:-1]).sum() / max((spread**2).sum(), 1e-12)
    correlation = min(max(correlation, 0.01), 0.999)
    smooth = scipy.ndimage.gaussian_filter1d  # SciPy loads a part when it is used
    noise = smooth(generator.standard_normal(len(like)), math.sqrt(-0.25 / math.log(correlation)))
    target, low, high = entr(like / like.sum()).sum(), 0.0, 1e6
    for _ in range(60):
        middle = math.sqrt(low * high) if low > 0 else high / 2**10
        if entr(softmax(middle * noise)).sum() > target:
            low = middle
        else:
            high = middle
    return softmax(low * noise)


def shifted(scores: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The map's own weights, moved along time by a random circular shift."""
    return np.roll(scores, int(generator.integers(len(scores))))


def shuffled(scores: np.ndarray, valid: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The map's own weights, in random order among the valid steps; the others stay where they are."""
    result = scores.copy()
    result[valid] = generator.permutation(scores[valid])
    return result
