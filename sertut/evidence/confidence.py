"""Is a network right as often as it is sure? One number, fitted on dev speakers, mends most of it; another says "none".

Shapes: N clips, C emotions, S speakers, B bins of confidence. :func:`judge_confidence` keeps, by speaker,

calibration  the error of the probabilities "as trained", and "calibrated"
refused      share of the "right answers", and of the "wrong answers", that the threshold turns into "none of these"
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sertut.errors import SertutError
from sertut.evidence.intervals import sums_by_speaker
from sertut.evidence.mixture import fit_temperature
from sertut.evidence.sums import Tally
from sertut.training import Predictions

BINS = 10
"""Bins of equal width, from 0 to 1, in which clips of about the same confidence are put together."""

KEPT = 0.9
"""Share of the right answers on dev that the threshold lets through."""


@dataclass(frozen=True)
class Calibration:
    r"""What makes probabilities that can be believed out of logits, and says when to believe none of them.

    temperature: T of :math:`p = \mathrm{softmax}(z / T)`; above 1 where the network was too sure. threshold: where the
    highest probability lies below it, the answer is "none of these".
    """

    temperature: float
    threshold: float

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Calibrated probabilities of logits (..., C); the order of the emotions stays."""
        return (logits / self.temperature).softmax(dim=-1)


def calibrate(logits: torch.Tensor, labels: torch.Tensor) -> Calibration:
    r"""Temperature scaling, fitted on dev clips: logits (N, C), labels (N,).

    The temperature minimizes :math:`-\frac1N \sum_i \log \mathrm{softmax}(z_i / T)_{y_i}`. The threshold is what the
    highest probability exceeds in nine of ten clips that are recognized. Both come from dev: on train the network is
    right nearly always, and what comes from test says nothing of new speakers.

    Raises:
        SertutError: no clip is recognized.

    Source: Guo et al., ICML 2017, arXiv 1706.04599; the threshold: Hendrycks & Gimpel, ICLR 2017, 1610.02136.
    """
    temperature = fit_temperature(logits.numpy(), labels.numpy())
    sure, called = (logits.double() / temperature).softmax(dim=1).max(dim=1)
    right = sure[called == labels]
    if not len(right):
        raise SertutError("the network recognizes no dev clip, so nothing tells how sure it may be; train it longer.")
    return Calibration(temperature, float(right.quantile(1 - KEPT)))


def reliability(probabilities: torch.Tensor, labels: torch.Tensor, speakers: Sequence[str]) -> np.ndarray:
    """How sure and how often right: of each speaker and bin, number of clips, sum of confidences, number that is right.

    Args:
        probabilities: (N, C); a clip's confidence is the highest. labels: (N,). speakers: of each clip.

    Returns:
        shape (S, B, 3), speakers sorted; such tables add up over speakers.
    """
    sure, called = (values.numpy() for values in probabilities.double().max(dim=1))
    rows = np.stack([np.ones_like(sure), sure, called == labels.numpy()], axis=1)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    who, owner = np.unique(np.asarray(speakers), return_inverse=True)
    tables = np.zeros((len(who), BINS, 3))
    np.add.at(tables, (owner, bins), rows)
    return tables


def judge_confidence(calibration: Calibration, test: Predictions) -> Tally:
    """Methods and metrics as the head of this module says, of clips whose speakers the calibration has not seen."""
    who, calibrated = [clip.speaker for clip in test.clips], calibration.probabilities(test.logits)
    sure, called = calibrated.max(dim=1)
    right, refused = (called == test.labels).numpy(), (sure < calibration.threshold).double().numpy()
    names = tuple(sorted(set(who)))

    def share(of: np.ndarray) -> dict:
        return {"refused": sums_by_speaker(np.where(of, refused, np.nan), who, names)[None]}

    tables = {
        "as trained": {"calibration": reliability(test.probabilities, test.labels, who)[None]},
        "calibrated": {"calibration": reliability(calibrated, test.labels, who)[None]},
        "right answers": share(right),
        "wrong answers": share(~right),
    }
    return Tally(names, tables, {"calibration": "calibration"}, emotions=test.emotions)
