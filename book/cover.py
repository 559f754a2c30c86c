"""Make the picture of the README and the book's first page: `python book/cover.py`, about a minute on a CPU.

The network of chapter 4, its first fold and seed; the clip is the first with a known region among the typical ones.
"""

from pathlib import Path

import sertut
from sertut.study import build, recipe

corpus = sertut.load("planted")
fold = corpus.folds()[0]
run = sertut.fit(build("attention", corpus), fold, seed=0, **recipe("planted"))
report = sertut.evaluate(run, fold.test)
example = next(e for e in report.typical(len(corpus.emotions)) if e.regions)
picture = sertut.show.attention(example)
picture.save(Path(__file__).parent / "images" / "attention.png")
print(picture.alt)
