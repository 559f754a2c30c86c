"""From a video to its face: found, followed, cropped, and told in numbers, one row for each frame."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from sertut.video.frames import VIDEO_HOP, Video, period, read_video
from sertut.video.tracking import face_boxes, tracking_settings

FACE_SIZE = 48  # pixels a side of every crop
CELL = 6  # pixels a side of a cell: one histogram of directions each
BLOCK = 12  # pixels a side of a block: 2 x 2 cells that are brought to the same contrast
BINS = 6  # directions of an edge in 180 degrees, 30 degrees each
N_HOG = (FACE_SIZE // BLOCK) ** 2 * (BLOCK // CELL) ** 2 * BINS  # 384 columns
LONGEST = 640  # pixels of the longer side to which a recording is shrunk: enough for 48 x 48 of a face


@dataclass(frozen=True)
class Faces:
    """The face of a clip over time.

    crops: (N, 48, 48), uint8, gray; all 0 where no face was found. found: (N,), bool. times: (N,), seconds, the middle
    of each frame as in :class:`~sertut.video.frames.Video`.
    """

    crops: np.ndarray
    found: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.crops)


def find_faces(video: Video) -> Faces:
    """Find, follow and crop the face of a video; a 48 x 48 video is taken to be the crops themselves, all found."""
    if video.frames.shape[1:] == (FACE_SIZE, FACE_SIZE):
        return Faces(video.frames, np.ones(len(video), dtype=bool), video.times)
    boxes = face_boxes(video)  # (N, 3)
    found = ~np.isnan(boxes[:, 0])
    crops = np.zeros((len(video), FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    for i in np.flatnonzero(found):
        x, y, side = boxes[i]
        pixels = max(1, round(side))
        square = cv2.getRectSubPix(video.frames[i], (pixels, pixels), (x, y))  # between pixels, or it would tremble
        crops[i] = cv2.resize(square, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA)
    return Faces(crops, found, video.times)


def read_faces(path: Path | str) -> Faces:
    """Read a video and find its face; where there is none a warning names the file, and `found` is False throughout.

    Raises:
        VideoError: as :func:`~sertut.video.frames.read_video`.
    """
    faces = find_faces(read_video(path, longest=LONGEST))
    if not faces.found.any():
        warnings.warn(f"{path}: no face found; the clip is kept, its face stream is masked.", stacklevel=2)
    return faces


def n_video_frames(seconds: float) -> int:
    """Steps of 0.04 s whose middle lies within `seconds`; at least one."""
    return max(1, int(seconds / VIDEO_HOP + 0.5 + 1e-9))


def on_clock(faces: Faces, seconds: float) -> Faces:
    """The same face on the library's clock, whatever the camera's rate was: step t is at (t + 0.5) * 0.04 s.

    Each step takes the frame that is nearest in time. A step with no frame within a period of the camera is not found.

    Args:
        seconds: length of the clip's sound.
    """
    times = (np.arange(n_video_frames(seconds)) + 0.5) * VIDEO_HOP
    halfway = (faces.times[1:] + faces.times[:-1]) / 2
    nearest = np.searchsorted(halfway, times)  # (T_v,)
    near = np.abs(faces.times[nearest] - times) < period(faces.times) - 1e-6
    found = faces.found[nearest] & near
    return Faces(faces.crops[nearest] * found[:, None, None].astype(np.uint8), found, times)


def face_features(faces: Faces) -> torch.Tensor:
    """Histograms of oriented gradients: for each 6 x 6 pixels of a face, how strong its edges are in each direction.

    Returns:
        shape (N, 385), float32: 384 columns in 0..1, then 1.0 where a face was found; all 0 where none was.

    Source: Dalal & Triggs, Histograms of oriented gradients for human detection, CVPR 2005.
    """
    table = np.zeros((len(faces), N_HOG + 1), dtype=np.float32)
    hog = cv2.HOGDescriptor((FACE_SIZE,) * 2, (BLOCK,) * 2, (BLOCK,) * 2, (CELL,) * 2, BINS)
    for i in np.flatnonzero(faces.found):
        table[i, :N_HOG] = hog.compute(faces.crops[i])
        table[i, N_HOG] = 1.0
    return torch.from_numpy(table)


def relative_face_features(faces: Faces) -> torch.Tensor:
    """:func:`face_features` relative to their mean over the clip: what moves in a face stays, whose face it is goes.

    So, too, goes an expression that lasts as long as the clip.

    Returns:
        shape (N, 385), float32.
    """
    table = face_features(faces)
    if faces.found.any():
        table[faces.found, :N_HOG] -= table[faces.found, :N_HOG].mean(dim=0)
    return table


FACE_FEATURES: dict[str, tuple[Callable[[Faces], torch.Tensor], int]] = {
    "hog": (face_features, N_HOG),
    "hog_relative": (relative_face_features, N_HOG),
}
"""Name of each feature of the face -> its function and its number of columns, the last one (found or not) left out."""


def face_settings() -> str:
    """All that the values of the face features depend on; part of the key under which they are cached."""
    return f"{FACE_SIZE}-{VIDEO_HOP:g}-{LONGEST}-{tracking_settings()}-{BLOCK}-{CELL}-{BINS}-v1"
