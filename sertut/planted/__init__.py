"""The maker of the corpora with known truth: sentences, voices, faces, mixtures; no chapter needs it opened."""

from sertut.planted.variants import VARIANTS, load

__all__ = ["VARIANTS", "load"]
