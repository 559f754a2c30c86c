"""Is the map right, and is the claim true? Scores beside what chance and simple baselines get."""

from sertut.evidence.cells import localize_cells
from sertut.evidence.claims import Claim
from sertut.evidence.confidence import calibrate, judge_confidence
from sertut.evidence.examples import Example, Selection
from sertut.evidence.lags import offsets, recovered_offset, shift_table, shift_test
from sertut.evidence.length import at_lengths, in_segments, joined
from sertut.evidence.level import loudness
from sertut.evidence.localization import localize
from sertut.evidence.mixture import entropy, fit_temperature, mixture_error, tempered, true_shares, vote_shares
from sertut.evidence.perclip import ClipScores
from sertut.evidence.preference import judge_courses, own_preference, read_moments
from sertut.evidence.reach import gate_use, head_use
from sertut.evidence.removal import Rotation, deletion, rotate
from sertut.evidence.report import Report, evaluate
from sertut.evidence.streams import compare_streams, stream_table
from sertut.evidence.sums import Tally
