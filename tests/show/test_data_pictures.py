"""Counts of a corpus, a padded batch, and two spectrograms beside one another."""

import numpy as np
import torch

from sertut import show
from sertut.corpora import Corpus
from sertut.corpora.ravdess import ABOUT
from sertut.show.pair import spectrograms
from sertut.signals import Batch, length_mask

EMOTIONS = ("neutral", "anger", "sadness")


def test_padding_hides_what_is_not_real():
    features = torch.arange(2 * 5 * 3, dtype=torch.float32).reshape(2, 5, 3)
    picture = show.padding(Batch(features, length_mask(torch.tensor([5, 2])), torch.zeros(2)))
    image = picture.figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(image.mask, [[False] * 5, [False, False, True, True, True]])
    np.testing.assert_allclose(image[~image.mask], features.mean(dim=2)[~torch.as_tensor(image.mask)])
    assert "2 clips padded to 5 frames; real frames: 5 and 2; 30 % of the table is padding." in picture.alt


def test_corpus_counts_clips_of_each_speaker_and_emotion(report):
    clips = report.predictions.clips[:-1]  # so that one cell is empty
    picture = show.corpus(Corpus("invented", clips, EMOTIONS, ABOUT))
    axis = picture.figure.axes[0]
    drawn = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    assert drawn.tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["01", "02", "03"]
    assert "8 clips of 3 speakers and 3 emotions (neutral 3, anger 3, sadness 2); 0 to 1 clips" in picture.alt


def test_spectrograms_share_their_scales():
    generator = np.random.default_rng(0)
    picture = spectrograms(
        {"soft": 0.01 * generator.standard_normal(8000), "loud": 0.1 * generator.standard_normal(16000)}
    )
    soft, loud = picture.figure.axes[:2]
    assert soft.images[0].get_clim() == loud.images[0].get_clim()
    assert soft.get_xlim() == loud.get_xlim() == (0.0, 1.0)
    assert "soft, 0.50 s" in picture.alt and "loud, 1.00 s" in picture.alt
