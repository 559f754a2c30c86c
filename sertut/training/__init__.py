"""Fit, predict, measure; and keep what was fitted."""

from sertut.training.fitting import fit, fit_once
from sertut.training.prediction import Predictions, predict
from sertut.training.recipe import Recipe, pick_device
from sertut.training.runs import Run, load_run
