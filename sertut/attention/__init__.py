"""One attention mechanism a file, nothing but the mechanism."""

from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.pooling import AttentionPooling, MixturePooling, max_pooling, mean_pooling
from sertut.attention.regions import RegionAttention, mean_over_cells
from sertut.attention.softmax import masked_softmax

__all__ = [
    "AttentionMap",
    "AttentionPooling",
    "Clock",
    "MixturePooling",
    "RegionAttention",
    "masked_softmax",
    "max_pooling",
    "mean_over_cells",
    "mean_pooling",
]
