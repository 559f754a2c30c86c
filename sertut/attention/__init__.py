"""One attention mechanism a file, nothing but the mechanism."""

from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.pooling import AttentionPooling, MixturePooling, max_pooling, mean_pooling
from sertut.attention.softmax import masked_softmax

__all__ = [
    "AttentionMap",
    "AttentionPooling",
    "Clock",
    "MixturePooling",
    "masked_softmax",
    "max_pooling",
    "mean_pooling",
]
