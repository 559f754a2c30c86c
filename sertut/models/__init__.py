"""Networks that put a mechanism to work. Each takes a Batch and returns an Output(logits, maps)."""

from sertut.models.output import Output
from sertut.models.recurrent import POOLINGS, AttentiveLSTM

__all__ = ["POOLINGS", "AttentiveLSTM", "Output"]
