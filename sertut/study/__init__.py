"""Many trainings: methods and recipes, protocols, resumable runs, reference results and a reader's run beside them."""

from sertut.study.bands import beside_reference
from sertut.study.methods import build, recipe
from sertut.study.protocols import PROTOCOLS, Protocol, Training, protocol
from sertut.study.references import Study, load_study, reference, renewal, report_study
from sertut.study.running import run_study
