"""Many trainings: methods and recipes, peers without a network, protocols, resumable runs, reference results."""

from sertut.study.bands import beside_reference
from sertut.study.methods import build, recipe
from sertut.study.peers import fit_peer
from sertut.study.protocols import PROTOCOLS, Protocol, Training, protocol
from sertut.study.references import Study, load_study, published_numbers, reference, renewal, report_study
from sertut.study.running import run_study
