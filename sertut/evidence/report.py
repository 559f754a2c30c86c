"""What a trained model does on clips of speakers it has never heard: scores, confusions, maps, and examples."""

from collections.abc import Callable, Mapping
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
from sertut.evidence.intervals import Interval, confusions_by_speaker
from sertut.evidence.lags import ALIGNMENT, NOT_ALIGNING, offsets, true_offset
from sertut.evidence.level import loudness
from sertut.evidence.localization import localize, of_emotions
from sertut.evidence.perclip import ATTENTION, NOT_ATTENDING, UNTRAINED, ClipScores
from sertut.evidence.reach import head_use
from sertut.evidence.sums import Tally
from sertut.training import Predictions, Run, predict
from sertut.training.metrics import chance_uar, recalls


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
        clip, maps = self.predictions.clips[index], self.predictions.maps[index]
        probabilities = self.predictions.probabilities[index]
        return example_of(clip, self.emotions, maps.get(ATTENTION), probabilities, maps.get(ALIGNMENT))

    @property
    def emotions(self) -> tuple[str, ...]:
        """The fixed list of classes."""
        return self.predictions.emotions

    @cached_property
    def decisions(self) -> Tally:
        """Confusion matrices of the S speakers: the metrics "uar" and "wa" of the method "model"."""
        who = [clip.speaker for clip in self.predictions.clips]
        labels, predicted = self.predictions.labels.tolist(), self.predictions.predicted.tolist()
        table, names = confusions_by_speaker(labels, predicted, who, len(self.emotions))
        return Tally(names, {"model": {"uar": table[None]}}, {"uar": "uar"}, emotions=self.emotions)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The S speakers, sorted."""
        return self.decisions.speakers

    @property
    def per_speaker(self) -> np.ndarray:
        """One confusion matrix for each of :attr:`speakers`, shape (S, C, C), rows true."""
        return self.decisions.sums("model", "uar")[0]

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
        return self.decisions.wa

    @cached_property
    def uar(self) -> Interval:
        """Unweighted average recall; the interval resamples speakers."""
        return self.decisions.uar

    @cached_property
    def localization(self) -> ClipScores:
        """Does attention find the emotional region? Beside the untrained network and maps that know nothing.

        The regions are those of the map's own stream, the voice or the face. A map with the axis "emotion" is scored by
        the weights of the clip's true emotion, so the label is used here, for scoring only; beside it, as the method
        "predicted class", by the weights of the emotion that the model chose.

        Raises:
            SertutError: the model has no attention map, or the corpus no known regions.
        """
        maps = self._maps()
        chosen = any("emotion" in map_.axes for map_ in maps)
        others = {"predicted class": of_emotions(maps, self.predictions.predicted.tolist())} if chosen else {}
        return self._scored(localize, others)

    @cached_property
    def cells(self) -> ClipScores:
        """Does attention find the region in time and frequency? As :attr:`localization`, over the cells of the map.

        Raises:
            SertutError: the map has no frequency axis, or the corpus no known regions.
        """
        return self._scored(localize_cells)

    @cached_property
    def loudness(self) -> ClipScores:
        """Is attention where the voice is loud? Beside the untrained network, shuffled weights, and the energy itself.

        Raises:
            SertutError: the model has no attention map, or one of the face.
        """
        if self._maps()[0].stream == "face":
            raise SertutError(
                "this model attends to the face, which has no loudness; ask one that attends to the voice."
            )
        return self._scored(loudness)

    @cached_property
    def heads(self) -> ClipScores:
        """How far each head looks, how much of the clip it takes in, and how much it counts.

        Raises:
            SertutError: the model has no attention map, or one without heads.
        """
        return head_use(self.predictions.clips, self._maps())

    @cached_property
    def offsets(self) -> ClipScores:
        """Does alignment find by how much the face lags the voice? Beside the untrained network, 0 s, and a guess.

        Raises:
            SertutError: the model has no map between voice and face, or the corpus no known offsets.
        """
        return offsets(self.predictions.clips, self._maps(ALIGNMENT), self._untrained(ALIGNMENT))

    @cached_property
    def tally(self) -> Tally:
        """All scores that this model and corpus allow, as sums by speaker: what a study keeps and pools.

        The method "model" has "uar"; "attention" and what stands beside it the metrics of :attr:`localization`,
        :attr:`cells`, :attr:`loudness` and :attr:`offsets`; "all heads", "head 1", ... those of :attr:`heads`.
        """
        clips, maps = self.predictions.clips, self.predictions.maps
        parts: list[Tally] = []
        if all(ATTENTION in named for named in maps):
            attention = maps[0][ATTENTION]
            known = [region for clip in clips for region in clip.regions if region.stream == attention.stream]
            banded = "frequency" in attention.axes and any(region.in_band for region in known)
            parts += [self.localization] if known else []
            parts += [self.cells] if banded else []
            parts += [self.loudness] if attention.stream == "voice" else []
            parts += [self.heads] if "head" in attention.axes else []
        if all(ALIGNMENT in named for named in maps) and any(true_offset(clip) is not None for clip in clips):
            parts += [self.offsets]
        return self.decisions.merged(*parts)

    def _scored(
        self, score: Callable[..., ClipScores], others: Mapping[str, list[AttentionMap]] | None = None
    ) -> ClipScores:
        labels = self.predictions.labels.tolist()
        before = {method: of_emotions(maps, labels) for method, maps in self._untrained().items()}
        return score(self.predictions.clips, of_emotions(self._maps(), labels), {**before, **(others or {})})

    def _maps(self, name: str = ATTENTION) -> list[AttentionMap]:
        """One map a clip.

        Raises:
            SertutError: the model has no such map.
        """
        if not all(name in maps for maps in self.predictions.maps):
            raise SertutError(NOT_ALIGNING if name == ALIGNMENT else NOT_ATTENDING)
        return [maps[name] for maps in self.predictions.maps]

    def _untrained(self, name: str = ATTENTION) -> dict[str, list[AttentionMap]]:
        return {UNTRAINED: [maps[name] for maps in self.untrained.maps]} if self.untrained else {}

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
