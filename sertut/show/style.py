"""One look for every picture: a color means the same thing on every page, and color-blind readers can follow.

The colors are the eight of Okabe and Ito plus a light gray (M. Okabe, K. Ito, Color Universal Design, 2008; B. Wong,
Points of view: color blindness, Nature Methods 8:441, 2011). No picture relies on color alone:
roles differ in marker or line too.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from matplotlib.patheffects import withStroke

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GRAY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#BBBBBB"

ROLES = {
    "attention": BLUE,
    "region": GREEN,  # where the emotion is known to be
    "decoy": VERMILION,  # what is there to mislead
    "energy": PURPLE,  # the level of the sound, and weights that follow it
    "uniform": BLACK,
    "center": YELLOW,
    "untrained": SKY,
    "reference": GRAY,  # the runs that were made beforehand
    "own": ORANGE,  # the reader's own run
}
"""What a color stands for, in every chapter."""

STREAMS = {"voice": BLUE, "face": ORANGE}
"""The color of what is heard and of what is seen, where both are in one picture."""

MARKERS = dict(attention="o", uniform="s", energy="^", center="D", untrained="v", reference="o", own="D")
"""The marker that goes with a role's color."""

EMOTIONS = {
    "neutral": GRAY,
    "calm": SKY,
    "happiness": ORANGE,
    "sadness": BLUE,
    "anger": VERMILION,
    "fear": PURPLE,
    "disgust": GREEN,
    "surprise": YELLOW,
    "boredom": BLACK,
}
"""The color of each emotion, in every chapter."""

HATCHES = dict(
    calm="..", happiness="//", sadness="\\\\", anger="xx", fear="||", disgust="--", surprise="++", boredom="oo"
)
"""What a filled area of an emotion has beside its color; neutral and emotions of a reader's own corpus have none."""

OTHER = "#6B4E3D"  # brown: an emotion, or a baseline, that this page does not know

SPARE = (OTHER, "#882255", "#44AA99", "#999933", "#332288", "#AA4499")
"""Colors of emotions that only a reader's own corpus knows (the first is OTHER, the rest are P. Tol's "muted")."""

HEAT = "cividis"
"""Color map of shares and counts: dark is little, bright is much, and it survives every color vision."""
SPECTRUM = "magma"
"""Color map of spectrograms."""

RIM = [withStroke(linewidth=3, foreground="white")]
"""What keeps letters readable on whatever they stand."""

WIDTH = 5.8  # inches: 638 pixels, which fit into the text column; a phone shows them at a bit more than half that width

RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same picture
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "figure.facecolor": "white",  # never transparent: the book has a dark mode
    "savefig.facecolor": "white",
    "hatch.linewidth": 0.5,
    "figure.dpi": 110,
    "savefig.dpi": 220,  # two pixels where a page has one, for fine screens
}


def look() -> AbstractContextManager[None]:
    """Draw inside this block with the book's settings; those of the reader's session stay as they are."""
    return matplotlib.rc_context(RC)


def emotion_color(emotion: str, among: Iterable[str] = ()) -> str:
    """The emotion's fixed color; for one that is not in :data:`EMOTIONS`, its own `among` those of a picture."""
    unknown = sorted({emotion, *among} - set(EMOTIONS))
    return EMOTIONS[emotion] if emotion in EMOTIONS else SPARE[unknown.index(emotion) % len(SPARE)]
