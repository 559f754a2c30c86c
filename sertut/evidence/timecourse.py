r"""Which emotion is on, and when? What the moments of a clip say of two emotions: claim D3 of Desai, Cao, Shah.

A network that pools its states by attention can be read moment by moment. Sent through its own last layer, the state of
moment t says :math:`q_t` (C,), and it counts :math:`\alpha_t`. Then :math:`\alpha_t q_{t,k}` is the *course* of emotion
k. In a clip that shows two emotions at different moments, and among its emotional moments only:

    auroc     is the curve of each of the two higher in its own moments than in those of the other? Mean of both
    apart     total variation between what is said in the moments of the one and in those of the other, 0 to 1

"what is said" is judged by the curves q, "course" by alpha q. Finding emotional moments does not help: all of them are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from sertut.attention import Clock
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.evidence.mixture import total_variation
from sertut.evidence.perclip import ClipScores, Found, score_each
from sertut.evidence.preference import two_shown
from sertut.evidence.scores import auroc
from sertut.models import AudioVisual
from sertut.training import Run

METRICS = {"auroc": "AUROC among emotional moments", "apart": "opinions differ by"}
"""Column of the scores -> its name in print."""

SAID, COURSE = "what is said", "course"


@torch.no_grad()
def read_moments(run: Run, corpus: Corpus) -> list[tuple[np.ndarray, np.ndarray]]:
    """What each moment says, (T, C), and its weight, (T,), of every clip, in the order of the corpus.

    A weight is 0 where nothing was seen between real moments.

    Raises:
        SertutError: the network has two streams, or another pooling, or decides by the spread of its states, too.
    """
    model: Any = run.model.eval()
    heads = {"attention": "pool", "mixture": "pool.mix"}  # pooling -> what weighs and decides
    one = isinstance(model, AudioVisual) and model.streams != "both"
    if not one or model.pool.pooling not in heads or getattr(model.pool, "spread", False):
        raise SertutError("only a network of one stream whose pooling is 'attention' or 'mixture' has such moments.")
    head: Any = model.get_submodule(heads[model.pool.pooling])
    part = run.examples(corpus)
    found: list = [None] * len(part)
    for indices, batch in part.in_order(64):
        stream = (model.hear if model.streams == "voice" else model.see)(batch.to(run.device))
        weights = head.attend.weights(stream.states, stream.mask)  # (B, T)
        said = head.classify(stream.states).softmax(dim=-1)  # (B, T, C)
        for row, index in enumerate(indices):
            n = int(stream.mask[row].nonzero()[-1]) + 1 if stream.mask[row].any() else 0
            found[index] = said[row, :n].cpu().numpy(), weights[row, :n].cpu().numpy()
    return found


def judge_courses(
    clips: Sequence[Clip],
    emotions: Sequence[str],
    readings: Sequence[tuple[np.ndarray, np.ndarray]],
    clock: Clock,
    stream: str,
) -> ClipScores:
    """The metrics above, of the methods "what is said" and "course"; how far opinions differ is asked of the former.

    Args:
        emotions: C names, the columns of what is said. readings: of each clip, as :func:`read_moments` gives them.
        clock: when the moments are. stream: "voice" or "face": whose moments are the true ones.

    Raises:
        SertutError: no clip shows two emotions that have a moment each.
    """

    def score(i: int, clip: Clip) -> Found | str:
        said, weights = (values.astype(float) for values in readings[i])  # (T, C), (T,)
        at, own = clock.centers(len(weights)).numpy(), {}
        for emotion, spans in two_shown(clip, stream).items():
            own[emotion] = np.any([(at >= start) & (at < end) for start, end in spans], axis=0) & (weights > 0)
        if not own or not all(moments.any() for moments in own.values()):
            return "it shows no two emotions that have a moment each"
        among = np.any(list(own.values()), axis=0)
        curves = {SAID: said, COURSE: weights[:, None] * said}
        found = {
            method: {
                "auroc": float(np.mean([auroc(curve[:, emotions.index(k)], own[k], among) for k in own])),
                "auroc_chance": 0.5,
            }
            for method, curve in curves.items()
        }
        one, other = (said[moments].mean(axis=0) for moments in own.values())
        found[SAID]["apart"] = float(total_variation(one, other))
        return found

    return score_each(clips, score, METRICS, "no course can be judged: {}; take the clips of planted-blend.")
