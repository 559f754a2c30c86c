"""A button that records the reader's voice in the browser, where a kernel runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


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
