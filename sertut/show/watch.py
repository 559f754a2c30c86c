"""Watch and hear a face: one piece of HTML with the video inside, which needs no network and no kernel."""

from __future__ import annotations

import base64
import html
import io
import tempfile
from pathlib import Path

import matplotlib.image
import numpy as np

from sertut.corpora import Clip
from sertut.evidence import Example
from sertut.show.picture import numbers
from sertut.show.player import Player
from sertut.show.strips import describe_truth, face_of, say_lost, unjudged
from sertut.show.weights import describe
from sertut.show.words import verdict
from sertut.signals import SAMPLE_RATE
from sertut.video import VIDEO_RATE, Faces, write_video

LARGEST = 95_000  # bytes of video, 127 kB as text
WIDE = 288  # pixels on the page, 6 for each of the face's
STILLS = 6

PAGE = """\
<figure class="sertut-video" style="background:#fff; color:#111; border:1px solid #bbb; border-radius:6px;
  padding:10px; max-width:704px; margin:8px 0; font:15px/1.4 sans-serif; box-sizing:border-box; color-scheme:light">
<video controls playsinline preload="auto" width="%wide%" height="%wide%" style="max-width:100%; background:#000"
  aria-label="%alt%" src="%video%"><img src="%stills%" alt="%alt%" style="max-width:100%"></video>
<figcaption><strong>%title%</strong><br>%caption%</figcaption>
</figure>
"""


def watch(shown: Clip | Example, *, title: str | None = None) -> Player:
    """Play the face of a clip with its sound, as the network gets it: 25 frames a second of 48 x 48 pixels, enlarged.

    Below it stands in words where the emotion is known to be. Where no video can be played, a strip of frames remains.

    Args:
        shown: a clip, or an example, of which the decision and the peak of the map are told, too.
        title: by default what the clip is, or what the model took it for.

    Raises:
        SertutError: the clip has no video.
    """
    judged = isinstance(shown, Example)
    example = shown if isinstance(shown, Example) else unjudged(shown)
    face, clip = face_of(example), example.clip
    name = f"{clip.speaker}, {clip.emotion}: {clip.sentence}"
    truth = [*describe_truth(example), *say_lost(face)]
    alt = [f"Video with sound, {len(example.samples) / SAMPLE_RATE:.1f} s of {name}", *truth]
    parts = {
        "title": html.escape(title or (verdict(example) if judged else name)),
        "caption": html.escape(" ".join(truth)),
        "alt": html.escape(" ".join([*alt, describe(example)] if judged else alt), quote=True),
        "video": _video(face, numbers(example.samples)),
        "stills": _stills(face),
        "wide": str(WIDE),
    }
    page = PAGE
    for key, value in parts.items():
        page = page.replace(f"%{key}%", value)
    return Player(page, html.unescape(parts["alt"]))


def _video(face: Faces, samples: np.ndarray) -> str:
    """The video as a data address: each pixel a square of 2 x 2, which more decoders take, or single if it is long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.mp4"
        for scale in (2, 1):
            write_video(path, face.crops, VIDEO_RATE, samples, scale=scale)
            if path.stat().st_size <= LARGEST:
                break
        return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _stills(face: Faces) -> str:
    """Some frames side by side as a data address."""
    chosen = face.crops[np.linspace(0, len(face) - 1, STILLS).round().astype(int)]
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, np.hstack(list(chosen)), cmap="gray", vmin=0, vmax=255, format="png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
