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
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sertut.attention import AttentionMap
from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence.perclip import ClipScores, Found, score_each

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
