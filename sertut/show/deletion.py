"""What is lost when parts of each clip are removed."""

from sertut.evidence import Deletion
from sertut.show.curves import curves
from sertut.show.picture import Picture


def deletion(result: Deletion, *, score: str = "drop", title: str = "") -> Picture:
    """How far the decision falls when more and more of each clip is removed, one line a way of choosing what.

    Args:
        score: "drop", the fall of the probability of what was predicted, or "uar", the UAR on what is left.
    """
    names = {"attention": "most attention", "random": "random", "region": "true region", "loudest": "loudest"}
    measure = result.drop if score == "drop" else result.uar
    lines = {names[way]: [measure(way, share) for share in result.shares] for way in names if way in result.ways}
    ylabel = "fall of probability" if score == "drop" else "UAR"
    return curves(result.shares, lines, xlabel="share of the sounding steps removed", ylabel=ylabel, title=title)
