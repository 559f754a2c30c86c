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
    try:
        device = torch.device(name)
    except RuntimeError:
        raise unknown("device", name, ("auto", "cpu", "cuda", "mps")) from None
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if device.type not in count:
        raise unknown("device", name, ("auto", *count))
    if (device.index or 0) >= count[device.type]:
        raise SertutError(
            f"the device '{name}' was asked for, but of {device.type} there are {count[device.type]} here; use"
            " device='auto' or 'cpu'."
        )
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return device
