"""Where emotion lives: attention for speech emotion recognition.

>>> import sertut
>>> corpus = sertut.load("planted")
>>> fold = corpus.folds()[0]                                   # speakers are disjoint, or this raises
>>> model = sertut.models.AttentiveLSTM(n_features=64, n_classes=len(corpus.emotions))
>>> run = sertut.fit(model, fold, seed=0)
>>> report = sertut.evaluate(run, fold.test)
>>> sertut.show.attention(report[3])
"""

from sertut import attention, corpora, course, evidence, models, show, signals, study, training
from sertut.corpora import load
from sertut.errors import SertutError
from sertut.evidence import evaluate
from sertut.training import fit, predict

__version__ = "0.1.0"

__all__ = [
    "SertutError",
    "attention",
    "corpora",
    "course",
    "evaluate",
    "evidence",
    "fit",
    "load",
    "models",
    "predict",
    "show",
    "signals",
    "study",
    "training",
]
