"""What a figure to touch is made of: sliders, rows of marks, numbers; how they become a page, a still, a widget."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sertut.progress import static
from sertut.show.marks import PAGES, Mark
from sertut.show.widgets import sliders


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
    """What the sliders make of a figure: marks of each row, lengths of bars, a text for each slider, a sentence."""

    rows: list[list[Mark]]
    bars: dict[str, float]
    out: dict[str, str]
    said: str


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
