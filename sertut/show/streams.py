"""The attention of two networks of one clip: one has only heard it, the other has only seen it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sertut.errors import SertutError
from sertut.evidence import Example
from sertut.show.faces import STRIP, draw_faces, face_of, finish, keep_square, legend_below, strip_rows, weight_handles
from sertut.show.maps import certainty, describe_peak, draw_own_attention, faint_waveform
from sertut.show.picture import Picture
from sertut.show.sound import numbers
from sertut.show.spans import draw_regions, known_offset, later, say_offset, span_handles, stream_of, true_regions
from sertut.show.style import BLACK, STREAMS, look
from sertut.signals import SAMPLE_RATE


def two_streams(voice: Example, face: Example, n: int = 12, *, title: str | None = None) -> Picture:
    """The attention of two networks of the same clip on one axis: one has only heard it, the other has only seen it.

    The true regions are green; the arrow between their rows is the known offset of the face.

    Args:
        voice, face: the clip as each network judged it; their maps are on the clock of their own stream.
        n: frames of the face that are drawn.

    Raises:
        SertutError: the examples are of two clips, or a map is missing or of the other stream.
    """
    for example, stream in ((voice, "voice"), (face, "face")):
        if example.map is None or stream_of(example) != stream:
            raise SertutError(
                f"the example of the {stream} has no attention to it; pass one of a network that attends to it."
            )
    if voice.clip.name != face.clip.name:
        raise SertutError(
            f"the voice is of clip {voice.clip.name}, the face of clip {face.clip.name}; pass one clip twice."
        )
    with look():
        figure, rows = strip_rows([1.0, 0.5, 1.0, STRIP / n])
        for row, example, stream in ((rows[0], voice, "voice"), (rows[2], face, "face")):
            draw_own_attention(row, example, STREAMS[stream])
            row.set_ylabel(f"{stream}:\nweight")
            draw_regions(row, example)
        faint_waveform(rows[0], numbers(voice.samples))
        _draw_offset(rows[1], voice)
        draw_faces(rows[3], face, face_of(face), n)
        said = listed_verdicts(voice, face)
        finish(figure, rows, voice, title or f"{voice.clip.speaker}, {voice.clip.emotion}.\nPredicted: {said}")
        handles = [
            Line2D([], [], color=STREAMS[stream], lw=2, label=f"attention, {stream}") for stream in ("voice", "face")
        ]
        legend_below(figure, [*handles, weight_handles()[1], *span_handles([voice, face])])
        keep_square(figure, rows, rows[3], n)
    clip, seconds = voice.clip, len(voice.samples) / SAMPLE_RATE
    text = [f"Attention of two networks over {seconds:.1f} s of a clip of {clip.speaker}, {clip.emotion}."]
    text += [f"That of the {stream_of(example)}: {describe_peak(example)}." for example in (voice, face)]
    return Picture(figure, " ".join([*text, *say_offset(voice), f"Predicted: {said}."]))


def listed_verdicts(voice: Example, face: Example) -> str:
    """``anger by voice (0.61), fear by face (0.93)``."""
    pairs = ((voice, "voice"), (face, "face"))
    return ", ".join(f"{example.predicted} by {stream} ({certainty(example):.2f})" for example, stream in pairs)


def _draw_offset(axis: Axes, example: Example) -> None:
    """An arrow from the voice's region to where the face follows, with what it says in words."""
    axis.axis("off")
    offset, regions = known_offset(example), true_regions(example, "voice")
    axis.set_ylim(0, 1)
    if offset is None or not regions:
        return
    start = (regions[0].start + regions[0].end) / 2
    axis.plot([start] * 2, [0.5, 1], color=STREAMS["voice"], lw=1.5)
    axis.plot([start + offset] * 2, [0, 0.5], color=STREAMS["face"], lw=1.5)
    axis.annotate("", (start + offset, 0.5), (start, 0.5), arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1.8})
    seconds, ends = len(example.samples) / SAMPLE_RATE, sorted((start, start + offset))
    early = sum(ends) < seconds  # then there is more room on the right
    at = ends[1] + 0.03 * seconds if early else ends[0] - 0.03 * seconds
    axis.text(at, 0.5, f"face {later(offset)}", ha="left" if early else "right", va="center")
