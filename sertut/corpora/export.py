"""A clip as a film that any player shows: the face as the networks see it, enlarged, with the clip's sound."""

from __future__ import annotations

from pathlib import Path

from sertut.corpora.clip import Clip
from sertut.errors import CorpusError
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import on_clock, read_faces, write_video

SCALE = 6  # a face of 48 x 48 pixels becomes one of 288 x 288


def export_clip(clip: Clip, path: Path | str) -> None:
    """Write the face and the sound of a clip to one file, MP4; where no face was found, the picture is black.

    ``export_clip(sertut.load("planted")[0], "clip.mp4")``

    Args:
        path: ends in .mp4 (for browsers) or .avi (keeps every pixel).

    Raises:
        CorpusError: the clip has no video.
        AudioError, VideoError: a recording cannot be used, or the file name ends otherwise.
        SertutError: the file cannot be written.
    """
    if clip.video is None:
        raise CorpusError(f"'{clip.name}' has no video; take a clip of planted, or of a corpus that was filmed.")
    samples = read_audio(clip.audio)
    faces = on_clock(read_faces(clip.video), len(samples) / SAMPLE_RATE)
    write_video(path, faces.crops, samples, scale=SCALE)
