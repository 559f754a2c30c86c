"""Where to compute."""

import torch

from sertut.errors import SertutError, unknown


def pick_device(name: str = "auto") -> torch.device:
    """The device behind "auto" (CUDA if there is one, else CPU), "cpu", "cuda", "cuda:1" or "mps".

    On CUDA, float32 then means float32: its convolutions and LSTMs would else round their inputs to 10 bits (TF32).

    Raises:
        SertutError: the device is unknown or not there.
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
