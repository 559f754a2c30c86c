"""One drawing a mechanism, each composed of the few shapes of :class:`sertut.show.sheet.Sheet`.

The numbers in a drawing are invented, and what is made of them is computed: the weights are the softmax of the scores.
"""

import itertools
from collections.abc import Callable

import numpy as np
from scipy.special import softmax as softened

from sertut.errors import must_be_known
from sertut.show.sheet import LEFT, WIDE, Sheet, columns
from sertut.show.style import BLUE, EMOTIONS, ORANGE, SKY, YELLOW

SCORES = np.array([0.2, -0.6, 1.9, 1.2, -0.3, 0.4])
TONE = np.interp(np.arange(24) / 2, np.arange(12), [6, 5, 4, 2, 1, 2, 3, 5, 6, 5, 4, 3])
SOUND = np.exp(-0.5 * ((np.arange(8)[:, None] - TONE) / 1.2) ** 2)  # (F, T): one tone
CENTER, ACROSS = (LEFT + WIDE) / 2, WIDE - LEFT - 8
FRAMES, DECISION = {"frames": "", "states": "encoder"}, {"context": "sum", "emotion": ""}
Compose = Callable[[Sheet], None]
DRAWINGS: dict[str, tuple[dict[str, str], Compose]] = {}


def mechanism(name: str) -> Sheet:
    """The drawing of a mechanism, ``mechanism("soft attention")``: SVG, with a text for those who cannot see it.

    Raises:
        SertutError: there is no drawing of that name; the message names the nearest.
    """
    must_be_known("mechanism", name, DRAWINGS)
    rows, compose = DRAWINGS[name]
    compose(sheet := Sheet(name, rows, " ".join(str(compose.__doc__).split())))
    return sheet


def draws(name: str, rows: dict[str, str]) -> Callable[[Compose], Compose]:
    """Keeps a composer, whose docstring is the text alternative, with the rows of its drawing."""

    def keep(compose: Compose) -> Compose:
        DRAWINGS[name] = rows, compose
        return compose

    return keep


@draws(
    "LSTM in both directions",
    {"frames": "", "states": "read →", " ": "read ←", "weights": "all equal", "context": "mean", "emotion": ""},
)
def lstm(sheet: Sheet) -> None:
    """Six frames are read by two LSTMs, one from the first to the last and one from the last to the first. At each
    step the two states stand side by side. All steps get the same weight, and their mean decides on the emotion."""
    sheet.frames()
    sheet.states()
    sheet.states(row=" ")
    x, y, back = columns(6), sheet.y["states"], sheet.y[" "]
    for here, there in itertools.pairwise(x):
        sheet.arrow(here + 16, y, there - 17, y)
        sheet.arrow(there - 16, back, here + 17, back)
    for at in x:
        sheet.box(at, (y + back) / 2, 40, back - y + 34, "none", 'rx="8" stroke-dasharray="2 3"')
    sheet.bars("weights", np.full(6, 1 / 6), 90, BLUE)
    sheet.total(np.full(6, 1 / 6))


@draws("soft attention", FRAMES | {"scores": "a question", "weights": "softmax"} | DECISION)
def soft_attention(sheet: Sheet) -> None:
    """Six frames become six states. One learned question gives each state a score, above or below zero. The softmax
    makes weights of the scores, all positive, with the sum 1. The weighted sum of the states is the context."""
    weights = softened(SCORES)
    sheet.frames()
    sheet.states()
    sheet.bars("scores", SCORES, 13, base=10)
    sheet.bars("weights", weights, 70, BLUE)
    sheet.total(weights)


@draws("mixture", {"states": "", "opinions": "of each one", "weights": "softmax", " ": "", "mixture": "sum"})
def mixture(sheet: Sheet) -> None:
    """Each of six states gives an opinion of its own, a bar that is divided among three emotions. The first two say
    neutral above all, the next two anger, the last two fear. The weights are positive and have the sum 1. The opinions,
    each times its weight, are added up: one bar of the same three emotions, with more anger than fear."""
    emotions, weights, y = ("anger", "fear", "neutral"), softened(SCORES), sheet.y
    said = np.repeat([[0.3, 0.5, 2.2], [2.8, 0.4, 0.8], [0.2, 2.6, 0.9]], 2, axis=0)
    opinions = np.stack([softened(row) for row in said])  # (T, C)
    mixed = weights @ opinions  # (C,)
    ends = [np.cumsum([0, *row]) for row in (*opinions, mixed)]
    sheet.states()
    for x, opinion, end, weight in zip(columns(6), opinions, ends, weights, strict=False):
        sheet.arrow(x, y["states"] + 13, x, y["opinions"] - 21)
        sheet.marks.append('<g class="opinion">')
        for emotion, share, top in zip(emotions, opinion, end, strict=False):
            where = y["opinions"] - 19 + 38 * (top + share / 2)
            sheet.box(x, where, 26, 38 * share, EMOTIONS[emotion], f'data-value="{share:.4f}"')
        sheet.marks.append("</g>")
        sheet.line(x, y["weights"] + 18, CENTER + (x - CENTER) / 2, y["mixture"] - 17, 0.6 + 9 * weight, BLUE)
    sheet.bars("weights", weights, 70, BLUE)
    sheet.marks.append('<g class="mixture">')
    for emotion, share, start in zip(emotions, mixed, ends[-1], strict=False):
        x = LEFT + 4 + ACROSS * (start + share / 2)
        sheet.box(x, y["mixture"], ACROSS * share, 30, EMOTIONS[emotion], f'data-value="{share:.4f}"')
        sheet.middle(x, y["mixture"], emotion, "#111")
    sheet.marks.append("</g>")


@draws(
    "fully convolutional network",
    {"frames": "bands", "cells": "convolve", "weights": "all equal"} | DECISION | {"context": "mean"},
)
def any_length(sheet: Sheet) -> None:
    """A spectrogram of 24 frames and eight bands becomes a grid of cells, two rows by six columns. Each of the
    twelve cells gets the same weight, and their mean decides. A longer clip has more columns, and nothing else
    changes."""
    y, equal = sheet.y, np.full((2, 6), 1 / 12)
    sheet.matrix(CENTER, y["frames"], SOUND, ACROSS, 40)
    sheet.grid(y["cells"], 2, 6)
    for x in columns(6):
        sheet.arrow(x, y["frames"] + 21, x, y["cells"] - 21)
        sheet.arrow(x, y["cells"] + 20, x, y["weights"] - 18)
    sheet.matrix(CENTER, y["weights"], equal, ACROSS, 32, BLUE, "all")
    sheet.total(equal.sum(axis=0))


@draws(
    "attention over time and frequency",
    {"frames": "bands", "cells": "convolve", "scores": "a question", "weights": "λ, softmax"} | DECISION,
)
def time_and_frequency(sheet: Sheet) -> None:
    """A spectrogram becomes a grid of cells, three bands by six moments. Each cell gets a score. The scores are
    multiplied by lambda, and one softmax over all cells makes weights of them, with the sum 1. The weighted sum of
    all cells is the context."""
    scores = np.array([0.2, 1.5, 0.7])[:, None] + 1.4 * SCORES
    weights = softened(0.8 * scores)
    sheet.matrix(CENTER, sheet.y["frames"], SOUND, ACROSS, 40)
    sheet.grid(sheet.y["cells"], 3, 6)
    sheet.matrix(CENTER, sheet.y["scores"], scores - scores.min(), ACROSS, 39)
    sheet.matrix(CENTER, sheet.y["weights"], weights, ACROSS, 39, BLUE, "all")
    sheet.total(weights.sum(axis=0))


@draws(
    "many heads",
    {"states": "ask and give", "weights": "row asks,", " ": "column asked", "context": "of each row"}
    | {"joined": "Wₒ, mean", "emotion": ""},
)
def many_heads(sheet: Sheet) -> None:
    """Three heads look at the same five states, each in its own way. Each head has a table: a row is a state that
    asks, a column is a state that is asked, and every row of weights has the sum 1. Each row makes a context. The
    contexts of the heads are joined by one layer, and the mean over the steps decides on the emotion."""
    steps = np.arange(5)
    apart = np.subtract.outer(steps, steps)
    heads = -2.0 * np.abs(apart), 2.2 * (steps == 3) - 0 * apart, -1.2 * np.abs(apart - 2)
    sheet.states(5)
    for x, scores, name in zip(columns(3), heads, "123", strict=True):
        weights = softened(scores.astype(float), axis=1)
        sheet.middle(x, sheet.y["weights"] - 18, f"head {name}")
        sheet.matrix(x, sheet.y["weights"] + 30, weights, 78, 78, BLUE, "row")
        for at in columns(5, x - 39, x + 39):
            sheet.circle(at, sheet.y["context"], radius=6)
        sheet.arrow(x, sheet.y["context"] + 10, CENTER + (x - CENTER) / 4, sheet.y["joined"] - 14)
    sheet.states(1, "joined", "")
    sheet.decide("joined")


@draws("focus", {"states": "", "scores": "one query", "window": "P, Z", "weights": "product"} | DECISION)
def focus(sheet: Sheet) -> None:
    """One query gives each of eight states a score. A window, high around its center and low elsewhere, is
    multiplied with the exponentials of the scores; divided by their sum they are the weights. The best state far
    from the center loses its weight."""
    scores, keys = np.array([0.5, 1.0, -0.5, 2.0, 0.0, 1.0, 1.5, -1.0]), np.arange(8)
    window = np.exp(-2 * (keys - 6) ** 2 / 3**2)
    weights = np.exp(scores) * window / (np.exp(scores) * window).sum()
    sheet.states(8)
    sheet.bars("scores", scores, 12, base=10)
    sheet.bars("window", window, 36, YELLOW)
    sheet.bars("weights", weights, 60, BLUE)
    sheet.total(weights)


@draws(
    "calibration",
    {"states": "each head's", "size": "how much?", "gates": "0 to 1 each", "context": "times gate", "joined": "Wₒ"}
    | {"emotion": ""},
)
def calibration(sheet: Sheet) -> None:
    """Three heads have found their states. Of each head one number says how much it found. From the three numbers
    together comes a gate for each head, between 0 and 1; the gates need not have the sum 1. Each head is multiplied
    by its gate, the heads are joined by one layer, and the result decides on the emotion."""
    for k, (x, size, gate) in enumerate(zip(columns(3), (1.9, 0.4, 1.2), (0.9, 0.2, 0.7), strict=True)):
        sheet.middle(x, sheet.y["states"] - 15, f"head {k + 1}")
        for at in columns(4, x - 40, x + 40):
            sheet.box(at, sheet.y["states"] + 8, 16, 8 + 8 * size, SKY, 'rx="4"')
        sheet.bars("size", np.array([size]), 16, span=(x - 20, x + 20))
        sheet.box(x - 10, sheet.y["gates"], 44, 18, "none")
        sheet.box(x - 32 + 22 * gate, sheet.y["gates"], 44 * gate, 18, YELLOW)
        sheet.middle(x + 28, sheet.y["gates"], f"{gate:g}")
        sheet.circle(x, sheet.y["context"], radius=3 + 9 * gate)
        for to in columns(3):
            sheet.line(x, sheet.y["size"] + 17, to - 10, sheet.y["gates"] - 10, 0.5)
        sheet.arrow(x, sheet.y["context"] + 14, CENTER + (x - CENTER) / 4, sheet.y["joined"] - 14)
    sheet.states(1, "joined", "")
    sheet.decide("joined")


@draws(
    "alignment",
    {"voice": "many frames", "weights": "face asks", " ": "", "  ": "", "context": "voice found", "fused": "pairs"},
)
def alignment(sheet: Sheet) -> None:
    """Two clocks: the voice has sixteen frames, the face four in the same time. Each frame of the face asks all
    frames of the voice, and its row of weights has the sum 1. The weights form a ridge, moved by the lag between
    face and voice. The voice that a face has found is put beside it: a fused state."""
    left, right, y = LEFT + 20, WIDE - 2, sheet.y
    voice, face = columns(16, left, right), columns(4, left, right)
    for x in voice:
        sheet.box(x, y["voice"], 12, 18, BLUE, 'fill-opacity=".5"')
    for k, x in enumerate(face):
        row = y["weights"] - 6 + 36 * k
        weights = softened(-0.35 * (np.arange(16) - 4 * k - 2.5) ** 2)
        sheet.circle(LEFT + 4, row, "v" + "₁₂₃₄"[k], ORANGE)
        sheet.matrix((left + right) / 2, row, weights[None], right - left, 24, BLUE, "row")
        sheet.circle(x, y["context"], "f" + "₁₂₃₄"[k])
        sheet.arrow(x, y["context"] + 13, x + 8, y["fused"] - 14)
        sheet.circle(x - 14, y["fused"], "v" + "₁₂₃₄"[k], ORANGE)
        sheet.circle(x + 10, y["fused"], "f" + "₁₂₃₄"[k])


@draws("synchrony", {"scores": "face by voice", " ": "", "votes": "of each lag", "weights": "softmax", "loss": ""})
def synchrony(sheet: Sheet) -> None:
    """One face is compared with three voices: its own, its own played backward, and that of another clip. Each
    table of scores is summed along its diagonals: the votes of each lag. With the own voice one lag gets most
    votes; with the others the votes are spread. A softmax over the voices makes weights with the sum 1. The loss is
    small if the own voice gets the most."""
    mouth = np.array([0.0, 1.0, 0.2, 0.0, 0.9, 1.0, 0.3, 0.0])
    own = np.roll(mouth, 1)
    voices = {"own": own, "backward": own[::-1], "another": np.array([0.4, 0.0, 0.9, 0.1, 0.0, 0.2, 0.1, 1.0])}
    tables = [np.outer(mouth - mouth.mean(), voice - voice.mean()) for voice in voices.values()]
    votes = [np.array([table.diagonal(d).sum() for d in range(-3, 4)]) for table in tables]
    match = softened(np.array([np.log(np.exp(4 * vote).sum()) for vote in votes]))
    for x, name, table, vote in zip(columns(3), voices, tables, votes, strict=True):
        sheet.middle(x, sheet.y["scores"] - 14, name)
        sheet.matrix(x, sheet.y["scores"] + 34, table, 76, 76)
        sheet.bars("votes", vote, 15, span=(x - 40, x + 40), base=8)
    sheet.bars("weights", match, 36, BLUE)
    sheet.middle(CENTER, sheet.y["loss"], f"−log of the own weight: {-np.log(match[0]):.2f}")


@draws("perception", {"states": "face + voice", "weights": "", " ": "", "  ": "", "   ": "", "emotion": "softmax"})
def perception(sheet: Sheet) -> None:
    """Seven emotions ask the same six states, each a question of its own. Each emotion has a row of weights with
    the sum 1, and so a context of its own, from which its evidence is drawn. A softmax over the emotions comes
    last."""
    moments, right, sum_x = np.arange(6), WIDE - 36, WIDE - 14
    asked = [emotion for emotion in EMOTIONS if emotion not in ("calm", "boredom")]
    sheet.states(letter="s", end=right)
    sheet.line(sum_x, sheet.y["weights"] + 26, sum_x, sheet.y["emotion"])
    peaks = (2, 0.1), (4, 1.0), (1, 0.3), (3, 2.0), (0, 1.0), (5, 0.5), (4, 0.2)
    for k, (emotion, (peak, sharp)) in enumerate(zip(asked, peaks, strict=True)):
        y = sheet.y["weights"] + 26 + 23 * k
        sheet.text(16, y + 4, emotion)
        sheet.box(8, y, 9, 9, EMOTIONS[emotion])
        weights = softened(-sharp * np.abs(moments - peak))
        sheet.matrix((LEFT + right) / 2, y, weights[None], right - LEFT, 19, BLUE, "row")
        sheet.arrow(right + 2, y, sum_x - 9, y)
        sheet.circle(sum_x, y, radius=7)
    for x in columns(6, LEFT, right):
        sheet.arrow(x, sheet.y["states"] + 14, x, sheet.y["weights"] + 14)
    sheet.decide("", sum_x - 22)


@draws("front", {"frames": "bands", "channels": "in pairs", "cells": "4 layers", " ": "", "states": "one layer"})
def front(sheet: Sheet) -> None:
    """A spectrogram becomes two channels of half as many frames: as it is, and relative to its own clip. Four
    convolutions, one on the other, halve the bands from 64 to 32, 16 and 8, and make more channels each time: W, 2
    W, 3 W, 4 W. Each column of the last becomes one state, every 80 ms."""
    pairs, y = SOUND.reshape(8, 12, 2).mean(axis=2), sheet.y
    relative = (pairs - pairs.mean(axis=1, keepdims=True)) / (pairs.std(axis=1, keepdims=True) + 0.2)
    sheet.matrix(CENTER, y["frames"], SOUND, ACROSS, 40)
    blocks = columns(4, LEFT - 8, WIDE)
    for x, channel in zip(columns(2), (pairs, relative), strict=True):
        sheet.arrow(CENTER + (x - CENTER) / 2, y["frames"] + 22, x, y["channels"] - 21)
        sheet.matrix(x, y["channels"], channel, 110, 40)
        sheet.arrow(x, y["channels"] + 22, blocks[0] + (x - CENTER) / 6, y["cells"] - 10)
    for k, (x, bands, wide) in enumerate(zip(blocks, (32, 16, 8, 8), (48, 24, 24, 12), strict=True)):
        for depth in range(k, -1, -1):
            sheet.box(x + 4 * depth, y["cells"] + 14 - 4 * depth, wide, 1.4 * bands, SKY)
        sheet.middle(x, y[" "] - 4, f"{k + 1 if k else ''}W × {bands}")
        if k:
            sheet.arrow(blocks[k - 1] + 28, y["cells"] + 14, x - 15, y["cells"] + 14)
    for x in columns(3):
        sheet.arrow(blocks[3], y[" "] + 4, x, y["states"] - 14)
    sheet.states(3)
