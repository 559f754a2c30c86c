"""What is lost when parts of each clip are removed."""

from sertut.evidence import Tally
from sertut.show.curves import curves
from sertut.show.picture import Picture
from sertut.show.style import BLACK, MARKERS, ROLES

WAYS = {
    "attention": ("most attention", (ROLES["attention"], MARKERS["attention"], "-")),
    "loudest": ("loudest", (ROLES["energy"], MARKERS["energy"], "--")),
    "random": ("random", (BLACK, "x", ":")),
    "region": ("true region", (ROLES["region"], "P", "-.")),
}
"""Way of choosing -> its name in print, and its color, marker and line."""


def deletion(result: Tally, *, score: str = "drop", title: str = "") -> Picture:
    """How far the decision falls when more and more of each clip is removed, one line a way of choosing what.

    Args:
        score: "drop", the fall of the probability of what was predicted, or "uar", the UAR on what is left.
    """
    shown = {way: looks for way, looks in WAYS.items() if way in result.tables}
    return curves(
        result.settings,
        {
            name: [result.at(share).interval(way, score) for share in result.settings]
            for way, (name, _) in shown.items()
        },
        xlabel="share of the sounding steps removed",
        ylabel="fall of probability" if score == "drop" else "UAR",
        styles=[style for _, style in shown.values()],
        title=title,
    )
