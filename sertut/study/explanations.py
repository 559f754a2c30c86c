"""Is attention an explanation? Tests of explanations, tried on maps of which it is known how right they are.

Of each clip seven maps are drawn on a clock of 40 ms. The truth ranks them, by AUROC against the known region; each
test ranks them, too, and is judged by how often it prefers the map that is right. `python -m sertut.study.explanations`
writes book/explanation-planted.json and trains what is not kept; seeds behind it choose others than 0 to 4.

Sources: insertion and deletion, Petsiuk et al. (arXiv 1806.07421); comprehensiveness and sufficiency, DeYoung et al.
(arXiv 1911.03429); randomization, Adebayo et al. (arXiv 1810.03292); integrated gradients, Sundararajan et al. (arXiv
1703.01365).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
from scipy.stats import rankdata

from sertut.attention import Clock
from sertut.corpora import Corpus, clip_level, load
from sertut.evidence import Tally, baselines, scores
from sertut.evidence.intervals import sums_by_speaker
from sertut.evidence.localization import FRAMES, spread, step_level
from sertut.evidence.perclip import draws_of
from sertut.files import code_of, writing
from sertut.models.base import redraw
from sertut.signals import Batch, pad, sounding
from sertut.study.grid import plan_digests
from sertut.study.methods import build, recipe
from sertut.study.references import BOOK_RESULTS
from sertut.tensors import digest
from sertut.training.fitting import fit_once
from sertut.training.runs import Run

FAMILIES = {"LSTM": "attention", "convolutions": "fine", "many heads": "plain", "face": "face"}
"""Family of networks -> the method that stands for it."""

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75)
"""Of the moments that count, removed or kept."""

BINS = (0.05, 0.1, 0.2, 0.5)
"""The shares over which comprehensiveness and sufficiency are averaged: ERASER's, without .01 of a short clip."""

MOMENT, CLEAR, SEEDS = Clock(0.04), 0.1, (0, 1, 2, 3, 4)  # CLEAR: maps nearer in AUROC are not ranked by the truth
NETLESS = ("true region", "level", "random")  # maps that no network has made
MAPS = ("true region", "attention", "integrated gradients", "another clip", "untrained", "level", "random")


@dataclass(frozen=True)
class Moments:
    """A clip in n moments of 40 ms: what a network reads of it, and what is known of it.

    table: (T, F); its first `columns` are features. place: (T,), the moment of each frame. counts: (n,), True where the
    clip sounds, or shows a face. region: (n,), True where the emotion is. level: (n,), how loud it is, or how it moves.
    """

    table: torch.Tensor
    columns: int
    place: np.ndarray
    counts: np.ndarray
    region: np.ndarray
    level: np.ndarray


def moments(run: Run, corpus: Corpus) -> list[Moments]:
    """The clips of `corpus` as `run` reads them."""
    part, result, sees = run.examples(corpus), [], bool(run.recipe.face)
    for table, clip in zip((part.faces if sees else part.rows) or (), corpus, strict=True):
        place = ((MOMENT if sees else FRAMES).centers(len(table)).double().numpy() / MOMENT.hop + 1e-6).astype(int)
        n = int(place[-1]) + 1
        if sees:
            level, counts = baselines.motion(table.double().numpy(), n), table[:, -1].numpy() > 0.5
        else:
            level = step_level(clip_level(clip), MOMENT, n)
            counts = sounding(torch.from_numpy(level)).numpy()
        region = scores.region_mask(clip.regions, MOMENT.centers(n).numpy(), "face" if sees else "voice")
        result.append(Moments(table, table.shape[1] - sees, place, counts, region, level))
    return result


def batch_of(run: Run, tables: Sequence[torch.Tensor]) -> Batch:
    """Tables (T_i, F) as the network of `run` takes them; of a face the last column says where it was found."""
    padded, mask = pad(tables)
    batch = Batch(padded, mask, torch.zeros(len(tables), dtype=torch.long))
    seen = replace(batch, face=padded[..., :-1], face_mask=padded[..., -1] > 0.5)
    return (seen if run.recipe.face else batch).to(run.device)


@torch.no_grad()
def decided(run: Run, tables: Sequence[torch.Tensor]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities (N, C) of N tables, and the attention over the moments of each, (n,)."""
    sure, maps = [], []
    for start in range(0, len(tables), 64):
        output = run.model(batch_of(run, tables[start : start + 64]))
        sure.append(output.logits.float().softmax(dim=1).cpu().double().numpy())
        map_ = output.maps["attention"].over_time()
        for row, table in enumerate(tables[start : start + 64]):
            weights = map_.alone(row).weights[0].double().numpy()
            n = len(table) if run.recipe.face else int(FRAMES.centers(len(table))[-1] / MOMENT.hop + 1e-6) + 1
            maps.append(spread(weights, map_.clocks["time"], MOMENT, n))
    return np.concatenate(sure), maps


def gradients(run: Run, clips: Sequence[Moments], said: Sequence[int], steps: int = 16) -> list[np.ndarray]:
    r"""Integrated gradients of the logit of the emotion `said`, added up over each moment, (n,) a clip.

    .. math:: x \odot \int_0^1 \nabla f_y(\alpha x) \, d\alpha

    from the mean training frame, 0, by the midpoint rule. Over a clip they add up to :math:`f_y(x) - f_y(0)`.
    """
    result = []
    for clip, emotion in zip(clips, said, strict=True):
        path = clip.table.repeat(steps, 1, 1)
        path[..., : clip.columns] *= (torch.arange(steps)[:, None, None] + 0.5) / steps
        batch, name = batch_of(run, list(path)), "face" if run.recipe.face else "features"
        read = getattr(batch, name).detach().requires_grad_()
        with torch.backends.cudnn.flags(enabled=False):  # cuDNN has no gradient of an LSTM that is not in training
            logits = run.model(replace(batch, **{name: read})).logits
            slope = torch.autograd.grad(logits[:, int(emotion)].sum(), read)[0].mean(dim=0).cpu()
        each = (slope * clip.table[:, : clip.columns]).sum(dim=1).double().numpy()  # (T,)
        result.append(np.bincount(clip.place, each, minlength=len(clip.counts)))
    return result


def candidates(run: Run, corpus: Corpus, clips: Sequence[Moments], said: Sequence[int]) -> dict[str, list[np.ndarray]]:
    """Each of :data:`MAPS` -> its map of each clip, (n,), larger where it says that the emotion is."""
    tables, n = [clip.table for clip in clips], len(clips)
    maps = {"attention": decided(run, tables)[1], "integrated gradients": gradients(run, clips, said)}
    maps |= {"untrained": decided(run.untrained(), tables)[1], "level": [clip.level for clip in clips]}
    steps = [np.arange(len(clip.region)) for clip in clips]
    maps["true region"] = [-np.abs(t - t[c.region].mean()) for t, c in zip(steps, clips, strict=True)]
    theirs = [maps["attention"][(i + n // 2) % n] for i in range(n)]  # that of a clip of another emotion, as long
    maps["another clip"] = [
        np.interp(t / len(t), np.arange(len(a)) / len(a), a) for t, a in zip(steps, theirs, strict=True)
    ]
    draws = [draws_of(clip) for clip in corpus]
    maps["random"] = [baselines.random_smooth(a, draw) for a, draw in zip(maps["attention"], draws, strict=True)]
    return {name: maps[name] for name in MAPS}


def without(clip: Moments, map_: np.ndarray, share: float, keep: bool = False) -> torch.Tensor:
    """The table without the share of its moments that the map ranks first or, with `keep`, with these alone.

    Only moments that count are ranked and removed. A removed frame becomes the mean training frame, 0.
    """
    ranked = np.flatnonzero(clip.counts)
    ranked = ranked[np.argsort(-map_[ranked], kind="stable")]
    first = int(np.ceil(share * len(ranked) - 1e-9))
    table = clip.table.clone()
    table[torch.from_numpy(np.isin(clip.place, ranked[first:] if keep else ranked[:first])), : clip.columns] = 0.0
    return table


def agreement(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> float:
    """Spearman's rank correlation of two maps over the moments that count; 0 if one is constant there."""
    x, y = rankdata(a[counts]), rankdata(b[counts])
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def faithfulness(
    run: Run, clips: Sequence[Moments], maps: Sequence[np.ndarray], said: Sequence[int]
) -> dict[str, np.ndarray]:
    """Deletion, insertion, comprehensiveness and sufficiency of a map of each clip, (N,) each; more is better.

    The signs of deletion (1 minus the area) and sufficiency are turned around, so that all four can be compared.
    """
    curves = np.empty((2, len(clips), len(SHARES) + 2))  # removed, kept
    index = np.arange(len(clips))
    for way in (0, 1):
        for j, share in enumerate((0.0, *SHARES)):
            tables = [without(clip, map_, share, bool(way)) for clip, map_ in zip(clips, maps, strict=True)]
            curves[way, :, j] = decided(run, tables)[0][index, said]
    curves[:, :, -1] = curves[::-1, :, 0]  # all removed is nothing kept
    removed, kept = curves
    at, whole = [1 + SHARES.index(share) for share in BINS], removed[:, :1]
    area = np.asarray(np.trapezoid(curves, (0.0, *SHARES, 1.0), axis=2))
    return {
        "deletion": 1 - area[0],
        "insertion": area[1],
        "comprehensiveness": (whole - removed[:, at]).mean(axis=1),
        "sufficiency": (kept[:, at] - whole).mean(axis=1),
    }


def measure(
    run: Run,
    corpus: Corpus,
    clips: Sequence[Moments],
    found: Mapping,
    said: Sequence[int],
    others: Sequence[Mapping] = (),
) -> Tally:
    """What every test says of every map, and how often it prefers, of two maps of a clip, the one that is right.

    Methods are :data:`MAPS`, with the metrics "auroc" (the truth), "pointing" and one for each test, and the tests,
    with the metric "right": 1 where the test prefers the map with the higher AUROC, .5 where it cannot choose.

    Args:
        found: of :func:`candidates`. said: (N,), the emotion that is decided on. others: `found` of other seeds.
    """
    model = run.on_cpu()
    torch.manual_seed(1000)
    redraw(model)
    fresh = replace(run, model=model.to(run.device).eval())  # all weights drawn anew
    after = candidates(fresh, corpus, clips, said)
    after |= {name: found[name] for name in NETLESS} | {"untrained": after["attention"]}
    rated: dict[str, dict[str, np.ndarray]] = {}
    for name, maps in found.items():
        pairs = list(zip(clips, maps, strict=True))

        def agree(theirs: Sequence[np.ndarray], pairs=pairs) -> np.ndarray:
            return np.array([agreement(a, b, clip.counts) for (clip, a), b in zip(pairs, theirs, strict=True)])

        rated[name] = {
            "auroc": np.array([scores.auroc(map_, clip.region, clip.counts) for clip, map_ in pairs]),
            "pointing": np.array([scores.pointing_game(map_, clip.region, clip.counts, 1) for clip, map_ in pairs]),
            **faithfulness(run, clips, maps, said),
            "randomization": 1 - agree(after[name]),
            "agreement with IG": agree(found["integrated gradients"]),
        }
        if name == "integrated gradients":
            rated[name]["agreement with IG"][:] = np.nan  # nobody is a witness in his own case
        if others:
            rated[name]["seeds"] = np.mean([agree(other[name]) for other in others], axis=0)
    return tallied(rated, [clip.speaker for clip in corpus])


def tallied(rated: Mapping[str, Mapping[str, np.ndarray]], who: Sequence[str]) -> Tally:
    """Map -> metric -> (N,), of the speakers `who` (N,), as sums, with how often each test is right beside them."""
    names = tuple(sorted(set(who)))
    tables = {
        name: {metric: sums_by_speaker(values, who, names)[None] for metric, values in of_map.items()}
        for name, of_map in rated.items()
    }
    for test in (metric for metric in rated["attention"] if metric not in ("auroc", "pointing")):
        right = []
        for a, b in combinations(rated.values(), 2):
            truth, says = a["auroc"] - b["auroc"], a[test] - b[test]
            credit = np.where(np.abs(says) < 1e-9, 0.5, np.sign(says) == np.sign(truth))
            right.append(np.where((np.abs(truth) < CLEAR) | np.isnan(says), np.nan, credit))
        tables[test] = {"right": sums_by_speaker(np.ravel(right), [*who] * len(right), names)[None]}
    return Tally(names, tables)


def chosen(corpus: Corpus) -> Corpus:
    """Of each speaker and emotion the first clip that has a region."""
    first = {(clip.speaker, clip.emotion): clip for clip in reversed(corpus.clips) if clip.regions}
    return corpus.keeping(clip for clip in corpus if first.get((clip.speaker, clip.emotion)) is clip)


def kept(corpus: str) -> dict[str, Tally]:
    """Family -> the reference, over its seeds; empty where none is kept."""
    families: dict[str, list] = {}
    for result in _results(corpus):
        families.setdefault(result["family"], []).append(result)
    return {
        name: Tally.pooled([one["report"] for one in found], [one["seed"] for one in found])
        for name, found in families.items()
    }


def older(corpus: str) -> bool:
    """Whether some of the reference comes from other code, another network or another recipe than the present ones."""
    return any(result.get("digests") != _digests(corpus, result["family"]) for result in _results(corpus))


def _results(corpus: str) -> list[dict]:
    path = BOOK_RESULTS.parent / f"explanation-{corpus}.json"
    return json.loads(path.read_text())["results"] if path.is_file() else []


def _digests(corpus: str, family: str) -> dict[str, str]:
    """Of what a result depends on: the network, its recipe, the code that trains it, and the code of this file."""
    method = FAMILIES[family]
    own = {"recipe": digest(recipe(corpus, method)), "explanations": digest(code_of("study/explanations.py"))}
    return plan_digests(corpus, method) | own


def together(families: Mapping[str, Tally]) -> Tally:
    """All trainings of all families, stacked like seeds of one."""
    first = next(iter(families.values()))
    tables = {
        name: {metric: np.concatenate([tally.sums(name, metric) for tally in families.values()]) for metric in held}
        for name, held in first.tables.items()
    }
    return Tally(first.speakers, tables, seeds=tuple(range(sum(len(tally.seeds) for tally in families.values()))))


def main(seeds: Sequence[int] = SEEDS) -> None:
    """Train what is not kept, measure, and write the reference."""
    corpus, results = load("planted"), []
    part = corpus.folds()[0]
    test = chosen(part.test)
    for family, method in FAMILIES.items():
        runs = [fit_once(build(method, corpus), part, seed=k, **recipe("planted", method)) for k in seeds]
        clips, maps, said = moments(runs[0], test), [], []
        for run in runs:
            said.append(decided(run, [clip.table for clip in clips])[0].argmax(axis=1))
            maps.append(candidates(run, test, clips, said[-1]))
        for k, seed in enumerate(seeds):
            tally = measure(runs[k], test, clips, maps[k], said[k], maps[:k] + maps[k + 1 :])
            depends = {"seed": seed, "digests": _digests("planted", family)}
            results.append({"family": family, **depends, "report": tally.to_json()})
    lines = ",\n".join(json.dumps(result, separators=(",", ":")) for result in results)
    with writing(BOOK_RESULTS.parent / "explanation-planted.json") as temporary:
        temporary.write_text(f'{{"results": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or SEEDS)
