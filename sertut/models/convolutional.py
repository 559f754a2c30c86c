"""A fully convolutional network with attention over time and frequency (after Zhang et al., arXiv 1806.01506).

    features (B, T, F) -> trunk of convolutions -> cells (B, C, F', T') -> pooling: mean | attention -> logits (B, E)

Of the trunks, `small` has AlexNet's kernels and strides with a fifth of its weights; `fine` has small steps and a small
view: what lights a cell of it is within a quarter of a second. `squeezenet` is torchvision's, without its dense layers,
so that weights trained on photographs fit.

No layer asks for a length, so the network takes speech of any length from :attr:`FullyConvolutional.shortest_seconds`
up. The layout of the trunk is known from re-implementations only (grade: earlier code); the rest is our reconstruction.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sertut.attention.maps import AttentionMap, Clock
from sertut.attention.pooling import deviation, uniform
from sertut.attention.spectrogram import SpectrogramAttention, mean_over_cells
from sertut.errors import SertutError, must_be_known
from sertut.models.base import Network, Output, redraw
from sertut.models.front import Front
from sertut.models.geometry import FREQUENCY, TIME, Geometry, Window, is_fire
from sertut.models.layers import MaskedNorm2d
from sertut.signals import HOP_SECONDS, N_MELS, WINDOW_SECONDS, Batch, length_mask

TRUNKS = ("small", "fine", "squeezenet")
Pair = tuple[int, int]


def _conv(n_in: int, n_out: int, kernel: Pair, stride: Pair = (1, 1), padding: Pair | None = None) -> list[nn.Module]:
    """Convolution, normalization, ReLU; by default padded so that the stride alone sets the size of the result.

    `kernel`, `stride` and `padding` are (frequency, time).
    """
    if padding is None:
        padding = (kernel[0] // 2, kernel[1] // 2)
    return [nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False), MaskedNorm2d(n_out)]


def build_trunk(name: str) -> tuple[nn.Sequential, int]:
    """A new trunk with weights drawn at random, and how many channels its cells have.

    An unknown name is an error that names the nearest.
    """
    must_be_known("trunk", name, TRUNKS)
    if name == "small":  # AlexNet's kernels and strides with batch normalization, narrow enough for a CPU
        small = nn.Sequential(
            *_conv(1, 48, (11, 11), stride=(4, 4), padding=(2, 2)),
            nn.MaxPool2d(3, stride=2),
            *_conv(48, 96, (5, 5)),
            nn.MaxPool2d(3, stride=2),
            *_conv(96, 128, (3, 3)),
            *_conv(128, 128, (3, 3)),
            *_conv(128, 128, (3, 3)),
            nn.MaxPool2d(3, stride=2),
        )
        return small, 128
    if name == "fine":  # a cell every 40 ms and 8 mel bands, which sees half a second
        fine = nn.Sequential(
            *_conv(1, 24, (7, 7), stride=(4, 4)),
            *_conv(24, 48, (3, 5), stride=(2, 1)),
            *_conv(48, 64, (3, 5)),
            *_conv(64, 64, (3, 3)),
        )
        return fine, 64
    from torchvision.models import get_model  # late, because torchvision takes seconds to import

    squeezenet = get_model("squeezenet1_0", weights=None).features
    assert isinstance(squeezenet, nn.Sequential)
    return squeezenet, 512


class FullyConvolutional(Network):
    """Convolutions over the spectrogram, and a choice of pooling over the cells of what they make of it.

    Args:
        n_classes: number of emotions.
        trunk: one of :data:`TRUNKS`; or "front", the :class:`~sertut.models.front.Front` that all
            families share, whose rows are weighed before they are put together (ours, not in the paper), and mean and
            spread of what comes of them are read.
        pooling: "attention" or "mean"; or a module: cells (B, C, F', T') and mask (B, T') to a vector (B, C) and
            weights (B, T', F'). Behind the front its method ``weights`` is asked.
        scale: lambda of the attention; 0 is mean pooling.
        dropout: share of values set to zero in training, before the classifier.
        width: W of the front.
    """

    def __init__(
        self,
        n_classes: int,
        trunk: str = "small",
        pooling: str | nn.Module = "attention",
        scale: float = 0.3,
        dropout: float = 0.3,
        width: int = 16,
    ) -> None:
        super().__init__()
        own = pooling if isinstance(pooling, nn.Module) else None
        if own is None:
            must_be_known("pooling", pooling, ("attention", "mean"))
        self.name = trunk
        self.trunk: Any
        if trunk == "front":
            self.trunk = Front(N_MELS, width)
            layers, n_channels = list(self.trunk.convolutions), self.trunk.n_channels
        else:
            self.trunk, n_channels = build_trunk(trunk)
            layers = list(self.trunk)
        self.time, self.frequency = Geometry.of(layers, TIME), Geometry.of(layers, FREQUENCY)
        self.n_inputs = layers[0].in_channels  # 3 where the trunk expects the colors of a photograph
        self.attend: Any = SpectrogramAttention(n_channels, scale=scale) if pooling == "attention" else own
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * self.trunk.n_states if trunk == "front" else n_channels, n_classes)
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

        A :class:`SertutError` if a clip is too short for one cell, or has too few features.
        """
        cells, mask = self.encode(batch)  # (B, C, F', T'), (B, T')
        if isinstance(self.trunk, Front):
            pooled, weights = self._columns(cells, mask)
        elif self.attend is None:
            pooled, weights = mean_over_cells(cells, mask), None
        else:
            pooled, weights = self.attend(cells, mask)  # (B, C), (B, T', F')
        logits = self.classify(self.dropout(pooled))
        if weights is None:
            return Output(logits)
        clocks = {"time": self.clock(batch.hop), "frequency": self.bands()}
        return Output(logits, {"attention": AttentionMap(weights, ("time", "frequency"), mask, clocks)})

    def _columns(self, cells: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and spread (B, 2 D) of the states that the front makes of cells under attention, and its weights.

        One softmax over all cells, used twice: the shares of the rows in a column say what is heard of it, their sum
        what the column counts. A plain sum over cells would lose what only several rows together tell: on dev speakers
        such a network did not even learn its training set.
        """
        looked = None if self.attend is None else self.attend.weights(cells, mask)  # (B, T', F')
        times = uniform(mask) if looked is None else looked.sum(dim=2)  # (B, T')
        shares = None if looked is None else looked / times.clamp(min=1e-9).unsqueeze(2)
        states, times = self.trunk.states(cells, mask, shares), times.unsqueeze(1)
        return torch.cat([times.to(states) @ states, deviation(states, times)], dim=2).squeeze(1), looked

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cells (B, C, F', T') and which columns are real, (B, T')."""
        self._check_size(batch)
        if isinstance(self.trunk, Front):
            return self.trunk.cells(batch.features, batch.mask)
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


def masked_fire(module: Any, cells: Tensor, mask: Tensor) -> Tensor:
    """SqueezeNet's building block; its inner bias must not turn padding into something before the 3 x 3 convolution."""
    squeezed = module.squeeze_activation(module.squeeze(cells)) * mask[:, None, None, :]
    narrow = module.expand1x1_activation(module.expand1x1(squeezed))
    wide = module.expand3x3_activation(module.expand3x3(squeezed))
    return torch.cat([narrow, wide], dim=1)


def _clock(axis: Geometry, unit: float, origin: float, field: float) -> Clock:
    """Clock of an axis whose inputs are `unit` apart, the first one at `origin`."""
    step = unit * axis.stride
    return Clock(hop=step, start=origin + unit * axis.first - step / 2, field=field)
