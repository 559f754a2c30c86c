"""Networks that put a mechanism to work. Each takes a Batch and returns an Output(logits, maps)."""

from sertut.models.audiovisual import AudioVisual
from sertut.models.base import Network, Output, redraw
from sertut.models.convolutional import TRUNKS, FullyConvolutional
from sertut.models.multihead import MultiHead
from sertut.models.recurrent import POOLINGS, AttentiveLSTM
