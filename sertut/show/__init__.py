"""Pictures, each with a text alternative made from the same data; a player to hear what the maps weigh."""

from sertut.show.alignment import alignment
from sertut.show.corpora import corpus
from sertut.show.estimates import differences, dots, localization
from sertut.show.faces import filmstrip
from sertut.show.focus import focus, focus_map
from sertut.show.gates import gates, gates_over
from sertut.show.heads import heads, received
from sertut.show.heatmap import heatmap
from sertut.show.maps import attention, attentions, mixture
from sertut.show.mixtures import mixtures, shares
from sertut.show.offset_panels import offset_errors, offsets
from sertut.show.perception import perception
from sertut.show.picture import Picture
from sertut.show.playback import Player, player, watch
from sertut.show.recognition import confusion, history
from sertut.show.regions import receptive_field, regions
from sertut.show.sound import padding, spectrogram, waveform
from sertut.show.streams import two_streams
from sertut.show.style import EMOTIONS, ROLES, emotion_color, look
from sertut.show.varied import curves, deletion, shifts
from sertut.show.widgets import explore

__all__ = [
    "EMOTIONS",
    "ROLES",
    "Picture",
    "Player",
    "alignment",
    "attention",
    "attentions",
    "confusion",
    "corpus",
    "curves",
    "deletion",
    "differences",
    "dots",
    "emotion_color",
    "explore",
    "filmstrip",
    "focus",
    "focus_map",
    "gates",
    "gates_over",
    "heads",
    "heatmap",
    "history",
    "localization",
    "look",
    "mixture",
    "mixtures",
    "offset_errors",
    "offsets",
    "padding",
    "perception",
    "player",
    "received",
    "receptive_field",
    "regions",
    "shares",
    "shifts",
    "spectrogram",
    "two_streams",
    "watch",
    "waveform",
]
