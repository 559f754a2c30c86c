"""Where to compute."""

import torch

from sertut.errors import SertutError, unknown


def pick_device(name: str = "auto") -> torch.device:
    """The device behind "auto" (CUDA if there is one, else CPU), "cpu", "cuda", "cuda:1" or "mps".

    Raises:
        SertutError: the device is unknown or not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = name.split(":")[0]
    if kind not in ("cpu", "cuda", "mps"):
        raise unknown("device", name, ("auto", "cpu", "cuda", "mps"))
    if kind == "cuda" and not torch.cuda.is_available():
        raise SertutError("the device 'cuda' was asked for, but no CUDA GPU is visible; use device='auto' or 'cpu'.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise SertutError("the device 'mps' was asked for, but it is not available here; use device='auto' or 'cpu'.")
    if ":" in name and int(name.split(":")[1]) >= torch.cuda.device_count():
        raise SertutError(f"the device '{name}' was asked for, but there are {torch.cuda.device_count()} CUDA GPUs.")
    return torch.device(name)
