"""Choosing clips with the mouse and moving sliders where a kernel runs; a still page where none does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from sertut.evidence import Example, Report
from sertut.progress import static
from sertut.show.weights import attention

if TYPE_CHECKING:
    from sertut.show.touchable import Touchable


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


def sliders(figure: Touchable) -> ipywidgets.VBox:
    """The sliders of a figure to touch as widgets; the kernel draws what the page's script draws in a book."""
    page, knobs, seen = ipywidgets.HTML(), {}, set()
    for name, label, value, low, high, step in figure.controls:
        if step is None:
            knobs[name] = ipywidgets.Checkbox(bool(value), description=label)
        else:
            sizes = {"value": value, "min": low, "max": high, "step": step, "readout": False}
            knobs[name] = ipywidgets.FloatSlider(description=label, style={"description_width": "11em"}, **sizes)

    def draw(_=None) -> None:
        values: dict[str, Any] = {name: knob.value for name, knob in knobs.items()}
        if "lag" in values:
            seen.add(int(values["lag"]))
            values["seen"] = sorted(seen)
        page.value = figure.still(values)

    for knob in knobs.values():
        knob.observe(draw, "value")
    draw()
    return ipywidgets.VBox([*knobs.values(), page])
