"""What every model returns, how one is built again from its arguments, and how its weights are drawn."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from sertut.attention.maps import AttentionMap
from sertut.errors import SertutError
from sertut.tensors import digest

PLAIN = (str, int, float, bool, tuple, type(None))
"""Types of what sets a network up."""


@dataclass(frozen=True)
class Output:
    """logits: (B, C), unnormalized scores of the C emotions. maps: attention maps by name, if the model has any.

    auxiliary: in training, a loss of the model's own that needs no labels, to be added to that of the labels.
    """

    logits: Tensor
    maps: Mapping[str, AttentionMap] = field(default_factory=dict)
    auxiliary: Tensor | None = None


class Network(nn.Module):
    """A module that remembers the arguments it was built with, so that a saved run can build it again."""

    def __new__(cls, *args, **kwargs):
        """As usual; then :attr:`arguments` are noted."""
        self = super().__new__(cls)
        given = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs)  # nothing is given to a copy
        self.__dict__["arguments"] = dict(list(given.arguments.items())[1:])
        return self


def redraw(module: nn.Module) -> None:
    """Draw all weights of `module` anew from torch's current random state.

    A module with ``reset_parameters`` does it itself, for all that it holds; a :class:`SertutError` if one without it
    holds parameters of its own.
    """
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    if next(module.parameters(recurse=False), None) is not None:
        raise SertutError(f"{type(module).__name__} has parameters but no reset_parameters(); add one.")
    for child in module.children():
        redraw(child)


def architecture(model: nn.Module) -> str:
    """Digest of what a network is, its weights aside: classes, plain settings such as ``pooling``, names and shapes."""
    modules = []
    for name, module in model.named_modules():
        settings = {key: repr(it) for key, it in vars(module).items() if isinstance(it, PLAIN) and key[0] != "_"}
        for state in ("training", "pretrained"):  # of its weights, not of what it computes
            settings.pop(state, None)
        modules.append([name, type(module).__qualname__, settings])
    return digest([modules, [(name, tuple(value.shape)) for name, value in model.state_dict().items()]])
