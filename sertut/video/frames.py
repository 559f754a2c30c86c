"""Reading and writing video: any common file in, gray frames with their times out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from sertut.errors import VideoError
from sertut.files import writing
from sertut.video.container import decode, start_of_sound

VIDEO_RATE = 25
"""Frames a second of every face stream inside the library."""

VIDEO_HOP = 1 / VIDEO_RATE
"""Seconds from one frame of a face stream to the next: 0.04 s."""

SOUND_RATE = 16_000
"""Samples a second of the sound beside the pictures: that of :mod:`sertut.signals`, which builds on this room."""

# The same frames must give the same file: no version of FFmpeg in it, one thread, no shortcuts of one processor.
_CONTAINER = {"fflags": "+bitexact"}
_EXACT = {"flags": "+bitexact"}
_FFV1 = {"level": "1", "threads": "1", **_EXACT}  # level 1: no checksums, half of the bytes of a tiny picture
_H264 = {"crf": "18", "threads": "1", "x264-params": "cpu-independent=1", **_EXACT}


@dataclass(frozen=True)
class Video:
    """Gray pictures, each with its time.

    frames: (N, height, width), uint8. times: (N,), the middle of the span for which each frame is shown, seconds from
    the first sample of the file's sound (from the file's start where it has no sound).
    """

    frames: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def period(self) -> float:
        """Seconds from one frame to the next, the median where they vary; one step of 0.04 s for a single frame."""
        return period(self.times)


def period(times: np.ndarray) -> float:
    """Median distance of neighboring `times`, (N,), in seconds; VIDEO_HOP where there is but one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else VIDEO_HOP


def read_video(path: Path | str, longest: int | None = None) -> Video:
    """Read MP4, AVI, FLV, MKV, MOV or WebM at its own frame rate, constant or not.

    Args:
        longest: shrink frames, as they are decoded, until no side has more pixels than this; None keeps them.

    Raises:
        VideoError: the file is missing, not a video, without pictures, damaged or cut short.
    """
    path = Path(path)
    frames: list[np.ndarray] = []
    stamps: list[float | None] = []
    for frame in decode(path, "video"):
        assert isinstance(frame, av.VideoFrame)
        if not frames:
            shrink = min(1.0, longest / max(frame.height, frame.width)) if longest else 1.0
            height, width = (max(1, round(side * shrink)) for side in (frame.height, frame.width))
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
        frames.append(small.to_ndarray())
        stamps.append(frame.time)
    if not frames:
        raise VideoError(f"{path} holds no frame that can be decoded; fetch it again or remove it.")
    starts = np.array([np.nan if stamp is None else stamp for stamp in stamps])
    order = starts.argsort()  # H.264 without a stated delay may come out in another order than it is shown
    starts = starts[order]
    if np.isnan(starts).any() or not (np.diff(starts) > 0).all():
        raise VideoError(f"{path} has frames without a time of their own; convert it to MP4 with FFmpeg.")
    return Video(np.stack([frames[i] for i in order]), starts + period(starts) / 2 - start_of_sound(path))


def write_video(path: Path | str, frames: np.ndarray, samples: np.ndarray | None = None, scale: int = 1) -> None:
    """Write frames, 25 a second, as a video, with sound if `samples` are given; the format follows the file name.

    ``.avi`` keeps every pixel (FFV1) and 16 bits of a sample; ``.mp4`` is for browsers (H.264, AAC) and keeps neither.

    Args:
        frames: (N, height, width), gray, uint8; for ``.mp4`` of even height and width.
        samples: (n,), float in -1..1, 16 kHz; starts with the first frame.
        scale: each pixel becomes a square of this many pixels a side, so that a small face can be looked at.

    Raises:
        VideoError: there are no frames, or the file name ends otherwise.
    """
    path = Path(path)
    if path.suffix not in (".avi", ".mp4"):
        raise VideoError(f"{path} must end in .avi (keeps every pixel) or .mp4 (for browsers); choose one of them.")
    if len(frames) == 0:
        raise VideoError(f"{path} would hold no frames; leave it out.")
    lossless = path.suffix == ".avi"
    with writing(path) as temporary, av.open(temporary, "w", options=_CONTAINER) as container:
        codec, options = ("ffv1", _FFV1) if lossless else ("libx264", _H264)
        picture: Any = container.add_stream(codec, rate=VIDEO_RATE, options=options)
        picture.pix_fmt = "gray" if lossless else "yuv420p"
        picture.height, picture.width = (side * scale for side in frames[0].shape)
        if samples is not None:
            codec = "pcm_s16le" if lossless else "aac"
            sound: Any = container.add_stream(codec, rate=SOUND_RATE, options=_EXACT, layout="mono")
        for frame in frames:
            pixels = np.ascontiguousarray(frame.repeat(scale, axis=0).repeat(scale, axis=1))
            container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
        container.mux(picture.encode())
        if samples is not None:
            for piece in _sound_frames(samples):
                container.mux(sound.encode(piece))
            container.mux(sound.encode())


def _sound_frames(samples: np.ndarray) -> Iterator[av.AudioFrame]:
    """Pieces of 1024 samples, the frame of AAC, with their time stamps."""
    whole = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
    for start in range(0, len(whole), 1024):
        frame = av.AudioFrame.from_ndarray(whole[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield frame
