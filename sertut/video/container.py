"""Opening files that hold pictures, sound or both, and saying clearly what is wrong with one that cannot be used."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import av

from sertut.errors import AudioError, SertutError, VideoError

_LFS_POINTER = b"version https://git-lfs"
_ERRORS: dict[str, type[SertutError]] = {"audio": AudioError, "video": VideoError}
_SLACK_SECONDS = 0.2  # headers count a last frame that is never shown, and round

# By default FFmpeg moves the first picture of an MP4 to 0 s and leaves its sound: RAVDESS would be a frame out of step.
_READ_OPTIONS = {"advanced_editlist": "0"}


def check_file(path: Path, kind: str) -> None:
    """Raise an error of the `kind` ("audio" or "video") unless `path` is a file that holds something."""
    error = _ERRORS[kind]
    if not path.is_file():
        raise error(f"{path} does not exist; check the path or the corpus folder.")
    if is_lfs_pointer(path):
        raise error(f"{path} is a Git LFS pointer, not {kind}; run `git lfs pull` in its repository.")
    if path.stat().st_size == 0:
        raise error(f"{path} is an empty file; fetch it again.")


def is_lfs_pointer(path: Path) -> bool:
    """Whether Git LFS left a placeholder, some 130 bytes of text, instead of the file."""
    if path.stat().st_size > 1000:
        return False
    with path.open("rb") as file:
        return file.read(len(_LFS_POINTER)) == _LFS_POINTER


def riff_is_cut(path: Path) -> bool:
    """Whether the header of a WAV or AVI promises more bytes than the file has (decoders repair that in silence)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return False
        promised = int.from_bytes(file.read(4), "little")
    # Streamed files carry 0 or 0xFFFFFFFF for "unknown"; a missing pad byte is common and harmless.
    return promised not in (0, 0xFFFFFFFF) and promised + 8 > size + 1


def decode(path: Path, kind: str) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Decode the first stream of `kind`, "audio" or "video", frame by frame in the order of the decoder.

    Raises:
        AudioError, VideoError: the file is missing, cannot be decoded, has no such stream, or ends too early.
    """
    end = 0.0  # of the last packet of any stream: the sound may well be shorter than the pictures
    with _opened(path, kind) as container:
        wanted = getattr(container.streams, kind)[0]
        wanted.codec_context.thread_count = 1  # many clips are read side by side; threads inside each would only wait
        for packet in container.demux():
            if packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream is wanted:
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                    yield frame
        announced = ((container.start_time or 0) + (container.duration or 0)) / av.time_base
        rate = container.streams.video[0].average_rate if container.streams.video else None
    if riff_is_cut(path) or end < announced - max(_SLACK_SECONDS, 4 / float(rate or 25)):
        raise _ERRORS[kind](f"{path} is cut short: it ends before its header says; fetch it again.")


def start_of_sound(path: Path) -> float:
    """When the sound starts, seconds on the file's own clock; where there is no sound, when the file starts."""
    with _opened(path, "video") as container:
        for frame in container.decode(audio=0) if container.streams.audio else ():
            return float(frame.time or 0.0)
        return (container.start_time or 0) / av.time_base


@contextlib.contextmanager
def _opened(path: Path, kind: str) -> Iterator[av.container.InputContainer]:
    """Open a container with a stream of `kind`; whatever FFmpeg finds wrong meanwhile becomes one clear sentence."""
    check_file(path, kind)
    try:
        with av.open(path, options=_READ_OPTIONS) as container:
            if not getattr(container.streams, kind):
                without = "has no sound" if kind == "audio" else "has no pictures, only sound"
                raise _ERRORS[kind](f"{path} {without}; fetch the version that has, or leave it out.")
            yield container
    except av.FFmpegError as problem:
        raise _ERRORS[kind](
            f"{path} cannot be read as {kind} ({problem.strerror}); fetch it again or remove it."
        ) from problem
