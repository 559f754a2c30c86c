"""What needs a kernel: choosing clips with the mouse, and a button that records the reader's voice in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from sertut.evidence import Example, Report
from sertut.progress import static
from sertut.show.weights import attention


def explore(report: Report, draw: Callable[[Example], Any] = attention) -> Any:
    """Look at the attention of any clip: choose one in the list, which is in the order of the emotions.

    Where ``SERTUT_STATIC`` is set (the book is made that way: a page has no kernel), the picture of the typical clip of
    the first emotion instead.

    Args:
        draw: what to show of a clip, any function that takes an example, such as ``sertut.show.queries``.
    """
    if static():
        return draw(report.typical(1)[0])
    clips = sorted(enumerate(report.predictions.clips), key=lambda pair: report.emotions.index(pair[1].emotion))
    choices = [(f"{clip.emotion}, {clip.speaker}, {clip.name}", i) for i, clip in clips]
    chooser = ipywidgets.interactive(lambda clip: draw(report[clip]), clip=choices)
    chooser.auto_display = True
    return chooser


class Recorder(anywidget.AnyWidget):
    """Record a voice of at most `seconds` with the microphone of the reader's browser, which asks before it gives it.

    Where there is none to be had, a sentence beside the button says why.

    Args:
        hear: called with the bytes of each recording: a sound file as the browser makes it, WebM, Ogg or MP4.
    """

    _esm = Path(__file__).with_name("recorder.js")
    seconds = traitlets.Int(30, help="After so many it stops by itself.").tag(sync=True)
    # Bytes arrive as a memoryview, which only a casting trait takes.
    sound = traitlets.CBytes(help="What the page sends; empty again at once.").tag(sync=True, echo_update=False)

    def __init__(self, hear: Callable[[bytes], Any], **traits: Any) -> None:
        super().__init__(**traits)
        self._hear = hear

    @traitlets.observe("sound")
    def _recorded(self, change: Any) -> None:
        if sound := change["new"]:
            self.sound = b""  # neither the kernel nor the page keeps it
            self._hear(sound)
