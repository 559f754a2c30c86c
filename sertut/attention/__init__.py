"""One attention mechanism a file, nothing but the mechanism."""

from sertut.attention.alignment import Alignment, synchrony_loss
from sertut.attention.calibration import HeadGate
from sertut.attention.focus import Focus, gaussian_bias
from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.perception import PerceptionAttention
from sertut.attention.pooling import AttentionPooling, MixturePooling, deviation, max_pooling, mean_pooling
from sertut.attention.selfattention import MultiHeadAttention
from sertut.attention.softmax import masked_softmax
from sertut.attention.spectrogram import SpectrogramAttention, mean_over_cells
