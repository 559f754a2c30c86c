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
from torch import nn

from sertut.attention.alignment import Alignment, nearest, synchrony_loss
from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.perception import PerceptionAttention
from sertut.attention.pooling import AttentionPooling, MixturePooling, mean_pooling
from sertut.errors import SertutError, unknown
from sertut.models.base import Network, Output
from sertut.models.layers import BiLSTM, MaskedConv
from sertut.signals import WINDOW_SECONDS, Batch

REDUCTION = 4  # voice frames a state
STRIDES = {"voice": (2, 2, 1), "face": (1, 1)}
"""Of the convolutions that each stream goes through."""
STREAMS = ("both", "voice", "face")
FUSIONS = ("nearest", "alignment", "one lag")
POOLINGS = ("mean", "attention", "mixture", "perception", "one embedding")


@dataclass(frozen=True)
class Stream:
    """One stream after its encoder: states (B, T, 2 N), mask (B, T), when each step is, and "voice" or "face"."""

    name: str
    states: torch.Tensor
    mask: torch.Tensor
    clock: Clock


class AudioVisual(Network):
    """Two streams or one of them.

    Args:
        n_voice: F, columns of the voice's features. n_face: F', of the face's.
        n_classes: K, number of emotions.
        streams: one of :data:`STREAMS`.
        fusion: one of :data:`FUSIONS`; "one lag" is alignment with its relative-position term.
        query: the stream whose steps look for the other one, "face" or "voice"; the fused sequence is on its clock.
        pooling: one of :data:`POOLINGS`; "one embedding" is perception attention with one for all emotions.
        score: of the alignment, "additive" or "product".
        synchrony: weight of the loss of :func:`~sertut.attention.alignment.synchrony_loss` in training.
        n_hidden: N, width of each LSTM in each direction. n_channels: C, width of the convolutions.
        dropout: share of values set to zero in training. missing: share of clips that lose their voice in training,
            and of clips that lose their face, so that the network learns to do without.
    """

    def __init__(
        self,
        n_voice: int,
        n_face: int,
        n_classes: int,
        streams: str = "both",
        fusion: str = "alignment",
        query: str = "face",
        pooling: str = "perception",
        score: str = "product",
        synchrony: float = 0.0,
        n_hidden: int = 32,
        n_channels: int = 48,
        dropout: float = 0.3,
        missing: float = 0.05,
    ) -> None:
        super().__init__()
        for what, value, known in (
            ("streams", streams, STREAMS),
            ("fusion", fusion, FUSIONS),
            ("query", query, ("face", "voice")),
            ("pooling", pooling, POOLINGS),
        ):
            if value not in known:
                raise unknown(f"value of {what}", value, known)
        self.streams, self.fusion, self.query, self.pooling = streams, fusion, query, pooling
        self.synchrony, self.missing = synchrony, missing
        width = 2 * n_hidden
        if streams != "face":
            self.voice = Encoder(n_voice, n_channels, n_hidden, STRIDES["voice"], dropout)
        if streams != "voice":
            self.face = Encoder(n_face, n_channels, n_hidden, STRIDES["face"], dropout)
        if streams == "both":
            self.no_voice = nn.Parameter(torch.zeros(width))
            self.no_face = nn.Parameter(torch.zeros(width))
            if fusion != "nearest":
                self.ear = Convolutions(n_voice, n_channels, STRIDES["voice"], symmetric=True)
                self.eye = Convolutions(n_face, n_channels, STRIDES["face"], symmetric=True)
                self.align = Alignment(n_channels, n_channels, score=score, one_lag=fusion == "one lag")
        self.dropout = nn.Dropout(dropout)
        self.fuse = BiLSTM(2 * width, n_hidden) if streams == "both" else None
        if pooling == "attention":
            self.attend = AttentionPooling(width)
        elif pooling == "mixture":
            self.mix = MixturePooling(width, n_classes)
        elif pooling in ("perception", "one embedding"):
            self.perceive = PerceptionAttention(width, n_classes, shared=pooling == "one embedding")
        if pooling in ("mean", "attention"):
            self.classify = nn.Linear(width, n_classes)

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        if self.streams == "both":
            for vector in (self.no_voice, self.no_face):
                nn.init.normal_(vector, std=0.1)
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if module is not self and callable(reset):
                reset()

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

    def fused(self, batch: Batch) -> tuple[Stream, dict[str, AttentionMap], torch.Tensor | None]:
        """The one sequence that is read, on the clock of the query stream; the map and the loss of its alignment."""
        if self.streams != "both":
            return (self.hear(batch) if self.streams == "voice" else self.see(batch)), {}, None
        if self.training and self.missing:
            batch = without_streams(batch, self.missing)
        voice, face = self.hear(batch), self.see(batch)
        query, keys = (face, voice) if self.query == "face" else (voice, face)
        no_query, no_key = (self.no_face, self.no_voice) if self.query == "face" else (self.no_voice, self.no_face)
        lags = query.clock.centers(query.mask.shape[1])[:, None] - keys.clock.centers(keys.mask.shape[1])[None, :]
        lags = lags.to(query.states)
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
        found = weights @ keys.states
        alone = ~keys.mask.any(dim=1)
        found = torch.where(alone[:, None, None], no_key, found)
        states, mask = query.states, query.mask
        if (deserted := ~mask.any(dim=1)).any():
            # Without a query stream there is nobody to look: such a clip lives on the clock of its other stream alone.
            states, mask, found = _on_the_others_clock(query, keys, deserted, no_query, found)
        sequence = Stream(query.name, torch.cat([states, found], dim=-1), mask, query.clock)
        axis = "video" if self.query == "face" else "audio"
        clocks = {axis: query.clock, "time": keys.clock}
        map_ = AttentionMap(weights, (axis, "time"), keys.mask, clocks, stream=keys.name, query_mask=query.mask)
        return sequence, {"alignment": map_}, loss

    def pool(self, states: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits (B, K) of fused states (B, T, 2 N), and weights (B, T) or (B, K, T), None for "mean"."""
        if self.pooling == "mixture":
            return self.mix(self.dropout(states), mask)
        if self.pooling in ("perception", "one embedding"):
            return self.perceive(self.dropout(states), mask)
        if self.pooling == "attention":
            pooled, weights = self.attend(states, mask)
            return self.classify(self.dropout(pooled)), weights
        return self.classify(self.dropout(mean_pooling(states, mask))), None

    def hear(self, batch: Batch) -> Stream:
        """The voice after its encoder; a state every 4 frames."""
        states, mask = self.voice(batch.features, batch.mask)
        step = batch.hop * REDUCTION
        return Stream("voice", states, mask, Clock(step, WINDOW_SECONDS / 2 - step / 2))

    def see(self, batch: Batch) -> Stream:
        """The face after its encoder; a state every frame."""
        if batch.face is None or batch.face_mask is None:
            raise SertutError("this network reads faces, but the batch has none; train with face='hog'.")
        states, mask = self.face(batch.face, batch.face_mask)
        return Stream("face", states, mask, Clock(batch.face_hop))


class Convolutions(nn.Module):
    """Convolutions over time, one on the other."""

    def __init__(self, n_in: int, n_channels: int, strides: tuple[int, ...], symmetric: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MaskedConv(n_channels if i else n_in, n_channels, 5, stride, symmetric) for i, stride in enumerate(strides)
        )

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, n_in) and (B, T) to (B, T', n_channels) and its mask."""
        for layer in self.layers:
            values, mask = layer(values, mask)
        return values, mask


class Encoder(nn.Module):
    """Convolutions over time, then an LSTM in both directions."""

    def __init__(self, n_in: int, n_channels: int, n_hidden: int, strides: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.convolutions = Convolutions(n_in, n_channels, strides)
        self.dropout = nn.Dropout(dropout)
        self.lstm = BiLSTM(n_channels, n_hidden)

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, n_in) and (B, T) to states (B, T', 2 N) and their mask."""
        values, mask = self.convolutions(values, mask)
        return self.lstm(self.dropout(values), mask), mask


def without_streams(batch: Batch, share: float) -> Batch:
    """Take the voice from a random `share` of the clips, and the face from another."""
    draw = torch.rand(len(batch), 1, device=batch.mask.device)
    assert batch.face_mask is not None
    return replace(batch, mask=batch.mask & (draw >= share), face_mask=batch.face_mask & (draw < 1 - share))


def _on_the_others_clock(
    query: Stream, keys: Stream, deserted: torch.Tensor, nobody: torch.Tensor, found: torch.Tensor
):
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
    return torch.where(chosen, nobody, states), mask, torch.where(chosen, here, found)
