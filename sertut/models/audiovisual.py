"""Voice and face: two streams, brought together in time, then read by attention (after Chao et al., arXiv 1603.08321).

    voice (B, T, F)   -> convolutions, 4 x fewer frames -> LSTM -> f (B, S, 2 N) --+
                                                                                   +-> s = LSTM([v; f~]) -> pooling
    face  (B, T', F') -> convolutions                   -> LSTM -> v (B, T', 2 N) -+

f~ is what a face frame hears: the voice at the nearest time (the baseline), or where alignment attends. One class
builds them all, and the networks of a single stream too (there s is f or v), so that what is compared differs in one
thing only.

Alignment compares moments, not memories: it has a small ear and eye of its own, which know a third of a second and
whose filters are the same forward and backward in time. An LSTM knows how far a clip has gone, and any two clips agree
in that; and a filter that looks ahead could put a constant into the lag that no loss would notice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sertut.attention.alignment import Alignment, nearest, synchrony_loss
from sertut.attention.maps import AttentionMap, Clock
from sertut.errors import SertutError, must_be_known
from sertut.models.base import Network, Output, redraw
from sertut.models.front import Front, front_clock
from sertut.models.layers import VOICE, BiLSTM, Convolutions, Encoder, states_clock
from sertut.models.recurrent import Readout
from sertut.signals import Batch

SIZES = {"voice": (*VOICE, (5, 1)), "face": ((5, 1), (5, 1))}
"""Kernel and stride of the convolutions that each stream goes through."""
STREAMS = ("both", "voice", "face")
FUSIONS = ("nearest", "alignment", "one lag")


@dataclass(frozen=True)
class Stream:
    """One stream after its encoder: states (B, T, 2 N), mask (B, T), when each step is, and "voice" or "face"."""

    name: str
    states: Tensor
    mask: Tensor
    clock: Clock


class AudioVisual(Network):
    """Two streams or one of them.

    Args:
        n_voice: F, columns of the voice's features. n_face: F', of the face's.
        n_classes: K, number of emotions.
        streams: one of :data:`STREAMS`.
        fusion: one of :data:`FUSIONS`; "one lag" is alignment with its relative-position term.
        query: the stream whose steps look for the other one, "face" or "voice"; the fused sequence is on its clock.
        pooling: how the fused states are read: see :class:`~sertut.models.recurrent.Readout`.
        score: of the alignment, "additive" or "product".
        synchrony: weight of :func:`~sertut.attention.alignment.synchrony_loss` in training, for the score "product".
        n_hidden: N, width of each LSTM in each direction. n_channels: C, width of the convolutions.
        dropout: share of values set to zero in training. missing: share of clips that lose their voice in training,
            and of clips that lose their face, so that the network learns to do without.
        front: W, how the voice is heard, as in :class:`~sertut.models.recurrent.AttentiveLSTM`.
    """

    def __init__(
        self,
        n_voice: int,
        n_face: int,
        n_classes: int,
        streams: str = "both",
        fusion: str = "alignment",
        query: str = "face",
        pooling: str | nn.Module = "perception",
        score: str = "product",
        synchrony: float = 0.0,
        n_hidden: int = 32,
        n_channels: int = 48,
        dropout: float = 0.3,
        missing: float = 0.05,
        front: int = 0,
    ) -> None:
        super().__init__()
        must_be_known("value of streams", streams, STREAMS)
        must_be_known("value of fusion", fusion, FUSIONS)
        must_be_known("value of query", query, ("face", "voice"))
        self.streams, self.fusion, self.query = streams, fusion, query
        self.synchrony, self.missing = synchrony, missing
        width = 2 * n_hidden
        self.voice_clock = front_clock if front else states_clock
        if streams != "face" and front:
            self.voice = Encoder(Front(n_voice, front, width), width, n_hidden, dropout, added=True)
        elif streams != "face":
            self.voice = Encoder(Convolutions(n_voice, n_channels, SIZES["voice"]), n_channels, n_hidden, dropout)
        if streams != "voice":
            self.face = Encoder(Convolutions(n_face, n_channels, SIZES["face"]), n_channels, n_hidden, dropout)
        if streams == "both":
            self.no_voice = nn.Parameter(torch.zeros(width))
            self.no_face = nn.Parameter(torch.zeros(width))
            if fusion != "nearest":
                sizes = (*VOICE, (5, 2)) if front else SIZES["voice"]  # a step each state
                self.ear = Convolutions(n_voice, n_channels, sizes, symmetric=True)
                self.eye = Convolutions(n_face, n_channels, SIZES["face"], symmetric=True)
                self.align = Alignment(n_channels, n_channels, score=score, one_lag=fusion == "one lag")
        self.dropout = nn.Dropout(dropout)
        self.fuse = BiLSTM(2 * width, n_hidden) if streams == "both" else None
        self.pool = Readout(pooling, width, n_classes, dropout, spread=front > 0)

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        if self.streams == "both":
            for vector in (self.no_voice, self.no_face):
                nn.init.normal_(vector, std=0.1)
        for child in self.children():
            redraw(child)
        for layer in getattr(self.pool, "perceive", nn.Module()).children():
            redraw(layer)  # once more: with these weights the reference results began

    def forward(self, batch: Batch) -> Output:
        """Logits (B, K), and the maps.

        "attention", not for "mean": axes ("time",), or ("emotion", "time") for "perception".
        "alignment", for two streams with alignment: axes ("video", "time"), or ("audio", "time") with query="voice".
        """
        fused, maps, loss = self.fused(batch)
        states = fused.states if self.fuse is None else self.fuse(self.dropout(fused.states), fused.mask)  # (B, T, 2 N)
        logits, weights = self.pool(states, fused.mask)
        if weights is not None:
            axes = ("emotion", "time") if weights.dim() == 3 else ("time",)
            maps["attention"] = AttentionMap(weights, axes, fused.mask, {"time": fused.clock}, stream=fused.name)
        return Output(logits, maps, loss)

    def fused(self, batch: Batch) -> tuple[Stream, dict[str, AttentionMap], Tensor | None]:
        """The one sequence that is read, on the clock of the query stream; the map and the loss of its alignment."""
        if self.streams != "both":
            return (self.hear(batch) if self.streams == "voice" else self.see(batch)), {}, None
        if self.training and self.missing:
            batch = without_streams(batch, self.missing)
        voice, face = self.hear(batch), self.see(batch)
        query, keys = (face, voice) if self.query == "face" else (voice, face)
        no_query, no_key = (self.no_face, self.no_voice) if self.query == "face" else (self.no_voice, self.no_face)
        lags = query.clock.centers(query.mask.shape[1])[:, None] - keys.clock.centers(keys.mask.shape[1])[None, :]
        lags = lags.to(query.states, non_blocking=query.states.is_cuda)
        loss = None
        if self.fusion == "nearest":
            weights = nearest(query.mask, keys.mask, lags)
        else:
            heard, seen = self.ear(batch.features, batch.mask)[0], self.eye(batch.face, batch.face_mask)[0]
            asking, asked = (seen, heard) if self.query == "face" else (heard, seen)
            pairs = (self.dropout(asking), self.dropout(asked), query.mask, keys.mask, lags)
            weights = self.align(*pairs)[1]
            if self.training and self.synchrony:
                loss = self.synchrony * synchrony_loss(self.align, *pairs)
        found = torch.where(keys.mask.any(dim=1)[:, None, None], weights @ keys.states, no_key)
        states, mask = query.states, query.mask
        if (deserted := ~mask.any(dim=1)).any():
            # Without a query stream there is nobody to look: such a clip lives on the clock of its other stream alone.
            states, mask, found = _on_the_others_clock(query, keys, deserted, no_query, found)
        sequence = Stream(query.name, torch.cat([states, found], dim=-1), mask, query.clock)
        axis = "video" if self.query == "face" else "audio"
        clocks = {axis: query.clock, "time": keys.clock}
        map_ = AttentionMap(weights, (axis, "time"), keys.mask, clocks, stream=keys.name, query_mask=query.mask)
        return sequence, {"alignment": map_}, loss

    def hear(self, batch: Batch) -> Stream:
        """The voice after its encoder."""
        states, mask = self.voice(batch.features, batch.mask)
        return Stream("voice", states, mask, self.voice_clock(batch.hop))

    def see(self, batch: Batch) -> Stream:
        """The face after its encoder; a state every frame."""
        if batch.face is None or batch.face_mask is None:
            raise SertutError("this network reads faces, but the batch has none; train with face='hog'.")
        states, mask = self.face(batch.face, batch.face_mask)
        return Stream("face", states, mask, Clock(batch.face_hop))


def without_streams(batch: Batch, share: float) -> Batch:
    """Take the voice from a random `share` of the clips, and the face from another."""
    draw = torch.rand(len(batch), 1, device=batch.mask.device)
    assert batch.face_mask is not None
    return replace(batch, mask=batch.mask & (draw >= share), face_mask=batch.face_mask & (draw < 1 - share))


def _on_the_others_clock(query: Stream, keys: Stream, deserted: Tensor, none: Tensor, found: Tensor):
    length = (keys.mask * torch.arange(1, keys.mask.shape[1] + 1, device=keys.mask.device)).amax(dim=1)  # (B,)
    seconds = keys.clock.start + keys.clock.hop * length
    steps = torch.where(deserted, (seconds / query.clock.hop).round().long().clamp(min=1), 0)
    n = max(query.mask.shape[1], int(steps.max()))
    mask = nn.functional.pad(query.mask, (0, n - query.mask.shape[1]))
    states, found = (nn.functional.pad(x, (0, 0, 0, n - x.shape[1])) for x in (query.states, found))
    mask = mask | (torch.arange(n, device=mask.device) < steps[:, None])
    lags = (query.clock.centers(n)[:, None] - keys.clock.centers(keys.mask.shape[1])[None, :]).to(states)
    here = nearest(mask & deserted[:, None], keys.mask, lags) @ keys.states
    chosen = deserted[:, None, None]
    return torch.where(chosen, none, states), mask, torch.where(chosen, here, found)
