"""Is the map right, and is the claim true? Scores beside what chance and simple baselines get."""

from sertut.evidence.cells import localize_cells
from sertut.evidence.claims import Claim
from sertut.evidence.examples import Example, Selection
from sertut.evidence.lags import Offsets, offsets, recovered_offset
from sertut.evidence.level import loudness
from sertut.evidence.localization import METRICS, Localization, localize, stored
from sertut.evidence.mixture import (
    entropy,
    fit_temperature,
    mixture_error,
    tempered,
    true_shares,
    vote_shares,
)
from sertut.evidence.pooled import Pooled, PooledScores
from sertut.evidence.position import Rotation, rotate
from sertut.evidence.reach import head_use
from sertut.evidence.removal import Deletion, deletion, pooled_deletion
from sertut.evidence.report import Report, evaluate
from sertut.evidence.shifts import Shifts, pooled_shifts, shift_test
from sertut.evidence.streams import PooledStreams, Streams, compare_streams
from sertut.evidence.tally import Tally

__all__ = [
    "METRICS",
    "Claim",
    "Deletion",
    "Example",
    "Localization",
    "Offsets",
    "Pooled",
    "PooledScores",
    "PooledStreams",
    "Report",
    "Rotation",
    "Selection",
    "Shifts",
    "Streams",
    "Tally",
    "compare_streams",
    "deletion",
    "entropy",
    "evaluate",
    "fit_temperature",
    "head_use",
    "localize",
    "localize_cells",
    "loudness",
    "mixture_error",
    "offsets",
    "pooled_deletion",
    "pooled_shifts",
    "recovered_offset",
    "rotate",
    "shift_test",
    "stored",
    "tempered",
    "true_shares",
    "vote_shares",
]
