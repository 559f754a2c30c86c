"""Networks that see: faces are loaded, normalized on train, masked where there is none, and learned from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sertut.corpora import Corpus, load_faces
from sertut.errors import SertutError
from sertut.models import AudioVisual
from sertut.signals import Normalizer
from sertut.training import fit, predict
from sertut.training.data import Examples, fit_face_normalizer, normalize_face
from sertut.training.recipe import make_recipe
from sertut.video import VIDEO_HOP, write_video
from tests.training.conftest import QUICK

G = 384  # columns of a face


@pytest.fixture
def signs(tones, kept) -> Corpus:
    """The corpus of tones with faces: a dark bar, upright in "high" clips and level in "low" ones."""
    rng, clips = np.random.default_rng(3), []
    for clip in tones:
        clips.append(replace(clip, video=kept / f"{clip.name}.avi"))
        frames = (200 + 10 * rng.normal(size=(20, 48, 48))).astype(np.uint8)
        (frames if clip.emotion == "high" else frames.swapaxes(1, 2))[:, 8:40, 20:28] = 40
        if not clips[-1].video.is_file():
            write_video(clips[-1].video, frames)
    return tones.keeping(clips)


def test_faces_have_a_row_every_40_ms_and_a_column_that_says_whether_there_is_one(signs):
    with pytest.warns(UserWarning, match="1 of 2 clips show no face"):
        row, empty = load_faces([signs[0], replace(signs[0], video=None)], "hog", progress=False)
    assert row.shape[1] == G + 1 and 0.7 < len(row) * VIDEO_HOP < 1.3
    assert row[:20, -1].tolist() == [1.0] * 20 and row[21:].abs().sum() == 0  # the video ends, the sound goes on
    assert row.shape == empty.shape and empty.abs().sum() == 0
    with pytest.raises(SertutError, match="feature of the face 'hogg': did you mean 'hog'"):
        load_faces([], "hogg")


def test_statistics_come_from_frames_with_a_face():
    faces = [torch.cat([torch.randn(9, 3) * 2 + 5, torch.ones(9, 1)], dim=1) for _ in range(4)]
    whole = fit_face_normalizer(faces)
    lost = [torch.cat([row, torch.zeros(30, 4)]) for row in faces]
    torch.testing.assert_close(fit_face_normalizer(lost).mean, whole.mean)
    torch.testing.assert_close(fit_face_normalizer(lost).std, whole.std)
    normal = normalize_face(lost[0], whole)
    assert normal[9:].abs().sum() == 0 and (normal[:9, -1] == 1).all()
    torch.testing.assert_close(normal[:9, :-1], whole(faces[0][:, :-1]))
    with pytest.raises(SertutError, match="no training clip shows a face"):
        fit_face_normalizer([torch.zeros(5, 4)])


def test_a_batch_carries_the_faces_of_its_own_clips():
    rows = [torch.full((4 + i, 2), float(i)) for i in range(4)]
    faces = [torch.cat([torch.full((2 + i, 3), float(i)), torch.ones(2 + i, 1)], dim=1) for i in range(4)]
    part = Examples(rows, torch.arange(4), faces)
    generator = torch.Generator().manual_seed(0)
    for similar in (False, True):
        for batch in part.shuffled(make_recipe(batch_size=3, similar=similar), generator):
            for i, label in enumerate(batch.labels.tolist()):
                assert batch.mask[i].sum() == 4 + label  # not cut, whatever `similar` says
                assert batch.face_mask[i].sum() == 2 + label
                assert (batch.face[i][batch.face_mask[i]] == label).all() and batch.face[i].shape[1] == 3


def test_it_learns_from_faces_by_statistics_of_the_training_clips(signs):
    fold = signs.folds(n=3)[0]
    model = AudioVisual(64, G, 2, "face", n_hidden=8, n_channels=8, pooling="attention")
    run = fit(model, fold, seed=0, **QUICK | {"epochs": 16, "face": "hog"})
    predictions = predict(run, fold.test)
    assert (predictions.predicted == predictions.labels.numpy()).mean() >= 0.9
    map_ = predictions.maps[0]["attention"]
    assert map_.stream == "face" and map_.weights.shape[1] == 20
    seen = torch.cat([row[row[:, -1] > 0.5, :-1] for row in load_faces(fold.train, "hog", progress=False)])
    torch.testing.assert_close(run.face_normalizer.mean, Normalizer.fit([seen]).mean)
