"""Fit, predict, measure."""

from sertut.training.augment import Augment
from sertut.training.device import pick_device
from sertut.training.fitting import Recipe, Run, fit
from sertut.training.prediction import Predictions, predict

__all__ = ["Augment", "Predictions", "Recipe", "Run", "fit", "pick_device", "predict"]
