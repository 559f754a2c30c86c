"""Where emotion lives: attention for speech emotion recognition.

>>> import sertut
>>> corpus = sertut.load("planted")
>>> fold = corpus.folds()[0]                                   # speakers are disjoint, or this raises
>>> model = sertut.models.AttentiveLSTM(n_features=64, n_classes=len(corpus.emotions))
>>> run = sertut.fit(model, fold, seed=0)
>>> report = sertut.evaluate(run, fold.test)
>>> sertut.show.attention(report[3])

Rooms are imported when they are first used, so that ``import sertut`` and ``sertut --help`` cost nothing.
"""

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and type checkers see; __getattr__ below does the same when it is needed
    from sertut import attention, corpora, course, evidence, models, planted, show, signals, study, training, video
    from sertut.corpora.own import load
    from sertut.errors import SertutError
    from sertut.evidence import evaluate
    from sertut.training import fit, fit_once, load_run, predict

__version__ = "0.1.0"

_NAMES = {"SertutError": "errors", "evaluate": "evidence", "load": "corpora.own"}
_NAMES |= dict.fromkeys(("fit", "fit_once", "load_run", "predict"), "training")


def __getattr__(name: str):
    if name in _NAMES:
        return getattr(importlib.import_module(f"sertut.{_NAMES[name]}"), name)
    if not name.startswith("_") and importlib.util.find_spec(f"sertut.{name}"):
        return importlib.import_module(f"sertut.{name}")
    raise AttributeError(f"module 'sertut' has no attribute '{name}'")
