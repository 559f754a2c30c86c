"""Many trainings: protocols, resumable runs, reports."""

from sertut.study.protocols import PROTOCOLS, Protocol, Training, build, protocol, recipe
from sertut.study.report import Study, load_study, reference, report_study
from sertut.study.run import run_study

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
