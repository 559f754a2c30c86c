"""The maker of the corpora with known truth: sentences, voices, faces, mixtures; no chapter needs it opened."""

from sertut.planted.variants import ABOUT, load
