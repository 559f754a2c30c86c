"""Hear a clip and see where the model attends, or watch its face: one piece of HTML, without network and kernel."""

import io
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import matplotlib
import numpy as np

from sertut.corpora import Clip
from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.show import marks
from sertut.show.picture import numbers
from sertut.show.strips import as_example, describe_truth, face_of, say_lost
from sertut.show.style import ROLES, SPECTRUM
from sertut.show.weights import by_emotion, describe, time_weights, uniform_level
from sertut.show.words import decoys, known_spans, length, spans, stream_of, verdict, where
from sertut.signals import SAMPLE_RATE
from sertut.video import Faces, write_video

WIDE, WAVEFORM = 600, 80  # the drawing's own units; the page scales it
BELOW, LOOK, AXIS = 92, 85, 28  # the weights, or what belongs to a face; the weights alone; seconds
LONGEST_SOUND, LARGEST_VIDEO = 40_000, 95_000  # bytes: 53 and 127 kB as text
FACE_WIDE = 288  # pixels on the page, 6 for each of the face's
STILLS = 6


@dataclass(frozen=True)
class Player:
    """A clip to hear, or to see and hear; a notebook shows it, `html` is the page's piece of text."""

    html: str
    alt: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.alt


def player(
    shown: Clip | Example | Mapping[str, Example], *, title: str | None = None, alt: str | None = None
) -> Player:
    """Play a clip while a cursor runs over its waveform, its attention and its true region.

    The page holds everything: sound, drawing and script. A click on the drawing, or the arrow keys on the slider, moves
    to another place; a button shows the spectrogram instead of the waveform. Where scripts are not allowed, the drawing
    remains. Of several players on a page one plays. Buttons switch between the heads of a map, between its emotions, or
    between several networks.

    Args:
        shown: a clip, before any network has an opinion of it, what ``report[i]`` gives, or, by name, what several
            networks make of one clip.
        title: by default what the clip is, and what the model took it for.
        alt: the text alternative, by default where the attention is, or the emotion of a clip.

    Raises:
        SertutError: several networks do not look at one clip, or one has no map.
    """
    views = dict(shown) if isinstance(shown, Mapping) else _views(as_example(shown))
    clips, bare = {one.clip.name for one in views.values()}, [one for one in views.values() if one.map is None]
    if isinstance(shown, Mapping) and (len(clips) != 1 or bare):
        raise SertutError("give what each network makes of one and the same clip, and only networks that have a map.")
    example, judged = next(iter(views.values())), not isinstance(shown, Clip)
    misleads = f"; the decoy is {spans(decoys(example))}" if decoys(example) else ""
    known = f"{length(example):.1f} s of {_name(example)}{where(example)}{misleads}"
    text = alt or (describe(example) if judged else known)
    title = title or ("" if judged else _name(example))
    return _page(views, text, [stream_of(example)], title=title, audio=_audio(numbers(example.samples)))


def watch(shown: Clip | Example) -> Player:
    """Play the face of a clip with its sound, as the network gets it: 25 frames a second of 48 x 48 pixels, enlarged.

    Below it runs the cursor over waveform, attention and true regions, that of the voice above that of the face, and it
    stands in words where the emotion is known to be. Where no video can be played, a strip of frames remains.

    Args:
        shown: a clip, or an example, of which the decision and the peak of the map are told, too.

    Raises:
        SertutError: the clip has no video.
    """
    example, judged = as_example(shown), isinstance(shown, Example)
    face = face_of(example)
    stills = face.crops[np.linspace(0, len(face) - 1, STILLS).round().astype(int)]  # side by side, if no video plays
    truth = " ".join([*describe_truth(example), *say_lost(face)])
    alt = f"Video with sound, {length(example):.1f} s of {_name(example)} {truth}"
    alt, title = (f"{alt} {describe(example)}", "") if judged else (alt, _name(example))
    parts = {"video": _video(face, numbers(example.samples)), "stills": marks.picture(np.hstack(list(stills)), "png")}
    return _page(_views(example), alt, ["voice", "face"], title, caption=truth, screen=FACE_WIDE, **parts)


def _views(example: Example) -> dict[str, Example]:
    """What one can switch between: all heads and each head, or the emotion that is heard and the others."""
    map_ = example.map
    if map_ is not None and map_.axes[0] == "head" and map_.weights.shape[1] > 1:
        each = {f"head {h + 1}": replace(example, map=map_.head(h)) for h in range(map_.weights.shape[1])}
        return {"all heads": example, **each}
    if map_ is not None and by_emotion(example):
        each = {name: replace(example, map=map_.emotion(k)) for k, name in enumerate(example.emotions)}
        return {example.predicted: each.pop(example.predicted), **each}
    return {"": example}


def _page(views: Mapping[str, Example], alt: str, streams: list[str], title: str, **parts: Any) -> Player:
    """The template filled in; the id tells the shapes of this drawing from those of others on the page."""
    example = next(iter(views.values()))
    parts |= {"alt": alt, "title": title or verdict(example), "roles": ROLES, "seconds": f"{length(example):.2f}"}
    parts["views"] = [_view(name, one, title) for name, one in views.items()]
    parts["views"][0]["alt"] = alt
    parts |= {"wide": WIDE, "high": WAVEFORM, "below": LOOK}
    parts |= _drawing(example, streams) | {"legend": _legend(example, streams), "spectrogram": _spectrogram(example)}
    return Player(marks.PAGES.get_template("playback.html").render(id=f"sertut-{uuid.uuid4().hex}", **parts), alt)


def _name(example: Example) -> str:
    return f"{example.clip.speaker}, {example.clip.emotion}: {example.clip.sentence}"


def _audio(samples: np.ndarray) -> str:
    """The sound as a data address: FLAC, or AAC if it is long, in an MP4 file, which has a table of times.

    Without such a table a place in the clip is not found again: in a bare FLAC file Chromium's player dies of a late
    seek, and in Ogg Vorbis it goes on up to 1 s beside the time that it shows. MP3 decoders start up to 50 ms late.
    """
    pcm = np.round(32767 * np.clip(samples, -1, 1)).astype(np.int16)
    whole = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    whole.sample_rate, whole.pts = SAMPLE_RATE, 0
    for codec, kind in (("flac", "s16"), ("aac", "fltp")):
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono", format=kind)
            assert isinstance(stream, av.AudioStream)
            stream.codec_context.open()  # from now on it knows how many samples a frame has
            cut = av.AudioResampler(kind, "mono", SAMPLE_RATE, stream.codec_context.frame_size)
            for piece in (*cut.resample(whole), *cut.resample(None), None):
                container.mux(stream.encode(piece))
        if len(buffer.getvalue()) <= LONGEST_SOUND:
            break
    return marks.address("audio/mp4", buffer.getvalue())


def _video(face: Faces, samples: np.ndarray) -> str:
    """The video as a data address: each pixel a square of 2 x 2, which more decoders take, or single if it is long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.mp4"
        for scale in (2, 1):
            write_video(path, face.crops, samples, scale=scale)
            if path.stat().st_size <= LARGEST_VIDEO:
                break
        return marks.address("video/mp4", path.read_bytes())


def _spectrogram(example: Example) -> str:
    """The upper 70 dB of the log-mel spectrogram as a data address: a pixel each frame and band."""
    table = numbers(example.spectrogram).T[::-1]  # low frequencies at the bottom
    colors = matplotlib.colormaps[SPECTRUM]((table - table.max() + 70) / 70, bytes=True)
    return marks.picture(colors[..., :3], "webp", quality=60)


def _drawing(example: Example, streams: list[str]) -> dict[str, Any]:
    """What the template draws: marks in boxes of 1000 x 100, and, in the drawing's units, where boxes and ticks lie."""
    seconds = length(example)
    base = WAVEFORM + (BELOW if example.map is not None or "face" in streams else 0)
    half, tall = base // 2, base + AXIS
    drawn: dict[str, Any] = {"base": base, "tall": tall, "waveform": marks.waveform(example.samples)[1], "spans": []}
    for stream in streams:  # the waveform, above, is the voice's; a face has what is below
        top, bottom = (half if stream == "face" else 1), (tall - 1 if stream == streams[-1] else half - 2)
        drawn["spans"].append((top, bottom - top, marks.spans_of(example, stream)))
    every = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 3600) if seconds / step <= 8)
    times = np.arange(0, seconds - 0.3 * every, every)
    drawn["ticks"] = [(round(time / seconds * WIDE, 1), f"{time:g}{'' if time else ' s'}") for time in times]
    return drawn


def _view(name: str, example: Example, title: str) -> dict[str, str]:
    """What a button shows: if there is a map, its weights over time and the uniform level as paths; title and text."""
    view = {"name": name, "title": title or verdict(example), "alt": f"{name}: {describe(example)}"}
    if example.map is not None:
        weights, borders = time_weights(example)
        x, dx = (1000 * part / length(example) for part in (borders[0], borders[1] - borders[0]))
        drawn = marks.weigh(weights, x, dx, uniform_level(example))
        view |= {"weights": drawn[0][1], "uniform": drawn[1][1]}
    return view


def _legend(example: Example, streams: list[str]) -> list[tuple[str, str]]:
    face, two = " (face)" if stream_of(example) == "face" else "", len(streams) > 1
    names = [("attention", f"attention{face}"), ("uniform", "uniform (dotted)")] if example.map is not None else []
    known = {role for stream in streams for role, _ in known_spans(example, stream)}
    if "region" in known:
        names.append(("region", f"true region{' (voice above, face below)' if two else face}"))
    if "decoy" in known:
        names.append(("decoy", "decoy (face, dashed)" if face and not two else "decoy (dashed)"))
    return names
