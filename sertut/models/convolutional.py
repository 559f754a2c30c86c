"""A fully convolutional network with attention over time and frequency (after Zhang et al., arXiv 1806.01506).

    features (B, T, F) -> trunk of convolutions -> cells (B, C, F', T') -> pooling: mean | attention -> logits (B, E)

No layer asks for a length, so the network takes speech of any length from :attr:`FullyConvolutional.shortest_seconds`
up. The layout of the trunk is known from re-implementations only (grade: earlier code); the rest is our reconstruction.
"""

from typing import Any

import torch
from torch import nn

from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.pooling import deviation, uniform
from sertut.attention.spectrogram import SpectrogramAttention, cell_mask, mean_over_cells
from sertut.errors import SertutError, unknown
from sertut.models.base import Network, Output, redraw
from sertut.models.front import Front
from sertut.models.geometry import FREQUENCY, TIME, Geometry, Window, is_fire
from sertut.models.layers import MaskedNorm2d
from sertut.models.trunks import build_trunk
from sertut.signals import HOP_SECONDS, N_MELS, WINDOW_SECONDS, Batch, length_mask


class FullyConvolutional(Network):
    """Convolutions over the spectrogram, and a choice of pooling over the cells of what they make of it.

    Args:
        n_classes: number of emotions.
        trunk: one of :data:`sertut.models.trunks.TRUNKS`; or "front", the :class:`~sertut.models.front.Front` that all
            families share, whose cells are what each row of the map adds to a state, read by mean and spread.
        pooling: "attention" or "mean".
        scale: lambda of the attention; 0 is mean pooling.
        dropout: share of values set to zero in training, before the classifier.
        width: W of the front.

    Raises:
        SertutError: unknown trunk or pooling.
    """

    def __init__(
        self,
        n_classes: int,
        trunk: str = "small",
        pooling: str = "attention",
        scale: float = 0.3,
        dropout: float = 0.3,
        width: int = 16,
    ) -> None:
        super().__init__()
        if pooling not in ("attention", "mean"):
            raise unknown("pooling", pooling, ("attention", "mean"))
        self.name = trunk
        self.trunk: Any
        if trunk == "front":
            self.trunk = Front(N_MELS, width, apart=True)
            layers, n_channels = list(self.trunk.convolutions), self.trunk.n_states
        else:
            self.trunk, n_channels = build_trunk(trunk)
            layers = list(self.trunk)
        self.time, self.frequency = Geometry.of(layers, TIME), Geometry.of(layers, FREQUENCY)
        self.n_inputs = layers[0].in_channels  # 3 where the trunk expects the colors of a photograph
        self.attend = SpectrogramAttention(n_channels, scale=scale) if pooling == "attention" else None
        self.dropout = nn.Dropout(dropout)
        self.spread = trunk == "front"
        self.classify = nn.Linear((1 + self.spread) * n_channels, n_classes)
        self.pretrained = False  # True: the trunk's weights come from elsewhere and are not drawn anew

    def reset_parameters(self) -> None:
        """Draw all weights anew, except those of a pretrained trunk.

        Convolutions by He's rule: it keeps the size of the signal from layer to layer, without which the deep trunks
        that do not normalize would hardly start to learn. Source: He et al., arXiv 1502.01852.
        """
        if isinstance(self.trunk, Front):
            redraw(self.trunk)
        for module in self.trunk.modules() if not (self.pretrained or isinstance(self.trunk, Front)) else ():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, MaskedNorm2d):
                module.reset_parameters()
        if self.attend is not None:
            redraw(self.attend)
        redraw(self.classify)

    def forward(self, batch: Batch) -> Output:
        """Logits (B, E) and, with attention, the map "attention" with axes ("time", "frequency").

        Raises:
            SertutError: a clip is too short for one cell, or has too few features.
        """
        cells, mask = self.encode(batch)  # (B, C, F', T'), (B, T')
        if self.attend is None:
            pooled, weights = mean_over_cells(cells, mask), None
        else:
            pooled, weights = self.attend(cells, mask)  # (B, C), (B, T', F')
        if self.spread:
            looked = uniform(cell_mask(cells, mask).flatten(1)) if weights is None else weights.flatten(1)
            states = cells.permute(0, 3, 2, 1).flatten(1, 2)  # (B, T' F', C)
            pooled = torch.cat([pooled, deviation(states, looked.unsqueeze(1)).squeeze(1)], dim=1)
        if weights is None:
            return Output(self.classify(self.dropout(pooled)))
        clocks = {"time": self.clock(batch.hop), "frequency": self.bands()}
        map_ = AttentionMap(weights, ("time", "frequency"), mask, clocks)
        return Output(self.classify(self.dropout(pooled)), {"attention": map_})

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Cells (B, C, F', T') and which columns are real, (B, T')."""
        self._check_size(batch)
        if isinstance(self.trunk, Front):
            return self.trunk(batch.features, batch.mask)
        lengths = batch.lengths
        cells = (batch.features * batch.mask.unsqueeze(-1)).transpose(1, 2).unsqueeze(1)  # (B, 1, F, T)
        cells = cells.expand(-1, self.n_inputs, -1, -1)
        mask = batch.mask
        for module in self.trunk:
            if isinstance(module, MaskedNorm2d):
                cells = module(cells, mask)
                continue
            cells = masked_fire(module, cells, mask) if is_fire(module) else module(cells)
            slides = Window.of(module, TIME)
            if slides is not None:
                # What padding has become must be zero again before the next layer reads it: then it is to a clip in a
                # batch what the convolution's own zeros are to the clip alone.
                lengths = slides.size(lengths)
                mask = length_mask(lengths, cells.shape[-1])
                cells = cells * mask[:, None, None, :]
        return cells, mask

    def clock(self, hop: float = HOP_SECONDS) -> Clock:
        """Seconds of the columns, and how many seconds each one sees."""
        n = 2 if isinstance(self.trunk, Front) else 1  # frames that the first layer reads as one
        field = hop * (n * self.time.field - 1) + WINDOW_SECONDS
        return _clock(self.time, n * hop, WINDOW_SECONDS / 2 + (n - 1) * hop / 2, field)

    def bands(self) -> Clock:
        """Mel bands of the rows, and how many bands each one sees."""
        return _clock(self.frequency, 1.0, 0.0, self.frequency.field)

    @property
    def shortest_seconds(self) -> float:
        """Duration of the shortest clip that gives one cell."""
        return HOP_SECONDS * (self.time.shortest - 1) + WINDOW_SECONDS

    def _check_size(self, batch: Batch) -> None:
        """A clear error instead of an empty feature map."""
        n_features, shortest = batch.features.shape[-1], int(batch.lengths.min())
        if n_features < self.frequency.shortest:
            raise SertutError(
                f"the trunk '{self.name}' needs at least {self.frequency.shortest} rows of features and got"
                f" {n_features}; use log_mel, or the trunk 'fine'."
            )
        if shortest < self.time.shortest:
            seconds = batch.hop * (shortest - 1) + WINDOW_SECONDS
            raise SertutError(
                f"a clip lasts {seconds:.3f} s, but the trunk '{self.name}' needs at least"
                f" {self.shortest_seconds:.3f} s; leave it out, join it to its neighbor, or use the trunk 'fine'."
            )


def masked_fire(module: Any, cells: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """SqueezeNet's building block; its inner bias must not turn padding into something before the 3 x 3 convolution."""
    squeezed = module.squeeze_activation(module.squeeze(cells)) * mask[:, None, None, :]
    narrow = module.expand1x1_activation(module.expand1x1(squeezed))
    wide = module.expand3x3_activation(module.expand3x3(squeezed))
    return torch.cat([narrow, wide], dim=1)


def _clock(axis: Geometry, unit: float, origin: float, field: float) -> Clock:
    """Clock of an axis whose inputs are `unit` apart, the first one at `origin`."""
    step = unit * axis.stride
    return Clock(hop=step, start=origin + unit * axis.first - step / 2, field=field)
