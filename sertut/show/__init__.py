"""Pictures, each with a text alternative made from the same data; a player to hear what the maps weigh."""

from sertut.show import touch
from sertut.show.cellmaps import receptive_field, regions
from sertut.show.drawings import mechanism
from sertut.show.estimates import curves, deletion, differences, dots, localization, shifts
from sertut.show.headmaps import focus, focus_map, gates, gates_over, heads, received
from sertut.show.mixing import mixture, mixtures, shares
from sertut.show.picture import Picture
from sertut.show.playback import Player, player, watch
from sertut.show.recognition import confusion, history, reliability
from sertut.show.ridges import alignment, offset_errors, offsets
from sertut.show.strips import filmstrip, perception, two_streams
from sertut.show.style import EMOTIONS, ROLES, emotion_color, look
from sertut.show.tables import corpus, heatmap, padding, pixels, spectrogram, spectrograms
from sertut.show.weights import attention, attentions
from sertut.show.widgets import Recorder, explore
