"""A few steps of training in double precision, one row a mechanism: numbers that no processor and no refactoring moves.

Nothing is drawn but by generators of this file, in float64, and nothing is dropped out, so that only the arithmetic of
the mechanism, the loss and the optimizer is left. A row that moves says that training does something else than it did:
if that was meant, print the new row with ``python -m tests.training.test_goldens`` and say in the commit why.
"""

import pytest
import torch

from sertut.models import AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead
from sertut.models.front import Front
from sertut.training.data import Examples
from sertut.training.fitting import _one_epoch
from sertut.training.recipe import make_recipe

F, G, C = 10, 6, 3  # columns of the voice's table, of the face's, emotions
RECIPE = make_recipe(epochs=3, batch_size=4, learning_rate=0.01)


def over_cells_of(front: Front) -> FullyConvolutional:
    model = FullyConvolutional(C, "front", dropout=0.0, width=2)
    model.trunk = front
    return model


RECURRENT = dict(n_hidden=4, n_channels=6, dropout=0.0)
HEADS = dict(n_hidden=8, n_heads=2, dropout=0.0)
STREAMS = dict(n_hidden=4, n_channels=6, dropout=0.0, missing=0.0)
NETWORKS = {
    "last state": lambda: AttentiveLSTM(F, C, pooling="last", **RECURRENT),
    "mean pooling": lambda: AttentiveLSTM(F, C, pooling="mean", **RECURRENT),
    "max pooling": lambda: AttentiveLSTM(F, C, pooling="max", **RECURRENT),
    "soft attention": lambda: AttentiveLSTM(F, C, pooling="attention", **RECURRENT),
    "mixture": lambda: AttentiveLSTM(F, C, pooling="mixture", **RECURRENT),
    "mean over cells": lambda: FullyConvolutional(C, "fine", pooling="mean", dropout=0.0),
    "attention over cells": lambda: FullyConvolutional(C, "fine", dropout=0.0),
    "heads, plain": lambda: MultiHead(F - 1, C, **HEADS),
    "heads +FA": lambda: MultiHead(F - 1, C, focus="learned", **HEADS),
    "heads +CA": lambda: MultiHead(F - 1, C, calibrate=True, **HEADS),
    "heads +loudest": lambda: MultiHead(F - 1, C, focus="loudest", **HEADS),
    "two blocks +FA+CA": lambda: MultiHead(F - 1, C, focus="learned", calibrate=True, n_blocks=2, **HEADS),
    "nearest": lambda: AudioVisual(F, G, C, fusion="nearest", pooling="attention", **STREAMS),
    "alignment, additive": lambda: AudioVisual(F, G, C, score="additive", pooling="attention", **STREAMS),
    "alignment": lambda: AudioVisual(F, G, C, pooling="attention", **STREAMS),
    "alignment, one lag": lambda: AudioVisual(F, G, C, fusion="one lag", pooling="attention", **STREAMS),
    "synchrony": lambda: AudioVisual(F, G, C, pooling="mean", synchrony=1.0, **STREAMS),
    "the voice asks": lambda: AudioVisual(F, G, C, fusion="one lag", query="voice", pooling="mixture", **STREAMS),
    "perception": lambda: AudioVisual(F, G, C, fusion="nearest", **STREAMS),
    "one embedding": lambda: AudioVisual(F, G, C, fusion="nearest", pooling="one embedding", **STREAMS),
    "face alone": lambda: AudioVisual(F, G, C, streams="face", pooling="attention", **STREAMS),
    "front, soft attention": lambda: AttentiveLSTM(F, C, n_hidden=4, dropout=0.0, front=2),
    "front, heads": lambda: MultiHead(F - 1, C, focus="learned", calibrate=True, front=2, **HEADS),
    "front, attention over cells": lambda: over_cells_of(Front(F, 2)),
    "front, perception": lambda: AudioVisual(F, G, C, streams="voice", front=2, **STREAMS),
}

GOLDENS = {
    "last state": (1.14296355, 1.091587508, 1.041675465, 5.10212322, 0.5173170488, 0.3403309522),
    "mean pooling": (1.178308177, 1.144994047, 1.088599272, 5.048346654, 0.4964446254, 0.3348233923),
    "max pooling": (1.169571056, 1.136470306, 1.076928182, 4.792998306, 0.5387021249, 0.3311361127),
    "soft attention": (1.202546316, 1.156074674, 1.07942803, 5.395684, -1.780479598, 0.09451354086),
    "mixture": (1.19558984, 1.150498945, 1.074503853, 5.377925701, -1.77755939, 0.09160552506),
    "mean over cells": (1.350348149, 0.9419830787, 0.7229275126, 2.170969815, 1.166478771, -0.005510031711),
    "attention over cells": (3.580999266, 2.236497705, 1.099197218, 3.118958585, 0.2875538462, -0.2145910563),
    "heads, plain": (3.720045436, 2.116743744, 1.26754465, 2.381843073, 0.3755040995, -0.7733184288),
    "heads +FA": (1.758089664, 1.332687105, 1.101394256, 3.082843867, 4.158976654, -0.05939061218),
    "heads +CA": (1.683702556, 1.121234915, 0.939621171, 2.46128298, -2.010920926, 1.056933904),
    "heads +loudest": (2.511478404, 1.384150899, 0.9956916742, 2.350174828, 4.109813507, -0.1844131964),
    "two blocks +FA+CA": (6.308382024, 3.683715887, 2.320516559, 2.826516973, 0.2359601137, -1.043366183),
    "nearest": (1.159437186, 1.122139674, 1.098596602, 0.4550132819, 0.01053103752, 0.7224501793),
    "alignment, additive": (1.41860002, 1.274331071, 1.168273973, 0.4550132819, -0.009482950818, -0.7702834182),
    "alignment": (1.161955674, 1.090433202, 1.050003961, 0.4550132819, -0.4052253569, 0.6426741944),
    "alignment, one lag": (1.162027759, 1.090025066, 1.048948245, 0.4550132819, -0.4054906423, 0.6426522104),
    "synchrony": (3.434984325, 3.375174103, 3.301823714, 0.4550132819, 2.340761481, -0.4844548464),
    "the voice asks": (1.220177052, 1.142811706, 1.072640463, 0.4551411946, -0.5486440205, 0.6297660634),
    "perception": (1.541415842, 1.45243664, 1.347216137, 0.4550132819, 0.1233917259, 0.7072177208),
    "one embedding": (1.276145836, 1.20424637, 1.147171869, 0.4550132819, 0.1534418569, 0.874411945),
    "face alone": (1.134592573, 1.089824699, 1.053259696, 6.822668537, -1.300446819, 0.1266030153),
    "front, soft attention": (1.45177148, 1.260764927, 1.150153554, 3.391142782, -0.6770684727, -0.3757889411),
    "front, heads": (1.559579735, 1.227630216, 1.06967173, 3.383945854, -0.1446518855, 0.3019970957),
    "front, attention over cells": (8.547756305, 6.066431257, 4.083140532, 3.463851065, 0.7377538199, 0.5776706749),
    "front, perception": (1.380464207, 1.20919065, 1.097704196, 3.462129985, -0.1140038242, -0.04684982668),
}


def uniform(generator: torch.Generator, *shape: int) -> torch.Tensor:
    """Between -1 and 1; the same bits everywhere, because a float64 is 53 bits of the generator."""
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1


def clips(generator: torch.Generator) -> Examples:
    """Eight clips of different lengths; the last has no face, and one face is lost for three frames."""
    voices = [uniform(generator, 30 + 7 * i, F) for i in range(8)]
    faces = [torch.cat([uniform(generator, 12 + i, G), torch.ones(12 + i, 1)], dim=1) for i in range(8)]
    faces[2][5:8] = 0.0
    faces[7][:] = 0.0
    return Examples(voices, torch.tensor([0, 1, 2, 0, 1, 2, 1, 1]), faces)


def trained(name: str) -> tuple[float, ...]:
    """Loss of each of three epochs; then of the first, the middle and the last parameter the sum, weighed by place."""
    generator = torch.Generator().manual_seed(11)
    part, model = clips(generator), NETWORKS[name]().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(uniform(generator, *parameter.shape))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=RECIPE.learning_rate, weight_decay=RECIPE.weight_decay)
    losses = [_one_epoch(model, part, optimizer, RECIPE, 0, e, torch.device("cpu"), None) for e in range(3)]
    parameters = [parameter.detach().flatten() for parameter in model.parameters()]
    chosen = (parameters[0], parameters[len(parameters) // 2], parameters[-1])
    return (*losses, *(float(torch.arange(1, len(p) + 1, dtype=p.dtype).cos() @ p) for p in chosen))


@pytest.mark.parametrize("name", NETWORKS)
def test_training_gives_these_numbers(name):
    assert trained(name) == pytest.approx(GOLDENS[name], rel=1e-6)


if __name__ == "__main__":
    for name in NETWORKS:
        print(f'    "{name}": ({", ".join(f"{number:.10g}" for number in trained(name))}),')
