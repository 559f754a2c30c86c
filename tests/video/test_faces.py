"""The clock of the face stream, its features, and a face that is found, followed, bridged and smoothed."""

import warnings

import cv2
import numpy as np
import pytest
import torch

from sertut.video import (
    FACE_SIZE,
    VIDEO_HOP,
    Faces,
    Video,
    face_boxes,
    face_features,
    face_settings,
    find_faces,
    n_video_frames,
    on_clock,
    read_faces,
    read_video,
    tracking,
    write_video,
)
from sertut.video.faces import BINS, N_HOG, relative_face_features


def numbered(n: int, rate: float, start: float = 0.0) -> Faces:
    """Crop i is filled with the number i."""
    crops = np.arange(n, dtype=np.uint8)[:, None, None].repeat(FACE_SIZE, axis=1).repeat(FACE_SIZE, axis=2)
    return Faces(crops, np.ones(n, dtype=bool), start + (np.arange(n) + 0.5) / rate)


def numbers(faces: Faces) -> list[int]:
    """The number in each crop, -1 where no face was found."""
    return [int(crop[0, 0]) if found else -1 for crop, found in zip(faces.crops, faces.found, strict=True)]


# The clock


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [
        (25, 0.2, [0, 1, 2, 3, 4]),
        (12.5, 0.4, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
        (75, 0.2, [1, 4, 7, 10, 13]),
        (5, 0.4, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
    ],
)
def test_each_step_takes_the_frame_that_is_shown_then(rate, seconds, expected):
    clocked = on_clock(numbered(20, rate), seconds)
    assert numbers(clocked) == expected
    np.testing.assert_allclose(clocked.times, (np.arange(len(expected)) + 0.5) * VIDEO_HOP)


def test_at_30_frames_a_second_no_step_is_off_by_more_than_half_a_frame():
    faces = numbered(99, 30000 / 1001)
    clocked = on_clock(faces, 3.3)
    assert clocked.found.all()
    assert np.abs(faces.times[numbers(clocked)] - clocked.times).max() <= 1001 / 60000 + 1e-9
    assert numbers(on_clock(clocked, 3.3)) == numbers(clocked)  # the clock of the clock is the same


def test_what_the_camera_did_not_see_is_not_found_and_holds_zeros():
    assert numbers(on_clock(numbered(3, 25), 0.24)) == [0, 1, 2, -1, -1, -1]  # the sound is longer
    assert numbers(on_clock(numbered(3, 25, start=0.08), 0.2)) == [-1, -1, 0, 1, 2]  # the sound starts first
    assert numbers(on_clock(numbered(9, 25, start=-0.08), 0.2)) == [2, 3, 4, 5, 6]  # the pictures start first
    blink = on_clock(Faces(numbered(3, 25).crops, np.array([True, False, True]), numbered(3, 25).times), 0.12)
    assert numbers(blink) == [0, -1, 2] and not blink.crops[1].any()
    gap = numbered(6, 25)
    times = gap.times + np.array([0, 0, 0, 0.12, 0.12, 0.12])
    assert numbers(on_clock(Faces(gap.crops, gap.found, times), 0.36)) == [0, 1, 2, -1, -1, -1, 3, 4, 5]


@pytest.mark.parametrize(("seconds", "n"), [(3.0, 75), (0.001, 1), (0.06, 2), (0.059, 1), (3.3033125, 83)])
def test_a_step_counts_if_its_middle_is_inside(seconds, n):
    assert n_video_frames(seconds) == n == len(on_clock(numbered(100, 25), seconds))


# Features


def grating(degrees: float) -> np.ndarray:
    """Stripes whose brightness changes in one direction, measured from the horizontal."""
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    angle = np.deg2rad(degrees)
    return np.round(128 + 100 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / 8)).astype(np.uint8)


def features_of(*crops: np.ndarray) -> torch.Tensor:
    n = len(crops)
    return face_features(Faces(np.stack(crops), np.ones(n, dtype=bool), np.arange(n) * VIDEO_HOP))


@pytest.mark.parametrize("index", range(BINS))
def test_each_direction_of_an_edge_has_a_bin_of_its_own(index):
    table = features_of(grating((index + 0.5) * 180 / BINS))[0, :N_HOG]
    share = table.view(-1, BINS).sum(dim=0)  # over the 64 cells
    assert share.argmax() == index
    assert share[index] > 0.6 * share.sum()


def test_each_cell_has_columns_of_its_own():
    """An edge in one corner of the face, at the edge of no cell, is told by that corner's block alone."""
    crop = np.full((FACE_SIZE, FACE_SIZE), 100, dtype=np.uint8)
    crop[3:9, 3:6] = 200
    blocks = features_of(crop)[0, :N_HOG].view(16, -1).sum(dim=1)
    assert blocks[0] > 0 and not blocks[1:].any()


def test_light_does_not_matter_and_a_missing_face_is_all_zero():
    bright = features_of(grating(30))
    dim = features_of((grating(30) * 0.5).astype(np.uint8))
    torch.testing.assert_close(bright, dim, atol=0.05, rtol=0)
    faces = Faces(np.stack([grating(30)] * 3), np.array([True, False, True]), np.arange(3) * VIDEO_HOP)
    table = face_features(faces)
    assert table.shape == (3, N_HOG + 1) and table.dtype == torch.float32
    assert table[:, -1].tolist() == [1.0, 0.0, 1.0]
    assert not table[1].any()
    assert table.min() >= 0 and table.max() <= 1
    torch.testing.assert_close(table[0], bright[0], atol=0, rtol=0)


def test_relative_features_lose_what_lasts_as_long_as_the_clip():
    found = np.array([True, False, True])
    table = face_features(Faces(np.stack([grating(30), grating(0), grating(60)]), found, np.arange(3) * VIDEO_HOP))
    moves = relative_face_features(Faces(np.stack([grating(30), grating(0), grating(60)]), found, np.zeros(3)))
    torch.testing.assert_close(moves[0, :-1], (table[0, :-1] - table[2, :-1]) / 2)
    torch.testing.assert_close(moves[2, :-1], -moves[0, :-1])
    assert not moves[1].any() and moves[:, -1].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ["MARGIN", "SMOOTH_SECONDS", "NEIGHBORS", "BRIDGE_SECONDS"])
def test_whoever_changes_a_setting_changes_the_key(monkeypatch, name):
    before = face_settings()
    monkeypatch.setattr(tracking, name, getattr(tracking, name) * 2)
    assert face_settings() != before
    assert "/" not in face_settings()


# Following, with finds that are known


def follow(monkeypatch, finds, rate=25.0) -> np.ndarray:
    """Boxes of a video in which the detector found `finds`: for each frame, tuples (x, y, side, certainty)."""
    rows = [np.array(frame, dtype=float).reshape(-1, 4) for frame in finds]
    monkeypatch.setattr(tracking, "_search", lambda video: rows)
    return face_boxes(Video(np.zeros((len(finds), 90, 160), dtype=np.uint8), (np.arange(len(finds)) + 0.5) / rate))


def test_a_steady_path_is_kept_without_lag_and_trembling_is_smoothed(monkeypatch):
    path = np.array([(40 + 1.5 * i, 50 - 0.5 * i, 30, 5) for i in range(40)])
    boxes = follow(monkeypatch, path[:, None])
    middle = slice(8, -8)  # at the ends the smoothing sees one side only
    np.testing.assert_allclose(boxes[middle, :2], path[middle, :2], atol=1e-6)
    np.testing.assert_allclose(boxes[:, 2], 30 * tracking.MARGIN)
    noise = np.random.default_rng(0).normal(scale=2.0, size=(100, 3))
    boxes = follow(monkeypatch, [[(80 + a, 45 + b, 30 + c, 5)] for a, b, c in noise])
    assert np.abs(np.diff(boxes, axis=0)).mean() < 0.1 * np.abs(np.diff(noise, axis=0)).mean()


def test_the_find_near_the_last_one_is_taken(monkeypatch):
    """A second face and a wrong find are there too, and more certain than the followed face in all frames but one."""
    finds = [[(120, 40, 30, 8), (40, 45, 30, 5), (45, 80, 9, 7)] for _ in range(30)]
    finds[12] = [(40, 45, 30, 20)]
    boxes = follow(monkeypatch, finds)
    np.testing.assert_allclose(boxes[:, 0], 40)


@pytest.mark.parametrize("rate", [12.5, 25.0, 50.0])
def test_a_short_gap_is_bridged_and_a_long_one_stays(monkeypatch, rate):
    n, short, long = round(4 * rate), round(0.16 * rate), round(0.48 * rate)
    seen = np.ones(n, dtype=bool)
    first, second = round(rate), round(2.4 * rate)
    seen[first : first + short] = seen[second : second + long] = False
    boxes = follow(monkeypatch, [[(40 + 20 * i / n, 45, 30, 5)] if see else [] for i, see in enumerate(seen)], rate)
    found = ~np.isnan(boxes[:, 0])
    assert found[first : first + short].all()
    assert not found[second : second + long].any()
    assert found.sum() == n - long
    np.testing.assert_allclose(boxes[first : first + short, 0], 40 + 20 * np.arange(first, first + short) / n, atol=0.2)


def test_after_a_long_gap_the_face_may_be_elsewhere(monkeypatch):
    boxes = follow(monkeypatch, [[(40, 45, 30, 9)]] * 20 + [[]] * 20 + [[(120, 40, 25, 5)]] * 20)
    np.testing.assert_allclose(boxes[:20, 0], 40)
    assert np.isnan(boxes[20:40]).all()
    np.testing.assert_allclose(boxes[40:, 0], 120)


def test_a_single_wrong_find_is_no_face(monkeypatch):
    finds = [[] for _ in range(30)]
    finds[10] = [(40, 45, 30, 9)]
    assert np.isnan(follow(monkeypatch, finds)).all()
    assert not np.isnan(follow(monkeypatch, [[(40, 45, 30, 9)]])).any(), "a video of one frame has no more to show"


# Finding


def test_a_small_video_is_taken_as_crops():
    video = Video(np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8), np.arange(5) * 0.04)
    faces = find_faces(video)
    np.testing.assert_array_equal(faces.crops, video.frames)
    assert faces.found.all() and faces.found.dtype == bool


@pytest.mark.parametrize("kind", ["noise", "gradient", "black"])
def test_where_there_is_no_face_a_warning_names_the_file_and_the_clip_is_kept(tmp_path, kind):
    frames = np.zeros((12, 90, 160), dtype=np.uint8)
    if kind == "noise":
        frames = np.random.default_rng(0).integers(0, 256, frames.shape, dtype=np.uint8)
    elif kind == "gradient":
        frames = frames + np.arange(160, dtype=np.uint8)
    write_video(tmp_path / "empty room.avi", frames)
    with pytest.warns(UserWarning, match=r"empty room\.avi: no face found"):
        faces = read_faces(tmp_path / "empty room.avi")
    assert len(faces) == 12 and not faces.found.any() and not faces.crops.any()
    assert not face_features(on_clock(faces, 0.5)).any()


def test_the_face_of_a_real_recording_is_found_and_steady(recorded):
    path = recorded("ravdess_video") / "Actor_01" / "01-01-01-01-01-01-01.mp4"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(path)
    assert faces.found.mean() > 0.97 and faces.crops.shape == (99, FACE_SIZE, FACE_SIZE)
    # A face is darker at the eyes than on the cheeks, and left and right alike.
    face = faces.crops.mean(axis=0)
    assert face[16:22, 8:40].mean() < face[24:30, 8:40].mean() - 5
    assert np.corrcoef(face.ravel(), face[:, ::-1].ravel())[0, 1] > 0.6
    steps = on_clock(faces, 3.3)
    assert face_features(steps).shape == (n_video_frames(3.3), N_HOG + 1) and steps.found[1:].mean() > 0.97
    video = read_video(path, longest=320)  # 320 x 180: head and shoulders in the middle
    x, y, side = face_boxes(video).T  # NaN would fail, too
    assert (np.abs(x - 160) < 20).all() and (np.abs(y - 84) < 10).all() and ((side > 90) & (side < 120)).all()
    assert np.abs(np.diff([x, y, side])).max() < 1.0
    assert_followed(video)


def assert_followed(video):
    """A real face, pasted onto a gray wall, goes along a known path, grows, and is hidden for a while."""
    still = video.frames[50][6:176, 75:245]  # 170 x 170, the face about in the middle
    in_still = face_boxes(Video(still[None], np.zeros(1)))[0]
    n, size = 36, np.linspace(100, 130, 36).round().astype(int)
    corner = np.stack([np.linspace(20, 180, n), 30 + 15 * np.sin(np.arange(n) / 6)], axis=1).round().astype(int)
    frames = np.full((n, 200, 340), 230, dtype=np.uint8)
    expected = np.zeros((n, 3))
    for i, (left, top) in enumerate(corner):
        face = cv2.resize(still, (size[i], size[i]), interpolation=cv2.INTER_AREA)
        frames[i, top : top + size[i], left : left + size[i]] = face
        expected[i] = in_still * size[i] / 170 + (left, top, 0)
    frames[10:13] = 230  # for 0.12 s
    frames[20:30] = 230  # for 0.4 s
    boxes = face_boxes(Video(frames, (np.arange(n) + 0.5) * VIDEO_HOP))
    found = ~np.isnan(boxes[:, 0])
    assert found[:20].all() and not found[20:30].any() and found[30:].all()
    apart = np.abs(boxes - expected)[found]
    assert np.median(apart[:, :2]) < 2 and apart[:, :2].max() < 10
    assert (apart[:, 2] / expected[found, 2]).max() < 0.15
