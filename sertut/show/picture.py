"""What every plot returns: a figure together with the sentence that says what it shows."""

import base64
import contextlib
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sertut.show.style import RC, WIDTH, look


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure and its text alternative, composed from the same data.

    As the last line of a notebook cell it shows itself; the alternative text goes into the output's metadata, where the
    book takes it from. `figure` is an ordinary matplotlib figure, open to changes until the picture is shown.
    """

    figure: Figure
    alt: str

    @functools.cached_property
    def png(self) -> bytes:
        """The picture as PNG."""
        buffer = io.BytesIO()
        with look():
            self.figure.savefig(buffer, format="png")
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}
        width = round(self.figure.get_figwidth() * RC["figure.dpi"])  # on the page; the picture is finer
        return data, {"image/png": {"alt": self.alt, "width": width}}


@contextlib.contextmanager
def canvas(rows: int = 1, columns: int = 1, *, height: float, **options) -> Iterator[tuple[Figure, np.ndarray]]:
    """A fresh figure in the book's look, with a (rows, columns) array of axes; height: inches.

    The figure stays outside pyplot: nothing shows it a second time and nothing has to close it.
    """
    with look():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
        for axis in axes.flat:
            for text in (axis.set_title(""), axis.xaxis.label, axis.yaxis.label):
                text.set_wrap(True)  # what is to come goes on in another line where it would be cut
        yield figure, axes


@contextlib.contextmanager
def chart(*, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A canvas with one pair of axes."""
    with canvas(height=height) as (figure, axes):
        yield figure, axes[0, 0]


def numbers(values: torch.Tensor | np.ndarray) -> np.ndarray:
    """The values as a NumPy array, wherever they were."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def listed(items: list[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
