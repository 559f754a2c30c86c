r"""Clips that show two emotions, A and B, at different moments: does a network tell which of the two is on, and when?

**Does the question of an emotion look for that emotion?** Of the weight that a question lays on the moments of both,
:math:`a_k` is the share on those of A. Then

.. math:: \text{preference} = a_A - a_B

is 1 for two perfect detectors, 0 where both questions look alike, and exactly 0 where one question serves all emotions.
A question of an emotion that is not shown has no reason to prefer either.

**What do the moments say?** (Claim D3 of Desai, Cao, Shah.) A network that pools its states by attention can be read
moment by moment. Sent through its own last layer, the state of moment t says :math:`q_t` (C,), and it counts
:math:`\alpha_t`. Then :math:`\alpha_t q_{t,k}` is the *course* of emotion k. Among the emotional moments only:

    auroc     is the curve of each of the two higher in its own moments than in those of the other? Mean of both
    apart     total variation between what is said in the moments of the one and in those of the other, 0 to 1

"what is said" is judged by the curves q, "course" by alpha q. Finding emotional moments does not help: all of them are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from sertut.attention import Clock
from sertut.corpora import Clip, Corpus
from sertut.errors import SertutError
from sertut.evidence.mixture import total_variation
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, score_each
from sertut.evidence.scores import auroc
from sertut.models import AudioVisual
from sertut.training import Predictions, Run

PREFERENCES = {
    "preference": "preference for one's own",
    "under_a": "share on A, asked by A",
    "under_b": "share on A, asked by B",
    "under_others": "share on A, asked by the others",
    "on_both": "weight on both",
}
COURSES = {"auroc": "AUROC among emotional moments", "apart": "opinions differ by"}

SAID, COURSE = "what is said", "course"


def two_shown(clip: Clip, stream: str = "face") -> Mapping[str, Sequence[tuple[float, float]]]:
    """The two emotions A and B of a stream, each with its moments (start, end), seconds; {} where there are not two."""
    shown: dict[str, list[tuple[float, float]]] = {}
    if stream == "face" and "decoy_face" in clip.details:
        own = [(region.start, region.end) for region in clip.regions if region.stream == "face"]
        shown = {clip.emotion: own, clip.details["decoy_emotion"]: [clip.details["decoy_face"]]}  # type: ignore[dict-item, list-item]
    for emotion, start, end in clip.details.get({"voice": "cues", "face": "faces"}[stream], ()):  # type: ignore[attr-defined]
        shown.setdefault(emotion, []).append((start, end))
    return shown if len(shown) == 2 else {}


def own_preference(predictions: Predictions) -> ClipScores:
    """The preference of each clip that shows two emotions, with what it is made of, by the map "attention".

    Args:
        predictions: of a network whose map has a row for each emotion.

    Raises:
        SertutError: no clip shows two emotions, or the map has one row for all.
    """

    def score(i: int, clip: Clip) -> Found | str:
        map_ = predictions.maps[i][ATTENTION]
        if "emotion" not in map_.axes:
            return "the map has one row for all emotions"
        weights = map_.of(0).double().numpy()  # (K, T)
        own = _own_moments(clip, "face", map_.clocks["time"].centers(weights.shape[1]).numpy())
        if not own:
            return "it shows no two emotions"
        on = [weights[:, moments].sum(axis=1) for moments in own.values()]
        share = on[0] / np.maximum(on[0] + on[1], 1e-12)  # (K,), of A
        a, b = (predictions.emotions.index(emotion) for emotion in own)
        found = {"preference": share[a] - share[b], "under_a": share[a], "under_b": share[b]}
        others = float(np.delete(share, [a, b]).mean()) if len(share) > 2 else np.nan
        return {ATTENTION: found | {"under_others": others, "on_both": (on[0] + on[1])[[a, b]].mean()}}

    nothing = (
        "no preference can be told: {}. It takes a network whose map has a row for each emotion, and clips of two"
        " emotions, as those of planted-blend and planted-decoy."
    )
    return score_each(predictions.clips, score, PREFERENCES, nothing)


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
        shown = _own_moments(clip, stream, clock.centers(len(weights)).numpy())
        own = {emotion: moments & (weights > 0) for emotion, moments in shown.items()}
        if not own or not all(moments.any() for moments in own.values()):
            return "it shows no two emotions that have a moment each"
        one, other = own.values()

        def of_both(curve: np.ndarray) -> dict[str, float]:
            aurocs = [auroc(curve[:, emotions.index(k)], own[k], one | other) for k in own]
            return {"auroc": float(np.mean(aurocs)), "auroc_chance": 0.5}

        apart = float(total_variation(said[one].mean(axis=0), said[other].mean(axis=0)))
        return {SAID: {**of_both(said), "apart": apart}, COURSE: of_both(weights[:, None] * said)}

    return score_each(clips, score, COURSES, "no course can be judged: {}; take the clips of planted-blend.")


def _own_moments(clip: Clip, stream: str, seconds: np.ndarray) -> dict[str, np.ndarray]:
    """Of each of the two emotions when it is shown: (T,), bool, at `seconds` (T,); {} where there are not two."""
    return {
        emotion: np.any([(seconds >= start) & (seconds < end) for start, end in spans], axis=0)
        for emotion, spans in two_shown(clip, stream).items()
    }
