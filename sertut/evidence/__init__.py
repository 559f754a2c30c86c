"""Is the map right, and is the claim true? Scores beside what chance and simple baselines get."""

from sertut.evidence.cells import localize_cells
from sertut.evidence.claims import Claim
from sertut.evidence.confidence import calibrate, judge_confidence
from sertut.evidence.examples import Example, Selection
from sertut.evidence.gates import gate_use
from sertut.evidence.lags import offsets, recovered_offset
from sertut.evidence.length import at_lengths, in_segments, joined
from sertut.evidence.level import loudness
from sertut.evidence.localization import localize
from sertut.evidence.mixture import (
    entropy,
    fit_temperature,
    mixture_error,
    tempered,
    true_shares,
    vote_shares,
)
from sertut.evidence.perclip import ClipScores
from sertut.evidence.position import Rotation, rotate
from sertut.evidence.preference import own_preference
from sertut.evidence.reach import head_use
from sertut.evidence.removal import deletion
from sertut.evidence.report import Report, evaluate
from sertut.evidence.shifts import shift_table, shift_test
from sertut.evidence.streams import compare_streams, stream_table
from sertut.evidence.sums import Tally
from sertut.evidence.timecourse import judge_courses, read_moments
