"""What do several heads do? How far each looks, how much of the clip it takes in, and how much it counts.

For the weights :math:`A^h_{ij}` of head h (query i, key j), on a clock of `hop` seconds, averaged over queries i:

    distance  seconds between query and key, :math:`\\sum_j A^h_{ij} |i - j|` times hop
    steps     effective number of steps, :math:`\\exp(-\\sum_j A^h_{ij} \\ln A^h_{ij})`: 1 for one key, T for all alike
    seconds   steps times hop
    gate      the weight of the head under Calibration-Attention, in (0, 1); 1 without

and for all heads together the means of these, weighted by the gates (of the gate itself the plain mean), and

    spread    largest gate minus smallest: 0 if all heads count alike
    unlike    how differently heads look: total variation :math:`\\frac12 \\sum_j |a^h_j - a^g_j|` between the attention
              received under heads h and g, mean over pairs; 0 if they are the same, 1 if they share no step

Are the gates used? How far apart they are in a clip, and what is lost without (claim K3): the methods of
:func:`gate_use` have the metrics

    spread    largest gate of a clip minus its smallest: "own gates" after training, "untrained" before
    uar       of the decisions with "own gates", and with "frozen gates", where each head has its mean over the dev
              clips in every clip: then the gates are constants, and plain attention with another output matrix
"""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sertut.attention import AttentionMap
from sertut.corpora import Clip, Fold
from sertut.errors import SertutError
from sertut.evidence.intervals import confusions_by_speaker, sums_by_speaker
from sertut.evidence.perclip import ClipScores, Found, score_each
from sertut.evidence.sums import Tally
from sertut.models import MultiHead
from sertut.training import Predictions, Run, predict

METRICS = {
    "distance": "seconds between query and key",
    "steps": "effective number of steps",
    "seconds": "effective seconds",
    "gate": "gate",
    "spread": "spread of the gates",
    "unlike": "difference between heads",
}
"""Column of :attr:`ClipScores.table` -> name in print; ``<column>_chance``, of all heads: were they uniform."""

ALL = "all heads"


def head_use(clips: Sequence[Clip], maps: Sequence[AttentionMap]) -> ClipScores:
    """One row a clip and "method": "head 1", "head 2", ..., and "all heads"; columns as the head of this module says.

    Args:
        maps: axes ("head", "query", "time"), batch size 1 each.

    Raises:
        SertutError: a map has other axes.
    """

    def score(i: int, clip: Clip) -> Found:
        each, together = use_of(maps[i])
        return {ALL: together, **{f"head {h + 1}": row for h, row in enumerate(each)}}

    return score_each(clips, score, METRICS, "no map of heads could be measured: {}; pass at least one clip.")


def use_of(map_: AttentionMap) -> tuple[list[dict[str, float]], dict[str, float]]:
    """The metrics of each head of one clip, and of all heads together."""
    if map_.axes != ("head", "query", "time"):
        raise SertutError(
            f"the map has the axes {', '.join(map_.axes)}; this needs head, query and time, as in MultiHead."
        )
    A, hop = map_.of(0).double(), map_.clocks["time"].hop  # (H, T, T)
    n_heads, n = len(A), A.shape[2]
    gates = torch.ones(n_heads) if map_.gates is None else map_.gates[0]
    gates = gates.double()  # (H,)
    away = (torch.arange(n)[:, None] - torch.arange(n)).abs() * hop  # (T, T)
    steps = torch.special.entr(A).sum(dim=2).exp().mean(dim=1)  # (H,)
    values = {"distance": (A * away).sum(dim=2).mean(dim=1), "steps": steps, "seconds": steps * hop}
    chance = {"distance_chance": float(away.mean()), "steps_chance": float(n), "seconds_chance": n * hop}
    chance |= {"gate_chance": float(gates.mean()), "spread_chance": 0.0, "unlike_chance": 0.0}
    nothing = dict.fromkeys(("spread", "unlike", *chance), float("nan"))  # asked of all heads together only
    each = [
        {name: float(value[h]) for name, value in (values | {"gate": gates}).items()} | nothing for h in range(n_heads)
    ]
    received = A.mean(dim=1)  # (H, T)
    apart = torch.cdist(received, received, p=1).sum() / 2  # over ordered pairs
    together = {name: float((gates * value).sum() / gates.sum()) for name, value in values.items()}
    together |= {"gate": float(gates.mean()), "spread": float(gates.max() - gates.min())}
    together |= {"unlike": float(apart / max(1, n_heads * (n_heads - 1)))}
    return each, together | chance


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
