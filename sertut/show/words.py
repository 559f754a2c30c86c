"""What is known of a clip, and how it is said: where voice and face carry the emotion, what misleads, who decided."""

from collections.abc import Sequence

from sertut.corpora import Region
from sertut.evidence import Example
from sertut.show.picture import listed
from sertut.signals import SAMPLE_RATE

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


def known_spans(example: Example, stream: str | None = None) -> list[tuple[str, Region]]:
    """Role, "region" or "decoy", and span of all that is known of a stream, by default that of the map."""
    roles = {"region": true_regions(example, stream), "decoy": decoys(example, stream)}
    return [(role, span) for role, found in roles.items() for span in found]


def known_offset(example: Example) -> float | None:
    """By how many seconds the face lags the voice, if the corpus says it."""
    offset = example.clip.details.get("offset")
    return float(offset) if isinstance(offset, int | float) else None


def length(example: Example) -> float:
    """Seconds."""
    return len(example.samples) / SAMPLE_RATE


def certainty(example: Example) -> float:
    """Probability of the predicted emotion."""
    return float(example.probabilities[list(example.emotions).index(example.predicted)])


def verdict(example: Example) -> str:
    """``actor 03, anger. Predicted: anger (0.93)``, the title of most pictures."""
    return f"{example.clip.speaker}, {example.clip.emotion}. Predicted: {example.predicted} ({certainty(example):.2f})"


def decided(example: Example) -> str:
    """``predicted anger with probability 0.93``."""
    return f"predicted {example.predicted} with probability {certainty(example):.2f}"


def of_clip(example: Example) -> str:
    """``2.4 s of a clip of actor 03, anger``."""
    return f"{length(example):.1f} s of a clip of {example.clip.speaker}, {example.clip.emotion}"


def spans(regions: Sequence[Region]) -> str:
    """``0.90 to 1.15 s and 1.60 to 1.95 s``."""
    return listed([f"{region.start:.2f} to {region.end:.2f} s" for region in regions])


def where(example: Example) -> str:
    """``; the true region is 0.90 to 1.15 s``, nothing if it is not known."""
    regions = true_regions(example)
    return f"; the true region is {spans(regions)}" if regions else ""


def say_offset(example: Example) -> str:
    """A sentence about the face's offset, nothing if it is not known."""
    offset = known_offset(example)
    if offset is None:
        return ""
    return f"The face comes {later(offset)} {'as' if abs(offset) < STILL else 'than'} the voice."


def later(offset: float) -> str:
    """``0.32 s later``, said of the face."""
    return f"{abs(offset):.2f} s {'later' if offset > 0 else 'earlier'}" if abs(offset) >= STILL else "at the same time"
