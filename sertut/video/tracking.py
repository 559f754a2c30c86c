"""Where the face is, frame by frame: found in each frame alone, then followed, bridged and smoothed in time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import scipy

from sertut.video.frames import Video

DETECTOR = "haarcascade_frontalface_alt2.xml"
"""The trained cascade that OpenCV ships (Lienhart & Maydt 2002, after Viola & Jones 2001): boosted stumps on boxes."""

DETECTION_LONGEST = 320  # pixels of the longer side on which faces are looked for: a quarter of the work of 640
SMALLEST = 0.1  # smallest face, as a part of the longer side
SCALE_STEP = 1.1  # from one size of face that is looked for to the next
NEIGHBORS = 5  # overlapping finds that make one face
MARGIN = 1.1  # side of the crop over side of the detector's square, so that an open mouth stays inside
REACH = 0.5  # how far a face moves between two frames at most, in sides of its square
GROWTH = 1.4  # how much it grows or shrinks between two frames at most
BRIDGE_SECONDS = 0.2  # a longer gap is not filled, and after it the face may be elsewhere
SMALLEST_RUN = 3  # frames; a shorter sighting is a mistake of the detector
MEDIAN_FRAMES = 5  # single wrong squares go
SMOOTH_SECONDS = 0.08  # width (standard deviation) of the smoothing in time


def tracking_settings() -> str:
    """All that the boxes depend on, for the key under which features are cached."""
    numbers = (DETECTION_LONGEST, SMALLEST, SCALE_STEP, NEIGHBORS, MARGIN, REACH, GROWTH)
    in_time = (BRIDGE_SECONDS, SMALLEST_RUN, MEDIAN_FRAMES, SMOOTH_SECONDS)
    return "-".join([Path(DETECTOR).stem, *(f"{number:g}" for number in (*numbers, *in_time))])


def face_boxes(video: Video) -> np.ndarray:
    """The square around the most certain face of a video, followed through its frames.

    Each frame is searched alone. From the most certain find the face is followed forward and backward: the find near
    the last one is taken. Gaps of up to 0.2 s are filled, longer ones stay. Then the path is smoothed, since a square
    that trembles would look like a face that moves.

    Returns:
        shape (N, 3): center x, center y and side, pixels of the frame; NaN where no face was found.
    """
    finds = _search(video)
    boxes = _follow(finds, lost=max(1, round(BRIDGE_SECONDS / video.period)))
    for run in _runs(boxes, longest_gap=BRIDGE_SECONDS / video.period):
        # Median, then Gaussian: both look forward as far as back, so nothing lags.
        steady = scipy.ndimage.median_filter(boxes[run], size=(min(MEDIAN_FRAMES, len(boxes[run])), 1), mode="nearest")
        boxes[run] = scipy.ndimage.gaussian_filter1d(steady, SMOOTH_SECONDS / video.period, axis=0, mode="nearest")
    return boxes * (1.0, 1.0, MARGIN)


def _search(video: Video) -> list[np.ndarray]:
    """Finds of each frame, shape (K, 4): center x, center y, side, certainty; surest first."""
    # A classifier of one's own for each video: one object must not be used from two threads.
    classifier = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / DETECTOR))
    height, width = video.frames.shape[1:]
    shrink = min(1.0, DETECTION_LONGEST / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    smallest = round(SMALLEST * max(size))
    finds = []
    for frame in video.frames:
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        squares, _, certainty = classifier.detectMultiScale3(
            small, SCALE_STEP, NEIGHBORS, minSize=(smallest, smallest), outputRejectLevels=True
        )
        rows = [
            ((x + w / 2) / shrink, (y + h / 2) / shrink, w / shrink, c)
            for (x, y, w, h), c in zip(squares, certainty, strict=True)
        ]
        finds.append(np.array(sorted(rows, key=lambda row: -row[3])).reshape(-1, 4))
    return finds


def _follow(finds: list[np.ndarray], lost: int) -> np.ndarray:
    """One path through the finds, (N, 3), NaN where none fits; after more than `lost` frames without, any fits."""
    boxes = np.full((len(finds), 3), np.nan)
    sure = [rows[0, 3] if len(rows) else -np.inf for rows in finds]
    start = int(np.argmax(sure))
    if len(finds[start]) == 0:
        return boxes
    for order in (range(start, len(finds)), range(start - 1, -1, -1)):
        last, missing = finds[start][0, :3], 0
        for i in order:
            moved = np.hypot(*(finds[i][:, :2] - last[:2]).T) / last[2]
            grown = finds[i][:, 2] / last[2]
            near = (moved < REACH) & (grown > 1 / GROWTH) & (grown < GROWTH)
            fitting = finds[i][near | (missing > lost), :3]
            if len(fitting):
                boxes[i] = last = fitting[0]
            missing = 0 if len(fitting) else missing + 1
    return boxes


def _runs(boxes: np.ndarray, longest_gap: float) -> list[slice]:
    """Stretches in which the face is followed; gaps inside are filled, in `boxes` itself; shorter runs are erased."""
    seen = np.flatnonzero(~np.isnan(boxes[:, 0]))
    runs = []
    for part in np.split(seen, np.flatnonzero(np.diff(seen) - 1 > longest_gap) + 1):
        if len(part) < min(SMALLEST_RUN, len(boxes)):
            boxes[part] = np.nan
            continue
        run = slice(part[0], part[-1] + 1)
        for column in range(3):
            boxes[run, column] = np.interp(np.arange(run.start, run.stop), part, boxes[part, column])
        runs.append(run)
    return runs
