"""What a figure to touch is made of: sliders, rows of marks, numbers; how they become a page, a still, a widget."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import ipywidgets

from sertut.progress import static
from sertut.show.marks import PAGES, Mark


class Control(NamedTuple):
    """A slider, or without a step a box to tick."""

    name: str
    label: str
    value: float
    low: float = 0
    high: float = 1
    step: float | None = 1


class Row(NamedTuple):
    """One drawing of a figure: its legend as (class, text), its height in pixels, the marks of its axis."""

    says: tuple[tuple[str, str], ...]
    tall: int
    axis: tuple[str, ...] = ()


class Drawing(NamedTuple):
    """What the sliders make of a figure: marks of each row, a text for each slider, a sentence, lengths of bars."""

    rows: list[list[Mark]]
    out: dict[str, str]
    said: str
    bars: Mapping[str, float] = {}


@dataclass(frozen=True, eq=False)
class Touchable:
    """A figure to touch: with a kernel a widget, in a book that is read without one a piece of HTML with a script."""

    model: str
    title: str
    alt: str
    controls: tuple[Control, ...]
    data: Mapping[str, Any]
    draw: Callable[[Mapping[str, float]], Drawing] = field(repr=False)
    rows: tuple[Row, ...] = ()
    kept: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float]:
        """Where the sliders stand at first."""
        return {control.name: control.value for control in self.controls}

    @property
    def html(self) -> str:
        """The page's piece of text: still picture, sliders, numbers, script."""
        return self._page("page", self.values, f"sertut-{uuid.uuid4().hex}")

    def still(self, values: Mapping[str, float]) -> str:
        """The picture alone, for some places of the sliders."""
        return self._page("bare", values)

    def _page(self, macro: str, values: Mapping[str, float], name: str = "") -> str:
        template: Any = PAGES.get_template("touch.html").module
        return str(getattr(template, macro)(name, self, self.draw(values), values))

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        shown = {} if static() else dict(sliders(self)._repr_mimebundle_() or {})
        return shown | {"text/html": self.html, "text/plain": self.alt}


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
