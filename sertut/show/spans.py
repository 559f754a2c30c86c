"""Where the emotion is known to be in a clip, in the voice and in the face, and how these spans are drawn and said."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from sertut.corpora import Region
from sertut.evidence import Example
from sertut.show.picture import listed
from sertut.show.style import ROLES

EDGES = {"region": "-", "decoy": "--"}
"""Line of a span's edges, so that what misleads is not told by its color alone."""

STILL = 0.005
"""Seconds; an offset that is smaller is called none."""


def stream_of(example: Example) -> str:
    """What the example's map is about: "voice", also without a map, or "face"."""
    return "voice" if example.map is None else example.map.stream


def true_regions(example: Example, stream: str | None = None) -> list[Region]:
    """The spans in which a stream, by default that of the map, is known to carry the emotion."""
    stream = stream or stream_of(example)
    return [region for region in example.clip.regions if region.stream == stream]


def decoys(example: Example, stream: str | None = None) -> list[Region]:
    """The span made to mislead (a neutral word made loud, another expression), if the corpus says where it is."""
    stream, details = stream or stream_of(example), example.clip.details
    if stream == "face":
        span = details.get("decoy_face")
        return [Region(span[0], span[1], "face")] if isinstance(span, tuple) else []
    start, end = details.get("decoy_start"), details.get("decoy_end")
    return [Region(start, end)] if isinstance(start, float) and isinstance(end, float) else []


def known_offset(example: Example) -> float | None:
    """By how many seconds the face lags the voice, if the corpus says it."""
    offset = example.clip.details.get("offset")
    return float(offset) if isinstance(offset, int | float) else None


def draw_regions(
    axis: Axes, example: Example, *, stream: str | None = None, outline: str | None = None, up: bool = False
) -> None:
    """Shade the true regions and the decoy of a stream, by default that of the map.

    Args:
        outline: a color to mark only the edges with, which hides no data. up: time goes up, not across.
    """
    span, line = (axis.axhspan, axis.axhline) if up else (axis.axvspan, axis.axvline)
    for role, regions in (("region", true_regions(example, stream)), ("decoy", decoys(example, stream))):
        for region in regions:
            if not outline:
                span(region.start, region.end, color=ROLES[role], alpha=0.18, lw=0, zorder=0)
            for edge in (region.start, region.end):
                line(edge, color=outline or ROLES[role], lw=1.5, ls=EDGES[role])


def span_handles(examples: Sequence[Example], *streams: str) -> list[Patch]:
    """Entries of a legend for the spans that any of the examples has, in the streams of the maps and in `streams`."""
    handles = []
    for role, name, find in (("region", "true region", true_regions), ("decoy", "decoy", decoys)):
        if any(find(example, stream) for example in examples for stream in (None, *streams)):
            color = ROLES[role]
            handles.append(Patch(facecolor=color + "40", edgecolor=color, ls=EDGES[role], label=name))
    return handles


def spans(regions: Sequence[Region]) -> str:
    """``0.90 to 1.15 s and 1.60 to 1.95 s``."""
    return listed([f"{region.start:.2f} to {region.end:.2f} s" for region in regions])


def say_offset(example: Example) -> list[str]:
    """A sentence about the face's offset, none if it is not known."""
    offset = known_offset(example)
    if offset is None:
        return []
    return [f"The face comes {later(offset)} {'as' if abs(offset) < STILL else 'than'} the voice."]


def later(offset: float) -> str:
    """``0.32 s later``, said of the face."""
    return f"{abs(offset):.2f} s {'later' if offset > 0 else 'earlier'}" if abs(offset) >= STILL else "at the same time"
