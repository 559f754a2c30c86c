"""A tiny corpus whose regions are known, and predictions made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sertut.attention import AttentionMap, Clock
from sertut.corpora import About, Clip, Corpus, Region
from sertut.signals import WINDOW_SECONDS, Normalizer, write_audio
from sertut.training.data import examples
from sertut.training.prediction import Predictions

EMOTIONS = ("anger", "neutral", "sadness")
HOP = 0.04
CLOCK = Clock(hop=HOP, start=WINDOW_SECONDS / 2 - HOP / 2)
N_STEPS = 25


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """12 clips of 4 speakers: a second of noise, silent from 0.9 s; region 0.3 to 0.5 s, none in neutral clips."""
    folder, generator, clips = tmp_path_factory.mktemp("tiny"), np.random.default_rng(0), []
    for i in range(12):
        samples = 0.1 * generator.standard_normal(16_000).astype(np.float32)
        samples[14_400:] = 0
        samples[9_600:11_200] *= 5  # the loudest part, 0.6 to 0.7 s, is not the region
        write_audio(folder / f"clip{i}.wav", samples)
        emotion = EMOTIONS[i % 3]
        regions = () if emotion == "neutral" else (Region(0.3, 0.5),)
        clips.append(Clip(f"clip{i}", folder / f"clip{i}.wav", f"speaker {i // 3}", emotion, "a sentence", regions))
    return Corpus("tiny", tuple(clips), EMOTIONS, About("tiny", "CC0", "nobody", "nowhere"))


def a_map(weights, axes=("time",), clocks=CLOCK, mask=None, **more) -> AttentionMap:
    """The map of one clip from weights without the batch axis; `clocks`: one for all axes, or axis -> its clock."""
    weights = torch.as_tensor(np.asarray(weights), dtype=torch.float32)[None]
    if mask is None:
        mask = np.ones(weights.shape[1 + axes.index("time")], dtype=bool)
    clocks = clocks if isinstance(clocks, dict) else dict.fromkeys(axes, clocks)
    return AttentionMap(weights, axes, torch.as_tensor(mask)[None], clocks, **more)


@pytest.fixture(scope="session")
def make_map():
    """Weights (T,) -> the attention map of one clip, sum 1."""
    return lambda weights: a_map(np.asarray(weights, dtype=float) / np.sum(weights))


def run_of(model, emotions=EMOTIONS, normalizer=None):
    """As if `model` had been trained on log-mel as it is, or by `normalizer`."""
    normalizer = normalizer or Normalizer(torch.zeros(64), torch.ones(64))
    return SimpleNamespace(
        model=model,
        feature="log_mel",
        normalizer=normalizer,
        device="cpu",
        emotions=emotions,
        examples=lambda corpus: examples(corpus, "log_mel").normalized(normalizer),
    )


@pytest.fixture(scope="session")
def right_map(make_map):
    """All weight on 0.3 to 0.5 s."""
    centers = CLOCK.centers(N_STEPS).numpy()
    return make_map((centers >= 0.3) & (centers < 0.5))


@pytest.fixture(scope="session")
def predictions_of(right_map):
    """Corpus and label indices -> predictions that decide so, the i-th clip with logit 1 + i / 10."""

    def predict(corpus: Corpus, predicted: list[int], with_maps: bool = True) -> Predictions:
        logits = torch.zeros(len(corpus), len(corpus.emotions))
        for i, label in enumerate(predicted):
            logits[i, label] = 1 + i / 10
        labels = torch.tensor([corpus.label(clip) for clip in corpus])
        maps = tuple({"attention": right_map} if with_maps else {} for _ in corpus)
        return Predictions(corpus.clips, corpus.emotions, logits, labels, maps)

    return predict
