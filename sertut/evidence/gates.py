"""Are the gates of Calibration-Attention used? How far apart they are in a clip, and what is lost without: claim K3.

spread    largest gate of a clip minus its smallest: "own gates" after training, "untrained" before
uar       of the decisions with "own gates", and with "frozen gates", where each head has its mean over the dev
          clips in every clip: then the gates are constants, and plain attention with another output matrix
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import torch
from torch import nn

from sertut.corpora import Fold
from sertut.errors import SertutError
from sertut.evidence.intervals import confusions_by_speaker, sums_by_speaker
from sertut.evidence.sums import Tally
from sertut.models import MultiHead
from sertut.training import Predictions, Run, predict


class FrozenGates(nn.Module):
    """The same gates (H,) in every clip."""

    def __init__(self, gates: torch.Tensor) -> None:
        super().__init__()
        self.gates = nn.Parameter(gates, requires_grad=False)

    def forward(self, heads: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, H) for the findings `heads` (B, H, T, d), whatever they are."""
        return self.gates.to(heads.dtype).expand(len(heads), -1)


def freeze_gates(run: Run, gates: torch.Tensor) -> Run:
    """The same network with the gates (H,) of its last block in every clip."""
    model: Any = copy.deepcopy(run.model)
    model.blocks[-1].attend.gate = FrozenGates(gates.to(run.device))
    return dataclasses.replace(run, model=model)


def gates_of(predictions: Predictions) -> torch.Tensor:
    """The gates of N clips, (N, H)."""
    return torch.cat([maps["attention"].gates for maps in predictions.maps])  # type: ignore[misc]


def gate_use(run: Run, fold: Fold) -> Tally:
    """Methods and metrics as the head of this module says, of the test speakers of a fold.

    Raises:
        SertutError: the network has no gates.
    """
    blocks: Any = run.model.blocks if isinstance(run.model, MultiHead) else ()
    if not len(blocks) or blocks[-1].attend.gate is None:
        raise SertutError("this network has no gates; train MultiHead with calibrate=True.")
    own, before = predict(run, fold.test), predict(run.untrained(), fold.test)
    frozen = predict(freeze_gates(run, gates_of(predict(run, fold.dev)).mean(dim=0)), fold.test)
    who, names = [clip.speaker for clip in fold.test], tuple(sorted(fold.test.speakers))

    def decided(found: Predictions) -> dict:
        labels = found.labels.tolist(), found.predicted.tolist()
        return {"uar": confusions_by_speaker(*labels, who, len(fold.test.emotions))[0][None]}

    def apart(found: Predictions) -> dict:
        gates = gates_of(found)
        spread = (gates.amax(dim=1) - gates.amin(dim=1)).tolist()
        return {"spread": sums_by_speaker(spread, who, names)[None]}

    tables = {"own gates": decided(own) | apart(own), "frozen gates": decided(frozen), "untrained": apart(before)}
    return Tally(names, tables, {"uar": "uar"}, emotions=fold.test.emotions)
