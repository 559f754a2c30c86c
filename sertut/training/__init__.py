"""Fit, predict, measure; and keep what was fitted."""

from sertut.training.device import pick_device
from sertut.training.fitting import fit, fit_once
from sertut.training.prediction import Predictions, predict
from sertut.training.recipe import Recipe
from sertut.training.runs import Run, load_run
