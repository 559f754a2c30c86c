"""Would a reader be told? Chapter 4's network with a mechanism broken on purpose, beside the bands of its reference.

    python benchmarks/broken.py

Trains the attentive LSTM on planted as the chapter does, once intact and once for each fault, and says which bands
(UAR, AUROC of the map) each run leaves. A fault that no band notices is one that a reader would not be told about.
About half a minute a row on one core; prints a table.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import torch

import sertut
from sertut.attention import AttentionPooling
from sertut.attention.pooling import uniform
from sertut.corpora import Fold
from sertut.errors import SertutError
from sertut.study import build, recipe, reference
from sertut.study.bands import prediction_band

FOLD, SEED = 0, 0
HONEST = AttentionPooling.weights


def without_mask(self: AttentionPooling, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """A softmax that gives padding its share."""
    return torch.softmax(self.score(torch.tanh(self.project(states))).squeeze(-1), dim=-1)


def of_another_clip(self: AttentionPooling, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The weights of the next clip of the batch, brought back to a sum of 1 on this clip's frames."""
    weights = HONEST(self, states, mask).roll(1, dims=0) * mask + 1e-9 * mask
    return weights / weights.sum(dim=1, keepdim=True)


def frozen(self: AttentionPooling, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The same weight everywhere, whatever is learned."""
    return uniform(mask).to(states.dtype)


def shuffled(fold: Fold) -> Fold:
    """The fold with the training labels dealt anew among its clips."""
    order = torch.randperm(len(fold.train), generator=torch.Generator().manual_seed(SEED)).tolist()
    emotions = [fold.train[i].emotion for i in order]
    clips = [replace(clip, emotion=emotion) for clip, emotion in zip(fold.train, emotions, strict=True)]
    return replace(fold, train=fold.train.keeping(clips))


FAULTS: dict[str, tuple[Callable, Callable[[Fold], Fold]]] = {
    "none": (HONEST, lambda fold: fold),
    "softmax without mask": (without_mask, lambda fold: fold),
    "weights of another clip": (of_another_clip, lambda fold: fold),
    "frozen uniform attention": (frozen, lambda fold: fold),
    "labels shuffled": (HONEST, shuffled),
}


def told(fault: str) -> dict:
    """What a reader sees whose network has this fault."""
    weights, changed = FAULTS[fault]
    corpus, study = sertut.load("planted"), reference("planted")
    fold = corpus.folds()[FOLD]
    AttentionPooling.weights = weights  # type: ignore[method-assign]
    try:
        run = sertut.fit(build("attention", corpus), changed(fold), seed=SEED, progress=False, **recipe("planted"))
        tally = sertut.evaluate(run, fold.test, baselines=False).tally
        found = {"uar": tally.uar.estimate, "auroc": tally.interval("attention", "auroc").estimate}
    except SertutError as error:
        return {"fault": fault, "told": f"error: {error}"}
    finally:
        AttentionPooling.weights = HONEST  # type: ignore[method-assign]
    row, left = {"fault": fault}, []
    for score, value in found.items():
        band = prediction_band(study.scores_of_folds("attention", score), FOLD, score)
        row[score] = f"{value:.3f}" + (f" in {band[0]:.3f} to {band[1]:.3f}?" if band else ", no band")
        left += [score] if band and not band[0] <= value <= band[1] else []
    return row | {"told": f"outside: {', '.join(left)}" if left else "nothing"}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(pd.DataFrame([told(fault) for fault in FAULTS]).to_string(index=False))
