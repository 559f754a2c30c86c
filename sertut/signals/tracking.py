"""Where the face is, frame by frame."""

from __future__ import annotations

import numpy as np

from sertut.signals.video import Video


def face_boxes(video: Video) -> np.ndarray:
    return np.full((len(video), 3), np.nan)
