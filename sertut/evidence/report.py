"""What a trained model does on clips of speakers it has never heard: scores, confusions, maps, and examples."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from sertut.attention import AttentionMap
from sertut.corpora import Corpus
from sertut.errors import SertutError, unknown
from sertut.evidence.cells import localize_cells
from sertut.evidence.examples import Example, Selection, example_of
from sertut.evidence.intervals import Interval, bootstrap_speakers, confusions_by_speaker
from sertut.evidence.lags import ALIGNMENT, NOT_ALIGNING, Offsets, offsets, true_offset
from sertut.evidence.level import loudness
from sertut.evidence.localization import Localization, localize, of_emotions, stored
from sertut.evidence.reach import head_use
from sertut.training.metrics import chance_uar, recalls, uar, wa
from sertut.training.prediction import Predictions, predict
from sertut.training.runs import Run

ATTENTION = "attention"
"""Name of the map that is scored unless another one is asked for."""


@dataclass(frozen=True)
class Report:
    """A model's decisions on a corpus; ``report[i]`` is the i-th clip as an :class:`Example`.

    predictions: logits and maps. untrained: those of the same network before training, if asked for.
    """

    name: str
    predictions: Predictions
    untrained: Predictions | None = None

    def __len__(self) -> int:
        return len(self.predictions.clips)

    def __getitem__(self, index: int) -> Example:
        maps = self.predictions.maps[index]
        return example_of(
            self.predictions.clips[index],
            self.emotions,
            maps.get(ATTENTION),
            self.predictions.probabilities[index],
            maps.get(ALIGNMENT),
        )

    @property
    def emotions(self) -> tuple[str, ...]:
        """The fixed list of classes."""
        return self.predictions.emotions

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """The S speakers, sorted."""
        return tuple(sorted({clip.speaker for clip in self.predictions.clips}))

    @cached_property
    def per_speaker(self) -> np.ndarray:
        """One confusion matrix for each of :attr:`speakers`, shape (S, C, C), rows true."""
        who = [clip.speaker for clip in self.predictions.clips]
        labels, predicted = self.predictions.labels.tolist(), self.predictions.predicted.tolist()
        return confusions_by_speaker(labels, predicted, who, len(self.emotions))[0]

    @property
    def confusion(self) -> np.ndarray:
        """Confusion matrix (C, C) over all clips, rows true."""
        return self.per_speaker.sum(axis=0)

    @property
    def recalls(self) -> dict[str, float]:
        """Emotion -> share of its clips that are recognized; NaN for an emotion without clips."""
        return dict(zip(self.emotions, recalls(self.confusion).tolist(), strict=True))

    @cached_property
    def wa(self) -> Interval:
        """Weighted accuracy, the share of clips that are right; the interval resamples speakers."""
        return bootstrap_speakers(wa, self.per_speaker[None])

    @cached_property
    def uar(self) -> Interval:
        """Unweighted average recall; the interval resamples speakers."""
        return bootstrap_speakers(uar, self.per_speaker[None])

    @cached_property
    def localization(self) -> Localization:
        """Does attention find the emotional region? Beside the untrained network and maps that know nothing.

        The regions are those of the map's own stream, the voice or the face. A map with the axis "emotion" is scored by
        the weights of the clip's true emotion, so the label is used here, for scoring only; beside it, as the method
        "predicted class", by the weights of the emotion that the model chose.

        Raises:
            SertutError: the model has no attention map, or the corpus no known regions.
        """
        maps = _maps(self.predictions)
        chosen = any("emotion" in map_.axes for map_ in maps)
        others = {"predicted class": of_emotions(maps, self.predictions.predicted.tolist())} if chosen else {}
        return self._scored(functools.partial(localize, others=others))

    @cached_property
    def cells(self) -> Localization:
        """Does attention find the region in time and frequency? As :attr:`localization`, over the cells of the map.

        Raises:
            SertutError: the map has no frequency axis, or the corpus no known regions.
        """
        return self._scored(localize_cells)

    @cached_property
    def loudness(self) -> Localization:
        """Is attention where the voice is loud? Beside the untrained network, shuffled weights, and the energy itself.

        Raises:
            SertutError: the model has no attention map, or one of the face.
        """
        if self._stream() == "face":
            raise SertutError(
                "this model attends to the face, which has no loudness; ask one that attends to the voice."
            )
        return self._scored(loudness, regions=False)

    @cached_property
    def heads(self) -> Localization:
        """How far each head looks, how much of the clip it takes in, and how much it counts.

        Raises:
            SertutError: the model has no attention map, or one without heads.
        """
        if reason := self._not_localizable(regions=False):
            raise SertutError(reason)
        return head_use(self.predictions.clips, _maps(self.predictions))

    @cached_property
    def offsets(self) -> Offsets:
        """Does alignment find by how much the face lags the voice? Beside the untrained network, 0 s, and a guess.

        Raises:
            SertutError: the model has no map between voice and face, or the corpus no known offsets.
        """
        if reason := self._without_offsets():
            raise SertutError(reason)
        untrained = _maps(self.untrained, ALIGNMENT) if self.untrained else None
        return offsets(self.predictions.clips, _maps(self.predictions, ALIGNMENT), untrained)

    def _scored(self, score: Callable[..., Localization], regions: bool = True) -> Localization:
        if reason := self._not_localizable(regions):
            raise SertutError(reason)
        labels = self.predictions.labels.tolist()
        untrained = of_emotions(_maps(self.untrained), labels) if self.untrained else None
        return score(self.predictions.clips, of_emotions(_maps(self.predictions), labels), untrained)

    def _knows_bands(self) -> bool:
        """Whether maps and regions both have a frequency."""
        maps_do = all("frequency" in map_.axes for map_ in _maps(self.predictions))
        return maps_do and any(region.in_band for clip in self.predictions.clips for region in clip.regions)

    def _has_heads(self) -> bool:
        return all("head" in map_.axes for map_ in _maps(self.predictions))

    def _stream(self) -> str | None:
        """The stream of the attention maps, "voice" or "face"; None without any."""
        return next((maps[ATTENTION].stream for maps in self.predictions.maps if ATTENTION in maps), None)

    def _without_offsets(self) -> str:
        if not all(ALIGNMENT in maps for maps in self.predictions.maps):
            return NOT_ALIGNING
        if all(true_offset(clip) is None for clip in self.predictions.clips):
            return f"the offsets between voice and face of '{self.name}' are not known; use planted."
        return ""

    def _not_localizable(self, regions: bool = True) -> str:
        if not all(ATTENTION in maps for maps in self.predictions.maps):
            return (
                "this model has no attention map to localize with; train one with attention, e.g. pooling='attention'."
            )
        known = {region.stream for clip in self.predictions.clips for region in clip.regions}
        if regions and self._stream() not in known:
            return (
                f"the emotional regions of '{self.name}' are not known, so attention cannot be scored against them;"
                " use planted or a spliced corpus, e.g. spliced-ravdess."
            )
        return ""

    def examples(self, rule: str = "typical", n: int = 4) -> Selection:
        """Clips chosen by a rule, never by hand: one for each of the first `n` emotions that occur.

        Args:
            rule: by the probability that the model gives to the true emotion: "typical" (nearest the median of the
                emotion's clips), "surest" (highest) or "worst" (lowest).

        Raises:
            SertutError: unknown rule.
        """
        rules = {"typical": "nearest the median of its emotion", "surest": "highest", "worst": "lowest"}
        if rule not in rules:
            raise unknown("rule", rule, rules)
        labels = self.predictions.labels
        sure = self.predictions.probabilities.double()[torch.arange(len(labels)), labels].numpy()  # (N,)
        chosen = []
        for label in sorted(set(labels.tolist()))[:n]:
            members = np.flatnonzero(labels.numpy() == label)
            distance = {"typical": np.abs(sure - np.median(sure[members])), "surest": -sure, "worst": sure}[rule]
            chosen.append(self[int(members[distance[members].argmin()])])
        sentence = f"For each emotion the clip whose true emotion got the probability that is {rules[rule]}."
        return Selection(sentence, tuple(chosen))

    def typical(self, n: int = 4) -> Selection:
        """For each of the first `n` emotions the clip nearest the median; see :meth:`examples`."""
        return self.examples("typical", n)

    def to_json(self) -> dict:
        """The sums that scores and intervals over many runs are made from; :class:`sertut.evidence.Pooled` reads them.

        Keys: emotions, clips, speakers (S names), confusions (S, C, C); and localization, loudness, heads, each None or
        {speakers, skipped, methods: {method: {metric: (S', 2) pairs (sum, count)}}}. Where regions are known in
        frequency and the map has that axis, the metrics of :attr:`cells` stand beside those of localization. offsets:
        None, or as in :meth:`sertut.evidence.lags.Offsets.to_json`.
        """
        has_map, scored = not self._not_localizable(regions=False), not self._not_localizable()
        of_voice = has_map and self._stream() == "voice"
        return {
            "emotions": list(self.emotions),
            "clips": len(self),
            "speakers": list(self.speakers),
            "confusions": self.per_speaker.tolist(),
            "localization": stored(self.localization, *([self.cells] if self._knows_bands() else []))
            if scored
            else None,
            "loudness": stored(self.loudness) if of_voice else None,
            "heads": stored(self.heads) if has_map and self._has_heads() else None,
            "offsets": None if self._without_offsets() else self.offsets.to_json(),
        }

    def __str__(self) -> str:
        found = ", ".join(f"{emotion} {recall:.2f}" for emotion, recall in self.recalls.items())
        return (
            f"{self.name}: {len(self)} clips of {len(self.speakers)} speakers\n"
            f"UAR {self.uar} (chance {chance_uar(len(self.emotions)):.2f}), WA {self.wa}\n"
            f"recalls: {found}"
        )

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self.confusion, index=pd.Index(self.emotions, name="true"), columns=self.emotions)
        table["recall"] = list(self.recalls.values())
        head = str(self).splitlines()[:2]
        return f"<p>{'<br>'.join(head)}</p>{table.to_html(float_format='{:.2f}'.format)}"


def evaluate(run: Run, corpus: Corpus, baselines: bool = True) -> Report:
    """Let a trained model decide on every clip of `corpus`.

    Args:
        corpus: whose speakers the model has not heard, usually ``fold.test``.
        baselines: also run the untrained network, for :attr:`Report.localization` and :attr:`Report.offsets`.

    Raises:
        SertutError: the corpus has other emotions than the model.
    """
    predictions = predict(run, corpus)
    has_map = any(predictions.maps)
    untrained = predict(run.untrained(), corpus) if baselines and has_map else None
    return Report(corpus.name, predictions, untrained)


def _maps(predictions: Predictions, name: str = ATTENTION) -> list[AttentionMap]:
    return [maps[name] for maps in predictions.maps if name in maps]
