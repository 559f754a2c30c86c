"""Multi-head self-attention: a plain-loop version, PyTorch's own, the fast path, gradients, known limits."""

import itertools
import math

import pytest
import torch
from torch import nn

from sertut.attention import MultiHeadAttention
from sertut.errors import SertutError
from sertut.signals import length_mask

LENGTHS = torch.tensor([5, 1, 3])
MASK = length_mask(LENGTHS)  # (3, 5)
D, H = 8, 2
SETTINGS = list(itertools.product((None, "learned", "loudest"), (False, True)))
LEVEL = torch.tensor([[3.0, 9, 1, 2, 0], [4, 99, 99, 99, 99], [-5, -7, -2, 99, 99]])  # padding is the loudest


def states(dtype=torch.float64):
    """(B, T, D) with values on the padding too: they must not matter."""
    return torch.randn(3, 5, D, dtype=dtype)


def attention(focus=None, calibrate=False, **options):
    """A module with drawn biases, one unit of the gate open at least."""
    module = MultiHeadAttention(D, H, focus, calibrate, **options).double()
    if module.gate is not None:
        nn.init.uniform_(module.gate.squeeze.bias, 0.5, 1.0)
    return module


@pytest.fixture(params=SETTINGS, ids=lambda p: f"{p[0]}-{'gates' if p[1] else 'no gates'}")
def module(request):
    return attention(*request.param)


def loop(module, x, level):
    """One clip without padding, (T, D), (T,): the equations of the three modules, one number at a time."""
    n, d = len(x), D // H

    def dot(a, b):
        return sum(v * w for v, w in zip(a, b, strict=True))

    def linear(layer, row):
        return [dot(W, row) + b for W, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)]

    def sigma(v):
        return 1 / (1 + math.exp(-v))

    rows = x.tolist()
    Q, K, V = ([linear(layer, row) for row in rows] for layer in (module.query, module.key, module.value))
    g = [sum(q[k] for q in Q) / n for k in range(D)]
    weights, heads = [], []
    for h in range(H):
        own = slice(h * d, (h + 1) * d)
        weights.append([])
        for i in range(n):
            scores = [dot(Q[i][own], K[j][own]) / math.sqrt(d) for j in range(n)]
            if module.focus is not None:
                local, overall = linear(module.focus.local, Q[i]), linear(module.focus.overall, g)
                F = [math.tanh(a + b) for a, b in zip(local, overall, strict=True)][own]
                Z = n * sigma(dot(F, module.focus.to_width[h].tolist())) + 1
                if module.focus.center == "learned":
                    P = n * sigma(dot(F, module.focus.to_center[h].tolist()))
                else:
                    P = max(range(n), key=lambda j: level[j].item())
                scores = [e - 2 * (j - P) ** 2 / Z**2 for j, e in enumerate(scores)]
            total = sum(math.exp(e) for e in scores)
            weights[h].append([math.exp(e) / total for e in scores])
        heads.append([[sum(weights[h][i][j] * V[j][own][k] for j in range(n)) for k in range(d)] for i in range(n)])
    gates = None
    if module.gate is not None:
        s = [math.sqrt(sum(v * v for row in head for v in row) / (n * d)) for head in heads]
        gates = [sigma(v) for v in linear(module.gate.excite, [max(0, v) for v in linear(module.gate.squeeze, s)])]
    worth = gates or [1] * H
    joined = [[worth[h] * heads[h][i][k] for h in range(H) for k in range(d)] for i in range(n)]
    return [linear(module.join, row) for row in joined], weights, gates


def test_against_a_plain_loop(module):
    x = states()
    result, weights, gates = module(x, MASK, LEVEL)
    assert (gates is None) == (module.gate is None)
    for clip, n in enumerate(LENGTHS.tolist()):
        expected, A, w = loop(module, x[clip, :n], LEVEL[clip])
        torch.testing.assert_close(result[clip, :n], torch.tensor(expected, dtype=torch.float64))
        torch.testing.assert_close(weights[clip, :, :n, :n], torch.tensor(A, dtype=torch.float64))
        if gates is not None:
            torch.testing.assert_close(gates[clip], torch.tensor(w, dtype=torch.float64))


@pytest.mark.parametrize("n_heads", [1, 2, 8])
def test_plain_attention_equals_that_of_torch(n_heads):
    ours, theirs = MultiHeadAttention(D, n_heads), nn.MultiheadAttention(D, n_heads, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    nn.init.normal_(theirs.in_proj_bias)
    for layer, weight, bias in zip(parts, theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    ours.join.load_state_dict(theirs.out_proj.state_dict())
    x = states(torch.float32)
    result, weights, gates = ours(x, MASK)
    expected, their_weights = theirs(x, x, x, key_padding_mask=~MASK, average_attn_weights=False)
    real = MASK[:, None, :, None]
    torch.testing.assert_close(result[MASK], expected[MASK])
    torch.testing.assert_close(weights * real, their_weights * real)
    assert gates is None


def test_the_fast_path_equals_the_explicit_one(module):
    x = states()
    result, _, gates = module(x, MASK, LEVEL)
    fast, weights, fast_gates = module(x, MASK, LEVEL, maps=False)
    assert weights is None
    torch.testing.assert_close(fast, result)
    torch.testing.assert_close(fast_gates, gates)


def test_one_frame_gets_all_the_weight(module):
    x = states()
    result, weights, gates = module(x, MASK, LEVEL)
    assert weights[1, :, 0, 0].tolist() == [1] * H
    worth = torch.ones(H, dtype=torch.float64) if gates is None else gates[1]
    value = module.value(x[1, 0]).view(H, -1) * worth[:, None]
    torch.testing.assert_close(result[1, 0], module.join(value.flatten()))


def test_equal_scores_take_the_mean():
    module, x = attention(), states()
    nn.init.zeros_(module.query.weight), nn.init.zeros_(module.query.bias)
    result, weights, _ = module(x, MASK)
    torch.testing.assert_close(weights[2, :, :3, :3], torch.full((H, 3, 3), 1 / 3, dtype=torch.float64))
    torch.testing.assert_close(result[2, 1], module.join(module.value(x[2, :3]).mean(dim=0)))


def test_without_position_the_order_of_frames_does_not_matter():
    """Turn the frames around, and the results turn around with them; with a focus they do not."""
    x, mask = states()[:1], MASK[:1]
    for focus, same in ((None, True), ("learned", False)):
        module = attention(focus)
        turned = module(x.flip(1), mask)[0].flip(1)
        assert torch.allclose(turned, module(x, mask)[0]) == same


@pytest.mark.parametrize("maps", [True, False])
def test_gradients(module, maps):
    x = states().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: module(x, MASK, LEVEL, maps)[0], x)
    module(x, MASK, LEVEL, maps)[0].square().sum().backward()
    for name, parameter in module.named_parameters():
        largest = parameter.grad.abs().max().item()
        if name == "key.bias":  # it adds the same to all scores of a query, which the softmax takes away
            assert largest < 1e-10
        else:
            assert largest > 1e-8, name


def test_dropout_is_for_training_only():
    module = attention(dropout=0.5)
    x, mask = states()[2:].expand(4000, -1, -1), MASK[2:].expand(4000, -1)
    expected = module.eval()(x[:1], mask[:1])[0][0, :3]
    torch.testing.assert_close(module(x[:1], mask[:1], maps=False)[0][0, :3], expected)
    module.train()
    for maps in (True, False):
        drawn = module(x, mask, maps=maps)[0][:, :3]
        assert drawn.std(dim=0).min() > 0.01
        torch.testing.assert_close(drawn.mean(dim=0), expected, atol=0.05, rtol=0)  # weights that stay count twice


@pytest.mark.parametrize("maps", [True, False])
def test_half_precision(module, maps):
    """Under autocast, as on a GPU: finite, and near the result in single precision."""
    module.float()
    x, level = states(torch.float32), LEVEL.float()
    with torch.autocast("cpu", torch.bfloat16):
        result = module(x, MASK, level, maps)[0]
    torch.testing.assert_close(result.float(), module(x, MASK, level, maps)[0], atol=0.05, rtol=0)


def test_errors():
    with pytest.raises(SertutError, match="8 features cannot be shared by 3 heads; choose a multiple"):
        MultiHeadAttention(8, 3)
    with pytest.raises(SertutError, match="did you mean 'loudest'"):
        MultiHeadAttention(8, 2, focus="loudst")
    with pytest.raises(SertutError, match=r"needs the level of every frame; pass level="):
        attention("loudest")(states(), MASK)
