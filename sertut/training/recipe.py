"""How to train, and where: the settings of one training, checked when they are made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from sertut.errors import SertutError, must_be_known, unknown
from sertut.signals import FEATURES
from sertut.video import FACE_FEATURES


@dataclass(frozen=True)
class Recipe:
    """How to train. The learning rate rises over the first tenth of the steps, then falls along a cosine to 0.

    keep: which epoch's weights the run keeps: "best" on dev, or the "last" (where dev is too small to choose by).
    average: decay of a running average of the weights; where it is not 0, the average is tested and kept.
    similar: batches of clips of similar length, cut to the shortest: no padding. whole: similar, but none
    cut: stretched to one length where there is `stretch`, else padded.
    stretch, gain, frequency_mask, time_mask: what may happen to a training clip each time it is seen, drawn uniformly:
    faster or slower by this share, louder or softer by so many standard deviations, and twice each up to as many mel
    bands or frames blanked; see :func:`sertut.training.data.distorted`. voices: share of the training clips that are
    heard in another voice. balanced: every class weighs the same in the loss, however many clips it has.
    precision: "float32", the same on every processor; "bfloat16"; or "auto", bfloat16 on a CUDA device that has it.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    clip_norm: float = 1.0  # longest gradient
    keep: str = "best"
    average: float = 0.0
    similar: bool = False
    whole: bool = False
    precision: str = "float32"
    feature: str = "log_mel"
    face: str = ""  # feature of the face, e.g. "hog"; "" for networks that only hear
    stretch: float = 0.0
    gain: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    voices: float = 0.0
    balanced: bool = False

    def precision_on(self, device: torch.device) -> str:
        """What `precision` comes to on a device: "float32" or "bfloat16"."""
        if self.precision != "auto":
            return self.precision
        return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


def make_recipe(**options) -> Recipe:
    """A :class:`Recipe`; a misspelled option is an error that names the nearest one, an unknown feature too."""
    names = [field.name for field in dataclasses.fields(Recipe)]
    for name in options:
        must_be_known("option of fit", name, names)
    recipe = Recipe(**options)
    must_be_known("feature", recipe.feature, FEATURES)
    must_be_known("feature of the face", recipe.face or "hog", FACE_FEATURES)
    must_be_known("value of keep", recipe.keep, ("best", "last"))
    must_be_known("value of precision", recipe.precision, ("float32", "bfloat16", "auto"))
    if recipe.whole and not recipe.similar:
        raise SertutError("whole says how clips of similar length are put into a batch; set similar=True, too.")
    if recipe.face and recipe.stretch:
        raise SertutError("stretch would move the voice against the face; leave it out where faces are seen.")
    if recipe.frequency_mask and not FEATURES[recipe.feature].mel_starts:
        raise SertutError(f"'{recipe.feature}' has no mel bands; leave frequency_mask out, or use log_mel.")
    return recipe


def pick_device(name: str = "auto") -> torch.device:
    """The device behind "auto" (CUDA if there is one, else CPU), "cpu", "cuda", "cuda:1" or "mps".

    A :class:`SertutError` if it is unknown or not there. On CUDA, float32 then means float32: its convolutions and
    LSTMs would else round their inputs to 10 bits (TF32).
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind not in count or (":" in name and not index.isdecimal()):
        raise unknown("device", name, ("auto", *count))
    if int(index or 0) >= count[kind]:
        raise SertutError(f"'{name}' was asked for, but of {kind} there are {count[kind]} here; use 'auto' or 'cpu'.")
    if kind == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)
