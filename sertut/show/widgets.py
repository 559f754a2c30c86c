"""Choosing clips with the mouse where a kernel runs; the same picture without it where none does."""

from __future__ import annotations

import os

from sertut.evidence import Example, Report
from sertut.show.picture import Picture
from sertut.show.weights import attention


def explore(report: Report, *, static: bool | None = None):
    """Look at the attention of any clip: choose an emotion, then a clip.

    Args:
        static: return the picture of the typical clip of the first emotion instead; by default so where
            ``SERTUT_STATIC=1`` (the book is made that way: a page has no kernel) or ipywidgets is missing.

    Returns:
        a widget, or a :class:`Picture`.
    """
    if static is None:
        static = os.environ.get("SERTUT_STATIC", "") not in ("", "0")
    if not static:
        try:
            return _widget(report)
        except ImportError:
            pass
    return attention(report.typical(1)[0])


def _widget(report: Report):
    import ipywidgets

    clips = report.predictions.clips
    by_emotion = {
        emotion: [(f"{clip.speaker}, {clip.name}", i) for i, clip in enumerate(clips) if clip.emotion == emotion]
        for emotion in report.emotions
        if any(clip.emotion == emotion for clip in clips)
    }
    first = next(iter(by_emotion))
    emotion = ipywidgets.Dropdown(options=list(by_emotion), value=first, description="emotion")
    clip = ipywidgets.Dropdown(options=by_emotion[first], description="clip")
    picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))
    text = ipywidgets.Label()

    def other_emotion(change) -> None:
        clip.options = by_emotion[change["new"]]  # selects the first clip, which draws it

    def other_clip(change) -> None:
        if change["new"] is not None:
            _draw(report[change["new"]])

    def _draw(example: Example) -> None:
        drawn: Picture = attention(example)
        picture.value, picture.alt, text.value = drawn.png, drawn.alt, drawn.alt

    emotion.observe(other_emotion, names="value")
    clip.observe(other_clip, names="value")
    _draw(report[clip.value])
    return ipywidgets.VBox([ipywidgets.HBox([emotion, clip]), picture, text])
