"""What holds for every mechanism: it is its equations, it trains throughout, and padding gets nothing."""

import itertools

import pytest
import torch
from torch import nn

from sertut.attention import (
    Alignment,
    AttentionPooling,
    HeadGate,
    MixturePooling,
    MultiHeadAttention,
    PerceptionAttention,
    SpectrogramAttention,
)
from sertut.signals import length_mask
from tests.attention import plain

LENGTHS = {"t": [5, 1, 3], "s": [4, 1, 6]}  # of the three clips; the second is a single step
SIZES = {"b": 3, "t": 5, "s": 6, "d": 8, "e": 6, "f": 2, "h": 4, "k": 3}
TENSORS = {"states": "btd", "keys": "bse", "cells": "bdft", "heads": "bhtk", "level": "bt", "lags": "ts"}
MASKS = {"mask": "t", "key mask": "s"}


def gated(module: nn.Module) -> nn.Module:
    """With hidden units of the gate that are open: a new one may have none, and is then the same for every clip."""
    for part in module.modules():
        if isinstance(part, HeadGate):
            nn.init.uniform_(part.squeeze.bias, 0.5, 1.0)
    return module


# Name -> what builds it, the tensors that it takes, the axes of what it returns, its equations.
POOLS, ALIGNS, ATTENDS = ("states", "mask"), ("states", "keys", "mask", "key mask", "lags"), ("states", "mask", "level")
MECHANISMS = {
    "soft attention": (lambda: AttentionPooling(8, 6), POOLS, ("bd", "bt"), plain.soft_attention),
    "mixture": (lambda: MixturePooling(8, 3, 6), POOLS, ("bk", "bt"), plain.mixture),
    "perception": (lambda: PerceptionAttention(8, 3, 2, 6), POOLS, ("bk", "bkt"), plain.perception),
    "one embedding": (lambda: PerceptionAttention(8, 3, shared=True), POOLS, ("bk", "bkt"), plain.perception),
    "perception, spread": (lambda: PerceptionAttention(8, 3, spread=True), POOLS, ("bk", "bkt"), plain.perception),
    "cells": (lambda: SpectrogramAttention(8, 6, scale=0.7), ("cells", "mask"), ("bd", "btf"), plain.cells),
    "gate": (lambda: gated(HeadGate(4)), ("heads", "mask"), ("bh",), plain.head_gate),
    **{
        f"alignment, {score}{', one lag' * one_lag}": (
            lambda score=score, one_lag=one_lag: Alignment(8, 6, 5, score, one_lag),
            ALIGNS,
            ("bte", "bts"),
            plain.alignment,
        )
        for score, one_lag in itertools.product(("additive", "product"), (False, True))
    },
    **{
        f"heads, {focus}{', gates' * calibrate}": (
            lambda focus=focus, calibrate=calibrate: gated(MultiHeadAttention(8, 4, focus, calibrate)),
            ATTENDS,
            ("btd", "bhtt", "bh")[: 2 + calibrate],
            plain.multi_head,
        )
        for focus, calibrate in itertools.product((None, "learned", "loudest"), (False, True))
    },
}


def tensor(name: str) -> torch.Tensor:
    """Values on the padding too: they must not matter."""
    if name in MASKS:
        return length_mask(torch.tensor(LENGTHS[MASKS[name]]))
    if name == "lags":  # both streams at 25 steps a second
        return 0.04 * (torch.arange(5.0)[:, None] - torch.arange(6.0)).double()
    values = torch.randn([SIZES[axis] for axis in TENSORS[name]], dtype=torch.float64)
    return values.masked_fill(~tensor("mask"), 99.0) if name == "level" else values  # padding is the loudest


def of_clip(values: torch.Tensor, axes: str, clip: int) -> torch.Tensor:
    """What belongs to one clip, without padding."""
    if axes[0] == "b":
        values, axes = values[clip], axes[1:]
    for place, axis in enumerate(axes):
        if axis in LENGTHS:
            values = values.narrow(place, 0, LENGTHS[axis][clip])
    return values


@pytest.fixture(params=MECHANISMS)
def case(request):
    """(module, names of its tensors, tensors, axes of what it returns, its equations)"""
    build, names, axes, equations = MECHANISMS[request.param]
    return build().double(), names, [tensor(name) for name in names], axes, equations


def returned(module, tensors) -> list[torch.Tensor]:
    found = module(*tensors)
    return [part for part in found if part is not None] if isinstance(found, tuple) else [found]


def test_it_is_its_equations_whatever_stands_beside_a_clip(case):
    """Also for a clip of a single step, which gets all the weight."""
    module, names, tensors, axes, equations = case
    found = returned(module, tensors)
    for clip in range(3):
        given = [of_clip(x, TENSORS[n], clip).tolist() for n, x in zip(names, tensors, strict=True) if n not in MASKS]
        for part, of_part, expected in zip(found, axes, equations(module, *given), strict=True):
            expected = torch.tensor(expected, dtype=torch.float64)
            torch.testing.assert_close(of_clip(part, of_part, clip), expected, atol=1e-6, rtol=1e-6)


def test_padding_gets_no_weight(case):
    module, _, tensors, axes, _ = case
    for part, of_part in list(zip(returned(module, tensors), axes, strict=True))[1:2]:
        real = sum(int(of_clip(part, of_part, clip).count_nonzero()) for clip in range(3))
        assert real == part.count_nonzero() > 0


def test_gradients(case):
    module, names, tensors, _, _ = case
    learned = [name in ("states", "keys", "cells", "heads") for name in names]
    tensors = [x.requires_grad_() if wanted else x for x, wanted in zip(tensors, learned, strict=True)]
    assert torch.autograd.gradcheck(lambda *x: returned(module, x)[0], tensors, fast_mode=True)


def test_every_parameter_is_trained(case):
    module, _, tensors, _, _ = case
    returned(module, tensors)[0].square().sum().backward()
    for name, parameter in module.named_parameters():
        largest = parameter.grad.abs().max().item()
        if name == "key.bias":  # it adds the same to all scores of a query, which the softmax takes away
            assert largest < 1e-10
        else:
            assert largest > 1e-8, name
