"""Many trainings: protocols, resumable runs, reports."""

from sertut.study.grid import run_study
from sertut.study.protocols import PROTOCOLS, Protocol, Training, build, protocol, recipe
from sertut.study.reference import Study, load_study, reference, report_study

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "Study",
    "Training",
    "build",
    "load_study",
    "protocol",
    "recipe",
    "reference",
    "report_study",
    "run_study",
]
