"""Every network in small, and batches of clips for it: what the tests of this folder share."""

from dataclasses import replace

import torch
from torch import nn

from sertut.models import POOLINGS, TRUNKS, AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead, redraw
from sertut.signals import Batch, pad

F, G, C = 64, 5, 3  # columns of the voice's table, of the face's, emotions
VOICE, FACE = (61, 5, 18, 100), (30, 9, 1, 25)  # frames: neither rate nor duration is the same
LONG = (70, 150, 67, 130)  # where a trunk asks for more
STREAMS = dict(n_hidden=8, n_channels=12)
NETWORKS = {
    **{f"lstm, {name}": lambda name=name: AttentiveLSTM(F, C, 8, 12, pooling=name) for name in POOLINGS},
    **{f"{trunk}, cells": lambda trunk=trunk: FullyConvolutional(C, trunk, scale=1.0) for trunk in TRUNKS},
    "fine, mean": lambda: FullyConvolutional(C, "fine", "mean"),
    "heads, none": lambda: MultiHead(F - 1, C, 16, n_blocks=0),
    "heads, plain": lambda: MultiHead(F - 1, C, 16),
    "heads, focus": lambda: MultiHead(F - 1, C, 16, focus="learned"),
    "heads, gates, loudest": lambda: MultiHead(F - 1, C, 16, focus="loudest", calibrate=True),
    "heads, two blocks": lambda: MultiHead(F - 1, C, 16, focus="learned", calibrate=True, n_blocks=2),
    "voice": lambda: AudioVisual(F, G, C, "voice", pooling="attention", **STREAMS),
    "face": lambda: AudioVisual(F, G, C, "face", pooling="mixture", **STREAMS),
    "nearest": lambda: AudioVisual(F, G, C, fusion="nearest", pooling="mean", **STREAMS),
    "alignment": lambda: AudioVisual(F, G, C, pooling="attention", score="additive", **STREAMS),
    "one lag": lambda: AudioVisual(F, G, C, fusion="one lag", synchrony=0.3, **STREAMS),
    "the voice asks": lambda: AudioVisual(F, G, C, fusion="one lag", query="voice", pooling="one embedding", **STREAMS),
    "front, lstm": lambda: AttentiveLSTM(F, C, 8, front=2),
    "front, heads": lambda: MultiHead(F - 1, C, 16, focus="loudest", calibrate=True, front=2),
    "front, cells": lambda: FullyConvolutional(C, "front", scale=1.0, width=2),
    "front, voice": lambda: AudioVisual(F, G, C, "voice", pooling="perception", front=2, **STREAMS),
    "front, both": lambda: AudioVisual(F, G, C, pooling="attention", front=2, **STREAMS),
    "the voice asks the nearest": lambda: AudioVisual(F, G, C, fusion="nearest", query="voice", **STREAMS),
}


def clips(name):
    voices = LONG if name.split(",")[0] in TRUNKS else VOICE
    return [(torch.randn(n, F), torch.randn(m, G)) for n, m in zip(voices, FACE, strict=True)]


def batch_of(clips):
    (voices, mask), (faces, face_mask) = pad([v for v, _ in clips]), pad([f for _, f in clips])
    return Batch(voices, mask, torch.arange(len(clips)) % C, face=faces, face_mask=face_mask)


def longer(batch, by=37):
    """More padding, in both streams, and values on all of it that must not matter."""

    def polluted(values, mask):
        mask = nn.functional.pad(mask, (0, by))
        return nn.functional.pad(values, (0, 0, 0, by)).where(mask[..., None], torch.tensor(700.0)), mask

    (voices, mask), (faces, face_mask) = polluted(batch.features, batch.mask), polluted(batch.face, batch.face_mask)
    return replace(batch, features=voices, mask=mask, face=faces, face_mask=face_mask)


def a_model(name):
    """Drawn anew, and its normalization has met data."""
    model = NETWORKS[name]()
    redraw(model)
    for parameter in (p for key, p in model.named_parameters() if key.startswith("trunk") and key.endswith("bias")):
        nn.init.uniform_(parameter, -0.5, 0.5)  # a bias turns padding into something
    with torch.no_grad():
        for _ in range(3):
            model(batch_of(clips(name)))
    return model.eval().requires_grad_(False)


def assert_same(output, i, other, j):
    """Clip i of one batch is what clip j of the other is."""
    torch.testing.assert_close(output.logits[i], other.logits[j], atol=1e-5, rtol=0)
    assert output.maps.keys() == other.maps.keys()
    for key, map_ in output.maps.items():
        torch.testing.assert_close(map_.of(i), other.maps[key].of(j), atol=1e-5, rtol=0)
        if map_.gates is not None:
            torch.testing.assert_close(map_.gates[i], other.maps[key].gates[j], atol=1e-5, rtol=0)
