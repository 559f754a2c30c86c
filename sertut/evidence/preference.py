r"""Does the question of an emotion look for that emotion? Asked in clips that show two, A and B, at different moments.

Of the weight that a question lays on the moments of both, :math:`a_k` is the share on those of A. Then

.. math:: \text{preference} = a_A - a_B

is 1 for two perfect detectors, 0 where both questions look alike, and exactly 0 where one question serves all emotions.
A question of an emotion that is not shown has no reason to prefer either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sertut.corpora import Clip
from sertut.evidence.perclip import ATTENTION, ClipScores, Found, score_each
from sertut.training.prediction import Predictions

METRICS = {
    "preference": "preference for one's own",
    "under_a": "share on A, asked by A",
    "under_b": "share on A, asked by B",
    "under_others": "share on A, asked by the others",
    "on_both": "weight on both",
}
"""Column of the scores -> its name in print."""

NOTHING = (
    "no preference can be told: {}. It takes a network whose map has a row for each emotion, and clips of two emotions,"
    " as those of planted-blend and planted-decoy."
)


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
        map_, shown = predictions.maps[i][ATTENTION], two_shown(clip)
        if "emotion" not in map_.axes:
            return "the map has one row for all emotions"
        if not shown:
            return "it shows no two emotions"
        weights = map_.of(0).double().numpy()  # (K, T)
        times = map_.clocks["time"].centers(weights.shape[1]).numpy()
        on = []
        for spans in shown.values():
            inside = np.any([(times >= start) & (times < end) for start, end in spans], axis=0)
            on.append(weights[:, inside].sum(axis=1))
        share = on[0] / np.maximum(on[0] + on[1], 1e-12)  # (K,), of A
        a, b = (predictions.emotions.index(emotion) for emotion in shown)
        found = {"preference": share[a] - share[b], "under_a": share[a], "under_b": share[b]}
        others = float(np.delete(share, [a, b]).mean()) if len(share) > 2 else np.nan
        return {ATTENTION: found | {"under_others": others, "on_both": (on[0] + on[1])[[a, b]].mean()}}

    return score_each(predictions.clips, score, METRICS, NOTHING)
